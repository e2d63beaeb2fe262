"""Which revision the tables have, and whether this version can live with it."""

from functools import cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from .config import CHECKOUT
from .db import db
from .errors import Phrase, Unavailable

MIGRATIONS = CHECKOUT / "migrations"
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


@cache
def head() -> str:
    """The revision that this version makes and needs."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


@cache
def known() -> frozenset[str]:
    """Every revision that this version can bring up to date."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return frozenset(script.revision for script in scripts.walk_revisions())


def present(connection: Connection) -> str | None:
    """The revision that the database has; None if PostMaster never prepared it."""
    return MigrationContext.configure(connection).get_current_revision()


def fault_of(revision: str) -> Unavailable | None:
    """What is wrong with a database of this revision; None if it is this version's own."""
    if revision == head():
        return None
    return Unavailable(OLDER if revision in known() else NEWER, revision=revision)


def lacking(tables: set[str]) -> list[str]:
    """Which tables of this version are not among these."""
    return sorted(set(db.metadata.tables) - tables)
