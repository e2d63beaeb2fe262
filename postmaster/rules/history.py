"""The history: every change, written in the change's own transaction.

Also says, after the commit, what the log file is to hold of it. Of several changes made
as one, one entry is the head: that of the thing itself (a domain that is deleted with its
users), or one of its own for several things of the same rank. The others are its parts.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, or_, select
from sqlalchemy.orm import Session

from ..db import announce
from ..errors import fill
from ..models import HistoryEntry, HistorySecret, Note
from . import actions, paging, rows, settings
from .actor import Actor
from .conditions import Where

Action = actions.Action
Kind = actions.Kind

LISTING = paging.Listing(
    model=HistoryEntry,
    searched=(HistoryEntry.object_name,),
    sortable={"id": HistoryEntry.id, "moment": HistoryEntry.moment},
    sorted_by="id",
    newest_first=True,
)


@dataclass(frozen=True)
class LogEntry:
    """What the log file is to hold once the change is committed."""

    category: str
    admin: str
    message: str
    ip: str


@dataclass(frozen=True)
class Change:
    """One change of one row, as it is recorded.

    ``old`` and ``new`` never hold a password, hash, secret or code. ``password`` is the
    hash that was replaced or removed, ``new_password`` the one in its place; both, and
    ``otp_secret``, are kept apart for undo, the new hash only as its digest.
    """

    action: Action
    kind: Kind
    id: int
    name: str
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    password: str | None = None
    new_password: str | None = None
    otp_secret: str | None = None


@dataclass(frozen=True)
class Filters:
    """Which changes are asked for. ``since`` and ``until`` are UTC without a zone."""

    admin: str | None = None
    kind: str | None = None
    object_id: int | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def now() -> datetime:
    """The present moment in UTC, as the database keeps it: without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def digest(hashed: str) -> str:
    """What is kept of a password hash to know it again."""
    return hashlib.sha256(hashed.encode()).hexdigest()


# --- records --------------------------------------------------------------------


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
    new_password: str | None = None,
    otp_secret: str | None = None,
    along: Sequence[Change] = (),
    part_of: int | None = None,
    undoes: int | None = None,
) -> HistoryEntry:
    """Add one change, and those that came along with it. See Change for the rest."""
    change = Change(
        *(action, kind, object_id, object_name, old, new),
        *(replaced_password, new_password, otp_secret),
    )
    return record_all(session, actor, [change], along=along, part_of=part_of, undoes=undoes)


def record_all(
    session: Session,
    actor: Actor,
    changes: Sequence[Change],
    *,
    along: Sequence[Change] = (),
    part_of: int | None = None,
    undoes: int | None = None,
) -> HistoryEntry:
    """Add changes that were made as one, and those that came along; returns the head.

    A single change is its own head. The log names each of ``changes``.
    """
    first = changes[0]
    if len(changes) == 1:
        head = _add(session, actor, first, part_of, undoes)
        parts = along
    else:
        if part_of is None:
            head = batch(session, actor, first.action, first.kind, len(changes), undoes=undoes)
        else:
            head = session.get_one(HistoryEntry, part_of)
        parts = [*changes, *along]
    add_along(session, actor, part_of or head.id, parts, undoes)
    log(session, actor, changes)
    return head


def batch(
    session: Session,
    actor: Actor,
    action: Action,
    kind: Kind,
    count: int,
    *,
    name: str | None = None,
    undoes: int | None = None,
) -> HistoryEntry:
    """Add the head of several changes made as one; they are recorded as parts of it.

    ``name``: what to call them (a file), where it is not their count and kind.
    """
    name = name or f"{count} {actions.PLURALS[kind]}"
    change = Change(action, kind, actions.OF_SEVERAL, name, new={"count": count})
    return _add(session, actor, change, None, undoes)


