"""/history: who changed what, and how to take it back."""

from datetime import datetime, timedelta

from flask import Blueprint, Response, current_app, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ..db import db, transact
from ..errors import NotFound, RuleError
from ..rules import admins, history, rows, undo
from ..rules.history import Filters, Kind
from ..security import actor
from ..signing_in import renew_session
from . import surface
from .forms import PageForm
from .sentences import differences, more_rows
from .translation import translated

blueprint = Blueprint("history", __name__)

MOST_PARTS = 200
LAST_DAY = datetime(9999, 12, 31)  # noqa: DTZ001 -- UTC


@blueprint.get("/history")
def find() -> Response:
    """Every change, the newest first."""
    session = db.session()
    filters = _filters()
    page = surface.page_of(
        lambda criteria: history.find(session, actor(), criteria, filters=filters)
    )
    parts = history.count_parts(session, [entry.id for entry in page.items])
    return surface.show(
        "history/list.html",
        page=page,
        more_rows={entry.id: more_rows(entry, parts[entry.id]) for entry in page.items},
        filters=filters,
        is_filtered=filters != Filters() or bool(request.args.get("search")),
        admins=history.admins_seen(session, actor()),
        kinds=[str(kind) for kind in Kind],
        is_undoable=undo.is_undoable,
        form=surface.standing(PageForm(formdata=None)),
    )


@blueprint.get("/history/<int:entry_id>")
def get(entry_id: int) -> Response:
    """One change: old → new, what went along, who and when."""
    return _one(entry_id, surface.fresh(PageForm(formdata=None)))


def _one(entry_id: int, form: PageForm) -> Response:
    session = db.session()
    entry = history.get(session, actor(), entry_id)
    return surface.show(
        "history/one.html",
        entry=entry,
        differences=differences(entry),
        parts=history.parts(session, actor(), entry_id, most=MOST_PARTS),
        total_parts=history.count_parts(session, [entry_id])[entry_id],
        is_undoable=undo.is_undoable(entry),
        form=form,
    )


@blueprint.post("/history/<int:entry_id>/undo", endpoint="undo")
def take_back(entry_id: int) -> BaseResponse:
    """Undo a change, with all that went along."""
    form = PageForm()
    try:
        transact(
            undo.undo,
            actor(),
            entry_id,
            log_is_writable=current_app.extensions["postmaster_log"].is_writable,
        )
    except RuleError as error:
        if error.status in (401, 404, 503):
            raise
        form.problem = translated(error)
        response = _one(entry_id, form)
        response.status_code = error.status
        return response
    entry = history.get(db.session(), actor(), entry_id)
    is_own = entry.kind == Kind.ADMIN and entry.object_id == actor().admin_id
    if is_own and _is_there(entry.object_id):
        # A password that was put back has ended all sessions, this one too.
        renew_session(entry.object_id)
    back = form.back.data or surface.came_from()
    return surface.done(back or url_for(".find"), as_a_whole=is_own)


def _is_there(admin_id: int) -> bool:
    """Whether the admin was not just taken back along with the creation."""
    try:
        admins.get(db.session(), actor(), admin_id)
    except NotFound:
        return False
    return True


def _filters() -> Filters:
    """What the address bar chooses; what cannot be read counts as not said."""
    arguments = request.args
    kind = arguments.get("kind", "")
    until = _day("until")
    object_id = arguments.get("object", None, type=int)
    return Filters(
        admin=arguments.get("admin") or None,
        kind=Kind(kind) if kind in list(Kind) else None,
        object_id=object_id if object_id is not None and object_id <= rows.LARGEST_ID else None,
        since=_day("since"),
        # After the last day that there is, nothing is left out.
        until=until + timedelta(days=1) if until and until < LAST_DAY else None,
    )


def _day(name: str) -> datetime | None:
    try:
        return datetime.strptime(request.args.get(name, ""), "%Y-%m-%d")  # noqa: DTZ007 -- UTC
    except ValueError:
        return None
