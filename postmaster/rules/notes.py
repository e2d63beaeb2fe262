"""Notes on domains, users and aliases: what administrators want to remember of them.

A note belongs to a name: a domain's, a user's address, an alias's source, which may have
several rows. It goes along when that is renamed or deleted.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..collations import AsOwn
from ..db import Base
from ..errors import Conflict, Invalid, NotFound
from ..models import Alias, Domain, Note, User
from . import history, lengths, rows, suspensions, turns
from .actor import Actor
from .conditions import Where, contains, literally
from .history import Action, Change, Kind

MODELS: Mapping[Kind, type[Base]] = {Kind.DOMAIN: Domain, Kind.USER: User, Kind.ALIAS: Alias}
NAMES: Mapping[Kind, InstrumentedAttribute[str]] = {
    Kind.DOMAIN: Domain.name,
    Kind.USER: User.email,
    Kind.ALIAS: Alias.source,
}
# Where the history keeps these names.
FIELDS: Mapping[Kind, str] = {Kind.DOMAIN: "name", Kind.USER: "email", Kind.ALIAS: "source"}
# What a note may have besides what can be printed.
VERSION_LENGTH = 12
LAYOUT = frozenset("\n\t")
# Names that a search lists; SQLite takes some 30,000 values in a statement.
MOST_NAMES = 10_000


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


@cache
def beside(kind: Kind) -> ColumnElement[str]:
    """The note of each row of a list, for the list's own query."""
    found = select(Note.text).where(Note.kind == kind, Note.name == AsOwn(_name_in_sql(kind)))
    return found.scalar_subquery()


def holding(kind: Kind) -> Callable[[Session, str], Where]:
    """The condition that a row's note holds a text, for a list's search."""
    held = and_(Note.kind == kind, contains(Note.text.expression, "text"))
    found = select(Note.name).where(held).limit(MOST_NAMES + 1)

    @cache
    def named() -> ColumnElement[bool]:
        return AsOwn(_name_in_sql(kind)).in_(bindparam("noted", expanding=True))

    @cache
    def beside_it() -> ColumnElement[bool]:
        return contains(beside(kind), "text")

    def condition(session: Session, text: str) -> Where:
        pattern = {"text": literally(text)}
        # As a list, MySQL compares them with a million rows at once; as a subquery, it would
        # look into a table of them for each row.
        names = session.scalars(found, pattern).all()
        if not names:
            return Where((_NOWHERE,))
        if len(names) > MOST_NAMES:
            return Where((beside_it(),), pattern)
        return Where((named(),), {"noted": names})

    return condition


_NOWHERE = false()


# --- the act --------------------------------------------------------------------


def on(session: Session, actor: Actor, kind: Kind, object_id: int) -> str:
    """The note on a domain, a user or an alias; empty if there is none. Raises NotFound."""
    row = _noted(session, kind, object_id)
    found = of_names(session, kind, [name_of(row)])
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
    present = next(iter(of_names(session, kind, [name])), None)
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
    return {note.name.lower(): note.text for note in of_names(session, kind, names)}


def write_all(session: Session, kind: Kind, texts: Mapping[str, str]) -> list[Change]:
    """Write notes by their names; the changes are for the caller to record."""
    present = {note.name.lower(): note for note in of_names(session, kind, texts)}
    return [
        _write(session, kind, name, present.get(name.lower()), text) for name, text in texts.items()
    ]


def of_names(session: Session, kind: Kind, names: Collection[str]) -> list[Note]:
    """The notes on those of these names that have one."""
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
    removed = {Kind.DOMAIN: domains, Kind.USER: users, Kind.ALIAS: sources}
    found: list[Note] = []
    for kind, names in removed.items():
        found += of_names(session, kind, names) if names else []
    return remove_left(session, found)


def of_rows(session: Session, kind: Kind, *conditions: ColumnElement[bool]) -> list[Note]:
    """The notes on rows that fulfil conditions, without fetching the rows."""
    same_name = and_(Note.kind == kind, Note.name == AsOwn(_name_in_sql(kind)))
    found = select(Note).select_from(MODELS[kind]).join(Note, same_name).where(*conditions)
    # From the rows to the index of the notes: MySQL would sometimes read all notes instead.
    for dialect in ("mysql", "mariadb"):
        found = found.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    return list(session.scalars(found).unique())


def remove_left(session: Session, found: Collection[Note]) -> list[Change]:
    """Delete those of the notes that are on nothing any more; the changes are to be recorded."""
    gone: list[Note] = []
    for kind in dict.fromkeys(note.kind for note in found):
        of_kind = [note for note in found if note.kind == kind]
        still = _still_there(session, Kind(kind), [note.name for note in of_kind])
        gone += [note for note in of_kind if note.name.lower() not in still]
    rows.remove(session, Note, [note.id for note in gone])
    return [as_removed(note) for note in gone]


