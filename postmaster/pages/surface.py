"""What the pages share: how much of a page is answered, where one goes back to, refusals.

A page is one template. Without JavaScript it is answered whole. htmx says which
element it will put the answer into (``HX-Target``), and gets just that part of the
same template: ``main``, ``list`` (also for its ``pager``), ``dialog``, or a place of a row
(``edit-…``). A form
remembers its place in a hidden field, so that a refusal comes back to where it was.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import (
    Flask,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as BaseResponse

from .. import security
from ..db import PASSING, after_commit, db
from ..errors import (
    Invalid,
    NotFound,
    Phrase,
    RuleError,
    SessionEnded,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from ..models import HistoryEntry
from ..rules import history, paging, rows, undo
from ..rules.history import Action, Kind
from .forms import PageForm
from .sentences import more_rows, sentence_with
from .translation import translated

WHAT_NEXT = {
    400: Phrase("Go back and correct what was sent."),
    403: Phrase("Open PostMaster in a tab of its own and try again from there."),
    404: Phrase("It may have been deleted meanwhile. Look for it in its list."),
    405: Phrase("Go back and use the page's own buttons."),
    409: Phrase("Load the page again and look at what it is now."),
    413: Phrase("Send less at once."),
    429: Phrase("Wait a while."),
    500: Phrase("The log has the details. If it happens again, report it with the log's line."),
    503: Phrase("Wait a moment, then load the page again."),
}
STATUS_NAMES = {
    400: Phrase("This does not work"),
    403: Phrase("This is not permitted"),
    404: Phrase("Not found"),
    405: Phrase("This does not work"),
    409: Phrase("Somebody was faster"),
    413: Phrase("Too large"),
    429: Phrase("Too many attempts"),
    500: Phrase("Something went wrong"),
    503: Phrase("The database cannot be used now"),
}
ROWS_PER_PAGE = (10, 25, 50, 100)
NARROW_PLACE = "edit-"
PAGER = "pager"  # of a list: its total and the links to its pages
LAYOUTS = {"main": "main", "dialog": "dialog", "list": "list", PAGER: "list"}
# The argument that has a list answered with its total and all that a search finds.
COMPLETED = "counted"
# Arguments of an address that change with every letter that is typed.
TYPED = ("search=", "address=")
ELEMENT_ID = re.compile(r"[a-z0-9-]+")


def init_app(app: Flask) -> None:
    """Note what each request changed, so that the next page can offer to undo it."""
    after_commit(_note_change)
    app.add_template_global(url_with)
    app.add_template_global(place)
    app.add_template_global(layout)
    app.jinja_env.globals["rows_per_page"] = ROWS_PER_PAGE
    app.add_template_global(is_partial)
    app.register_error_handler(PastTheLast, lambda past: redirect(past.address))
    app.after_request(_add_headers)


# --- how much of a page ---------------------------------------------------------


def is_partial() -> bool:
    """Whether htmx asks for a part of a page."""
    return "HX-Request" in request.headers


def place() -> str:
    """The id of the element that the answer goes into; empty for a whole page."""
    if not is_partial():
        return ""
    if request.method == "POST":
        try:
            where = request.form.get("place") or "main"
        except HTTPException:  # too large to be read, which is being answered just now
            where = "main"
    else:
        where = request.headers.get("HX-Target", "main")
    return where if ELEMENT_ID.fullmatch(where) else "main"


def is_rows_only() -> bool:
    """Whether only a list's rows and its pager are answered, without the forms around it."""
    return place() in ("list", PAGER)


def layout() -> str:
    """The layout that a page's template extends, by its place."""
    where = place()
    if where.startswith(NARROW_PLACE):
        return "layouts/edit.html"
    return f"layouts/{LAYOUTS[where]}.html" if where in LAYOUTS else "base.html"


def show(template: str, status: int = HTTPStatus.OK, **context: Any) -> Response:
    """A page, or the part of it that was asked for."""
    response = make_response(render_template(template, **context), status)
    if is_partial():
        if request.method == "POST":
            response.headers["HX-Retarget"] = f"#{place()}"
            response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Push-Url"] = "false"
        _remember_address(response)
    return response


def _remember_address(response: Response) -> None:
    """Say what the address bar is to hold: a search being typed is one step back, not ten."""
    if request.method != "GET" or place() not in ("main", "list") or COMPLETED in request.args:
        return
    here = iri_to_uri(own_address())
    seen = _path_of(request.headers.get("HX-Current-URL", ""))
    if seen == here:
        return
    is_same_list = urlsplit(seen).path == request.script_root + request.path
    is_search = any(name in seen and name in here for name in TYPED)
    is_typing = is_same_list and is_search and "page=" not in here
    if is_typing:
        del response.headers["HX-Push-Url"]
        response.headers["HX-Replace-Url"] = here
    else:
        response.headers["HX-Push-Url"] = here


