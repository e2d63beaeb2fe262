"""/login/openid: signing in with the OpenID Connect provider."""

import hmac
import time

from flask import Blueprint, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from .. import security, signing_in
from ..db import db
from ..errors import Forbidden, NotFound, RuleError
from ..openid.faults import NOT_BEGUN, NotAnswered, Refused
from ..openid.plan import Provider
from ..rules import providers
from ..rules.elsewhere import Person
from . import login

blueprint = Blueprint("openid", __name__)

# What was begun in this browser, in the signed cookie; see openid.plan.Begun.
PENDING = "openid"
# How long somebody may take at the provider.
PENDING_SECONDS = 900


@blueprint.get("/login/openid", provide_automatic_options=False)
def begin() -> BaseResponse:
    """Send the browser to the provider. A link, since a form may lead to this site only."""
    from ..openid import signing_in as client  # noqa: PLC0415 -- see openid/__init__

    provider = _provider()
    db.session.remove()  # no connection is held while the provider is asked
    try:
        begun = client.begin(provider, _own_address())
    except NotAnswered as error:
        return login.refused(signing_in.not_answered(error))
    session[PENDING] = begun.pending | {
        "next": security.safe_next(request.args.get("next")),
        "until": str(int(time.time()) + PENDING_SECONDS),
    }
    return redirect(begun.url)


@blueprint.get("/login/openid/callback", provide_automatic_options=False)
def finish() -> BaseResponse:
    """The browser is back: ask the provider who it is."""
    from ..openid import signing_in as client  # noqa: PLC0415 -- see openid/__init__

    pending = session.pop(PENDING, {})  # whatever comes of it, it counts once
    if time.time() > int(pending.get("until", 0)):
        pending = {}
    provider = _provider()
    begun = pending.get("state", "")
    if not begun or not hmac.compare_digest(begun.encode(), _given("state").encode()):
        # Not counted: nobody can guess anything here, and any site can send a browser here.
        return login.refused(Forbidden(NOT_BEGUN))

    def ask() -> Person | RuleError:
        try:
            found = client.finish(provider, _own_address(), pending, request.args)
        except (Refused, NotAnswered) as error:
            return error
        return providers.person(provider, found)

    target = security.safe_next(pending.get("next"))
    return login.after(signing_in.sign_in_as(provider.issuer, ask), target)


def _given(name: str) -> str:
    return request.args.get(name, "")


def _provider() -> Provider:
    provider = providers.enabled(db.session(), security.configuration().openid_client_secret)
    if provider is None:
        raise NotFound("Signing in with OpenID Connect is not enabled")
    return provider


def _own_address() -> str:
    return url_for(".finish", _external=True)
