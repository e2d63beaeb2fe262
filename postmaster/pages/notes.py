"""The form of a note, which the page of every domain, user and alias has."""

from collections.abc import Callable

from flask import Response
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse
from wtforms import TextAreaField

from ..db import transact
from ..rules import notes
from ..rules.actions import Kind
from ..security import actor
from . import surface
from .forms import PageForm


class NoteForm(PageForm):
    """What administrators want to remember of something."""

    note = TextAreaField(_l("Note"))


def shown(note: str, sent: NoteForm | None) -> NoteForm:
    """The form as it was sent and refused, or fresh with the present note."""
    form = sent or surface.fresh(NoteForm(formdata=None))
    if sent is None:
        form.note.data = note
    form.seen.data = notes.version(note)
    return form


def change(
    kind: Kind, object_id: int, again: Callable[[NoteForm], Response], *, to: str
) -> BaseResponse:
    """Write the note that was sent; ``again`` shows the page of a refused form."""
    form = NoteForm()
    return surface.submit(
        form,
        lambda: transact(
            notes.set_note,
            actor(),
            kind,
            object_id,
            text=form.note.data or "",
            seen=form.seen.data or None,
        ),
        lambda: again(form),
        to=lambda: to,
    )
