"""Databases to migrate: on MariaDB and on SQLite, empty or as the guides make them."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, text

from postmaster import examining, schema
from postmaster.db import db
from tests.conftest import GUIDE_SCHEMA, dispose, make_app
from tests.mariadb import MariaDB

MAIL_TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")
REVISIONS = [s.revision for s in ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()][::-1]
OLD_REVISIONS = REVISIONS[:4]


def for_sqlite(script: str) -> str:
    """The guides' file in SQLite's words, with the same rows."""
    script = script.replace("INT NOT NULL AUTO_INCREMENT", "INTEGER NOT NULL")
    script = re.sub(r"\) ENGINE=InnoDB DEFAULT CHARSET=utf8", ")", script)
    return re.sub(r"UNIQUE KEY email \(email\)", "UNIQUE (email)", script)


@dataclass
class Database:
    """One database under migration."""

    app: Flask
    load: Callable[[str], None]

    def to(self, revision: str) -> None:
        """Migrate up or down to a revision."""
        with self.app.app_context():
            present = self.revision()
            later = REVISIONS.index(revision) > (
                REVISIONS.index(present) if present in REVISIONS else -1
            )
            move = flask_migrate.upgrade if later else flask_migrate.downgrade
            move(directory=str(schema.MIGRATIONS), revision=revision)
            db.session.remove()

    def adopt(self) -> None:
        """``existingdb``."""
        with self.app.app_context():
            schema.adopt(lambda _line: None)

    def upgrade(self) -> None:
        """``upgradedb``."""
        with self.app.app_context():
            schema.upgrade(lambda _line: None)

    def revision(self) -> str | None:
        with self.app.app_context(), db.engine.connect() as connection:
            return examining.examine(connection).revision

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self.app.app_context(), db.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def run(self, statement: str, **values: Any) -> None:
        """A statement, committed."""
        with self.app.app_context(), db.engine.begin() as connection:
            connection.execute(text(statement), values)

    def mail_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the three mail tables."""
        return {name: self.rows(f"SELECT * FROM {name} ORDER BY id") for name in MAIL_TABLES}

    def mail_tables(self) -> dict[str, Any]:
        """The form of the three mail tables: columns, keys, indexes."""
        with self.app.app_context(), db.engine.connect() as connection:
            if connection.dialect.name == "mysql":
                return {
                    name: re.sub(
                        r" AUTO_INCREMENT=\d+",
                        "",
                        connection.execute(text(f"SHOW CREATE TABLE {name}")).one()[1],
                    )
                    for name in MAIL_TABLES
                }
            inspector = inspect(connection)
            return {
                name: (
                    [
                        (c["name"], str(c["type"]), getattr(c["type"], "collation", None))
                        for c in inspector.get_columns(name)
                    ],
                    [u["column_names"] for u in inspector.get_unique_constraints(name)],
                    [(f["referred_table"], f["options"]) for f in inspector.get_foreign_keys(name)],
                    sorted(str(index["name"]) for index in inspector.get_indexes(name)),
                )
                for name in MAIL_TABLES
            }

    def tables(self) -> set[str]:
        """The names of all tables."""
        with self.app.app_context(), db.engine.connect() as connection:
            return set(inspect(connection).get_table_names())


@pytest.fixture(scope="session")
def app_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """One for all tests, each of which finds no file: to make it takes longer than to migrate."""
    folder = tmp_path_factory.mktemp("migrated")
    return make_app(f"sqlite:///{folder}/migrated.sqlite3", folder)


@pytest.fixture(scope="session")
def app_on_mariadb(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The same, where each test finds an empty database."""
    return make_app(mariadb.create_database("migrated"), tmp_path_factory.mktemp("migrated"))


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database."""
    app: Flask = request.getfixturevalue(f"app_on_{request.param}")
    if request.param == "sqlite":
        file = Path(app.config["SQLALCHEMY_DATABASE_URI"].database)
        file.unlink(missing_ok=True)

        def load(script: str) -> None:
            connection = sqlite3.connect(file)
            connection.executescript(for_sqlite(script))
            connection.close()

    else:
        server: MariaDB = request.getfixturevalue("mariadb")
        server.create_database("migrated")

        def load(script: str) -> None:
            server.run("migrated", script)

    yield Database(app, load)
    dispose(app)


@pytest.fixture
def guide(database: Database) -> Database:
    """A database as the guides make it, with the rows of real servers."""
    database.load(GUIDE_SCHEMA)
    return database
