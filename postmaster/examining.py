"""What state a database is in: which tables it holds, and whether this version can use them.

Each process that serves has this, so it does without Alembic, which takes 11 MB.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from sqlalchemy import inspect
from sqlalchemy.engine import Connection, Inspector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import Integer, String

from . import revisions
from .db import NOT_PREPARED, db, explain
from .errors import Phrase, RuleError, Unavailable
from .models import Alias, Domain, User

MAIL_TABLES = (Domain.__tablename__, User.__tablename__, Alias.__tablename__)


class State(Enum):
    """What a database holds, as far as PostMaster is concerned."""

    EMPTY = auto()
    GUIDES = auto()
    OLDER = auto()
    HEAD = auto()
    NEWER = auto()
    CLASH = auto()


@dataclass(frozen=True)
class Examination:
    """The state of a database; for CLASH with each difference, for OLDER the revision."""

    state: State
    revision: str | None = None
    differences: list[str] = field(default_factory=list)


CLASHES = Phrase("The database cannot be used as it is: %(differences)s")
EMPTY = Phrase(
    "The database is not prepared for this version: it is empty. Run manage.py createdb, or "
    "restore a backup"
)
ADOPTABLE = Phrase(
    "The database is not prepared for this version: it holds the mail tables, and nothing of "
    "PostMaster. Run manage.py existingdb, which keeps every row, or restore the whole of a "
    "backup"
)


def examine(connection: Connection) -> Examination:
    """Find out what the database holds, without changing anything."""
    inspector = inspect(connection)
    tables = set(inspector.get_table_names()) | set(inspector.get_view_names())
    revision = revisions.present(connection)
    if revision is not None:
        return _examine_revision(revision)
    clashes = [
        f"the table {name} is there already, but PostMaster did not make it"
        for name in sorted(tables & (set(db.metadata.tables) - set(MAIL_TABLES)))
    ]
    mail_tables = tables & set(MAIL_TABLES)
    if not mail_tables and not clashes:
        return Examination(State.EMPTY)
    for table in MAIL_TABLES:
        if table not in tables:
            clashes += [f"the table {table} is missing"] if mail_tables else []
        else:
            clashes += _differences(inspector, table)
    return Examination(State.CLASH if clashes else State.GUIDES, differences=clashes)


def explained(error: Exception) -> RuleError | None:
    """As ``db.explain``; where tables or columns are missing, it looks what the database holds."""
    refusal = explain(error)
    if refusal is None or refusal.template != NOT_PREPARED:
        return refusal
    try:
        with db.engine.connect() as connection:
            return _unprepared(connection) or refusal
    except DBAPIError:
        return refusal


def _unprepared(connection: Connection) -> RuleError | None:
    examination = examine(connection)
    match examination.state:
        case State.EMPTY:
            return Unavailable(EMPTY)
        case State.GUIDES:
            return Unavailable(ADOPTABLE)
        case State.CLASH:
            return Unavailable(CLASHES, differences="; ".join(examination.differences))
        case State.HEAD:
            lacking = revisions.lacking(set(inspect(connection).get_table_names()))
            return Unavailable(revisions.INCOMPLETE, tables=lacking) if lacking else None
    return revisions.fault_of(examination.revision or "")


def _examine_revision(revision: str) -> Examination:
    if revision == revisions.head():
        return Examination(State.HEAD, revision)
    is_known = revision in revisions.REVISIONS
    return Examination(State.OLDER if is_known else State.NEWER, revision)


def _differences(inspector: Inspector, table: str) -> list[str]:
    """How a mail table differs from the guides' in what PostMaster and the servers need.

    A missing key, a shorter column or a column more is no hindrance here.
    """
    found = {column["name"]: column for column in inspector.get_columns(table)}
    wanted = db.metadata.tables[table].columns
    differences = []
    for column in wanted:
        kind = Integer if isinstance(column.type, Integer) else String
        if column.name not in found:
            differences.append(f"{table} has no column {column.name}")
        elif not isinstance(found[column.name]["type"], kind):
            name = "a number" if kind is Integer else "text"
            differences.append(
                f"{table}.{column.name} is {found[column.name]['type']} and not {name}"
            )
    for name, present in found.items():
        if name not in wanted and not present["nullable"] and present["default"] is None:
            differences.append(f"{table}.{name} must be given in every row, but has no default")
    if "id" in found and inspector.get_pk_constraint(table)["constrained_columns"] != ["id"]:
        differences.append(f"{table}.id is not the primary key")
    elif "id" in found and found["id"].get("autoincrement") is False:
        differences.append(f"{table}.id does not count up by itself (AUTO_INCREMENT)")
    return differences
