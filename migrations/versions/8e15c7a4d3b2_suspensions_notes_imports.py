"""Suspended users' hashes, notes, and imports that can be continued

Revision ID: 8e15c7a4d3b2
Revises: 4b9e07d6c8f1
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql, sqlite

revision = "8e15c7a4d3b2"
down_revision = "4b9e07d6c8f1"
branch_labels = None
depends_on = None

OWN_FORM: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
BLOB = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def any_case(length: int) -> Any:
    """Text that compares without case on both databases."""
    return sa.String(length).with_variant(sqlite.VARCHAR(length, collation="NOCASE"), "sqlite")


def upgrade() -> None:
    op.create_table(
        "postmaster_suspensions",
        sa.Column("user_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("email", any_case(120), nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
        sa.Index("ix_postmaster_suspensions_email", "email"),
        **OWN_FORM,
    )
    op.create_table(
        "postmaster_notes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", any_case(120), nullable=False),
        sa.Column("text", sa.String(1000), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "name", name="postmaster_notes_object"),
        **OWN_FORM,
    )
    op.create_table(
        "postmaster_imports",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("finished", MOMENT),
        sa.Column("admin", sa.String(120), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("head_id", sa.Integer),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("ix_postmaster_imports_digest", "digest"),
        **OWN_FORM,
    )
    op.create_table(
        "postmaster_import_parts",
        sa.Column("import_id", sa.Integer, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("content", BLOB, nullable=False),
        sa.PrimaryKeyConstraint("import_id", "role", "number"),
        sa.ForeignKeyConstraint(["import_id"], ["postmaster_imports.id"], ondelete="CASCADE"),
        **OWN_FORM,
    )


def downgrade() -> None:
    op.drop_table("postmaster_import_parts")
    op.drop_table("postmaster_imports")
    op.drop_table("postmaster_notes")
    op.drop_table("postmaster_suspensions")
