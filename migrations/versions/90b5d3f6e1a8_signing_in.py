"""Sessions, recovery codes, refused sign-ins

Revision ID: 90b5d3f6e1a8
Revises: 7c41e8d2a05f
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "90b5d3f6e1a8"
down_revision = "7c41e8d2a05f"
branch_labels = None
depends_on = None

OWN_FORM: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "postmaster_sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("admin_id", sa.Integer, nullable=False),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        sa.Column("ip", sa.String(45), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
        sa.ForeignKeyConstraint(["admin_id"], ["postmaster_admins.id"], ondelete="CASCADE"),
        sa.Index("ix_postmaster_sessions_admin_id", "admin_id"),
        sa.Index("ix_postmaster_sessions_expires", "expires"),
        **OWN_FORM,
    )
    op.create_table(
        "postmaster_recovery_codes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("admin_id", sa.Integer, nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["admin_id"], ["postmaster_admins.id"], ondelete="CASCADE"),
        sa.Index("ix_postmaster_recovery_codes_admin_id", "admin_id"),
        **OWN_FORM,
    )
    op.create_table(
        "postmaster_sign_in_failures",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("network", sa.String(45), nullable=False),
        sa.Column("moment", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("ix_postmaster_sign_in_failures_moment", "moment"),
        sa.Index("postmaster_network_moment", "network", "moment"),
        **OWN_FORM,
    )


def downgrade() -> None:
    op.drop_table("postmaster_sign_in_failures")
    op.drop_table("postmaster_recovery_codes")
    op.drop_table("postmaster_sessions")
