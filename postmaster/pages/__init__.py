"""The HTML pages: per noun its views. A page decides nothing that the API does not."""

from flask import Flask

from ..security import csrf
from . import (
    account,
    admins,
    aliases,
    checkup,
    compression,
    configs,
    dashboard,
    declared,
    directory_trial,
    domains,
    foreseen,
    history,
    imports,
    login,
    logs,
    openid,
    server_config,
    surface,
    suspensions,
    trace,
    translation,
    users,
    wording,
)

BLUEPRINTS = (
    login.blueprint,
    openid.blueprint,
    dashboard.blueprint,
    domains.blueprint,
    users.blueprint,
    suspensions.blueprint,
    aliases.blueprint,
    admins.blueprint,
    configs.blueprint,
    directory_trial.blueprint,
    logs.blueprint,
    history.blueprint,
    imports.blueprint,
    declared.blueprint,
    trace.blueprint,
    foreseen.blueprint,
    checkup.blueprint,
    server_config.blueprint,
    account.blueprint,
)


def init_app(app: Flask) -> None:
    """Put the pages on the application."""
    translation.init_app(app)
    # No form uses WTForms' own sentences, which it would read anew for each.
    app.config["WTF_I18N_ENABLED"] = False
    wording.init_app(app)
    surface.init_app(app)
    compression.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    # Scripts sign in by plain curl; other sites are refused by what browsers say of them.
    csrf.exempt(login.sign_in)
