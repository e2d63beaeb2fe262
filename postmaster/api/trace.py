"""/api/v1/trace"""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from ..db import db
from ..rules import trace, traces
from ..rules.expansion import How, Map
from ..rules.trace_words import State, Verdict
from ..security import actor
from . import surface

blueprint = surface.blueprint("trace", "What the mail server does with an address")


def _one_of(choices: Any, **options: Any) -> fields.String:
    return fields.String(
        required=True, validate=ma.validate.OneOf([str(one) for one in choices]), **options
    )


def _or_none(about: str) -> fields.String:
    return fields.String(required=True, allow_none=True, metadata={"description": about})


def _list(choices: Any) -> str:
    return ", ".join(str(one) for one in choices)


class LookupItem(ma.Schema):
    """One question to a map of Postfix, by one of the guides' queries, and its answers."""

    map = _one_of(Map)
    key = fields.String(required=True)
    sql = fields.String(required=True)
    answers = fields.List(fields.String(), required=True)
    ids = fields.List(
        fields.Integer(), required=True, metadata={"description": "The rows, by their ids"}
    )


class StepItem(ma.Schema):
    """One thing that Postfix finds out, and what it asks for that."""

    sentence = fields.String(required=True)
    lookups = fields.List(fields.Nested(LookupItem), required=True)


class NodeItem(ma.Schema):
    """An address of the expansion, with those that it leads to."""

    address = fields.String(required=True)
    how = _or_none(f"How the alias maps have it: {_list(How)}; null where it leads nowhere")
    key = _or_none("The key that it was found by")
    map = _or_none("The map that had it")
    state = _or_none(f"What it is in the end: {_list(State)}; null where it leads on")
    user_id = fields.Integer(required=True, allow_none=True)
    alias_id = fields.Integer(required=True, allow_none=True)
    mailbox = _or_none("The mailbox that gets the mail; null where none does")
    suspended = _or_none("How its user is suspended")
    scheme = _or_none("The scheme of the mailbox's password")
    unreadable = _or_none("Why Dovecot cannot read the password; null where it can")
    children = fields.List(fields.Nested("NodeItem"), required=True)
    cut = fields.Integer(
        required=True, metadata={"description": "How many more it leads to: large trees are cut"}
    )


class TraceItem(ma.Schema):
    """The verdict on an address, and how it comes about."""

    address = fields.String(required=True)
    verdict = _one_of(Verdict)
    sentence = fields.String(required=True)
    recipients = fields.List(
        fields.String(), required=True, metadata={"description": "Who gets the mail in the end"}
    )
    lost = fields.List(fields.String(), required=True, metadata={"description": "Where nobody is"})
    steps = fields.List(fields.Nested(StepItem), required=True)
    tree = fields.Nested(NodeItem, required=True)


@blueprint.route("/<path:address>", methods=["GET"])
@blueprint.response(200, TraceItem)
@surface.may_refuse(blueprint, 400, 404)
def show(address: str) -> Any:
    """Trace an address, or any other of a domain (``@example.com``)"""
    return traces.as_item(trace.of(db.session(), actor(), address))
