"""What a form that is not sent yet would mean for mail: as one types, or when asked for."""

from collections.abc import Callable
from typing import Any

from flask import Response, make_response, render_template, request

from ..db import db
from ..errors import Invalid, NotFound
from ..rules import foresight
from ..rules.consequences import Planned
from ..security import actor
from .forms import PageForm


def while_typing(plan: Callable[..., Planned], *arguments: Any, **fields: Any) -> Response:
    """The consequences as a part of a form; nothing while there is no whole address yet."""
    foreseen = _foreseen(plan, *arguments, **fields)
    return make_response(render_template("_foreseen.html", foreseen=foreseen))


def is_asked() -> bool:
    """Whether a form was sent to see what it would mean, and not to do it."""
    return "preview" in request.form


def show_in(form: PageForm, plan: Callable[..., Planned], *arguments: Any, **fields: Any) -> None:
    """Show the consequences in a form that was sent and is shown again."""
    form.foreseen = _foreseen(plan, *arguments, **fields)


def _foreseen(
    plan: Callable[..., Planned], *arguments: Any, **fields: Any
) -> foresight.Foreseen[None] | None:
    session = db.session()
    try:
        planned = plan(session, actor(), *arguments, **fields)
    except (Invalid, NotFound):
        return None
    return foresight.of(session, actor(), planned)
