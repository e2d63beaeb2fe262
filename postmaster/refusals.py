"""Every error becomes an answer here: JSON for the API, a page for a browser.

What is nobody's mistake but ours is logged with a number that the person sees.
"""

import secrets
from typing import Any

from flask import Flask, current_app, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from . import examining, metrics, security
from .api import surface as api
from .database_faults import GRANTABLE
from .db import db, forget_session
from .errors import Phrase, RuleError, fill
from .pages import surface as pages
from .pages import translation

SENTENCES = {
    400: Phrase("Invalid request"),
    404: Phrase("It was not found"),
    405: Phrase("This address does not take the method %(method)s"),
    413: Phrase("The request is too large: at most 1 MB is read"),
    415: Phrase("This kind of content is not read here"),
}
STALE = Phrase(
    "This page is from an earlier sign-in, or has been open for long: "
    "load it again, nothing was changed"
)


def init_app(app: Flask) -> None:
    """Answer for every error of the application."""
    app.register_error_handler(RuleError, _answer_rule)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(DBAPIError, _answer_database)
    app.register_error_handler(PoolTimeoutError, _answer_database)
    app.register_error_handler(Exception, _answer_defect)


def _answer_rule(error: RuleError) -> Response:
    if security.is_api():
        return api.refusal(error)
    try:
        return pages.refusal(error)
    except SQLAlchemyError as failure:  # the page's menu needs the database
        return _answer_database(failure)


def _answer(status: int, template: str, *, advises: bool = True, **values: Any) -> Response:
    if security.is_api():
        return api.answer(status, fill(template, values))
    try:
        return pages.answer(status, translation.say(template, **values), advises=advises)
    except SQLAlchemyError as failure:
        return _answer_database(failure)


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:  # a redirect, such as to a missing slash
        return error.get_response()
    if isinstance(error, SecurityError):  # a Host that is not listed: no page can be built for it
        sentence = error.description or "This host is not answered for"
        if security.is_api():
            return api.answer(status, sentence)
        return Response(f"{sentence}\n", status, mimetype="text/plain")
    if isinstance(error, CSRFError):  # it says itself what to do next
        response = _answer(status, STALE, advises=False)
    elif status in SENTENCES:
        response = _answer(status, SENTENCES[status], method=request.method)
    else:
        response = _answer(status, "%(sentence)s", sentence=error.description or error.name)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _answer_database(error: Exception) -> Response:
    forget_session()
    translation.as_the_browser_asks()
    metrics.count_database_error(error)
    refusal = examining.explained(error)
    if refusal is None:
        return _answer_defect(error)
    if refusal.template in GRANTABLE:
        # A server looks a connection's rights up once: a new one has what is granted now.
        db.engine.dispose()
    in_full = refusal.for_operators()
    _log(f"The database refused a request: {in_full}")
    return _answer_rule(in_full if security.is_known_to_be_signed_in() else refusal)


def _answer_defect(error: Exception) -> Response:
    number = secrets.token_hex(4)
    current_app.logger.error("Error %s", number, exc_info=error)
    translation.as_the_browser_asks()
    _log(f"Error {number}: {type(error).__name__} at {request.method} {request.path}")
    return _answer(
        500,
        Phrase("Something went wrong inside PostMaster; the log has it as error %(number)s"),
        number=number,
    )


def _log(message: str) -> None:
    current_app.extensions["postmaster_log"].write("error", None, message)
