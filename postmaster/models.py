"""The tables: columns, relationships, constraints. No rules, no JSON.

The three mail tables have the form that the mail guides give them; Postfix and
Dovecot read them directly. The others are PostMaster's own.
"""

from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from . import collations
from .db import Base

# Microseconds, so that the history keeps its order.
Moment = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
Blob = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")

MAIL_TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8"}
OWN_TABLE = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}


class Domain(Base):
    """A mail domain that this server receives mail for."""

    __tablename__ = "virtual_domains"
    __table_args__ = MAIL_TABLE

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(collations.any_case(50))


class User(Base):
    """A mailbox; its owner signs in to Dovecot with the address and the password."""

    __tablename__ = "virtual_users"
    __table_args__ = MAIL_TABLE

    id: Mapped[int] = mapped_column(primary_key=True)
    domain_id: Mapped[int] = mapped_column(ForeignKey("virtual_domains.id", ondelete="CASCADE"))
    password: Mapped[str] = mapped_column(String(106))
    email: Mapped[str] = mapped_column(collations.any_case(120), unique=True)


class Alias(Base):
    """One destination of one source; a source with several destinations has several rows."""

    __tablename__ = "virtual_aliases"
    __table_args__ = (
        Index("postmaster_source", "source"),
        Index("postmaster_destination", "destination"),
        MAIL_TABLE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    domain_id: Mapped[int] = mapped_column(ForeignKey("virtual_domains.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(collations.any_case(100))
    destination: Mapped[str] = mapped_column(collations.any_case(100))


class AnyUser(Protocol):
    """A user as what only reads it sees it: its row, or some columns of it."""

    @property
    def id(self) -> int:
        """The id."""

    @property
    def email(self) -> str:
        """The address, as the row holds it."""


class AnyAlias(Protocol):
    """An alias, as ``AnyUser`` is a user."""

    @property
    def id(self) -> int:
        """The id."""

    @property
    def domain_id(self) -> int:
        """The id of its domain."""

    @property
    def source(self) -> str:
        """Where mail comes for."""

    @property
    def destination(self) -> str:
        """Where it goes."""


class Admin(Base):
    """A person who may sign in to PostMaster."""

    __tablename__ = "postmaster_admins"
    __table_args__ = OWN_TABLE

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(String(50))
    username: Mapped[str | None] = mapped_column(collations.any_case(120), unique=True)
    password: Mapped[str | None] = mapped_column(String(64))
    source: Mapped[str | None] = mapped_column(String(64))
    active: Mapped[bool | None]
    failed_attempts: Mapped[int | None]
    last_failed_date: Mapped[datetime | None]
    unlock_date: Mapped[datetime | None]
    otp_active: Mapped[bool | None]
    otp_secret: Mapped[str | None] = mapped_column(String(32))
    # The time step (RFC 6238) of the last code that was accepted: no code works twice.
    otp_last_step: Mapped[int | None]
    # The chosen language of the pages; none: as the browser asks for.
    language: Mapped[str | None] = mapped_column(String(8))
    last_sign_in: Mapped[datetime | None]
    # What a directory or a provider knows this administrator by, also after a renaming, and
    # when it last said that this administrator may sign in.
    external_id: Mapped[str | None] = mapped_column(collations.exact(255))
    confirmed: Mapped[datetime | None]


class SettingRow(Base):
    """The stored value of one setting; see rules/settings.py for what it means."""

    __tablename__ = "postmaster_configuration"
    __table_args__ = OWN_TABLE

    id: Mapped[int] = mapped_column(primary_key=True)
    setting: Mapped[str | None] = mapped_column(String(128), unique=True)
    value: Mapped[str | None] = mapped_column(String(512))
    regex: Mapped[str | None] = mapped_column(String(256))


class AdminSession(Base):
    """A signed-in browser or script. The cookie holds the token, the table its hash."""

    __tablename__ = "postmaster_sessions"
    __table_args__ = OWN_TABLE

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    admin_id: Mapped[int] = mapped_column(
        ForeignKey("postmaster_admins.id", ondelete="CASCADE"), index=True
    )
    started: Mapped[datetime] = mapped_column(Moment)
    expires: Mapped[datetime] = mapped_column(Moment, index=True)
    ip: Mapped[str] = mapped_column(String(45))
    agent: Mapped[str] = mapped_column(String(200))


class RecoveryCode(Base):
    """One unused recovery code of an admin, hashed. A used one is deleted."""

    __tablename__ = "postmaster_recovery_codes"
    __table_args__ = OWN_TABLE

    id: Mapped[int] = mapped_column(primary_key=True)
    admin_id: Mapped[int] = mapped_column(
        ForeignKey("postmaster_admins.id", ondelete="CASCADE"), index=True
    )
    code_hash: Mapped[str] = mapped_column(String(64))


class SignInFailure(Base):
    """One refused sign-in from one address, for the throttle; kept for an hour."""

    __tablename__ = "postmaster_sign_in_failures"
    __table_args__ = (Index("postmaster_network_moment", "network", "moment"), OWN_TABLE)

    id: Mapped[int] = mapped_column(primary_key=True)
    network: Mapped[str] = mapped_column(String(45))
    moment: Mapped[datetime] = mapped_column(Moment, index=True)


class HistoryEntry(Base):
    """One change of one row: who, when, from where, old and new. Never a secret."""

    __tablename__ = "postmaster_history"
    __table_args__ = (
        Index("postmaster_history_object", "kind", "object_id"),
        Index("postmaster_history_admin", "admin"),
        OWN_TABLE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The entry whose act brought this one along (a deleted domain's users), if any.
    part_of: Mapped[int | None] = mapped_column(
        ForeignKey("postmaster_history.id", ondelete="CASCADE"), index=True
    )
    moment: Mapped[datetime] = mapped_column(Moment, index=True)
    # No foreign key: the history outlives the admin.
    admin_id: Mapped[int | None] = mapped_column(index=True)
    admin: Mapped[str] = mapped_column(String(120))
    via: Mapped[str] = mapped_column(String(16))
    ip: Mapped[str] = mapped_column(String(45))
    action: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    object_id: Mapped[int]
    object_name: Mapped[str] = mapped_column(String(255))
    old: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    new: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # The entry that this one took back, and the one that took this one back.
    undoes: Mapped[int | None]
    undone_by: Mapped[int | None]


class HistorySecret(Base):
    """The password hash that a change replaced, which only an undo reads."""

    __tablename__ = "postmaster_history_secrets"
    __table_args__ = OWN_TABLE

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("postmaster_history.id", ondelete="CASCADE"), primary_key=True
    )
    password: Mapped[str] = mapped_column(String(255))
    # The authenticator's secret of a deleted administrator.
    otp_secret: Mapped[str | None] = mapped_column(String(32))
    # SHA-256 of the hash that was put in its place, to notice a password set by hand since.
    replaced_by: Mapped[str | None] = mapped_column(String(64))


class Turn(Base):
    """A row that an act updates first, so that such acts go one after the other."""

    __tablename__ = "postmaster_turns"
    __table_args__ = OWN_TABLE

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    taken: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class MailTableChange(Base):
    """What a migration changed in the mail tables, so that its downgrade can put it back."""

    __tablename__ = "postmaster_mail_tables"
    __table_args__ = OWN_TABLE

    changed: Mapped[str] = mapped_column(String(64), primary_key=True)
    before: Mapped[str] = mapped_column(String(64))


class Suspension(Base):
    """What a suspended user had: the address and the password hash, to come back unchanged.

    No foreign key: the mail tables are to be as if PostMaster were not there. A row whose
    user is gone, deleted by hand, means nothing.
    """

    __tablename__ = "postmaster_suspensions"
    __table_args__ = OWN_TABLE

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(collations.compared(120), index=True)
    password: Mapped[str] = mapped_column(String(255))


class Note(Base):
    """What administrators want to remember of a domain, a user or an alias, by its name.

    An alias has several rows, and its source is one name; so a note is kept by name.
    """

    __tablename__ = "postmaster_notes"
    __table_args__ = (
        UniqueConstraint("kind", "name", name="postmaster_notes_object"),
        # SQLite would give the id of a deleted note away, and its undo could not have it back.
        {**OWN_TABLE, "sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(collations.compared(120))
    text: Mapped[str] = mapped_column(String(1000))


class Import(Base):
    """One import of a file: how far it came, and the history entry that holds its changes."""

    __tablename__ = "postmaster_imports"
    __table_args__ = OWN_TABLE

    id: Mapped[int] = mapped_column(primary_key=True)
    started: Mapped[datetime] = mapped_column(Moment)
    finished: Mapped[datetime | None] = mapped_column(Moment)
    admin: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(255))
    # SHA-256 of the file: the same file run again is the same import.
    digest: Mapped[str] = mapped_column(String(64), index=True)
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    # How many lines came to which verdict so far.
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    total: Mapped[int]
    done: Mapped[int]
    head_id: Mapped[int | None]


class ImportPart(Base):
    """A piece of an uploaded file, or of what it brought forth, encrypted while it is needed."""

    __tablename__ = "postmaster_import_parts"
    __table_args__ = OWN_TABLE

    import_id: Mapped[int] = mapped_column(
        ForeignKey("postmaster_imports.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(Blob)
