"""What state a database is in, and the three commands that prepare it.

MySQL commits each statement that changes a table, so "a command that fails
leaves the database as it was" takes more than a rollback: what can be known
beforehand (state, privileges) is checked first, and what still goes wrong is
taken back by comparing the tables with what they were.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

import flask_migrate
import pymysql
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Inspector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import Integer, String

from . import revisions, snapshot
from .db import NOT_PREPARED, db, explain
from .errors import Phrase, RuleError, Unavailable
from .models import Alias, Domain, User
from .revisions import MIGRATIONS
from .rules import admins, settings

GUIDES_REVISION = "bcc85aaa7896"
MAIL_TABLES = (Domain.__tablename__, User.__tablename__, Alias.__tablename__)

# Each is refused before MySQL looks whether it makes sense, so none of them changes a thing;
# nor do they where they are allowed, since there is no such table.
PRIVILEGE_PROBES = {
    "CREATE": "CREATE TABLE {table} (a INT, a INT)",
    "DROP": "DROP TABLE {table}",
    "ALTER": "ALTER TABLE {table} ADD a INT",
    "INDEX": "CREATE INDEX a ON {table} (a)",
    "SELECT": "SELECT 1 FROM {table}",
    "INSERT": "INSERT INTO {table} VALUES (1)",
    "UPDATE": "UPDATE {table} SET a = 1",
    "DELETE": "DELETE FROM {table}",
}
DENIED = {1044, 1142}


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


class Refused(RuleError):
    """A command that does not fit the state of the database; it changed nothing."""


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


# --- looking --------------------------------------------------------------------


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
    is_known = revision in revisions.known()
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


def check_privileges(connection: Connection) -> None:
    """Refuse if the database user may not do what a migration does. Changes nothing."""
    if connection.dialect.name == "sqlite":
        return
    table = f"postmaster_probe_{secrets.token_hex(8)}"
    missing = [
        privilege
        for privilege, probe in PRIVILEGE_PROBES.items()
        if _is_denied(connection, probe.format(table=table))
    ]
    if missing:
        raise Refused(
            "PostMaster's database user lacks privileges on this database: %(missing)s. Grant "
            "them (GRANT %(missing)s, REFERENCES ON %(database)s.* TO %(account)s) and try again",
            missing=", ".join(missing),
            database=connection.engine.url.database,
            account=account_of(connection),
        )


def account_of(connection: Connection) -> str:
    """PostMaster's database user as GRANT names it."""
    account = str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar())
    name, _, host = account.rpartition("@")
    return f"'{name}'@'{host}'"


def _is_denied(connection: Connection, statement: str) -> bool:
    try:
        connection.execute(text(statement))
    except DBAPIError as error:
        arguments = error.orig.args if isinstance(error.orig, pymysql.MySQLError) else ()
        return bool(arguments) and arguments[0] in DENIED
    return False


# --- the three commands ---------------------------------------------------------

Report = Callable[[str], None]


def create(report: Report) -> None:
    """``createdb``: everything, in an empty database."""
    examination = _look()
    _refuse_unusable(examination)
    if _is_at_head(examination, report):
        return
    if examination.state is State.GUIDES:
        raise Refused(
            "The database holds mail tables already. Keep them, with every row, by: existingdb"
        )
    if examination.state is State.OLDER:
        raise Refused("The database is an older PostMaster's. Bring it up to date by: upgradedb")
    _bring_to_head(examination, report)
    report("The tables were created. Sign in as admin with the password PostMaster.")


def adopt(report: Report) -> None:
    """``existingdb``: the guides' tables stay, PostMaster's are added."""
    examination = _look()
    _refuse_unusable(examination)
    if _is_at_head(examination, report):
        return
    if examination.state is State.EMPTY:
        raise Refused("The database holds no mail tables. Make them by: createdb")
    if examination.state is State.OLDER:
        raise Refused("The database is an older PostMaster's. Bring it up to date by: upgradedb")
    _bring_to_head(examination, report)
    report("The mail tables were kept. Sign in as admin with the password PostMaster.")


def upgrade(report: Report) -> None:
    """``upgradedb``: whatever it is, today's tables afterwards."""
    examination = _look()
    _refuse_unusable(examination)
    if _is_at_head(examination, report):
        return
    _bring_to_head(examination, report)
    if examination.state is State.OLDER:
        report(f"The database was brought from revision {examination.revision} up to date.")
    else:
        report("The tables are ready. Sign in as admin with the password PostMaster.")


def _look() -> Examination:
    with db.engine.connect() as connection:
        examination = examine(connection)
        if examination.state in (State.EMPTY, State.GUIDES, State.OLDER):
            check_privileges(connection)
    return examination


def _refuse_unusable(examination: Examination) -> None:
    if examination.state is State.NEWER:
        raise Refused(revisions.NEWER, revision=examination.revision)
    if examination.state is State.CLASH:
        raise Refused(
            CLASHES,
            differences="; ".join(examination.differences),
        )


def _is_at_head(examination: Examination, report: Report) -> bool:
    if examination.state is State.HEAD:
        report("The database is up to date already. Nothing was changed.")
    return examination.state is State.HEAD


def _bring_to_head(examination: Examination, report: Report) -> None:
    with db.engine.connect() as connection:
        before = snapshot.take(connection)
    try:
        if examination.state is State.GUIDES:
            flask_migrate.stamp(directory=str(MIGRATIONS), revision=GUIDES_REVISION)
        flask_migrate.upgrade(directory=str(MIGRATIONS))
    except BaseException:
        report("That failed; putting the database back as it was.")
        with db.engine.begin() as connection:
            snapshot.restore(connection, before)
        raise


def seed_if_at_head(connection: Connection) -> None:
    """Add the rows that PostMaster cannot do without, once all its tables are there.

    In the connection's own transaction, which the migration commits.
    """
    heads = MigrationContext.configure(connection).get_current_heads()
    if heads != (ScriptDirectory(str(MIGRATIONS)).get_current_head(),):
        return
    with Session(connection) as session:
        settings.add_missing(session)
        admins.add_default(session)
        session.flush()
