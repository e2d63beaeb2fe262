"""The database session, what the database's errors mean, and the only commit in the project."""

import random
import re
import sqlite3
import time
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import pymysql
from flask import has_app_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session

from . import database_faults
from .errors import Conflict, Invalid, Phrase, RuleError, Unavailable

ATTEMPTS = 8  # of one act, before a lock that does not come free becomes the user's problem
# Seconds in which an act that lost to others runs again, at whatever attempt it is.
PATIENCE = 25
ACTING = "acting"  # what a session holds while an act runs
LONGEST_PAUSE = 0.05  # seconds between two attempts; who waits longer loses more often


P = ParamSpec("P")
R = TypeVar("R")


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData()


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


# --- what the database says, in words -------------------------------------------

MYSQL_DEADLOCK = 1213  # also Galera's failed certification
MYSQL_RETRY = {1205, MYSQL_DEADLOCK}  # 1205: lock wait timeout
MYSQL_DUPLICATE = 1062
# Too many connections, shutdown, killed, network trouble; 0 is PyMySQL's closed connection.
MYSQL_AWAY = {0, 1040, 1053, 1077, 1078, 1079, 1080, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 1317}
MYSQL_NO_MEMBER = 1047  # a Galera node without the larger part of its cluster, or not yet with it
# 1180: it was cut off from the others at a commit.
MYSQL_AWAY |= {MYSQL_NO_MEMBER, 1180}
NOT_PREPARED = Phrase("The database is not prepared for this version: run manage.py upgradedb")
NOT_STORABLE = Phrase("The value has characters that its column in this database cannot hold")
MIXED_COLLATIONS = Phrase(
    "The database refuses to compare columns of the mail tables with one another (error "
    "%(code)s): their collations differ. The checkup shows the statements that change that"
)
BUSY = Phrase("The database is busy with other changes. Try again in a moment")
NO_CONNECTION = Phrase("The database is busy: no connection was free. Try again in a moment")
AWAY = Phrase("The database does not answer. Try again in a moment")
# What is over by itself; of the rest somebody has to take care.
PASSING = frozenset({BUSY, NO_CONNECTION, AWAY})
# "Illegal mix of collations", of two, of three, of more; the last one does not say which.
MYSQL_COLLATIONS = {1267, 1270, 1271}
# In its text, in whatever language: a collation, and how much it weighs.
WEIGHED = re.compile(r"\((\w+), ?([A-Z]+)\)")
OF_A_VALUE = {"COERCIBLE", "IGNORABLE"}
MYSQL_MEANINGS: dict[int, tuple[type[RuleError], Phrase]] = {
    1054: (Unavailable, NOT_PREPARED),
    1146: (Unavailable, NOT_PREPARED),
    1205: (Unavailable, BUSY),
    1213: (Unavailable, BUSY),
    1366: (Invalid, NOT_STORABLE),
    1406: (Invalid, Phrase("The value is too long for its column in this database")),
}


def _code(error: DBAPIError) -> int | None:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _is_retryable(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig)
    return _code(error) in MYSQL_RETRY


@event.listens_for(Engine, "handle_error")
def _leave_a_node(context: Any) -> None:
    """Close the connection to a node that takes no part: it refuses a rollback as well.

    A new one may lead to another node, where something stands in between that knows.
    """
    if getattr(context.original_exception, "args", ())[:1] == (MYSQL_NO_MEMBER,):
        context.is_disconnect = True


def _may_run_again(error: DBAPIError, attempt: int, seconds: float) -> bool:
    """Whether an act begins anew that ended so at this attempt, so long after it first began.

    A lost race is over at once, and between two nodes of a cluster one may lose many times in
    a row. Waiting for a lock took its time already.
    """
    if not _is_retryable(error):
        return False
    return attempt < ATTEMPTS or (_code(error) == MYSQL_DEADLOCK and seconds < PATIENCE)


def explain(error: Exception) -> RuleError | None:
    """The refusal that a database error means, or None if it is a defect of ours.

    The sentences name neither the URI nor its password.
    """
    if isinstance(error, PoolTimeoutError):
        return Unavailable(NO_CONNECTION)
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error, IntegrityError):
        return Conflict("Somebody else changed the same rows just now. Look again and try again")
    if isinstance(error.orig, sqlite3.Error):
        return _explain_sqlite(error.orig)
    if isinstance(error.orig, pymysql.MySQLError | RuntimeError | OSError):
        return _explain_mysql(error)
    return None


def _configured() -> URL:
    """The URI of the application's database, for names in a sentence."""
    return db.engine.url if has_app_context() else URL.create("")


