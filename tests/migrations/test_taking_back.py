"""A command that fails half-way leaves the database as it was."""

import flask_migrate
import pytest
from alembic import op

from postmaster import schema
from postmaster.rules import settings
from tests.cli import dump
from tests.conftest import GUIDE_SCHEMA, database_name, dispose, make_app
from tests.mariadb import MariaDB


class Broken(Exception):
    """What goes wrong in these tests."""


def break_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tables are there, but their first rows cannot be written."""

    def fail(_session: object) -> None:
        raise Broken

    monkeypatch.setattr(settings, "add_missing", fail)


def break_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The history's second table cannot be made; its first one was."""
    create_table = op.create_table

    def fail(name: str, *columns: object, **options: object) -> object:
        if name == "postmaster_history_secrets":
            raise Broken
        return create_table(name, *columns, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(op, "create_table", fail)


@pytest.mark.parametrize("breaking", [break_at_the_end, break_in_the_middle])
@pytest.mark.parametrize("state", ["empty", "guides", "older"])
def test_it_is_taken_back(
    mariadb: MariaDB,
    empty_database: str,
    tmp_path: object,
    monkeypatch: pytest.MonkeyPatch,
    breaking: object,
    state: str,
) -> None:
    name = database_name(empty_database)
    app = make_app(empty_database, tmp_path)  # type: ignore[arg-type]
    with app.app_context():
        if state != "empty":
            mariadb.run(name, GUIDE_SCHEMA)
        if state == "older":
            schema.adopt(lambda _line: None)
            flask_migrate.downgrade(directory=str(schema.MIGRATIONS), revision="c3803ac9b7dd")
        before = dump.of(mariadb, name)
        breaking(monkeypatch)  # type: ignore[operator]
        told: list[str] = []
        with pytest.raises(Broken):
            schema.upgrade(told.append)
        assert told == ["That failed; putting the database back as it was."]
    assert dump.of(mariadb, name) == before
    dispose(app)
