"""A command that is stopped at any of its statements leaves the database as it was."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import event

from postmaster import examining, schema
from postmaster.db import db
from tests import older
from tests.cli import dump
from tests.conftest import GUIDE_SCHEMA, database_name
from tests.mariadb import MariaDB

CHANGES = re.compile(r"\s*(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


class Stopped(BaseException):
    """As Ctrl-C is: no error that code expects."""


class Stop:
    """Stops once the n-th statement that changes something has run."""

    def __init__(self, statement: int) -> None:
        self.left = statement
        self.at = ""

    def __call__(
        self, _connection: object, _cursor: object, statement: str, *_more: object
    ) -> None:
        if CHANGES.match(statement) and "postmaster_probe" not in statement:
            self.left -= 1
            if self.left == 0:
                self.at = statement
                raise Stopped


@contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    event.listen(db.engine, "after_cursor_execute", stop)
    try:
        yield
    finally:
        event.remove(db.engine, "after_cursor_execute", stop)


def exact(server: MariaDB, name: str) -> dump.Dump:
    """All tables and rows. InnoDB never takes a counter back, not even in a rollback."""
    return {
        table: (re.sub(r" AUTO_INCREMENT=\d+", "", statement), rows)
        for table, (statement, rows) in dump.of(server, name).items()
    }


def at(revision: str) -> Callable[[MariaDB, str], None]:
    """The guides' rows, and PostMaster's tables as they were at a revision."""

    def prepare(server: MariaDB, name: str) -> None:
        server.run(name, GUIDE_SCHEMA)
        older.bring_to(revision)

    return prepare


def as_1x_made_it(server: MariaDB, name: str) -> None:
    """With the unique key that allowed one destination a source."""
    flask_migrate.upgrade(directory=str(schema.MIGRATIONS), revision="bcc85aaa7896")
    server.run(
        name,
        "INSERT INTO virtual_domains (name) VALUES ('example.com');"
        "INSERT INTO virtual_aliases (domain_id, source, destination)"
        " VALUES (1, 'a@example.com', 'b@example.com')",
    )


def below_the_first_revision(server: MariaDB, name: str) -> None:
    """After ``db downgrade base``: Alembic's table is there, and empty."""
    at("bcc85aaa7896")(server, name)
    flask_migrate.downgrade(directory=str(schema.MIGRATIONS), revision="base")


# Each state, and after how many statements the next stop is. After their first steps the others
# run the statements that the guides' tables do, so a stop at every third is enough there.
STATES: dict[str, tuple[Callable[[MariaDB, str], None], int]] = {
    "empty": (lambda _server, _name: None, 3),
    "guides": (lambda server, name: server.run(name, GUIDE_SCHEMA), 1),
    "below the first revision": (below_the_first_revision, 3),
    "1.x at bcc85aaa7896": (as_1x_made_it, 3),
    "older at e8f52e92abd0": (at("e8f52e92abd0"), 1),
}


@pytest.mark.parametrize(("prepare", "step"), STATES.values(), ids=STATES.keys())
def test_stopped_anywhere_it_is_as_before_and_can_be_run_again(
    mariadb: MariaDB,
    empty_app: Flask,
    empty_database: str,
    prepare: Callable[[MariaDB, str], None],
    step: int,
) -> None:
    name = database_name(empty_database)
    prepare(mariadb, name)
    before = exact(mariadb, name)
    for number in range(1, 200, step):
        stop = Stop(number)
        with stopping(stop):
            try:
                schema.upgrade(lambda _line: None)
            except Stopped:
                db.session.remove()
            else:
                break
        assert exact(mariadb, name) == before, f"stopped at: {stop.at}"
    assert number > 5
    with db.engine.connect() as connection:
        assert examining.examine(connection).state is examining.State.HEAD
