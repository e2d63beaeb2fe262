"""Administrators: the second factor

Revision ID: e3a72926f808
Revises: c3803ac9b7dd
"""

import sqlalchemy as sa
from alembic import op

revision = "e3a72926f808"
down_revision = "c3803ac9b7dd"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("postmaster_admins") as admins:
        admins.add_column(sa.Column("otp_active", sa.Boolean))
        admins.add_column(sa.Column("otp_secret", sa.String(16)))


def downgrade() -> None:
    with op.batch_alter_table("postmaster_admins") as admins:
        admins.drop_column("otp_secret")
        admins.drop_column("otp_active")
