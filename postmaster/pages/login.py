"""/login and /logout"""

from http import HTTPStatus
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from .. import security, signing_in
from ..db import db
from ..errors import RuleError, Throttled
from ..rules import login
from ..rules.login import LOCAL_SOURCE, CodeWanted
from .translation import as_the_browser_asks, translated

blueprint = Blueprint("login", __name__)


@blueprint.route("/login", methods=["GET", "POST"])
def sign_in() -> BaseResponse:
    """The sign-in forms. A script with curl sends all at once; a browser the code by itself."""
    target = security.safe_next(request.values.get("next"))
    if request.method == "GET":
        return redirect(target) if security.signed_in() else _visited(target)
    if request.form.get("step") == "code":
        refused = signing_in.sign_in_with_code(request.form.get("two_factor", ""))
        return _second_step(refused) if refused else redirect(target)
    outcome = signing_in.sign_in(
        username=request.form.get("username", ""),
        password=request.form.get("password", ""),
        source=request.form.get("auth_source", LOCAL_SOURCE),
        code=request.form.get("two_factor", ""),
        in_steps=request.form.get("steps") == "2",
    )
    return after(outcome, target)


def after(outcome: signing_in.Refusal, target: str) -> BaseResponse:
    """The page after a first step: the second one, the first one again, or where it led to."""
    if isinstance(outcome, CodeWanted):
        return _second_step(None)
    return _first_step(outcome) if outcome else redirect(target)


def refused(error: RuleError) -> BaseResponse:
    """The sign-in page with what a first step elsewhere came to."""
    return _first_step(error)


def _visited(target: str) -> BaseResponse:
    """Whom a listed proxy has signed in needs no password here."""
    if signing_in.named_by_proxy() is None:
        return _first_step(None)
    return after(signing_in.sign_in_by_proxy(), target)


def _first_step(refused: RuleError | None) -> Response:
    return _form(
        "login.html",
        refused,
        username=request.form.get("username", ""),
        offered=_offered(),
        source=request.form.get("auth_source", LOCAL_SOURCE),
    )


def _offered() -> login.Offered:
    """Where an account may be from. While the database is away the page is there all the
    same: what is sent then says so.
    """
    try:
        return login.offered(db.session())
    except SQLAlchemyError:
        db.session.remove()
        as_the_browser_asks()
        return login.Offered((LOCAL_SOURCE,), None)


def _second_step(refused: RuleError | None) -> Response:
    awaited = signing_in.awaited_code()
    if awaited is None:  # too late, or the account was changed
        return _first_step(refused)
    return _form("login_code.html", refused, username=awaited.username)


def _form(template: str, refused: RuleError | None, **context: Any) -> Response:
    page = render_template(
        template,
        refused=translated(refused) if refused else None,
        next=request.values.get("next", ""),
        **context,
    )
    response = make_response(page)
    if isinstance(refused, Throttled):
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


@blueprint.route("/logout", methods=["GET", "POST"])
def sign_out() -> BaseResponse:
    """End the session; the GET is for scripts, and other sites cannot use it."""
    security.refuse_if_from_another_site()
    signing_in.sign_out()
    flash(_("You were logged out."))
    return redirect(url_for(".sign_in"))
