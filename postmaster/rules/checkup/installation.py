"""What PostMaster itself needs: its tables, a database to write in, the log, a right clock."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from ... import database_faults, revisions
from ...db import NOT_PREPARED
from ...errors import Phrase, Unavailable
from ...logfile import LogFile
from .. import clock
from .findings import MOST_SAMPLES, Finding, Kind, Sample, Severity

OFF = {"0", "OFF", "NONE"}

OLDER = Kind(
    "schema-older",
    Severity.ERROR,
    Phrase("The database is older than this version of PostMaster"),
    revisions.OLDER,
)
NEWER = Kind(
    "schema-newer",
    Severity.ERROR,
    Phrase("The database is newer than this version of PostMaster"),
    revisions.NEWER,
)
INCOMPLETE = Kind(
    "schema-incomplete",
    Severity.ERROR,
    Phrase("Tables that are missing"),
    revisions.INCOMPLETE,
)
READ_ONLY = Kind(
    "database-read-only",
    Severity.ERROR,
    Phrase("The database is read-only"),
    database_faults.SERVER_READ_ONLY,
)
CLOCK_AHEAD = Kind(
    "clock-ahead",
    Severity.ERROR,
    Phrase("This host's clock is ahead of the database server's"),
    Phrase(
        "By %(offset)s (hours, minutes, seconds). Codes of the second factor are refused, and "
        "sessions and lockouts end too early or too late where other hosts serve the same "
        "database. Set the clock that is wrong: timedatectl set-ntp true"
    ),
)
CLOCK_BEHIND = Kind(
    "clock-behind",
    Severity.ERROR,
    Phrase("This host's clock is behind the database server's"),
    CLOCK_AHEAD.meaning,
)
LOG_UNWRITABLE = Kind(
    "log-unwritable",
    Severity.WARNING,
    Phrase("The log cannot be written"),
    Phrase(
        "%(path)s: %(reason)s. Changes go on and are in the history; lines of the log go to the "
        "server's error output instead. Free space, or let the account that serves PostMaster "
        "write there, or name another file by manage.py setlogfile."
    ),
)
CLOCKS = (CLOCK_AHEAD, CLOCK_BEHIND)
# With these a host cannot do its work.
REFUSING = (OLDER, NEWER, INCOMPLETE, READ_ONLY)


def find(session: Session) -> list[Finding]:
    """What is wrong with the tables as a whole, the database server and the clock.

    Four queries. Raises Unavailable, or a DBAPIError that means it, where PostMaster never
    prepared the database.
    """
    connection = session.connection()
    return [*_find_schema(connection), *_find_read_only(connection), *_find_clock(session)]


def find_log(log: LogFile) -> list[Finding]:
    """Whether the log can be written, by the account that asks."""
    reason = log.problem()
    return [_one(LOG_UNWRITABLE, {"path": str(log.path), "reason": reason})] if reason else []


def may_be_read(findings: list[Finding]) -> bool:
    """Whether the tables are there for the rest of the checkup."""
    return not any(finding.kind in (OLDER, INCOMPLETE) for finding in findings)


def _find_schema(connection: Connection) -> list[Finding]:
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if revision is None:
        raise Unavailable(NOT_PREPARED)
    values = {"revision": str(revision)}
    fault = revisions.fault_of(str(revision))
    if fault is not None:
        return [_one(OLDER if fault.template == revisions.OLDER else NEWER, values)]
    lacking = revisions.lacking(set(inspect(connection).get_table_names()))
    if not lacking:
        return []
    sample = [Sample("table", 0, table) for table in lacking[:MOST_SAMPLES]]
    return [Finding(INCOMPLETE, len(lacking), sample, (), {"tables": ", ".join(lacking)})]


def _find_read_only(connection: Connection) -> list[Finding]:
    """A server that takes no changes. An SQLite file shows it when it is written."""
    if connection.dialect.name == "sqlite":
        return []
    query = "SELECT @@global.read_only, @@global.innodb_read_only"
    values = connection.exec_driver_sql(query).one()
    return [_one(READ_ONLY)] if any(str(value).upper() not in OFF for value in values) else []


def _find_clock(session: Session) -> list[Finding]:
    offset = clock.ahead(session)
    kind = CLOCK_AHEAD if offset > timedelta(0) else CLOCK_BEHIND
    return [_one(kind, {"offset": clock.in_words(offset)})] if offset else []


def _one(kind: Kind, values: Mapping[str, Any] | None = None) -> Finding:
    return Finding(kind, 1, values=values or {})
