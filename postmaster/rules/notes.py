"""Notes on domains, users and aliases: what administrators want to remember of them.

A note belongs to a name: a domain's, a user's address, an alias's source, which may have
several rows. It goes along when that is renamed or deleted.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, cast, or_, select
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..db import Base
from ..errors import Conflict, Invalid, NotFound
from ..models import Alias, Domain, Note, User
from . import history, lengths, paging, rows, suspensions, turns
from .actor import Actor
from .history import Action, Change, Kind

MODELS: Mapping[Kind, type[Base]] = {Kind.DOMAIN: Domain, Kind.USER: User, Kind.ALIAS: Alias}
# What a note may have besides what can be printed.
VERSION_LENGTH = 12
LAYOUT = frozenset("\n\t")


def name_of(row: Domain | User | Alias) -> str:
    """The name that the note of a row belongs to."""
    if isinstance(row, User):
        return suspensions.address_of(row)
    return row.name if isinstance(row, Domain) else row.source


# --- in the queries of lists ----------------------------------------------------


def _name_in_sql(kind: Kind) -> ColumnElement[str]:
    names: Mapping[Kind, ColumnElement[str]] = {
        Kind.DOMAIN: Domain.name.expression,
        Kind.USER: suspensions.address(),
        Kind.ALIAS: Alias.source.expression,
    }
    return names[kind]


def beside(kind: Kind) -> ColumnElement[str]:
    """The note of each row of a list, for the list's own query."""
    found = select(Note.text).where(Note.kind == kind, Note.name == _name_in_sql(kind))
    return found.scalar_subquery()


def holding(kind: Kind, column: InstrumentedAttribute[str]) -> Callable[[str], ColumnElement[bool]]:
    """The condition that a row's note holds a text, for a list's search."""

    def condition(text: str) -> ColumnElement[bool]:
        searched = paging.comparable(Note.text, text)
        # In the mail tables' character set, so that MySQL finds the names once for all rows
        # and not once for each.
        name = cast(Note.name, mysql.CHAR(charset="utf8"))
        held = select(name).where(Note.kind == kind, searched.contains(text, autoescape=True))
        if kind is Kind.USER:
            unmarked = suspensions.gets_no_mail() & _name_in_sql(kind).in_(held)
            return or_(column.in_(held), unmarked)
        return column.in_(held)

    return condition


# --- the act --------------------------------------------------------------------


def on(session: Session, actor: Actor, kind: Kind, object_id: int) -> str:
    """The note on a domain, a user or an alias; empty if there is none. Raises NotFound."""
    row = _noted(session, kind, object_id)
    found = _of_names(session, kind, [name_of(row)])
    return found[0].text if found else ""


def _noted(session: Session, kind: Kind, object_id: int) -> Any:
    for row in rows.present(session, MODELS[kind], [object_id]):
        return row
    raise NotFound(rows.NOT_FOUND[kind])


def version(text: str) -> str:
    """The version of a note, for a form that changes it."""
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_LENGTH]


def set_note(
    session: Session,
    actor: Actor,
    kind: Kind,
    object_id: int,
    *,
    text: str,
    seen: str | None = None,
) -> str:
    """Write the note on a domain, a user or an alias; an empty one deletes it.

    Returns it as it is kept. Raises NotFound, Invalid for what is too long or not
    printable, and Conflict where somebody changed it since.
    """
    turns.take(session, turns.Queue.MAIL)
    row = _noted(session, kind, object_id)
    name = name_of(row)
    checked = checked_text(text)
    present = next(iter(_of_names(session, kind, [name])), None)
    before = present.text if present is not None else ""
    if seen is not None and seen != version(before):
        raise Conflict(
            'Somebody changed the note since you opened it: it is now "%(present)s"',
            present=before,
        )
    if before != checked:
        history.record_all(session, actor, [_write(session, kind, name, present, checked)])
    return checked


def checked_text(text: str) -> str:
    """The text as a note is kept. Raises Invalid."""
    checked = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    lengths.check(checked, Note.text, "note")
    if not all(character.isprintable() or character in LAYOUT for character in checked):
        raise Invalid("The note may hold letters, signs and line ends only", field="note")
    return checked


