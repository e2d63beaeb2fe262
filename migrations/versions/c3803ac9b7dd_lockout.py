"""Administrators: failed attempts and the lock

Revision ID: c3803ac9b7dd
Revises: e8f52e92abd0
"""

import sqlalchemy as sa
from alembic import op

revision = "c3803ac9b7dd"
down_revision = "e8f52e92abd0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("postmaster_admins") as admins:
        admins.add_column(sa.Column("failed_attempts", sa.Integer))
        admins.add_column(sa.Column("last_failed_date", sa.DateTime))
        admins.add_column(sa.Column("unlock_date", sa.DateTime))


def downgrade() -> None:
    with op.batch_alter_table("postmaster_admins") as admins:
        admins.drop_column("unlock_date")
        admins.drop_column("last_failed_date")
        admins.drop_column("failed_attempts")
