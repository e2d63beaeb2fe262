"""The three commands that prepare a database.

MySQL commits each statement that changes a table, so "a command that fails
leaves the database as it was" takes more than a rollback: what can be known
beforehand (state, privileges) is checked first, and what still goes wrong is
taken back by comparing the tables with what they were.
"""

import secrets
from collections.abc import Callable

import flask_migrate
import pymysql
from flask import Flask, current_app
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from . import revisions, snapshot
from .config import CHECKOUT
from .db import db
from .errors import RuleError
from .examining import CLASHES, Examination, State, examine
from .rules import admins, settings

MIGRATIONS = CHECKOUT / "migrations"

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


class Refused(RuleError):
    """A command that does not fit the state of the database; it changed nothing."""


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


def init_app(app: Flask) -> None:
    """Have Flask-Migrate's commands find the application's migrations."""
    flask_migrate.Migrate(app, db, directory=str(MIGRATIONS), compare_type=True)


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
    if "migrate" not in current_app.extensions:  # as in a process that serves
        init_app(current_app)
    with db.engine.connect() as connection:
        before = snapshot.take(connection)
    try:
        if examination.state is State.GUIDES:
            flask_migrate.stamp(directory=str(MIGRATIONS), revision=revisions.GUIDES)
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
    if revisions.present(connection) != revisions.head():
        return
    with Session(connection) as session:
        settings.add_missing(session)
        admins.add_default(session)
        session.flush()
