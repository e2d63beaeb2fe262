"""Connections of the pool: found lost before they are used, and given back with nothing open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pymysql
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from postmaster import connections
from postmaster.db import db, forget_session
from tests.conftest import Prepared, database_name, sign_in
from tests.mariadb import MariaDB


@contextmanager
def counted(mariadb: MariaDB, status: str) -> Iterator[list[int]]:
    """How many more of something the server has done; known at the end."""
    found: list[int] = []
    before = _status(mariadb, status)
    yield found
    found.append(_status(mariadb, status) - before)


def _status(mariadb: MariaDB, name: str) -> int:
    ((_name, value),) = mariadb.rows("mysql", "SHOW GLOBAL STATUS LIKE %s", name)
    return int(value)


def own_id() -> int:
    """The server's number for a connection of the pool."""
    with db.engine.connect() as connection:
        found = connection.scalar(text("SELECT CONNECTION_ID()"))
    assert found is not None
    return int(found)


def test_a_connection_is_used_again_without_asking(empty_app: Flask, mariadb: MariaDB) -> None:
    first = own_id()
    with counted(mariadb, "Com_admin_commands") as pings:
        assert own_id() == first
    assert pings == [0]


def test_after_a_while_it_is_asked(
    empty_app: Flask, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = own_id()
    monkeypatch.setattr(connections, "IDLE", 0.0)
    with counted(mariadb, "Com_admin_commands") as pings:
        assert own_id() == first
    assert pings == [1]


def test_one_that_the_server_ended_is_replaced(empty_app: Flask, mariadb: MariaDB) -> None:
    first = own_id()
    mariadb.run("mysql", f"KILL {first}")
    assert own_id() != first


def test_what_is_left_open_is_rolled_back(
    empty_app: Flask, mariadb: MariaDB, empty_database: str
) -> None:
    name = database_name(empty_database)
    mariadb.run(name, "CREATE TABLE kept (id INT) ENGINE = InnoDB")
    raw = db.engine.raw_connection()
    raw.cursor().execute("INSERT INTO kept VALUES (1)")
    with counted(mariadb, "Com_rollback") as rollbacks:
        raw.close()
    assert rollbacks == [1]
    with db.engine.connect() as same:  # it would see its own row
        assert same.execute(text("SELECT * FROM kept")).all() == []


def test_what_only_read_reads_anew_the_next_time(
    empty_app: Flask, mariadb: MariaDB, empty_database: str
) -> None:
    name = database_name(empty_database)
    mariadb.run(name, "CREATE TABLE kept (id INT) ENGINE = InnoDB")
    for ways in (raw_read, session_read):
        before = ways()
        mariadb.run(name, "INSERT INTO kept VALUES (1)")
        assert ways() == before + 1


def test_what_a_failed_rollback_left_open_is_rolled_back(
    empty_app: Flask, mariadb: MariaDB, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = database_name(empty_database)
    mariadb.run(name, "CREATE TABLE kept (id INT) ENGINE = InnoDB")
    with monkeypatch.context() as patch, suppress(OperationalError):
        db.session.execute(text("INSERT INTO kept VALUES (1)"))
        patch.setattr(pymysql.Connection, "rollback", Once(pymysql.Connection.rollback))
        db.session.rollback()
    forget_session()
    with db.engine.connect() as same:  # it would see its own row
        assert same.execute(text("SELECT * FROM kept")).all() == []


class Once:
    """A rollback that the server refuses the first time."""

    def __init__(self, rollback: Callable[[Any], None]) -> None:
        self.rollback = rollback
        self.is_refused = False

    def __get__(self, connection: Any, _owner: object) -> Callable[[], None]:
        def rollback() -> None:
            if self.is_refused:
                return self.rollback(connection)
            self.is_refused = True
            raise pymysql.OperationalError(1317, "Query execution was interrupted")

        return rollback


def test_one_that_is_taken_out_of_the_pool_is_closed(
    empty_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.detach()
        raw = connection.connection.dbapi_connection
    assert not raw.open  # type: ignore[union-attr]
    assert caplog.records == []


def raw_read() -> int:
    raw = db.engine.raw_connection()
    cursor = raw.cursor()
    cursor.execute("SELECT * FROM kept")
    found = len(cursor.fetchall())
    raw.close()
    return found


def session_read() -> int:
    found = len(db.session.execute(text("SELECT * FROM kept")).all())
    db.session.remove()
    return found


def test_a_request_rolls_back_once(prepared_mariadb: Prepared, mariadb: MariaDB) -> None:
    prepared_mariadb.reset()
    client = sign_in(prepared_mariadb.app)
    with counted(mariadb, "Com_rollback") as rollbacks:
        assert client.get("/api/v1/users").status_code == 200
    assert rollbacks == [1]
