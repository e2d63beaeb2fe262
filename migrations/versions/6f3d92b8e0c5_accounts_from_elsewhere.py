"""Administrators whom a directory or a provider knows

Revision ID: 6f3d92b8e0c5
Revises: 8e15c7a4d3b2
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "6f3d92b8e0c5"
down_revision = "8e15c7a4d3b2"
branch_labels = None
depends_on = None

TABLE = "postmaster_admins"
EXACT = mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin")


def upgrade() -> None:
    dialect = op.get_bind().dialect
    if dialect.name == "sqlite":
        op.add_column(TABLE, sa.Column("external_id", sa.String(255)))
        op.add_column(TABLE, sa.Column("confirmed", sa.DateTime))
    else:
        # A table altered by one statement stands either before it or after it on MySQL.
        op.execute(
            f"ALTER TABLE {TABLE} ADD COLUMN external_id {EXACT.compile(dialect=dialect)},"
            " ADD COLUMN confirmed DATETIME"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_column(TABLE, "confirmed")
        op.drop_column(TABLE, "external_id")
    else:
        op.execute(f"ALTER TABLE {TABLE} DROP COLUMN external_id, DROP COLUMN confirmed")