def own_address() -> str:
    """The path and query of this request."""
    query = request.query_string.decode("utf-8", "replace")
    return request.script_root + request.path + (f"?{query}" if query else "")


def _path_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # such as http://[
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _add_headers(response: Response) -> Response:
    if response.mimetype == "text/html" and request.endpoint != "static":
        response.vary.update(["HX-Request", "HX-Target", "Accept-Language"])
    return response


# --- lists ----------------------------------------------------------------------


def criteria(per_page: int = paging.DEFAULT_PER_PAGE) -> paging.Criteria:
    """What the address bar asks of a list; what cannot be read counts as not said.

    Its first answer waits for nothing that takes a scan of a large table: a page without its
    total (or all that a search finds) has itself completed by one more request.
    """
    arguments = request.args
    return paging.Criteria(
        page=_number("page", 1),
        per_page=_number("per_page", per_page),
        search=arguments.get("search", ""),
        sort=arguments.get("sort") or None,
        order=arguments.get("order", "asc"),
        counted=COMPLETED in arguments,
        at_once=COMPLETED not in arguments,
    )


def _number(name: str, default: int) -> int:
    try:
        return min(max(1, int(request.args.get(name, default))), 10**9)
    except ValueError:
        return default


class PastTheLast(Exception):
    """A page after the last one was asked for; ``address`` is the list's first page."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def page_of(find: Callable[[paging.Criteria], paging.Page[Any]]) -> paging.Page[Any]:
    """The page of a list that the address bar asks for.

    Past the last one (its rows were just deleted) one is led to the page before.
    """
    asked = criteria()
    try:
        return find(asked)
    except NotFound:
        if asked.page == 1:
            raise
        first = find(replace(asked, page=1, counted=True, at_once=False))
        raise PastTheLast(url_with(page=max(first.pages or 0, 1))) from None


def url_with(**changes: Any) -> str:
    """The list's own address with some arguments changed; None takes one out."""
    arguments = {**request.args.to_dict(), COMPLETED: None, **changes}
    kept = {
        name: value
        for name, value in arguments.items()
        if value not in (None, "") and not (name == "page" and str(value) == "1")
    }
    path = request.script_root + request.path
    return f"{path}?{urlencode(kept)}" if kept else path


def selected_ids() -> list[int]:
    """The ids of the rows that were ticked. Raises Invalid where they are too many."""
    values = request.values.getlist("id")
    if len(values) > MOST_SELECTED:
        raise Invalid(
            "%(count)s rows were selected, and at most %(most)s can be at once: select fewer",
            count=len(values),
            most=MOST_SELECTED,
        )
    return [
        int(value)
        for value in values
        if value.isascii() and value.isdigit() and len(value) <= LONGEST_ID
    ]


MOST_SELECTED = 1000
LONGEST_ID = len(str(rows.LARGEST_ID))


def check_any_is_there(ids: Sequence[int], found: Sequence[Any], noun: str) -> None:
    """Raises NotFound where rows were chosen, and none of them is there any more."""
    if ids and not found:
        raise NotFound(rows.NOT_FOUND[noun])


# --- forms ----------------------------------------------------------------------


def came_from() -> str:
    """The page that this form was opened from, within this site; empty if unknown."""
    url = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    path = _path_of(url)
    return path if path and path == security.safe_next(path) and _can_be_opened(path) else ""


def _can_be_opened(path: str) -> bool:
    """Whether it is a page: a refused form without scripts stands where only forms are sent."""
    here = urlsplit(path).path.removeprefix(request.script_root) or "/"
    try:
        current_app.url_map.bind("").match(here, method="GET")
    except HTTPException:
        return False
    return True


def fresh(form: PageForm, *, leads_back: bool = False) -> PageForm:
    """A form as it is first shown: it knows its place, and where to go after the change.

    That is the page it stands on. What ``leads_back`` (a question before an act), and
    what stands in a dialog or a row, goes back to where it was opened from.
    """
    where = place()
    form.place.data = where
    is_passing = leads_back or where == "dialog" or where.startswith(NARROW_PLACE)
    form.back.data = came_from() if is_passing else own_address()
    return form


def standing(form: PageForm) -> PageForm:
    """A form of a page that may be shown again after another form of it was refused."""
    return fresh(form) if request.method == "GET" else form


