"""What the three commands make of each state of an embedded SQLite database."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask

from postmaster import examining, schema
from postmaster.db import db
from postmaster.examining import State
from tests.conftest import GUIDE_SCHEMA, dispose, make_app
from tests.migrations.conftest import for_sqlite

VERSION = "CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version "
STATES = {
    "empty": ("", State.EMPTY, []),
    "another program's": ("CREATE TABLE notes (id INTEGER)", State.EMPTY, []),
    "guides": (GUIDE_SCHEMA, State.GUIDES, []),
    "a column more": (
        GUIDE_SCHEMA + "ALTER TABLE virtual_users ADD COLUMN quota INTEGER NOT NULL DEFAULT 0;",
        State.GUIDES,
        [],
    ),
    "no version": (GUIDE_SCHEMA + VERSION.partition(";")[0] + ";", State.GUIDES, []),
    "older": (GUIDE_SCHEMA + VERSION + "VALUES ('bcc85aaa7896')", State.OLDER, []),
    "unknown": (GUIDE_SCHEMA + VERSION + "VALUES ('abcdef123456')", State.NEWER, []),
    "renamed": (
        GUIDE_SCHEMA + "ALTER TABLE virtual_aliases RENAME COLUMN source TO address;",
        State.CLASH,
        ["virtual_aliases has no column source", "virtual_aliases.address must be given"],
    ),
    "a view": (
        GUIDE_SCHEMA + "CREATE VIEW postmaster_admins AS SELECT 1 AS id;",
        State.CLASH,
        ["postmaster_admins is there already"],
    ),
    "two of three": (
        GUIDE_SCHEMA + "DROP TABLE virtual_aliases;",
        State.CLASH,
        ["virtual_aliases is missing"],
    ),
}
REFUSING = {
    schema.create: {State.GUIDES: "existingdb", State.OLDER: "upgradedb"},
    schema.adopt: {State.EMPTY: "createdb", State.OLDER: "upgradedb"},
    schema.upgrade: {},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mail.sqlite3"


@pytest.fixture
def app(file: Path, tmp_path: Path) -> Iterator[Flask]:
    app = make_app(f"sqlite:///{file}", tmp_path)
    with app.app_context():
        yield app
    dispose(app)


def load(file: Path, script: str) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(for_sqlite(script))
    connection.close()


def dump(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def state() -> State:
    with db.engine.connect() as connection:
        return examining.examine(connection).state


@pytest.mark.parametrize(("script", "expected", "differences"), STATES.values(), ids=STATES.keys())
def test_a_state_is_recognised_with_each_difference(
    app: Flask, file: Path, script: str, expected: State, differences: list[str]
) -> None:
    load(file, script)
    before = dump(file)
    with db.engine.connect() as connection:
        examination = examining.examine(connection)
    assert examination.state is expected
    found = "; ".join(examination.differences)
    assert len(examination.differences) == len(differences)
    assert all(difference in found for difference in differences)
    assert dump(file) == before


@pytest.mark.parametrize("command", REFUSING, ids=lambda command: command.__name__)
@pytest.mark.parametrize("name", ["empty", "guides", "older", "unknown", "renamed"])
def test_each_command_does_its_part_or_refuses_and_changes_nothing(
    app: Flask, file: Path, command: schema.Report, name: str
) -> None:
    script, expected, _ = STATES[name]
    load(file, script)
    before = dump(file)
    unusable = {State.NEWER: "abcdef123456", State.CLASH: "virtual_aliases"}
    refusing = REFUSING[command] | unusable
    if expected in refusing:
        with pytest.raises(schema.Refused, match=refusing[expected]):
            command(lambda _line: None)
        assert dump(file) == before
    else:
        command(lambda _line: None)
        assert state() is State.HEAD
        at_head = dump(file)
        told: list[str] = []
        for again in REFUSING:
            again(told.append)
        assert told == ["The database is up to date already. Nothing was changed."] * 3
        assert dump(file) == at_head


@pytest.mark.parametrize("name", ["empty", "guides"])
def test_a_migration_that_fails_leaves_the_file_as_it_was(
    app: Flask, file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    load(file, STATES[name][0])
    before = dump(file)

    def fail(_connection: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(schema, "seed_if_at_head", fail)
    with pytest.raises(ZeroDivisionError):
        schema.upgrade(lambda _line: None)
    assert dump(file) == before


def test_a_database_below_the_first_revision_is_the_guides(app: Flask, file: Path) -> None:
    schema.create(lambda _line: None)
    flask_migrate.downgrade(directory=str(schema.MIGRATIONS), revision="base")
    assert state() is State.GUIDES