def add_to(
    session: Session,
    actor: Actor,
    head_id: int,
    changes: Sequence[Change],
    undoes: int | None = None,
) -> None:
    """Add further parts to a head, whose count the caller keeps; each row is in it once at most.

    For an act that is too large for one transaction, or whose changes are of several kinds.
    """
    add_along(session, actor, head_id, changes, undoes)
    log(session, actor, changes)


def log(session: Session, actor: Actor, changes: Iterable[Change]) -> None:
    """Have the log name these changes, if a setting wants it."""
    if settings.value_of(session, settings.MAIL_AUDITING):
        for change in changes:
            announce(session, LogEntry("audit", actor.name, _in_words(change), actor.ip))


def count_more(session: Session, head_id: int, more: int) -> HistoryEntry:
    """Raise the count of a head."""
    head = session.get_one(HistoryEntry, head_id)
    count = (head.new or {}).get("count", 0) + more
    head.new = {**(head.new or {}), "count": count}
    session.flush()
    return head


def _add(
    session: Session, actor: Actor, change: Change, part_of: int | None, undoes: int | None
) -> HistoryEntry:
    entry = HistoryEntry(**columns(actor, now(), change, part_of, undoes))
    session.add(entry)
    session.flush()
    if _has_secret(change):
        session.add(HistorySecret(entry_id=entry.id, **_secret(change)))
        session.flush()
    announce(session, entry)
    return entry


def add_along(
    session: Session,
    actor: Actor,
    head_id: int,
    parts: Sequence[Change],
    undoes: int | None = None,
) -> None:
    """Add to a head what came along with it: a few statements for thousands, and no log."""
    if not parts:
        return
    moment = now()
    has_secrets = any(_has_secret(part) for part in parts)
    # A head may have very many parts already.
    before = session.scalar(select(func.max(HistoryEntry.id))) if has_secrets else None
    # By the connection: the session would look at each of many thousand rows.
    session.connection().execute(
        insert(HistoryEntry), [columns(actor, moment, part, head_id, undoes) for part in parts]
    )
    if not has_secrets:
        return
    # By position: a statement counts its rows up in their order, on every database.
    added = select(HistoryEntry.id).where(
        HistoryEntry.part_of == head_id, HistoryEntry.id > (before or 0)
    )
    entry_ids = session.scalars(added.order_by(HistoryEntry.id)).all()
    session.execute(
        insert(HistorySecret),
        [
            {"entry_id": entry_id, **_secret(part)}
            for entry_id, part in zip(entry_ids, parts, strict=True)
            if _has_secret(part)
        ],
    )


def columns(
    actor: Actor, moment: datetime, change: Change, part_of: int | None, undoes: int | None
) -> dict[str, Any]:
    """The entry of a change, by column."""
    return {
        "part_of": part_of,
        "moment": moment,
        "admin_id": actor.admin_id,
        "admin": actor.name,
        "via": actor.via,
        "ip": actor.ip,
        "action": change.action,
        "kind": change.kind,
        "object_id": change.id,
        "object_name": change.name,
        "old": None if change.old is None else dict(change.old),
        "new": None if change.new is None else dict(change.new),
        "undoes": undoes,
    }


def _has_secret(change: Change) -> bool:
    return change.password is not None or change.otp_secret is not None


def _secret(change: Change) -> dict[str, Any]:
    return {
        "password": change.password or "",
        "otp_secret": change.otp_secret,
        "replaced_by": None if change.new_password is None else digest(change.new_password),
    }


def _in_words(change: Change) -> str:
    values = {"name": change.name, "difference": actions.difference(change.old, change.new)}
    return fill(actions.SENTENCES[change.action, change.kind], values)


# --- finds ----------------------------------------------------------------------


def find(
    session: Session, actor: Actor, criteria: paging.Criteria, *, filters: Filters
) -> paging.Page[HistoryEntry]:
    """A page of changes, the newest first.

    Parts are left to their head, but for one object's own history: a user that went
    with its domain was deleted too.
    """
    asked = {name: value for name, value in asdict(filters).items() if value is not None}
    clauses = [_ASKED[name] for name in asked]
    if filters.object_id is None:
        clauses.append(_IS_HEAD)
    return LISTING.find(session, criteria, Where(tuple(clauses), asked))