def submit(
    form: PageForm,
    act: Callable[[], object],
    again: Callable[[], Response],
    *,
    to: Callable[[], str],
    never_to: Collection[str] = (),
) -> BaseResponse:
    """Run an act, then go back to where the form was opened from (else ``to``).

    A refusal stands beside its field, on the same page, with what was typed.
    ``never_to`` are pages that are no more after the act.
    """
    try:
        act()
    except RuleError as error:
        if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE):
            raise
        return refused(form, error, again)
    back = security.safe_next(form.back.data) if form.back.data else to()
    return done(to() if urlsplit(back).path in never_to else back)


def refused(form: PageForm, error: RuleError, again: Callable[[], Response]) -> Response:
    """The form's page once more, with the refusal where it belongs."""
    form.refuse(error.field, translated(error))
    response = again()
    response.status_code = error.status
    return response


def done(address: str, *, as_a_whole: bool = False) -> BaseResponse:
    """On to a page after a change, which says what was done and offers to undo it.

    ``as_a_whole``: the session is a new one, and with it every form's token.
    """
    changes: list[HistoryEntry] = g.get("changes", [])
    parts = history.count_parts(db.session(), [entry.id for entry in changes]) if changes else {}
    for entry in changes:
        category = f"undo-{entry.id}" if _is_offered_back(entry) else "done"
        flash(sentence_with(entry, more_rows(entry, parts[entry.id])), category)
    if as_a_whole and is_partial():
        return make_response("", HTTPStatus.OK, {"HX-Redirect": iri_to_uri(address)})
    return redirect(address, HTTPStatus.SEE_OTHER)


def _is_offered_back(entry: HistoryEntry) -> bool:
    """Whether the message has an Undo. An old password that comes back by one press of a
    button nobody looks at is a danger; the history offers that.
    """
    is_admins_password = entry.kind == Kind.ADMIN and entry.action == Action.CHANGE_PASSWORD
    return undo.is_undoable(entry) and not is_admins_password


def _note_change(announcement: object) -> None:
    if isinstance(announcement, HistoryEntry) and announcement.part_of is None:
        g.setdefault("changes", []).append(announcement)


# --- while one types ------------------------------------------------------------


def preview(find: Callable[[], Sequence[str]], typed: str) -> Response:
    """What a field's text would become, in sentences; or why it would be refused."""
    if not typed.strip():
        return make_response("")
    try:
        return make_response(render_template("_preview.html", sentences=find(), refused=""))
    except RuleError as error:
        return make_response(
            render_template("_preview.html", sentences=[], refused=translated(error))
        )


# --- refusals -------------------------------------------------------------------


def refusal(error: RuleError) -> BaseResponse:
    """A RuleError as a page; who is not signed in is led to the sign-in page."""
    if isinstance(error, SessionEnded):
        flash(translated(error), "warning")
        return _to_sign_in(is_explained=True)
    if isinstance(error, Unauthenticated):
        return _to_sign_in()
    waits = error.status != HTTPStatus.SERVICE_UNAVAILABLE or error.template in PASSING
    what = error.what if isinstance(error, Unavailable) else None
    response = answer(error.status, translated(error), advises=waits, what=what)
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _to_sign_in(*, is_explained: bool = False) -> BaseResponse:
    target: str | None = own_address() if request.method == "GET" else None
    is_leaving = request.endpoint == "login.sign_out"
    if request.method not in security.SAFE_METHODS and not is_leaving and not is_explained:
        flash(
            _("Your session has ended. Sign in again: what you sent last was not saved."),
            "warning",
        )
    if is_partial():
        target = _path_of(request.headers.get("HX-Current-URL", ""))
        response = make_response("", HTTPStatus.UNAUTHORIZED)
        response.headers["HX-Redirect"] = sign_in_address(target)
        return response
    return redirect(sign_in_address(target))


def sign_in_address(target: str | None) -> str:
    """The sign-in page, which leads on to ``target``."""
    if target == url_for("dashboard.show"):
        target = None
    return url_for("login.sign_in", next=target)


def answer(
    status: int, message: str, *, advises: bool = True, what: Phrase | None = None
) -> Response:
    """An error page with any status. ``advises``: it adds what to do next. ``what``: its title."""
    response = make_response(
        render_template(
            "error.html",
            status=status,
            phrase=_(what or STATUS_NAMES.get(status, Phrase("This does not work"))),
            message=message,
            what_next=_(WHAT_NEXT[status]) if advises and status in WHAT_NEXT else "",
            # The menu needs the database.
            bare=status >= HTTPStatus.INTERNAL_SERVER_ERROR and what in (None, Unavailable.what),
        ),
        status,
    )
    if is_partial():
        where = "dialog" if place() == "dialog" else "messages"
        response.headers["HX-Retarget"] = f"#{where}"
        response.headers["HX-Reswap"] = "innerHTML"
        response.headers["HX-Push-Url"] = "false"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "5"
    return response
