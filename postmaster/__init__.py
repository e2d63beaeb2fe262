"""PostMaster: a panel and an API over the mail guides' tables.

``create_app()`` is the only place that knows every part.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app

from . import api, config, health, metrics, pages, refusals, security, signing_in
from .connections import engine_options
from .db import after_commit, db, end_session
from .logfile import LogFile
from .rules.history import LogEntry


def create_app(overrides: Mapping[str, Any] | None = None, *, serving: bool = True) -> Flask:
    """Build the application from the configuration; ``overrides`` win over it.

    Raises ConfigError if the configuration is wrong, and, when ``serving``, if
    there is no secret key.
    """
    configuration = config.load(overrides)
    if serving:
        configuration.require_secret_key()
    app = Flask(__name__)
    app.extensions["postmaster"] = configuration
    app.config.update(
        SQLALCHEMY_DATABASE_URI=configuration.database_uri,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(configuration.database_uri, serving=serving),
    )
    db.init_app(app)
    app.teardown_appcontext(end_session)
    app.extensions["postmaster_log"] = LogFile(configuration.log_file)
    after_commit(_write_to_log)
    security.init_app(app, configuration)
    signing_in.init_app(app)
    refusals.init_app(app)
    app.register_blueprint(health.blueprint)
    metrics.init_app(app, configuration, serving=serving)
    pages.init_app(app)
    api.init_app(app)
    return app


def _write_to_log(entry: object) -> None:
    if isinstance(entry, LogEntry):
        log: LogFile = current_app.extensions["postmaster_log"]
        log.write(entry.category, entry.admin, entry.message, ip=entry.ip)
