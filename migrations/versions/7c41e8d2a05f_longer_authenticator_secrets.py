"""Authenticator secrets of 160 bits, and codes that work once

Revision ID: 7c41e8d2a05f
Revises: 2a6d0f1c9b34
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "7c41e8d2a05f"
down_revision = "2a6d0f1c9b34"
branch_labels = None
depends_on = None

OLD_LENGTH = 16


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("postmaster_admins") as admins:
            admins.alter_column("otp_secret", type_=sa.String(32))
            admins.add_column(sa.Column("otp_last_step", sa.Integer))
            admins.alter_column("username", type_=sqlite.VARCHAR(120, collation="NOCASE"))
    else:
        op.execute(
            "ALTER TABLE postmaster_admins MODIFY otp_secret VARCHAR(32),"
            " ADD COLUMN otp_last_step INT"
        )


def downgrade() -> None:
    admins = sa.table(
        "postmaster_admins",
        sa.column("username"),
        sa.column("otp_secret"),
        sa.column("otp_active"),
    )
    too_long = sa.func.length(admins.c.otp_secret) > OLD_LENGTH
    for (username,) in op.get_bind().execute(sa.select(admins.c.username).where(too_long)):
        # A secret that is cut would lock the administrator out.
        print(f"{username}: the authenticator's secret does not fit; second factor turned off.")
    op.execute(sa.update(admins).where(too_long).values(otp_secret=None, otp_active=False))
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("postmaster_admins") as altered:
            altered.alter_column("username", type_=sqlite.VARCHAR(120))
            altered.drop_column("otp_last_step")
            altered.alter_column("otp_secret", type_=sa.String(OLD_LENGTH))
    else:
        op.execute(
            "ALTER TABLE postmaster_admins DROP COLUMN otp_last_step,"
            f" MODIFY otp_secret VARCHAR({OLD_LENGTH})"
        )
