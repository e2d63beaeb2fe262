"""The rows that acts update in turn

Revision ID: f5062b9d4c17
Revises: d18f7a3c6e92
"""

import sqlalchemy as sa
from alembic import op

revision = "f5062b9d4c17"
down_revision = "d18f7a3c6e92"
branch_labels = None
depends_on = None


def upgrade() -> None:
    turns = op.create_table(
        "postmaster_turns",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("taken", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("name"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    op.bulk_insert(turns, [{"name": name} for name in ("mail", "admins", "settings")])


def downgrade() -> None:
    op.drop_table("postmaster_turns")
