"""What an undo needs, the administrators' language, and their last sign-in

Revision ID: 4b9e07d6c8f1
Revises: f5062b9d4c17
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "4b9e07d6c8f1"
down_revision = "f5062b9d4c17"
branch_labels = None
depends_on = None

# A table altered by one statement stands either before it or after it on MySQL.
COLUMNS: dict[str, tuple[tuple[str, sa.types.TypeEngine[Any]], ...]] = {
    "postmaster_admins": (
        ("language", sa.String(8)),
        ("last_sign_in", sa.DateTime()),
    ),
    "postmaster_history": (
        ("undoes", sa.Integer()),
        ("undone_by", sa.Integer()),
    ),
    "postmaster_history_secrets": (
        ("otp_secret", sa.String(32)),
        ("replaced_by", sa.String(64)),
    ),
}


def upgrade() -> None:
    dialect = op.get_bind().dialect
    for table, columns in COLUMNS.items():
        if dialect.name == "sqlite":
            for name, kind in columns:
                op.add_column(table, sa.Column(name, kind))
        else:
            added = ", ".join(
                f"ADD COLUMN {name} {kind.compile(dialect=dialect)}" for name, kind in columns
            )
            op.execute(f"ALTER TABLE {table} {added}")


def downgrade() -> None:
    for table, columns in reversed(COLUMNS.items()):
        if op.get_bind().dialect.name == "sqlite":
            for name, _kind in reversed(columns):
                op.drop_column(table, name)
        else:
            dropped = ", ".join(f"DROP COLUMN {name}" for name, _kind in reversed(columns))
            op.execute(f"ALTER TABLE {table} {dropped}")
