"""The three mail tables, as the mail guides make them

Also what PostMaster 1.x made: one destination a source.

Revision ID: bcc85aaa7896
Revises:
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "bcc85aaa7896"
down_revision = None
branch_labels = None
depends_on = None

GUIDES_FORM: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8"}


def any_case(length: int) -> sa.types.TypeEngine[str]:
    """MySQL's collation ignores case by itself."""
    return sa.String(length).with_variant(sqlite.VARCHAR(length, collation="NOCASE"), "sqlite")


def upgrade() -> None:
    op.create_table(
        "virtual_domains",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", any_case(50), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **GUIDES_FORM,
    )
    op.create_table(
        "virtual_users",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("domain_id", sa.Integer, nullable=False),
        sa.Column("password", sa.String(106), nullable=False),
        sa.Column("email", any_case(120), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email", name="email"),
        sa.ForeignKeyConstraint(["domain_id"], ["virtual_domains.id"], ondelete="CASCADE"),
        **GUIDES_FORM,
    )
    op.create_table(
        "virtual_aliases",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("domain_id", sa.Integer, nullable=False),
        sa.Column("source", any_case(100), nullable=False),
        sa.Column("destination", any_case(100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", name="source"),
        sa.ForeignKeyConstraint(["domain_id"], ["virtual_domains.id"], ondelete="CASCADE"),
        **GUIDES_FORM,
    )


def downgrade() -> None:
    """The mail server lives on these tables: they stay, whoever made them."""
