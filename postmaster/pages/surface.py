"""What the pages share: lists, and refusals in the panel's look."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ..errors import RuleError, Throttled, Unauthenticated
from ..rules import paging

WHAT_NEXT = {
    400: "Go back and correct what was sent.",
    403: "Open PostMaster in a tab of its own and try again from there.",
    404: "Go to the dashboard and look for it from there.",
    413: "Send less at once.",
    429: "Wait a while.",
    500: "The log has the details. If it happens again, report it with the log's line.",
    503: "Wait a moment, then load the page again.",
}


def criteria() -> paging.Criteria:
    """What the address bar asks of a list; what cannot be read counts as not said."""
    arguments = request.args
    return paging.Criteria(
        page=_number("page", 1),
        per_page=_number("per_page", paging.DEFAULT_PER_PAGE),
        search=arguments.get("search", ""),
        sort=arguments.get("sort") or None,
        order=arguments.get("order", "asc"),
    )


def _number(name: str, default: int) -> int:
    try:
        return max(1, int(request.args.get(name, default)))
    except ValueError:
        return default


def list_page(
    heading: str, page: paging.Page[Any], columns: Sequence[tuple[str, str]], *, search: bool
) -> str:
    """A list as a plain table. ``columns``: attribute and heading of each."""
    return render_template("list.html", heading=heading, page=page, columns=columns, search=search)


def refusal(error: RuleError) -> BaseResponse:
    """A RuleError as a page; who is not signed in is led to the sign-in page."""
    if isinstance(error, Unauthenticated):
        path = request.script_root + request.full_path.rstrip("?")
        target = path if request.method == "GET" else None
        if target == url_for("dashboard.show"):
            target = None
        return redirect(url_for("login.sign_in", next=target))
    response = answer(error.status, str(error))
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def answer(status: int, message: str) -> Response:
    """An error page with any status, and with what to do next."""
    page = render_template(
        "error.html",
        status=status,
        phrase=HTTPStatus(status).phrase,
        message=message,
        what_next=WHAT_NEXT.get(status, ""),
        bare=status >= HTTPStatus.INTERNAL_SERVER_ERROR,  # the menu needs the database
    )
    response = make_response(page, status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "5"
    return response