_IS_HEAD = HistoryEntry.part_of.is_(None)
_ASKED: Mapping[str, ColumnElement[bool]] = {
    "admin": HistoryEntry.admin == bindparam("admin"),
    "kind": HistoryEntry.kind == bindparam("kind"),
    "object_id": HistoryEntry.object_id == bindparam("object_id"),
    "action": HistoryEntry.action == bindparam("action"),
    "since": HistoryEntry.moment >= bindparam("since"),
    "until": HistoryEntry.moment < bindparam("until"),
}


def get(session: Session, actor: Actor, entry_id: int) -> HistoryEntry:
    """One change by its id. Raises NotFound."""
    return rows.by_id(session, HistoryEntry, entry_id, "change")


def parts(session: Session, actor: Actor, entry_id: int, most: int) -> list[HistoryEntry]:
    """The first parts of a head."""
    found = select(HistoryEntry).where(HistoryEntry.part_of == entry_id)
    return list(session.scalars(found.order_by(HistoryEntry.id).limit(most)))


def count_parts(session: Session, entry_ids: Sequence[int]) -> dict[int, int]:
    """How many parts each of these heads has."""
    counted = (
        select(HistoryEntry.part_of, func.count())
        .where(HistoryEntry.part_of.in_(entry_ids))
        .group_by(HistoryEntry.part_of)
    )
    found = {head: count for head, count in session.execute(counted) if head is not None}
    return {entry_id: found.get(entry_id, 0) for entry_id in entry_ids}


def timeline(
    session: Session,
    actor: Actor,
    kind: str,
    *object_ids: int,
    noted: str | None = None,
    most: int = 10,
) -> list[HistoryEntry]:
    """The newest changes of one object, or of some, the newest first.

    With those of the note that is on the name ``noted``, if there is one.
    """
    is_meant = and_(HistoryEntry.kind == kind, HistoryEntry.object_id.in_(object_ids))
    if noted is not None:
        note = select(Note.id).where(Note.kind == kind, Note.name == noted)
        of_note = and_(HistoryEntry.kind == Kind.NOTE, HistoryEntry.object_id.in_(note))
        is_meant = or_(is_meant, of_note)
    found = select(HistoryEntry).where(is_meant)
    return list(session.scalars(found.order_by(HistoryEntry.id.desc()).limit(most)))


def newest(session: Session, actor: Actor, most: int) -> list[HistoryEntry]:
    """The newest changes, without their parts."""
    found = select(HistoryEntry).where(HistoryEntry.part_of.is_(None))
    return list(session.scalars(found.order_by(HistoryEntry.id.desc()).limit(most)))


def latest_id(session: Session, kind: str, object_id: int) -> int:
    """The id of the newest change of an object; 0 if there is none."""
    newest_of = select(func.max(HistoryEntry.id)).where(
        HistoryEntry.kind == kind, HistoryEntry.object_id == object_id
    )
    return session.scalar(newest_of) or 0


def latest_ids(session: Session, kind: str, object_ids: Collection[int]) -> dict[int, int]:
    """The id of the newest change of each of these objects that was ever changed."""
    newest_of = (
        select(HistoryEntry.object_id, func.max(HistoryEntry.id))
        .where(HistoryEntry.kind == kind, HistoryEntry.object_id.in_(object_ids))
        .group_by(HistoryEntry.object_id)
    )
    return dict(list(session.execute(newest_of)))


def admins_seen(session: Session, actor: Actor) -> list[str]:
    """Everybody who ever changed something, by name."""
    return list(session.scalars(select(HistoryEntry.admin).distinct().order_by(HistoryEntry.admin)))
