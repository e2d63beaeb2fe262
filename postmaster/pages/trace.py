"""/trace: what the mail server does with an address."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from ..db import db
from ..errors import Invalid, Phrase
from ..rules import trace, traces
from ..rules.expansion import How, Map
from ..rules.schemes import State as Password
from ..rules.suspensions import Mode
from ..rules.trace_words import State, Verdict
from ..rules.traces import Node, Sentence
from ..security import actor
from . import surface
from .sentences import readable
from .translation import say, translated

blueprint = Blueprint("trace", __name__)

VERDICTS: Mapping[Verdict, Phrase] = {
    Verdict.DELIVERED: Phrase("Delivered"),
    Verdict.PARTLY: Phrase("Delivered in part"),
    Verdict.SENT_BACK: Phrase("Sent back"),
    Verdict.REFUSED: Phrase("Refused"),
    Verdict.PUT_OFF: Phrase("Put off"),
}
STATES: Mapping[State, Phrase] = {
    State.MAILBOX: Phrase("mailbox here"),
    State.ELSEWHERE: Phrase("other server"),
    State.NOBODY: Phrase("nobody: sent back"),
    State.SUSPENDED: Phrase("suspended without mail: sent back"),
    State.UNDELIVERABLE: Phrase("Dovecot does not deliver to such a name: sent back"),
    State.UNSENDABLE: Phrase("Postfix does not send to such a name: sent back"),
    State.CIRCLE: Phrase("back to an address above: a circle"),
    State.UNREADABLE: Phrase("an alias to no address: put off"),
}
OTHER_MAILBOX = Phrase("mailbox %(mailbox)s, without the extension")
WAYS: Mapping[How, Phrase] = {
    How.EXACT: Phrase("alias"),
    How.BARE: Phrase("as %(key)s, without the extension"),
    How.CATCH_ALL: Phrase("by the catch-all %(key)s"),
}
BY_ITSELF = Phrase("mailbox, itself by the email2email map")
# Why nobody can sign in to a mailbox; its mail arrives all the same.
PASSWORDS: Mapping[str, Phrase] = {
    Password.EMPTY: Phrase("has no password: nobody signs in"),
    Password.LOCKED: Phrase("is locked: nobody signs in"),
    Password.PLAIN: Phrase("its password is not hashed, and Dovecot cannot read it"),
    Password.CUT: Phrase("its password is cut off: nobody signs in"),
    Password.UNKNOWN: Phrase("its password is in a scheme that Dovecot does not have"),
}
NO_SIGN_IN = Phrase("suspended: nobody signs in")


@blueprint.get("/trace")
def show() -> Response:
    """The verdict on an address, and how it comes about."""
    typed = request.args.get("address", "")
    found, refused = None, ""
    if typed.strip():
        try:
            found = trace.of(db.session(), actor(), typed)
        except Invalid as error:
            refused = translated(error)
    return surface.show(
        "trace/show.html",
        HTTPStatus.BAD_REQUEST if refused and not surface.is_partial() else HTTPStatus.OK,
        typed=typed,
        trace=found,
        refused=refused,
        hint=trace.refused_by_syntax(typed) if refused else None,
        verdicts=VERDICTS,
        sql=traces.sql,
        spoken=spoken,
        ends_as=ends_as,
        way=way,
        mark=mark,
    )


def spoken(sentence: Sentence) -> str:
    """A sentence of the trace in the page's language."""
    values = {
        name: readable(value)
        if type(value) is str
        else [readable(str(one)) for one in value]
        if isinstance(value, list)
        else value
        for name, value in sentence.values.items()
    }
    return say(sentence.template, **values)


def ends_as(node: Node) -> str:
    """What a leaf of the tree is."""
    if node.delivered_to not in ("", node.address):
        return say(OTHER_MAILBOX, mailbox=readable(node.delivered_to))
    return str(_(STATES[node.state])) if node.state else ""


def way(node: Node) -> str:
    """How an address was found that leads on."""
    if node.by is Map.EMAIL2EMAIL:
        return str(_(BY_ITSELF))
    return say(WAYS[node.how], key=readable(node.key)) if node.how else ""


def mark(node: Node) -> str:
    """Why nobody signs in to the mailbox of a leaf; empty where its owner can."""
    if node.state is not State.MAILBOX or node.mailbox is None:
        return ""
    if node.mailbox.suspended == Mode.SIGN_IN:
        return str(_(NO_SIGN_IN))
    unreadable = node.mailbox.unreadable
    return str(_(PASSWORDS[unreadable])) if unreadable else ""
