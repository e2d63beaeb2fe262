"""Which revision the tables have, and whether this version can live with it."""

from sqlalchemy import Column, MetaData, String, Table, inspect, select
from sqlalchemy.engine import Connection

from .db import db
from .errors import Phrase, Unavailable

# Where Alembic keeps it.
VERSIONS = Table("alembic_version", MetaData(), Column("version_num", String))
# Every revision that this version can bring up to date, and the last, which it needs. A test
# holds that they are those of migrations/, in their order.
REVISIONS = (
    "bcc85aaa7896",
    "e8f52e92abd0",
    "c3803ac9b7dd",
    "e3a72926f808",
    "2a6d0f1c9b34",
    "7c41e8d2a05f",
    "90b5d3f6e1a8",
    "d18f7a3c6e92",
    "f5062b9d4c17",
    "4b9e07d6c8f1",
    "8e15c7a4d3b2",
    "6f3d92b8e0c5",
)
OLDER = Phrase(
    "The database is not prepared for this version: it has the older revision %(revision)s, as "
    "after an upgrade of PostMaster, or from a backup that an older version made. Run manage.py "
    "upgradedb, which keeps all that is in it"
)
NEWER = Phrase(
    "The database has revision %(revision)s, which this PostMaster does not know: it was made "
    "by a newer one, or by another program. Install that version, or restore a backup that "
    "this one made"
)
INCOMPLETE = Phrase(
    "The database is not prepared for this version: it has the right revision, but lacks the "
    "tables %(tables)s, as after a part of a backup was restored. Restore the whole of it"
)


GUIDES = REVISIONS[0]  # of the guides' tables


def head() -> str:
    """The revision that this version makes and needs."""
    return REVISIONS[-1]


def present(connection: Connection) -> str | None:
    """The revision that the database has; None if PostMaster never prepared it."""
    return ", ".join(every_present(connection)) or None  # another program's may have several


def every_present(connection: Connection) -> tuple[str, ...]:
    """The revisions that the database has, as Alembic keeps them: mostly one, or none."""
    if not inspect(connection).has_table(VERSIONS.name):
        return ()
    return tuple(sorted(connection.scalars(select(VERSIONS.c.version_num))))


def fault_of(revision: str) -> Unavailable | None:
    """What is wrong with a database of this revision; None if it is this version's own."""
    if revision == head():
        return None
    return Unavailable(OLDER if revision in REVISIONS else NEWER, revision=revision)


def lacking(tables: set[str]) -> list[str]:
    """Which tables of this version are not among these."""
    return sorted(set(db.metadata.tables) - tables)
