"""What an undo does with notes: they go along with their names, whichever way these go."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from ..models import HistoryEntry
from . import notes
from .history import Action, Change, Kind
from .returning import Recorded, Step


def is_move(entry: HistoryEntry | Recorded) -> bool:
    """Whether it only led a note along with a name, as its undo and newer ones do by themselves."""
    is_change = entry.kind == Kind.NOTE and entry.action == Action.CHANGE
    return is_change and notes.is_move(entry.old, entry.new)


def lead(session: Session, steps: Sequence[Step], changes: Sequence[Change]) -> list[Change]:
    """Each note goes along with its name, also what was written since the name changed."""
    moves = {s.id: (s.old["name"], (s.entry.new or {})["name"]) for s in steps if is_move(s.entry)}
    of_notes = [step for step in steps if step.entry.kind == Kind.NOTE]
    known = {(step.old["kind"], step.old["name"].lower()) for step in of_notes if step.old}
    return [*notes.move_back(session, moves), *notes.follow(session, changes, besides=known)]


def remove(session: Session, removed: Sequence[Change]) -> list[Change]:
    """The notes that were written meanwhile on what goes."""
    names = {
        kind: {str((change.old or {})[field]) for change in removed if change.kind == kind}
        for kind, field in notes.FIELDS.items()
    }
    return notes.remove_with(
        session,
        domains=names[Kind.DOMAIN],
        users=names[Kind.USER],
        sources=names[Kind.ALIAS],
    )


def check(session: Session, deleted: Sequence[Step]) -> None:
    """A note that was deleted by itself comes back only to a name that is still there."""
    for kind in notes.FIELDS:
        back = [s.old for s in deleted if s.entry.kind == Kind.NOTE and s.old["kind"] == kind]
        notes.check_is_on_something(session, kind, [note["name"] for note in back])
