"""Write what a batch of lines asks for: one act in one transaction.

The rows go in by statements for many, and the changes into the history as parts of the
import's one head, so that one undo takes all of it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from ...errors import Conflict
from ...models import Alias, Domain, HistoryEntry, Import, User
from .. import (
    aliases,
    domains,
    history,
    notes,
    passwords,
    rows,
    suspension_acts,
    suspensions,
    turns,
    users,
)
from ..actions import Kind
from ..actor import Actor
from .planning import judge, note_planned
from .present import Planned, Present
from .verdicts import Line, Options, Verdict
from .wanted import Wanted

Change = history.Change


@dataclass(frozen=True)
class Hashes:
    """The hashes of the plain passwords of a batch, made before its transaction.

    ``fresh`` are new ones, ``same`` stored ones that the password belongs to; by address.
    """

    fresh: Mapping[str, str] = field(default_factory=dict, repr=False)
    same: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Written:
    """What became of a batch, and how far the import is."""

    lines: list[Line]
    done: int


def write(
    session: Session,
    actor: Actor,
    import_id: int,
    start: int,
    batch: Sequence[Wanted],
    hashes: Hashes,
    options: Options,
) -> Written:
    """Do what these lines ask for, which stand in the import's order from ``start`` on.

    Raises Conflict if the import is elsewhere by now: somebody else runs it too.
    """
    turns.take(session, turns.Queue.MAIL)
    record = session.get_one(Import, import_id)
    if record.done != start or record.finished is not None:
        raise Conflict("This import is being run by somebody else at the same time")
    _check_is_not_undone(session, record)
    planned = Planned()
    present = Present(session, planned)
    present.fetch(batch)
    judged: list[tuple[Wanted, Verdict, Line]] = []
    for wanted in batch:
        verdict, reason = judge(present, wanted, options, hashes.same)
        note_planned(planned, wanted, verdict)
        judged.append((wanted, verdict, wanted.as_line(verdict, reason)))
    made = [wanted for wanted, verdict, _line in judged if verdict is Verdict.CREATE]
    changed = [wanted for wanted, verdict, _line in judged if verdict is Verdict.CHANGE]
    done = _Done()
    if made:
        _create(session, present, made, hashes, done)
    done.changes += _change_passwords(session, present, changed, hashes)
    done.changes += _suspend(session, present, changed)
    done.changes += _write_notes(session, present, made, changed)
    _record(session, actor, record, done)
    lines = [line for wanted, verdict, line in judged if not _is_silent(wanted, verdict)]
    _count(record, len(batch), lines)
    session.flush()
    return Written(lines, record.done)


def _check_is_not_undone(session: Session, record: Import) -> None:
    head = None if record.head_id is None else session.get(HistoryEntry, record.head_id)
    if head is not None and head.undone_by is not None:
        raise Conflict("This import was undone meanwhile, by change %(by)s", by=head.undone_by)


def _is_silent(wanted: Wanted, verdict: Verdict) -> bool:
    return wanted.derived and verdict is not Verdict.CREATE


@dataclass
class _Done:
    """What is to be recorded: changes, and users of whom nothing else is to be said."""

    changes: list[Change] = field(default_factory=list)
    users: list[str] = field(default_factory=list)


def _record(session: Session, actor: Actor, record: Import, done: _Done) -> None:
    count = len(done.changes) + len(done.users)
    if not count:
        return
    if record.head_id is None:
        head = history.batch(session, actor, history.Action.IMPORT, Kind.MAIL, 0, name=record.name)
        record.head_id = head.id
    history.add_to(session, actor, record.head_id, done.changes)
    users.record_created(session, actor, record.head_id, done.users)
    history.count_more(session, record.head_id, count)


def _count(record: Import, done: int, lines: Sequence[Line]) -> None:
    counts = dict(record.counts)
    for line in lines:
        counts[line.verdict] = counts.get(line.verdict, 0) + 1
    record.counts = counts
    record.done += done
    if record.done >= record.total:
        record.finished = history.now()


# --- rows -----------------------------------------------------------------------


def _create(
    session: Session, present: Present, made: Sequence[Wanted], hashes: Hashes, done: _Done
) -> None:
    kind = made[0].kind
    if kind == Kind.DOMAIN:
        done.changes += _create_domains(session, made)
    elif kind == Kind.USER:
        active = [wanted for wanted in made if wanted.suspended is None]
        suspended = [wanted for wanted in made if wanted.suspended is not None]
        _insert(session, User, [_user(present, wanted, hashes, None) for wanted in active])
        done.users += [wanted.name for wanted in active]
        done.changes += _create_suspended(session, present, suspended, hashes)
    else:
        done.changes += _create_aliases(session, present, made)


def _create_domains(session: Session, made: Sequence[Wanted]) -> list[Change]:
    _insert(session, Domain, [{"name": wanted.name} for wanted in made])
    ids: dict[str, int] = {}
    for some in rows.chunks([wanted.name for wanted in made]):
        found = select(Domain.name, Domain.id).where(Domain.name.in_(some))
        ids |= dict(list(session.execute(found)))
    return [domains.as_created(Domain(id=ids[each.name], name=each.name)) for each in made]


def _user(
    present: Present, wanted: Wanted, hashes: Hashes, mode: suspensions.Mode | None
) -> dict[str, Any]:
    return {
        "domain_id": present.domain_id(wanted.domain),
        "email": suspensions.stored_address(wanted.name, mode),
        "password": _hash_of(wanted, hashes) if mode is None else suspensions.MARKER,
    }


def _create_suspended(
    session: Session, present: Present, made: Sequence[Wanted], hashes: Hashes
) -> list[Change]:
    """Users that are suspended from the beginning; there are few."""
    added: list[User] = []
    kept: list[tuple[str, str]] = []
    for wanted in made:
        mode = suspensions.Mode(str(wanted.suspended))
        added.append(User(**_user(present, wanted, hashes, mode)))
        kept.append((wanted.name, _hash_of(wanted, hashes)))
    session.add_all(added)
    session.flush()
    ids = [user.id for user in added]
    suspensions.keep(session, dict(zip(ids, kept, strict=True)))
    return [users.as_created(user) for user in added]


def _hash_of(wanted: Wanted, hashes: Hashes) -> str:
    if wanted.hashed is not None:
        return wanted.hashed
    hashed = hashes.fresh.get(wanted.name)
    if hashed is not None:
        return hashed
    if wanted.password is None:
        raise Conflict('"%(email)s" was deleted just now. Run the import again', email=wanted.name)
    return passwords.hash_for_mail(wanted.password)


def _create_aliases(session: Session, present: Present, made: Sequence[Wanted]) -> list[Change]:
    added = {
        (wanted.name, wanted.destination): {
            "domain_id": present.domain_id(wanted.domain),
            "source": wanted.name,
            "destination": wanted.destination,
        }
        for wanted in made
    }
    _insert(session, Alias, list(added.values()))
    ids: dict[tuple[str, str], int] = {}
    for some in rows.chunks({source for source, _destination in added}):
        found = select(Alias.source, Alias.destination, Alias.id).where(Alias.source.in_(some))
        ids |= {(source, target): alias_id for source, target, alias_id in session.execute(found)}
    return [aliases.as_created(Alias(id=ids[pair], **row)) for pair, row in added.items()]


def _insert(session: Session, model: Any, values: Sequence[Mapping[str, Any]]) -> None:
    """One statement of many rows; the driver puts them together."""
    table: Table = model.__table__
    if not values:
        return
    session.connection().execute(insert(table), values)


def _change_passwords(
    session: Session, present: Present, changed: Sequence[Wanted], hashes: Hashes
) -> list[Change]:
    """Of those that are there, who gets another hash."""
    new = {}
    for wanted in changed:
        mailbox = present.mailbox(wanted.name) if wanted.kind == Kind.USER else None
        if mailbox is None or not wanted.gives_password:
            continue
        if mailbox.hashed not in (wanted.hashed, hashes.same.get(wanted.name)):
            new[mailbox.id] = _hash_of(wanted, hashes)
    found = rows.present(session, User, new)
    replaced = suspensions.hashes_of(session, found)
    for user in found:
        suspensions.change_hash(session, user, new[user.id])
    session.flush()
    return [users.as_reset(user, replaced[user.id], new[user.id]) for user in found]


def _suspend(session: Session, present: Present, changed: Sequence[Wanted]) -> list[Change]:
    """Of those that are there, who is suspended, or in another way."""
    modes: dict[int, suspensions.Mode | None] = {}
    for wanted in changed:
        mailbox = present.mailbox(wanted.name) if wanted.kind == Kind.USER else None
        if mailbox is not None and wanted.suspended not in (None, mailbox.mode):
            modes[mailbox.id] = suspensions.Mode(str(wanted.suspended))
    found = rows.present(session, User, modes)
    return suspension_acts.put(session, found, modes) if found else []


def _write_notes(
    session: Session, present: Present, made: Sequence[Wanted], changed: Sequence[Wanted]
) -> list[Change]:
    """A note that is there stays, unless the line was to change it."""
    texts = {
        wanted.name: wanted.note
        for wanted in [*made, *changed]
        if wanted.note is not None and present.note(wanted.name) != wanted.note
    }
    for wanted in made:
        if present.note(wanted.name) is not None:
            texts.pop(wanted.name, None)
    if not texts:
        return []
    return notes.write_all(session, Kind([*made, *changed][0].kind), texts)
