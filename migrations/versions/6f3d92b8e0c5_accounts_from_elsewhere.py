"""Administrators whom a directory or a provider knows

Revision ID: 6f3d92b8e0c5
Revises: 8e15c7a4d3b2
"""

import sqlalchemy as sa
from alembic import op

revision = "6f3d92b8e0c5"
down_revision = "8e15c7a4d3b2"
branch_labels = None
depends_on = None

TABLE = "postmaster_admins"
COLUMNS = (("external_id", sa.String(255)), ("confirmed", sa.DateTime()))


def upgrade() -> None:
    dialect = op.get_bind().dialect
    if dialect.name == "sqlite":
        for name, kind in COLUMNS:
            op.add_column(TABLE, sa.Column(name, kind))
    else:
        # A table altered by one statement stands either before it or after it on MySQL.
        added = [f"ADD COLUMN {name} {kind.compile(dialect=dialect)}" for name, kind in COLUMNS]
        op.execute(f"ALTER TABLE {TABLE} {', '.join(added)}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, _kind in reversed(COLUMNS):
            op.drop_column(TABLE, name)
    else:
        dropped = ", ".join(f"DROP COLUMN {name}" for name, _kind in reversed(COLUMNS))
        op.execute(f"ALTER TABLE {TABLE} {dropped}")
