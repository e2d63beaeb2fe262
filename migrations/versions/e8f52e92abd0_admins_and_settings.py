"""Administrators and settings

Revision ID: e8f52e92abd0
Revises: bcc85aaa7896
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "e8f52e92abd0"
down_revision = "bcc85aaa7896"
branch_labels = None
depends_on = None

OWN_FORM: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}


def upgrade() -> None:
    op.create_table(
        "postmaster_admins",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(50)),
        sa.Column("username", sa.String(120)),
        sa.Column("password", sa.String(64)),
        sa.Column("source", sa.String(64)),
        sa.Column("active", sa.Boolean),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("username", name="username"),
        **OWN_FORM,
    )
    op.create_table(
        "postmaster_configuration",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("setting", sa.String(128)),
        sa.Column("value", sa.String(512)),
        sa.Column("regex", sa.String(256)),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("setting", name="setting"),
        **OWN_FORM,
    )


def downgrade() -> None:
    op.drop_table("postmaster_configuration")
    op.drop_table("postmaster_admins")
