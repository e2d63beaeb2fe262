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
# How the row of a suspended user is marked.
SIGN = "!"
MARKER = "!suspended"
BLOB = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def compared(length: int) -> Any:
    """Text that compares without case, by a collation that is known: the mail tables' side of
    a comparison is converted to it."""
    known = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_general_ci")
    without_case = sqlite.VARCHAR(length, collation="NOCASE")
    return (
        sa.String(length)
        .with_variant(known, "mysql", "mariadb")
        .with_variant(without_case, "sqlite")
    )


def upgrade() -> None:
    op.create_table(
        "postmaster_suspensions",
        sa.Column("user_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("email", compared(120), nullable=False),
        sa.Column("password", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
        sa.Index("ix_postmaster_suspensions_email", "email"),
        **OWN_FORM,
    )
    op.create_table(
        "postmaster_notes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", compared(120), nullable=False),
        sa.Column("text", sa.String(1000), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "name", name="postmaster_notes_object"),
        sqlite_autoincrement=True,
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
        sa.Column("counts", sa.JSON, nullable=False),
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
    resume_users()
    op.drop_table("postmaster_import_parts")
    op.drop_table("postmaster_imports")
    op.drop_table("postmaster_notes")
    op.drop_table("postmaster_suspensions")


def resume_users() -> None:
    """Give suspended users their addresses and hashes back: nobody else knows how."""
    bind = op.get_bind()
    users = sa.table("virtual_users", sa.column("id"), sa.column("email"), sa.column("password"))
    kept = sa.table(
        "postmaster_suspensions", sa.column("user_id"), sa.column("email"), sa.column("password")
    )
    hashes = sa.select(kept.c.user_id, kept.c.email, kept.c.password)
    found = {user_id: (email, password) for user_id, email, password in bind.execute(hashes)}
    marked = users.c.email.startswith(SIGN) | (users.c.password == MARKER)
    suspended = [tuple(row) for row in bind.execute(sa.select(users).where(marked))]
    taken = addresses_of(bind, users, [email.removeprefix(SIGN) for _id, email, _ in suspended])
    addresses, passwords = [], []
    for user_id, email, password in suspended:
        address = email.removeprefix(SIGN)
        kept_email, kept_hash = found.get(user_id, ("", ""))
        if password == MARKER and kept_email.lower() == address.lower():
            passwords.append({"row": user_id, "kept": kept_hash})
        elif password == MARKER:
            print(f"{address}: its password was not kept; set a new one.")
        if address == email:
            print(f"{address}: not suspended any more.")
        elif address.lower() in taken:
            print(f"{address}: there is another user of this address; {email} stays as it is.")
        else:
            addresses.append({"row": user_id, "address": address})
            print(f"{address}: not suspended any more.")
    by_id = sa.update(users).where(users.c.id == sa.bindparam("row"))
    if passwords:
        bind.execute(by_id.values(password=sa.bindparam("kept")), passwords)
    if addresses:
        bind.execute(by_id.values(email=sa.bindparam("address")), addresses)


def addresses_of(bind: Any, users: Any, emails: list[str]) -> set[str]:
    """Those of the addresses, in lower case, that some row has as they are."""
    found: set[str] = set()
    for start in range(0, len(emails), 1000):
        some = users.c.email.in_(emails[start : start + 1000])
        rows = bind.execute(sa.select(users.c.email).where(some))
        found |= {email.lower() for (email,) in rows}
    return found
