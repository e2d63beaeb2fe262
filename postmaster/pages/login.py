"""/login and /logout"""

from http import HTTPStatus

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
from werkzeug.wrappers import Response as BaseResponse

from .. import security
from ..errors import RuleError, Throttled
from ..rules.login import LOCAL_SOURCE

blueprint = Blueprint("login", __name__)


@blueprint.route("/login", methods=["GET", "POST"])
def sign_in() -> BaseResponse:
    """The sign-in form, which a browser and a script with curl both send."""
    target = security.safe_next(request.values.get("next"))
    if request.method == "GET":
        return redirect(target) if security.signed_in() else _form(None)
    refused = security.sign_in(
        username=request.form.get("username", ""),
        password=request.form.get("password", ""),
        source=request.form.get("auth_source", LOCAL_SOURCE),
        code=request.form.get("two_factor", ""),
    )
    return _form(refused) if refused else redirect(target)


def _form(refused: RuleError | None) -> Response:
    page = render_template(
        "login.html",
        refused=refused,
        username=request.form.get("username", ""),
        next=request.values.get("next", ""),
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
    security.sign_out()
    flash("You were logged out.")
    return redirect(url_for(".sign_in"))
