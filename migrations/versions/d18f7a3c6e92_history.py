"""The history of changes, and the hashes that an undo needs

Revision ID: d18f7a3c6e92
Revises: 90b5d3f6e1a8
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "d18f7a3c6e92"
down_revision = "90b5d3f6e1a8"
branch_labels = None
depends_on = None

OWN_FORM: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "postmaster_history",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("part_of", sa.Integer),
        sa.Column("moment", MOMENT, nullable=False),
        sa.Column("admin_id", sa.Integer),
        sa.Column("admin", sa.String(120), nullable=False),
        sa.Column("via", sa.String(16), nullable=False),
        sa.Column("ip", sa.String(45), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("object_id", sa.Integer, nullable=False),
        sa.Column("object_name", sa.String(255), nullable=False),
        sa.Column("old", sa.JSON),
        sa.Column("new", sa.JSON),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["part_of"], ["postmaster_history.id"], ondelete="CASCADE"),
        sa.Index("ix_postmaster_history_part_of", "part_of"),
        sa.Index("ix_postmaster_history_moment", "moment"),
        sa.Index("ix_postmaster_history_admin_id", "admin_id"),
        sa.Index("postmaster_history_object", "kind", "object_id"),
        **OWN_FORM,
    )
    op.create_table(
        "postmaster_history_secrets",
        sa.Column("entry_id", sa.Integer, nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["postmaster_history.id"], ondelete="CASCADE"),
        **OWN_FORM,
    )


def downgrade() -> None:
    op.drop_table("postmaster_history_secrets")
    op.drop_table("postmaster_history")
