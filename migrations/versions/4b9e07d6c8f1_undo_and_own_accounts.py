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
# By table: the index's name and its column. For the list of all who changed something.
INDEXES: dict[str, tuple[str, str]] = {
    "postmaster_history": ("postmaster_history_admin", "admin"),
}


def upgrade() -> None:
    dialect = op.get_bind().dialect
    for table, columns in COLUMNS.items():
        index, indexed = INDEXES.get(table, (None, ""))
        if dialect.name == "sqlite":
            for name, kind in columns:
                op.add_column(table, sa.Column(name, kind))
            if index is not None:
                op.create_index(index, table, [indexed])
        else:
            added = [f"ADD COLUMN {name} {kind.compile(dialect=dialect)}" for name, kind in columns]
            if index is not None:
                added.append(f"ADD INDEX {index} ({indexed})")
            op.execute(f"ALTER TABLE {table} {', '.join(added)}")


def downgrade() -> None:
    for table, columns in reversed(COLUMNS.items()):
        index, _indexed = INDEXES.get(table, (None, ""))
        if op.get_bind().dialect.name == "sqlite":
            if index is not None:
                op.drop_index(index, table)
            for name, _kind in reversed(columns):
                op.drop_column(table, name)
        else:
            dropped = [f"DROP COLUMN {name}" for name, _kind in reversed(columns)]
            if index is not None:
                dropped.append(f"DROP INDEX {index}")
            op.execute(f"ALTER TABLE {table} {', '.join(dropped)}")
