"""The JSON API: per noun its schemas and its views, described by one OpenAPI document."""

from flask import Flask
from flask_smorest import Api

from ..security import csrf
from . import (
    admins,
    aliases,
    checkup,
    configs,
    declared,
    description,
    domains,
    history,
    imports,
    logs,
    server_config,
    trace,
    users,
)
from .fields import ErrorItem

BLUEPRINTS = (
    domains.blueprint,
    users.blueprint,
    aliases.blueprint,
    admins.blueprint,
    configs.blueprint,
    history.blueprint,
    imports.blueprint,
    imports.export_blueprint,
    declared.blueprint,
    logs.blueprint,
    checkup.blueprint,
    server_config.blueprint,
    trace.blueprint,
)
TITLE = "PostMaster"
ABOUT = (
    "Manages the domains, users and aliases of a mail server. Sign in by POST /login with "
    "the form fields username and password, and send the cookie with every call."
)


class QuietApi(Api):  # type: ignore[misc]  # flask_smorest has no types
    """flask-smorest without its error handlers: ours answer for the whole application."""

    ERROR_SCHEMA = ErrorItem

    def _register_error_handlers(self) -> None:
        pass


def init_app(app: Flask) -> None:
    """Put the API on the application."""
    app.config.update(
        API_TITLE=TITLE,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=None,
    )
    api = QuietApi(
        app,
        spec_kwargs={
            "info": {"description": ABOUT},
            "security": [{"session": []}],
        },
    )
    api.spec.components.security_scheme(
        "session",
        {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]},
    )
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
        csrf.exempt(blueprint)
    app.extensions["openapi"] = api
    app.register_blueprint(description.blueprint)
