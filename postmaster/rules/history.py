"""The history: every change, written in the change's own transaction.

Also says, after the commit, what the log file is to hold of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from ..db import announce
from ..models import HistoryEntry, HistorySecret
from . import settings
from .actor import Actor


class Action(StrEnum):
    """What was done."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    CHANGE_PASSWORD = "change password"  # noqa: S105 -- the name of an act
    UNLOCK = "unlock"
    LOCK = "lock"
    ENABLE_SECOND_FACTOR = "enable second factor"
    DISABLE_SECOND_FACTOR = "disable second factor"
    RENEW_RECOVERY_CODES = "renew recovery codes"


class Kind(StrEnum):
    """What it was done to."""

    DOMAIN = "domain"
    USER = "user"
    ALIAS = "alias"
    ADMIN = "admin"
    SETTING = "setting"


SENTENCES: Mapping[Action, str] = {
    Action.CREATE: 'The {kind} "{name}" was created',
    Action.CHANGE: 'The {kind} "{name}" was changed: {difference}',
    Action.DELETE: 'The {kind} "{name}" was deleted',
    Action.CHANGE_PASSWORD: 'The {kind} "{name}" had its password changed',
    Action.UNLOCK: 'The {kind} "{name}" was unlocked',
    Action.LOCK: 'The {kind} "{name}" was locked out',
    Action.ENABLE_SECOND_FACTOR: 'The {kind} "{name}" had its second factor turned on',
    Action.DISABLE_SECOND_FACTOR: 'The {kind} "{name}" had its second factor turned off',
    Action.RENEW_RECOVERY_CODES: 'The {kind} "{name}" had its recovery codes renewed',
}
IN_WORDS = {Kind.ADMIN: "administrator"}


@dataclass(frozen=True)
class LogEntry:
    """What the log file is to hold once the change is committed."""

    category: str
    admin: str
    message: str
    ip: str


@dataclass(frozen=True)
class Removed:
    """A row that went along with another: its values, and its password hash if it had one."""

    kind: Kind
    id: int
    name: str
    old: Mapping[str, Any]
    password: str | None = None


def now() -> datetime:
    """The present moment in UTC, as the database keeps it: without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def record(
    session: Session,
    actor: Actor,
    action: Action,
    kind: Kind,
    object_id: int,
    object_name: str,
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    replaced_password: str | None = None,
    along: Sequence[Removed] = (),
) -> HistoryEntry:
    """Add one change, and the rows that it removed along with its own.

    ``old`` and ``new`` never hold a password, hash, secret or code; a replaced
    or removed hash goes to ``replaced_password``, which is kept apart for undo.
    """
    entry = HistoryEntry(
        **_who_and_when(actor),
        action=action,
        kind=kind,
        object_id=object_id,
        object_name=object_name,
        old=dict(old) if old is not None else None,
        new=dict(new) if new is not None else None,
    )
    session.add(entry)
    session.flush()
    if replaced_password is not None:
        session.add(HistorySecret(entry_id=entry.id, password=replaced_password))
        session.flush()
    _record_along(session, actor, entry, along)
    if settings.value_of(session, settings.MAIL_AUDITING):
        message = SENTENCES[action].format(
            kind=IN_WORDS.get(kind, kind), name=object_name, difference=difference(old, new)
        )
        announce(session, LogEntry("audit", actor.name, message, actor.ip))
    return entry


def _who_and_when(actor: Actor) -> dict[str, Any]:
    return {
        "moment": now(),
        "admin_id": actor.admin_id,
        "admin": actor.name,
        "via": actor.via,
        "ip": actor.ip,
    }


def _record_along(
    session: Session, actor: Actor, entry: HistoryEntry, along: Sequence[Removed]
) -> None:
    common = _who_and_when(actor)
    entries = [
        HistoryEntry(
            **common,
            part_of=entry.id,
            action=Action.DELETE,
            kind=removed.kind,
            object_id=removed.id,
            object_name=removed.name,
            old=dict(removed.old),
        )
        for removed in along
    ]
    session.add_all(entries)
    session.flush()
    session.add_all(
        HistorySecret(entry_id=entry.id, password=removed.password)
        for entry, removed in zip(entries, along, strict=True)
        if removed.password is not None
    )
    session.flush()


def difference(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    """What changed, in a line: ``name: "Ana" -> "Anna"``."""
    old, new = old or {}, new or {}
    return ", ".join(
        f'{field}: "{old.get(field)}" -> "{value}"'
        for field, value in new.items()
        if old.get(field) != value
    )