def _still_there(session: Session, kind: Kind, names: Sequence[str]) -> set[str]:
    """Those of the names, in lower case, that something has."""
    column, is_user = NAMES[kind], kind is Kind.USER
    found = {
        name.lower()
        for some in rows.chunks(suspensions.spellings(names) if is_user else names)
        for name in session.scalars(select(column).where(column.in_(some)))
    }
    return {name.removeprefix(suspensions.SIGN) for name in found} if is_user else found


def move(session: Session, kind: Kind, old: str, new: str) -> list[Change]:
    """Lead the note on what was just renamed along; see ``move_all``."""
    return move_all(session, kind, [(old, new)])


def move_all(session: Session, kind: Kind, names: Collection[tuple[str, str]]) -> list[Change]:
    """Lead the notes on what was just renamed along, by the old names and the new ones.

    What still has an old name keeps its note, and what had a new name already keeps its own.
    The changes are for the caller to record.
    """
    renamed = [(old, new) for old, new in names if old != new]
    every = {name for pair in renamed for name in pair}
    found = {note.name.lower(): note for note in of_names(session, kind, every)}
    noted = [(old, new) for old, new in renamed if old.lower() in found]
    others = [old for old, new in noted if old.lower() != new.lower()]
    still = _still_there(session, kind, others)
    changes: list[Change] = []
    for old, new in noted:
        is_other = old.lower() != new.lower()
        note = found.get(old.lower())
        if note is None or note.name == new or (is_other and old.lower() in still):
            continue
        del found[old.lower()]
        if new.lower() in found:
            rows.remove(session, Note, [note.id])
            changes.append(as_removed(note))
        else:
            changes.append(_rename(note, new))
            found[new.lower()] = note
    session.flush()
    return changes


def follow(
    session: Session, changes: Collection[Change], besides: Collection[tuple[str, str]] = ()
) -> list[Change]:
    """Lead the notes along with what these changes renamed; see ``move_all``.

    ``besides``: kinds and names, in lower case, that no note is to be led to.
    """
    led: list[Change] = []
    for kind, field in FIELDS.items():
        names = [
            (str(change.old[field]), str(change.new[field]))
            for change in changes
            if change.kind == kind and change.old and change.new
        ]
        meant = [pair for pair in names if (kind, pair[1].lower()) not in besides]
        led += move_all(session, kind, meant)
    return led


def _rename(note: Note, name: str) -> Change:
    before = as_recorded(note)
    note.name = name
    return Change(Action.CHANGE, Kind.NOTE, note.id, str(before["name"]), before, as_recorded(note))


def is_move(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> bool:
    """Whether a recorded change of a note only led it along with what was renamed."""
    return old is not None and new is not None and old["name"] != new["name"]


def move_back(session: Session, moves: Mapping[int, tuple[str, str]]) -> list[Change]:
    """Undo moves of notes, by their ids: the old names and the new ones.

    A note that is gone since, or has yet another name, is left. Raises Conflict where
    another one has the old name. The changes are for the caller to record.
    """
    changes: list[Change] = []
    for note in rows.present(session, Note, moves):
        old, new = moves[note.id]
        if note.name.lower() == new.lower():
            if old.lower() != new.lower():
                check_is_free(session, note.kind, old)
            changes.append(_rename(note, old))
    session.flush()
    return changes


def check_is_on_something(session: Session, kind: str, names: Collection[str]) -> None:
    """Refuse notes on names that nothing has. Raises Conflict."""
    still = _still_there(session, Kind(kind), [*names])
    for name in names:
        # One by one too: the database may take another spelling for the same.
        if name.lower() not in still and not _still_there(session, Kind(kind), [name]):
            raise Conflict(
                'The note on "%(name)s" cannot come back: nothing has this name now', name=name
            )


def check_is_free(session: Session, kind: str, name: str) -> None:
    """Refuse to put a note where there is another by now. Raises Conflict."""
    for note in of_names(session, Kind(kind), [name]):
        raise Conflict('There is another note on "%(name)s" now: delete it first', name=note.name)


# --- the history ----------------------------------------------------------------


def as_recorded(note: Note) -> dict[str, object]:
    """The note as the history keeps it."""
    return {"kind": note.kind, "name": note.name, "text": note.text}


def as_removed(note: Note) -> Change:
    """A removed note, for the history."""
    return Change(Action.DELETE, Kind.NOTE, note.id, note.name, old=as_recorded(note))
