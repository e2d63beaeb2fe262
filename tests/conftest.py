"""The parts that all tests use: databases, the application, a small cast of people.

Every test that uses ``app`` (or what is made of it) runs twice: on SQLite and on
a real MariaDB, which is started once for each process of the tests. Those of the pages and
the commands have MariaDB alone.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from postmaster import create_app, schema
from postmaster.config import KEYS
from postmaster.db import db, transact
from postmaster.logfile import LogFile
from postmaster.rules import passwords
from postmaster.rules.actor import Actor
from tests.mail import agreed
from tests.mariadb import MariaDB

GUIDE_SCHEMA = (Path(__file__).parent / "guide-schema.sql").read_text(encoding="utf-8")
SECRET_KEY = "a key for the tests only"
PASSWORD = "PostMaster"

# PyMySQL reads every root certificate for each connection, also where it checks none with them.
os.environ["SSL_CERT_FILE"] = os.devnull

ADMIN = Actor(1, "admin", "api", "192.0.2.1")

_database_numbers = itertools.count(1)


# Each takes more than a minute. At the end of a run the other process would wait for it.
LONGEST = ("test_package.py", "test_guide.py")


# What databases answer differently is in the rules, which run on both; the surfaces have the one
# that serves mail.
ON_MARIADB_ALONE = [Path(__file__).parent / surface for surface in ("pages", "cli", "api")]
# But for what reaches a database as it was sent, and for how lists are asked for.
ON_BOTH = {"test_bad_input.py", "test_lists.py", "test_query_counts.py", "test_schemathesis.py"}


def _is_said_elsewhere(item: pytest.Item) -> bool:
    """Whether this is a test of a surface, on SQLite without having asked for it."""
    callspec = getattr(item, "callspec", None)
    if callspec is None or callspec.params.get("app") != "sqlite":
        return False
    chosen = any("app" in str(mark.args[0]) for mark in item.iter_markers("parametrize"))
    is_of_surface = item.path.parent in ON_MARIADB_ALONE and item.path.name not in ON_BOTH
    return is_of_surface and not chosen


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest tests be the first of the two processes' halves."""
    items[:] = [item for item in items if not _is_said_elsewhere(item)]
    longest = [item for item in items if item.path.name in LONGEST]
    others = [item for item in items if item not in longest]
    half = len(others) // 2
    items[:] = [*longest[::2], *others[:half], *longest[1::2], *others[half:]]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was compared is said also when all is well."""
    said = agreed.summary(terminalreporter.getreports("passed"))
    if said:
        terminalreporter.write_line(said)


@pytest.fixture(scope="session", autouse=True)
def fast_bcrypt() -> None:
    """The lowest cost: a test of the rules is not a test of bcrypt."""
    passwords.BCRYPT_COST = 4


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's own configuration, or writes to it."""
    monkeypatch.setenv("POSTMASTER_CONFIG", str(tmp_path / "postmaster.toml"))
    for key in KEYS.values():
        if key.old_variable is not None:
            monkeypatch.delenv(key.old_variable, raising=False)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """The server, shared by the tests of this process. Who stops it starts it again."""
    with MariaDB(hasty=True) as server:
        yield server


@pytest.fixture
def empty_database(mariadb: MariaDB) -> str:
    """The URI of an empty database on MariaDB; its name is the user's name in it."""
    return mariadb.create_database(f"empty{next(_database_numbers)}")


@pytest.fixture
def guide_database(mariadb: MariaDB, empty_database: str) -> str:
    """The URI of a database on MariaDB as the guides make it, with rows."""
    mariadb.run(database_name(empty_database), GUIDE_SCHEMA)
    return empty_database


@pytest.fixture
def empty_app(empty_database: str, tmp_path: Path) -> Iterator[Flask]:
    """An application of the test's own on it, and its context."""
    app = make_app(empty_database, tmp_path)
    with app.app_context():
        yield app
    dispose(app)


def database_name(uri: str) -> str:
    """The database that a URI names."""
    return uri.rpartition("/")[2]


def make_app(uri: str, folder: Path, **overrides: Any) -> Flask:
    """An application on this database."""
    settings = {"database_uri": uri, "secret_key": SECRET_KEY, "log_file": str(folder / "log")}
    app = create_app(settings | overrides)
    schema.init_app(app)  # as the commands do; here one application is all
    app.testing = True
    return app


class Prepared:
    """A database at head with its first rows, and how to make it so again."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.app = make_app(uri, folder)
        with self.app.app_context():
            schema.upgrade(lambda _line: None)
            self.seeds = [
                (table, [dict(row._mapping) for row in db.session.execute(select(table))])
                for table in db.metadata.sorted_tables
            ]
            db.session.remove()

    def reset(self) -> None:
        """Empty every table and put the first rows back."""
        with self.app.app_context(), db.engine.begin() as connection:
            for table, _rows in reversed(self.seeds):
                connection.execute(table.delete())
            for table, rows in self.seeds:
                if rows:
                    connection.execute(insert(table), rows)


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("sqlite")
    prepared = Prepared(f"sqlite:///{folder}/postmaster.sqlite3", folder)
    yield prepared
    dispose(prepared.app)


@pytest.fixture(scope="session")
def prepared_mariadb(
    mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    prepared = Prepared(mariadb.create_database("shared"), tmp_path_factory.mktemp("mariadb"))
    yield prepared
    dispose(prepared.app)


def dispose(app: Flask) -> None:
    """Close an application's connections."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(params=["sqlite", "mariadb"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    """The application on a fresh database: the default admin, the settings, no more."""
    prepared: Prepared = request.getfixturevalue(f"prepared_{request.param}")
    prepared.reset()
    prepared.app.extensions["postmaster_log"] = LogFile(tmp_path / "postmaster.log")
    return prepared.app


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """The application's context, for tests of the rules."""
    with app.app_context():
        yield


@pytest.fixture
def do(context: None) -> Callable[..., Any]:
    """Run an act as the first admin, in a transaction of its own."""

    def run(act: Callable[..., Any], *arguments: Any, **fields: Any) -> Any:
        return transact(act, ADMIN, *arguments, **fields)

    return run


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A browser in which nobody is signed in."""
    return app.test_client()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser in which the default admin is signed in."""
    return sign_in(app)


def sign_in(app: Flask, username: str = "admin", password: str = PASSWORD) -> FlaskClient:
    """A new browser with this admin signed in."""
    browser = app.test_client()
    response = browser.post("/login", data={"username": username, "password": password})
    assert response.status_code == 302, response.text
    return browser


def set_setting(client: FlaskClient, name: str, value: str) -> None:
    """Change a setting by the API."""
    items = client.get("/api/v1/configs?per_page=100").get_json()["items"]
    number = next(item["id"] for item in items if item["setting"] == name)
    response = client.patch(f"/api/v1/configs/{number}", json={"value": value})
    assert response.status_code == 200, response.text
