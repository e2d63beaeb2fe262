"""The tables as a command found them, and how to make them so again.

For MySQL, which commits each statement that changes a table.
"""

import re
from dataclasses import dataclass

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from . import revisions
from .db import db
from .revisions import VERSIONS


@dataclass(frozen=True)
class Snapshot:
    """The revisions and the tables' own statements that a command found.

    SQLite takes its tables back by itself, so there the statements stay empty.
    """

    revisions: tuple[str, ...]
    tables: dict[str, str]


def take(connection: Connection) -> Snapshot:
    """What there is now, of PostMaster's tables and the mail tables."""
    names = {*db.metadata.tables, VERSIONS.name} & set(inspect(connection).get_table_names())
    statements = {
        name: ""
        if connection.dialect.name == "sqlite"
        else str(connection.execute(text(f"SHOW CREATE TABLE {name}")).one()[1])
        for name in names
    }
    return Snapshot(revisions.every_present(connection), statements)


def restore(connection: Connection, before: Snapshot) -> None:
    """Undo what a migration did until it stopped, wherever that was.

    By the tables as they were, and not by the downgrades, which undo whole
    migrations only: MySQL keeps each statement of one that stopped half-way. No
    migration changes rows that were there before.
    """
    now = take(connection)
    if connection.dialect.name != "sqlite":
        connection.execute(text("SET foreign_key_checks = 0"))
    for name in set(now.tables) - set(before.tables):
        connection.execute(text(f"DROP TABLE {name}"))
    for name, statement in before.tables.items():
        changes = _changes_back(statement, now.tables[name])
        if changes:
            if name.startswith(OWN_PREFIX):
                # An instant DROP COLUMN keeps the column's place in the row; the table is to
                # be as it was. Ours are small, so a copy costs nothing.
                changes.append("ALGORITHM=COPY")
            connection.exec_driver_sql(f"ALTER TABLE {name} {', '.join(changes)}")
    if connection.dialect.name != "sqlite":
        connection.execute(text("SET foreign_key_checks = 1"))
    if VERSIONS.name in before.tables:
        connection.execute(VERSIONS.delete())
        for revision in before.revisions:
            connection.execute(VERSIONS.insert().values(version_num=revision))


OWN_PREFIX = "postmaster_"
# A line of SHOW CREATE TABLE that declares a column or an index, and its name.
DECLARATION = re.compile(r"^  (?P<key>UNIQUE KEY |KEY |)(?P<name>`(?:[^`]|``)+`) .*?(?=,?$)", re.M)


def _changes_back(before: str, now: str) -> list[str]:
    """What ALTER TABLE has to do to make a table's statement what it was."""
    wanted, present = _declarations(before), _declarations(now)
    gone = [
        f"DROP {'INDEX' if is_key else 'COLUMN'} {name}"
        for (is_key, name), declaration in present.items()
        if (is_key, name) not in wanted or (is_key and wanted[is_key, name] != declaration)
    ]
    back = [
        f"{'ADD' if is_key or (is_key, name) not in present else 'MODIFY'} {declaration}"
        for (is_key, name), declaration in wanted.items()
        if present.get((is_key, name)) != declaration
    ]
    return gone + back


def _declarations(statement: str) -> dict[tuple[bool, str], str]:
    return {
        (bool(found["key"]), found["name"]): found[0].strip()
        for found in DECLARATION.finditer(statement)
    }
