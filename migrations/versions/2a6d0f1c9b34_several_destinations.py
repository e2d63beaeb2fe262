"""Several destinations for one alias source

The unique key that PostMaster 1.x put on virtual_aliases.source goes, where it
is there; an index on source and one on destination come. On SQLite the address
columns get the collation that ignores case, as MySQL's does by itself.

What was there before is written down, so that a downgrade puts it back.

Revision ID: 2a6d0f1c9b34
Revises: e3a72926f808
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "2a6d0f1c9b34"
down_revision = "e3a72926f808"
branch_labels = None
depends_on = None

UNIQUE_SOURCE = "unique key on virtual_aliases.source"
CASE_SENSITIVE = "case-sensitive addresses"
# Batch mode needs a name to drop an unnamed unique constraint of SQLite by.
NAMING = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
ADDRESS_COLUMNS = {
    "virtual_domains": {"name": 50},
    "virtual_users": {"email": 120},
    "virtual_aliases": {"source": 100, "destination": 100},
}


def upgrade() -> None:
    op.create_table(
        "postmaster_mail_tables",
        sa.Column("changed", sa.String(64), nullable=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("changed"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    unique_key = unique_source()
    if unique_key is not None:
        remember(UNIQUE_SOURCE, unique_key)
    if op.get_bind().dialect.name == "sqlite":
        upgrade_sqlite(unique_key)
    else:
        drop = f"DROP INDEX `{unique_key}`," if unique_key else ""
        # One statement, so that it is done or not done; reads and writes go on meanwhile.
        op.execute(
            f"ALTER TABLE virtual_aliases {drop} ADD INDEX postmaster_source (source),"
            " ADD INDEX postmaster_destination (destination)"
        )


def downgrade() -> None:
    before = recall()
    unique_key = before.get(UNIQUE_SOURCE)
    if unique_key is not None and several_destinations():
        print("A source has several destinations: its old unique key is not put back.")
        unique_key = None
    if op.get_bind().dialect.name == "sqlite":
        downgrade_sqlite(unique_key, case_sensitive=CASE_SENSITIVE in before)
    else:
        add = f", ADD UNIQUE INDEX `{unique_key}` (source)" if unique_key else ""
        op.execute(
            "ALTER TABLE virtual_aliases DROP INDEX postmaster_source,"
            f" DROP INDEX postmaster_destination{add}"
        )
    op.drop_table("postmaster_mail_tables")


def upgrade_sqlite(unique_key: str | None) -> None:
    if unique_key is not None:
        with op.batch_alter_table("virtual_aliases", naming_convention=NAMING) as aliases:
            aliases.drop_constraint(unique_key, type_="unique")
    if not ignores_case():
        remember(CASE_SENSITIVE, "yes")
    collate("NOCASE")  # in any case: the table above was rebuilt without its collations
    op.create_index("postmaster_source", "virtual_aliases", ["source"])
    op.create_index("postmaster_destination", "virtual_aliases", ["destination"])


def downgrade_sqlite(unique_key: str | None, *, case_sensitive: bool) -> None:
    op.drop_index("postmaster_destination", "virtual_aliases")
    op.drop_index("postmaster_source", "virtual_aliases")
    if unique_key is not None:
        with op.batch_alter_table("virtual_aliases", naming_convention=NAMING) as aliases:
            aliases.create_unique_constraint(unique_key, ["source"])
    collate(None if case_sensitive else "NOCASE")


def unique_source() -> str | None:
    """The name of the unique key on source alone, if there is one."""
    inspector = sa.inspect(op.get_bind())
    for constraint in inspector.get_unique_constraints("virtual_aliases"):
        if constraint["column_names"] == ["source"]:
            return constraint["name"] or "uq_virtual_aliases_source"
    return None


def several_destinations() -> bool:
    query = "SELECT 1 FROM virtual_aliases GROUP BY source HAVING COUNT(*) > 1 LIMIT 1"
    return op.get_bind().execute(sa.text(query)).first() is not None


def ignores_case() -> bool:
    created = "SELECT sql FROM sqlite_master WHERE name = 'virtual_users'"
    return "NOCASE" in str(op.get_bind().execute(sa.text(created)).scalar()).upper()


def collate(collation: str | None) -> None:
    for table, columns in ADDRESS_COLUMNS.items():
        with op.batch_alter_table(table, recreate="always", naming_convention=NAMING) as altered:
            for column, length in columns.items():
                altered.alter_column(
                    column,
                    type_=sqlite.VARCHAR(length, collation=collation),
                    existing_nullable=False,
                )


def remember(changed: str, before: str) -> None:
    table = sa.table("postmaster_mail_tables", sa.column("changed"), sa.column("before"))
    op.execute(sa.insert(table).values(changed=changed, before=before))


def recall() -> dict[str, str]:
    rows = op.get_bind().execute(sa.text("SELECT changed, `before` FROM postmaster_mail_tables"))
    return dict(list(rows))