def _write(session: Session, kind: Kind, name: str, present: Note | None, text: str) -> Change:
    if present is None:
        note = Note(kind=kind, name=name, text=text)
        session.add(note)
        session.flush()
        return Change(Action.CREATE, Kind.NOTE, note.id, name, new=as_recorded(note))
    if not text:
        rows.remove(session, Note, [present.id])
        return as_removed(present)
    old = as_recorded(present)
    present.text = text
    session.flush()
    return Change(Action.CHANGE, Kind.NOTE, present.id, name, old, as_recorded(present))


def texts_of(session: Session, kind: Kind, names: Collection[str]) -> dict[str, str]:
    """The notes on those of these names that have one, by the name in lower case."""
    return {note.name.lower(): note.text for note in _of_names(session, kind, names)}


def write_all(session: Session, kind: Kind, texts: Mapping[str, str]) -> list[Change]:
    """Write notes by their names; the changes are for the caller to record."""
    present = {note.name.lower(): note for note in _of_names(session, kind, texts)}
    return [
        _write(session, kind, name, present.get(name.lower()), text) for name, text in texts.items()
    ]


def _of_names(session: Session, kind: Kind, names: Collection[str]) -> list[Note]:
    return rows.where_in(session, Note, Note.name, names, Note.kind == kind)


# --- what goes along ------------------------------------------------------------


def remove_with(
    session: Session,
    *,
    domains: Collection[str] = (),
    users: Collection[str] = (),
    sources: Collection[str] = (),
) -> list[Change]:
    """Delete the notes on what was just deleted; the changes are for the caller to record.

    A name that another row has too (an alias's other destinations) keeps its note.
    """
    gone: list[Note] = []
    columns: Sequence[tuple[Kind, Collection[str], InstrumentedAttribute[str]]] = (
        (Kind.DOMAIN, domains, Domain.name),
        (Kind.USER, users, User.email),
        (Kind.ALIAS, sources, Alias.source),
    )
    for kind, names, column in columns:
        found = _of_names(session, kind, names) if names else []
        if found:
            still = _still_there(session, column, [note.name for note in found])
            gone += [note for note in found if note.name.lower() not in still]
    rows.remove(session, Note, [note.id for note in gone])
    return [as_removed(note) for note in gone]


def _still_there(
    session: Session, column: InstrumentedAttribute[str], names: Sequence[str]
) -> set[str]:
    return {
        name.lower()
        for some in rows.chunks(names)
        for name in session.scalars(select(column).where(column.in_(some)))
    }


def move(session: Session, kind: Kind, old: str, new: str) -> list[Change]:
    """Lead the note on what was just renamed along; the changes are for the caller to record.

    What still has the old name keeps it, and what had the new name already keeps its own.
    """
    column = {Kind.DOMAIN: Domain.name, Kind.USER: User.email, Kind.ALIAS: Alias.source}[kind]
    found = {note.name.lower(): note for note in _of_names(session, kind, [old, new])}
    note = found.get(old.lower())
    if note is None or old == new:
        return []
    if old.lower() != new.lower():
        if _still_there(session, column, [old]):
            return []
        if new.lower() in found:
            rows.remove(session, Note, [note.id])
            return [as_removed(note)]
    before = as_recorded(note)
    note.name = new
    session.flush()
    return [Change(Action.CHANGE, Kind.NOTE, note.id, old, before, as_recorded(note))]


def check_is_free(session: Session, kind: str, name: str) -> None:
    """Refuse to put a note where there is another by now. Raises Conflict."""
    for note in _of_names(session, Kind(kind), [name]):
        raise Conflict('There is another note on "%(name)s" now: delete it first', name=note.name)


# --- the history ----------------------------------------------------------------


def as_recorded(note: Note) -> dict[str, object]:
    """The note as the history keeps it."""
    return {"kind": note.kind, "name": note.name, "text": note.text}


def as_removed(note: Note) -> Change:
    """A removed note, for the history."""
    return Change(Action.DELETE, Kind.NOTE, note.id, note.name, old=as_recorded(note))
