"""Undo: a change is taken back, with all that went along, in one transaction.

What was made goes, what was changed gets its old values, what was deleted comes back. It
is refused when something newer stands in the way. The undo is a change like any other;
a taken back change of values or of a password can so be made again by undoing the undo.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, aliased

from ..db import Base
from ..errors import Conflict, Invalid, NotFound
from ..models import Admin, Alias, Domain, HistoryEntry, HistorySecret, Note, SettingRow, User
from . import (
    actions,
    admins,
    aliases,
    domains,
    history,
    notes,
    notes_back,
    returning,
    rows,
    sessions,
    settings_acts,
    suspension_acts,
    suspensions,
    turns,
    unmaking,
    users,
)
from .actor import Actor
from .history import Action, Change, Kind
from .returning import Recorded, Step
from .suspensions import Mode

UNDOABLE = (
    Action.CREATE,
    Action.CHANGE,
    Action.CHANGE_PASSWORD,
    Action.DELETE,
    Action.SUSPEND,
    Action.RESUME,
    Action.IMPORT,
    Action.APPLY,
    Action.REPAIR,
)
REDOABLE = (Action.CHANGE, Action.CHANGE_PASSWORD, Action.SUSPEND, Action.RESUME)
LIFE = (Action.CREATE, Action.DELETE, Action.RESTORE)
# What else may have happened to a row since, for a change to be taken back.
IN_THE_WAY: Mapping[str, tuple[Action, ...]] = {
    Action.CHANGE: (*LIFE, Action.CHANGE),
    Action.CHANGE_PASSWORD: (*LIFE, Action.CHANGE_PASSWORD),
    Action.SUSPEND: (*LIFE, Action.SUSPEND, Action.RESUME),
    Action.RESUME: (*LIFE, Action.SUSPEND, Action.RESUME),
    # Only what has its id now, which SQLite gives away again; see returning.
    Action.DELETE: (),
}


def is_undoable(entry: HistoryEntry) -> bool:
    """Whether a change is of a sort that can be undone, and was not undone yet."""
    return _is_of_that_sort(entry) and entry.undone_by is None


def _is_of_that_sort(entry: HistoryEntry) -> bool:
    actions_meant = UNDOABLE if entry.undoes is None else REDOABLE
    return entry.part_of is None and entry.action in actions_meant


def undo(
    session: Session, actor: Actor, entry_id: int, *, log_is_writable: Callable[[], bool]
) -> HistoryEntry:
    """Take a change back. Raises Invalid, NotFound, or Conflict with what is in the way."""
    for queue in turns.Queue:  # which one it needs is only known once it has been read
        turns.take(session, queue)
    entry = history.get(session, actor, entry_id)
    _check_is_undoable(entry)
    _check_nothing_is_newer(session, entry)
    if entry.kind == Kind.SETTING:
        taken_back = _undo_setting(session, actor, entry, log_is_writable)
    else:
        changes = _take_back(session, _steps_of(session, entry), entry.id)
        taken_back = _record(session, actor, entry, changes)
    session.execute(
        update(HistoryEntry)
        .where(or_(HistoryEntry.id == entry.id, HistoryEntry.part_of == entry.id))
        .values(undone_by=taken_back.id)
    )
    return taken_back


def _record(
    session: Session, actor: Actor, entry: HistoryEntry, changes: Sequence[Change]
) -> HistoryEntry:
    if entry.kind != Kind.MAIL:
        main = [change for change in changes if _is_of(change, entry)]
        along = [change for change in changes if not _is_of(change, entry)]
        return history.record_all(session, actor, main, along=along, undoes=entry.id)
    head = history.batch(
        *(session, actor, Action.TAKE_BACK, Kind.MAIL, len(changes)),
        name=entry.object_name,
        undoes=entry.id,
    )
    history.add_to(session, actor, head.id, changes, entry.id)
    return head


def _is_of(change: Change, entry: HistoryEntry) -> bool:
    is_meant = actions.is_of_several(entry) or change.id == entry.object_id
    return change.kind == entry.kind and is_meant


def _check_is_undoable(entry: HistoryEntry) -> None:
    if entry.part_of is not None:
        raise Invalid(
            "This change is a part of change %(head)s and is undone together with it",
            head=entry.part_of,
        )
    if not _is_of_that_sort(entry):
        raise Invalid("A change of this sort cannot be undone")
    if entry.undone_by is not None:
        raise Conflict("This change was undone already, by change %(by)s", by=entry.undone_by)


def _steps_of(session: Session, entry: HistoryEntry) -> list[Step]:
    """The changes of rows that make up a change."""
    found = (
        select(*(getattr(HistoryEntry, field) for field in Recorded._fields), HistorySecret)
        .outerjoin(HistorySecret, HistorySecret.entry_id == HistoryEntry.id)
        .where(
            or_(HistoryEntry.id == entry.id, HistoryEntry.part_of == entry.id),
            HistoryEntry.object_id != actions.OF_SEVERAL,
        )
        .order_by(HistoryEntry.id)
    )
    return [Step(Recorded(*row[:-1]), row[-1]) for row in session.execute(found)]


# --- what is newer --------------------------------------------------------------


def _check_nothing_is_newer(session: Session, entry: HistoryEntry) -> None:
    newer, own = aliased(HistoryEntry), aliased(HistoryEntry)
    found = (
        select(newer, own)
        .join(own, (own.kind == newer.kind) & (own.object_id == newer.object_id))
        .where(
            or_(own.id == entry.id, own.part_of == entry.id),
            own.object_id != actions.OF_SEVERAL,
            newer.id > entry.id,
            or_(newer.part_of.is_(None), newer.part_of != entry.id),
        )
        .order_by(newer.id.desc())
    )
    for other, mine in session.execute(found):
        if not notes_back.is_move(mine) and _stands_in_the_way(session, other, entry, mine.action):
            template, values = actions.sentence(other)
            raise Conflict(
                "A newer change stands in the way, of %(moment)s UTC: %(change)s",
                moment=other.moment.strftime("%Y-%m-%d %H:%M:%S"),
                change=template,
                **values,
            )


def _stands_in_the_way(
    session: Session, other: HistoryEntry, entry: HistoryEntry, action: str
) -> bool:
    if other.action in (Action.LOCK, Action.UNLOCK) or notes_back.is_move(other):
        return False
    if action in IN_THE_WAY and other.action not in IN_THE_WAY[action]:
        return False
    if other.undoes is not None and other.undoes > entry.id:
        return False  # it only took back, or made again, what is judged by itself
    return _is_in_effect(session, other)


def _is_in_effect(session: Session, entry: HistoryEntry) -> bool:
    """Whether a change was not undone, or its undo was."""
    in_effect, at = True, entry
    # Only a later change takes one back; so this ends, whatever the table holds.
    while at.undone_by is not None and at.undone_by > at.id:
        in_effect = not in_effect
        undoing = session.get(HistoryEntry, at.undone_by)
        if undoing is None:
            break
        at = undoing
    return in_effect


# --- taking back ----------------------------------------------------------------


def _take_back(session: Session, steps: Sequence[Step], after: int) -> list[Change]:
    made = [s for s in steps if s.entry.action in (Action.CREATE, Action.RESTORE)]
    changed = [
        s for s in steps if s.entry.action == Action.CHANGE and not notes_back.is_move(s.entry)
    ]
    reset = [s for s in steps if s.entry.action == Action.CHANGE_PASSWORD]
    deleted = [s for s in steps if s.entry.action == Action.DELETE]
    # Domains first: what is changed back may have belonged to one.
    of_domains = [s for s in deleted if s.entry.kind == Kind.DOMAIN]
    others = [s for s in deleted if s.entry.kind != Kind.DOMAIN]
    _check_users_may_move_back(session, steps, after)
    changes = returning.bring_back(session, of_domains, after)
    changes += _change_back(session, changed, after)
    changes += notes_back.lead(session, steps, changes)
    # What was not kept goes back to one suspended again; any other may be wanted to resume.
    not_kept = [s for s in reset if s.secret and s.secret.password == suspensions.MARKER]
    kept = [s for s in reset if not s.secret or s.secret.password != suspensions.MARKER]
    for model in (User, Admin):
        changes += _reset(session, [s for s in kept if _model_of(s) is model], model)
    changes += _put_into_their_modes(session, steps)
    changes += _reset(session, not_kept, User)
    removed = _remove(session, made, after)
    changes += removed
    changes += returning.bring_back(session, others, after)
    changes += notes_back.remove(session, removed)
    notes_back.check(session, deleted)
    of_aliases = [step for step in changed if step.entry.kind == Kind.ALIAS]
    returning.check_newer(session, of_aliases, after)
    returning.check_destinations(session, of_aliases, after)
    return changes


def _as_it_was_left(session: Session, steps: Sequence[Step], model: type[Base]) -> dict[int, Any]:
    """The rows of one kind by id. Raises Conflict if one is gone or changed by hand."""
    mine = [step for step in steps if _model_of(step) is model]
    there: list[Any] = [*rows.present(session, model, [step.id for step in mine])]
    found = {row.id: row for row in there}
    for step in mine:
        row, left = found.get(step.id), step.entry.new or {}
        if row is None:
            raise Conflict('"%(name)s" is not there any more', name=step.entry.object_name)
        present = _as_recorded(row)
        if isinstance(row, Note):  # wherever it was led along to
            present["name"] = left.get("name", row.name)
        # A change of the address goes back whether the user was suspended or resumed since.
        if step.entry.action == Action.CHANGE and "suspended" in left:
            present["suspended"] = left["suspended"]
        if any(present.get(field) != value for field, value in left.items()):
            raise Conflict(
                '"%(name)s" was changed since, outside the history: it is now %(present)s',
                name=step.entry.object_name,
                present=", ".join(
                    f'"{present.get(field)}"'
                    for field, value in left.items()
                    if present.get(field) != value
                ),
            )
    return found


def _model_of(step: Step) -> type[Base]:
    return returning.MODELS[step.entry.kind]


def _as_recorded(row: Any) -> dict[str, object]:
    if isinstance(row, Domain):
        return domains.as_recorded(row)
    if isinstance(row, User):
        return users.as_recorded(row)
    if isinstance(row, Alias):
        return aliases.as_recorded(row)
    if isinstance(row, Note):
        return notes.as_recorded(row)
    admin: Admin = row
    return admins.as_recorded(admin)


def _change_back(session: Session, steps: Sequence[Step], after: int) -> list[Change]:
    found = {
        (kind, row_id): row
        for kind, model in returning.MODELS.items()
        for row_id, row in _as_it_was_left(session, steps, model).items()
    }
    of_aliases = [step for step in steps if step.entry.kind == Kind.ALIAS]
    of_users = [step for step in steps if step.entry.kind == Kind.USER]
    returning.check_domains(session, [*of_aliases, *of_users], after)
    changes = []
    for step in steps:
        row, entry = found[step.entry.kind, step.id], step.entry
        if isinstance(row, Domain):
            _check_domain_may_be_named(session, row, step.old["name"])
        if isinstance(row, Admin):
            _check_username_is_free(session, row, step.old["username"])
        before, name = _as_recorded(row), _name_of(row)
        for field, value in step.old.items():
            if isinstance(row, Note):
                row.text = step.old["text"]
            elif not isinstance(row, User):
                setattr(row, field, value)
            elif field == "email":
                suspensions.change_address(session, row, value)
            elif field == "domain_id":
                row.domain_id = value
        kind = Kind(entry.kind)
        changes.append(Change(Action.CHANGE, kind, step.id, name, before, _as_recorded(row)))
    session.flush()
    return changes


def _check_users_may_move_back(session: Session, steps: Sequence[Step], after: int) -> None:
    moved = [s for s in steps if s.entry.kind == Kind.USER and s.entry.action == Action.CHANGE]
    ours = {step.id for step in steps if step.entry.kind == Kind.ALIAS}
    for user_id, user in _as_it_was_left(session, moved, User).items():
        (old,) = (step.old for step in moved if step.id == user_id)
        returning.check_moves_back(session, user, old, ours, after)


def _name_of(row: Any) -> str:
    if isinstance(row, Alias):
        return aliases.in_words(row)
    if isinstance(row, User):
        return suspensions.address_of(row)
    return str(row.name if isinstance(row, Domain | Note) else row.username)


def _check_domain_may_be_named(session: Session, domain: Domain, name: str) -> None:
    if domain.name.strip().lower() == name.strip().lower():
        return  # another spelling of the same name, as the tables may have had it
    if not domains.is_empty(session, domain):
        raise Conflict(
            'The domain "%(name)s" has users or aliases now and keeps its name', name=domain.name
        )
    same = select(Domain.id).where(Domain.name == name, Domain.id != domain.id)
    if session.scalar(same.limit(1)) is not None:
        raise Conflict('There is another domain "%(name)s" now', name=name)


def _check_username_is_free(session: Session, admin: Admin, username: str) -> None:
    same = select(Admin.id).where(Admin.username == username, Admin.id != admin.id)
    if session.scalar(same.limit(1)) is not None:
        raise Conflict('There is another administrator "%(name)s" now', name=username)


def _reset(session: Session, steps: Sequence[Step], model: type[User | Admin]) -> list[Change]:
    found: dict[int, Any] = {
        row.id: row for row in rows.present(session, model, [step.id for step in steps])
    }
    changes = []
    for step in steps:
        row, name = found.get(step.id), step.entry.object_name
        if row is None or step.secret is None:
            raise Conflict('"%(name)s" is not there any more', name=name)
        replaced_by, present = step.secret.replaced_by, row.password
        if isinstance(row, User):
            (present,) = suspensions.hashes_of(session, [row]).values()
        if replaced_by is not None and history.digest(present or "") != replaced_by:
            raise Conflict(
                'The password of "%(name)s" was changed since, outside the history', name=name
            )
        if step.secret.password == suspensions.MARKER and suspensions.mode_of(row) is None:
            raise Conflict('The password of "%(name)s" before this was not kept', name=name)
        if isinstance(row, Admin):
            row.password = step.secret.password
            sessions.end_all(session, row.id)
            changes.append(admins.as_reset(row, present))
        else:
            suspensions.change_hash(session, row, step.secret.password)
            changes.append(users.as_reset(row, present, step.secret.password))
    session.flush()
    return changes


def _put_into_their_modes(session: Session, steps: Sequence[Step]) -> list[Change]:
    """Who was suspended is resumed, and the reverse."""
    turned = [s for s in steps if s.entry.action in (Action.SUSPEND, Action.RESUME)]
    found: dict[int, User] = _as_it_was_left(session, turned, User)
    before = {step.id: step.old.get("suspended") for step in turned}
    modes = {user_id: Mode(mode) if mode else None for user_id, mode in before.items()}
    return suspension_acts.put(session, list(found.values()), modes)


# --- what was made goes ---------------------------------------------------------


def _remove(session: Session, steps: Sequence[Step], after: int) -> list[Change]:
    found = {model: _as_it_was_left(session, steps, model) for model in returning.MODELS.values()}
    unmaking.check(session, found, after)
    for admin_id in found[Admin]:
        admins.check_one_stays(session)
        sessions.end_all(session, admin_id)
    changes = [
        *(domains.as_removed(row) for row in found[Domain].values()),
        *users.removal(session, list(found[User].values())),
        *(aliases.as_removed(row) for row in found[Alias].values()),
        *(admins.as_removed(row) for row in found[Admin].values()),
        *(notes.as_removed(row) for row in found[Note].values()),
    ]
    for model in (Alias, Domain, Admin, Note):
        rows.remove(session, model, found[model])
    return changes


# --- settings -------------------------------------------------------------------


def _undo_setting(
    session: Session, actor: Actor, entry: HistoryEntry, log_is_writable: Callable[[], bool]
) -> HistoryEntry:
    row = session.get(SettingRow, entry.object_id)
    if row is None:
        raise NotFound(rows.NOT_FOUND["setting"])
    if row.value != (entry.new or {}).get("value"):
        raise Conflict(
            '"%(name)s" was changed since, outside the history: it is now %(present)s',
            name=entry.object_name,
            present=row.value,
        )
    return settings_acts.put_back(
        *(session, actor, row, (entry.old or {}).get("value")),
        log_is_writable=log_is_writable,
        undoes=entry.id,
    )
