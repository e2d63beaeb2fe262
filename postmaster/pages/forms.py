"""What every form of the pages has. A form carries strings; the rules check them."""

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.fields import choices as wtforms_choices

from ..rules.foresight import Foreseen
from ..security import safe_next


class PageForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A form that knows where it stands, where it was opened from, and what was seen there."""

    # The id of the element that it was put into; empty for a page of its own.
    place = HiddenField()
    # Where to go after the change; what was sent as such is read as a path of this site.
    back = HiddenField(filters=[lambda path: safe_next(path) if path else path])
    # The version of the row that was shown; see rules/versions.py.
    seen = HiddenField()

    #: Begins the ids of its parts on a page that holds it several times.
    space: str = "form"
    #: What is wrong with the form as a whole.
    problem: str = ""
    #: What it would mean for mail, where that was asked for.
    foreseen: Foreseen[None] | None = None

    def refuse(self, field: str | None, message: str) -> None:
        """Put a refusal beside its field, or over the form if it has no such field."""
        found = self._fields.get(field or "")
        if found is None or found.type == "HiddenField":
            self.problem = message
        else:
            found.errors = [message]


def choices(names: Mapping[Any, Any]) -> list[Any]:
    """The choices of a field: what is sent, with what a person reads."""
    choice: Any = wtforms_choices.SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
    return [choice(value, name) for value, name in names.items()]