def _explain_sqlite(error: sqlite3.Error) -> RuleError | None:
    text = str(error)
    fault = database_faults.of_sqlite(text, database=_configured().database or "")
    if fault is not None:
        return fault
    if "no such table" in text or "no such column" in text:
        return Unavailable(NOT_PREPARED)
    if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError
    ):
        return Unavailable("The database cannot be used: %(reason)s", reason=text)
    return None


def _explain_mysql(error: DBAPIError) -> RuleError | None:
    code = _code(error)
    if code in MYSQL_COLLATIONS:
        if _is_about_a_value(error):
            return Invalid(NOT_STORABLE)
        return Unavailable(MIXED_COLLATIONS, code=code)
    uri = _configured()
    fault = database_faults.of_mysql(
        code, str(error.orig), user=uri.username or "", database=uri.database or "DATABASE"
    )
    if fault is not None:
        return fault
    if code in MYSQL_MEANINGS:
        refusal, sentence = MYSQL_MEANINGS[code]
        return refusal(sentence, code=code)
    is_client_error = code is not None and 2000 <= code < 3000
    if is_client_error or code in MYSQL_AWAY or not isinstance(error.orig, pymysql.MySQLError):
        return Unavailable(AWAY)
    return None


def _is_about_a_value(error: DBAPIError) -> bool:
    """Whether collations do not mix for a value with characters that a column's set lacks.

    Otherwise columns do not mix with one another.
    """
    weighed = WEIGHED.findall(str(error.orig))
    if weighed:
        columns = {collation for collation, weight in weighed if weight not in OF_A_VALUE}
        return len(columns) < 2 and all(weight != "NONE" for _collation, weight in weighed)
    return not repr(error.params).isascii()


def flush_unique(session: Session, refusal: RuleError) -> None:
    """Flush; if a unique index has the last word, answer like the check before it."""
    try:
        session.flush()
    except IntegrityError as error:
        if _code(error) == MYSQL_DUPLICATE or "UNIQUE constraint failed" in str(error.orig):
            raise refusal from None
        raise


# --- transactions ---------------------------------------------------------------

# Called with each announcement of a committed act; see announce().
_listeners: list[Callable[[Any], None]] = []
# Called each time that an act begins anew.
_retry_listeners: list[Callable[[], None]] = []


def end_session(_error: BaseException | None) -> None:
    """At the end of a request: give the connection back, also one that was lost meanwhile.

    What was to be written is committed by then, and the answer is made. Flask-SQLAlchemy,
    which does the same after this, would turn it into a failure.
    """
    forget_session()


def forget_session() -> None:
    """Roll back what is not committed, and give the connection back.

    A rollback fails where the connection is lost, and on Galera where another node's change has
    rolled the transaction back just then. Closing the connection does the same.
    """
    try:
        db.session.remove()
    except DBAPIError:
        db.session().invalidate()
        db.session.remove()


def announce(session: Session, announcement: object) -> None:
    """Have the listeners told of this once the transaction has been committed."""
    session.info.setdefault("announcements", []).append(announcement)


def after_commit(listener: Callable[[Any], None]) -> None:
    """Register who hears the announcements (the log file, the metrics)."""
    if listener not in _listeners:
        _listeners.append(listener)


def on_retry(listener: Callable[[], None]) -> None:
    """Register who is told each time that an act begins anew (the metrics)."""
    if listener not in _retry_listeners:
        _retry_listeners.append(listener)


def is_acting(session: Session) -> bool:
    """Whether an act runs in this session, which may have changed something already."""
    return ACTING in session.info


def read_on_from_now(session: Session) -> None:
    """From now on read what is committed now, in a session in which no act runs.

    A transaction reads what was committed when it first read something.
    """
    if is_acting(session):
        raise ValueError("an act reads what it has changed")
    session.connection().connection.commit()


def transact(act: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one act in one transaction of its own, and commit it.

    A deadlock, a lock wait that timed out or a lost certification runs the act
    again from the start; anything else rolls all of it back and goes on up.
    """
    begun = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        forget_session()  # whatever was read before belongs to another transaction
        session = db.session()
        session.info[ACTING] = True
        try:
            result = act(session, *args, **kwargs)
            session.commit()
        except DBAPIError as error:
            forget_session()
            if not _may_run_again(error, attempt, time.monotonic() - begun):
                raise
            for tell in _retry_listeners:
                tell()
            longest = min(0.01 * 2**attempt, LONGEST_PAUSE)
            time.sleep(random.uniform(0, longest))  # noqa: S311 -- spreads retries
        except BaseException:
            forget_session()
            raise
        else:
            session.info.pop(ACTING)
            for announcement in session.info.pop("announcements", []):
                for listener in _listeners:
                    listener(announcement)
            return result
