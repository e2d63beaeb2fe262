"""Connections to the database: how they are made, kept, and given back.

Each request has one of a pool. What a pool does around it would cost two round trips more (is
it still there, and a rollback of what is rolled back already); both are told here without one.
"""

import select
import sqlite3
import time
from typing import Any

import pymysql
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, Engine, ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import Pool, PoolResetState

CONNECT_TIMEOUT = 5  # seconds
ANSWER_TIMEOUT = 20  # seconds that a request waits for one answer
# Seconds unused, after which a server or a firewall between may have gone without a word.
IDLE = 5.0
# What a connection keeps: when it was given back, and that its transaction has ended.
USED, ENDED = "postmaster_used", "postmaster_ended"


def engine_options(url: URL, *, serving: bool) -> dict[str, Any]:
    """How to connect to this database. A command waits as long as its migration takes."""
    if url.get_backend_name() == "sqlite":
        return {"hide_parameters": True, "connect_args": {"timeout": 15}}
    return {
        "hide_parameters": True,  # an error's text must not show a hash
        "pool_use_lifo": True,  # the others may rest, here and in the server
        "pool_recycle": 1800,
        "pool_reset_on_return": None,  # see _end_transaction
        # As many as a process has threads; each further one would be made and closed each time.
        "pool_size": 10,
        "max_overflow": 5,
        "pool_timeout": 10,
        "connect_args": {
            # PyMySQL would encode it as Latin-1, the clients that set it use UTF-8.
            "password": (url.password or "").encode(),
            "charset": "utf8mb4",
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": ANSWER_TIMEOUT if serving else None,
            "write_timeout": ANSWER_TIMEOUT if serving else None,
            # A server that is not strict cuts what is too long; a cut hash locks a user out.
            "init_command": "SET SESSION sql_mode ="
            " CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'STRICT_ALL_TABLES')",
        },
    }


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # we begin transactions ourselves, DDL included
    connection.create_function("substring_index", 3, _substring_index, deterministic=True)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _substring_index(text: str, separator: str, count: int) -> str:
    """MySQL's SUBSTRING_INDEX for the one use here: what stands after the last separator."""
    if count != -1:
        raise ValueError("only the part after the last separator is needed")
    return text.rpartition(separator)[2]


@event.listens_for(Engine, "connect")
def _prepare_galera(connection: Any, _record: Any) -> None:
    """On a Galera cluster: see what any node has committed before.

    Otherwise a node answers with what it has applied so far. Who signs in by one host, and is
    led on to another that uses another node, would have no session there.
    """
    if not isinstance(connection, pymysql.Connection):
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION VARIABLES LIKE 'wsrep_on'")
        if cursor.fetchone() == ("wsrep_on", "ON"):
            # Its bit for reads. The first one of each transaction waits, no other.
            cursor.execute("SET SESSION wsrep_sync_wait = @@wsrep_sync_wait | 1")


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")


# --- in the pool ----------------------------------------------------------------


@event.listens_for(Pool, "checkin")
def _note_use(_connection: Any, record: Any) -> None:
    record.info[USED] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _check_it_is_there(connection: Any, record: Any, _proxy: Any) -> None:
    """Use a server that came back at once, without a restart.

    A server that goes, or ends a connection, says so unasked. So there is something to read,
    which one learns from the kernel; only then, or after a while, is the server asked.
    """
    if not isinstance(connection, pymysql.Connection):
        return
    now = time.monotonic()
    if now - record.info.get(USED, now) < IDLE and not _has_something_to_read(connection):
        return
    try:
        connection.ping(reconnect=False)
    except (pymysql.MySQLError, OSError):
        raise InvalidatePoolError from None  # the pool makes new ones, now and for the others


def _has_something_to_read(connection: "pymysql.Connection[Any]") -> bool:
    """Whether the server said something, or closed the connection, since its last answer."""
    socket = connection._sock  # type: ignore[attr-defined] # PyMySQL has no other way to it
    if socket is None:
        return True
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


# Of the pool's two rollbacks the first is the session's own, the second makes sure; where the
# first was made, or a commit, nothing is open. They are told of before they are made.


@event.listens_for(Engine, "begin")
def _note_begin(connection: Connection) -> None:
    connection.info.pop(ENDED, None)


@event.listens_for(Engine, "commit")
@event.listens_for(Engine, "rollback")
def _note_end(connection: Connection) -> None:
    if not connection.invalidated:  # a lost one is not given back
        connection.info[ENDED] = True


@event.listens_for(Engine, "handle_error")
def _note_failure(context: ExceptionContext) -> None:
    connection = context.connection
    if connection is not None and not connection.closed and not connection.invalidated:
        connection.info.pop(ENDED, None)


@event.listens_for(Pool, "reset")
def _end_transaction(connection: Any, record: Any, state: PoolResetState) -> None:
    """Roll back what may still be open in a connection that is given back.

    ``record`` None: it was taken out of the pool for good.
    """
    is_ended = record is not None and record.info.pop(ENDED, False)
    if isinstance(connection, pymysql.Connection) and not is_ended and not state.terminate_only:
        connection.rollback()
