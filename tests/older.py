"""The guides' rows with PostMaster's tables as an older version had them."""

from pathlib import Path

import flask_migrate

from postmaster import schema
from postmaster.db import db
from tests.conftest import dispose, make_app


def bring_to(revision: str) -> None:
    """Adopt the application's database, which has the guides' tables, and go back to a revision."""
    schema.adopt(lambda _line: None)
    flask_migrate.downgrade(directory=str(schema.MIGRATIONS), revision=revision)
    db.session.remove()


def make(uri: str, folder: Path, revision: str) -> None:
    """The same for a database of which no application is at hand."""
    app = make_app(uri, folder)
    with app.app_context():
        bring_to(revision)
    dispose(app)
