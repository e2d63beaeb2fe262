"""/api/v1/declared: the tables are made equal to a text, after its plan."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from .. import security
from ..db import db, transact
from ..rules.actions import Kind
from ..rules.declarations import proposals
from ..rules.declarations.differences import Sign
from ..rules.declarations.proposals import Proposal, Sent
from ..rules.imports.sealing import Seal
from ..security import actor
from . import surface
from .fields import Request, Switch, Text

NAME = "declared.yaml"
KINDS = [str(kind) for kind in (Kind.DOMAIN, Kind.USER, Kind.ALIAS)]

blueprint = surface.blueprint(
    "declared", "A YAML text says what is to be there: first a plan, then all of it or nothing"
)


class Declared(Request):
    """What is to be there."""

    text = Text(
        "text",
        example="governs: [example.com]\ndomains:\n  example.com:\n    users: [ana]\n",
        description="YAML: the domains that it governs, and what is to be in them",
        required=True,
    )
    generate = Switch(
        "generate",
        load_default=False,
        metadata={"description": "Generate passwords for new users that have no hash in it"},
    )


class DeclaredToApply(Declared):
    """What is to be there, and the plan that was seen of it."""

    name = Text(
        "name", load_default=NAME, example="mail.yaml", description="What the history calls it"
    )
    plan = Text(
        "plan",
        load_default=None,
        allow_none=True,
        description="The plan's digest: nothing is done where the plan is another by now",
    )


class DeclaredStepItem(ma.Schema):
    """One thing that is deleted, changed or created."""

    action = fields.String(required=True, validate=ma.validate.OneOf([str(sign) for sign in Sign]))
    kind = fields.String(required=True, validate=ma.validate.OneOf(KINDS))
    name = fields.String(required=True)
    line = fields.Integer(required=True, allow_none=True)
    details = fields.List(fields.String(), required=True)


class PlanOfDeclared(ma.Schema):
    """All that would be done, the deletions first; nothing is while there are errors."""

    steps = fields.List(fields.Nested(DeclaredStepItem), required=True)
    counts = fields.Dict(fields.String(), fields.Integer(), required=True)
    warnings = fields.List(fields.String(), required=True)
    errors = fields.List(fields.String(), required=True)
    plan = fields.String(required=True, metadata={"description": "A digest of all this"})


class AppliedItem(ma.Schema):
    """What was done."""

    counts = fields.Dict(fields.String(), fields.Integer(), required=True)
    change = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "The change in the history that holds all of it; none where there "
            "was nothing to do"
        },
    )
    keeper = fields.Integer(
        required=True,
        allow_none=True,
        data_key="import",
        metadata={"description": "The import whose passwords are those that were generated"},
    )


def _counts(proposal: Proposal) -> dict[str, int]:
    return {str(sign): proposal.plan.count(sign) for sign in Sign}


@blueprint.route("/plan", methods=["POST"])
@blueprint.arguments(Declared)
@blueprint.response(200, PlanOfDeclared)
@surface.may_refuse(blueprint, *surface.WITH_BODY)
def plan(given: dict[str, Any]) -> Any:
    """Show what would make the tables equal to a text; nothing is done"""
    sent = Sent(NAME, given["text"].encode(), given["generate"])
    proposal = proposals.plan(db.session(), actor(), sent)
    found = proposal.plan
    return {
        "steps": [
            {
                "action": step.sign,
                "kind": step.kind,
                "name": step.name,
                "line": step.line,
                "details": step.details,
            }
            for step in found.steps
        ],
        "counts": _counts(proposal),
        "warnings": [str(warning) for warning in found.warnings],
        "errors": [str(refusal) for refusal in proposal.refusals],
        "plan": proposal.digest,
    }


@blueprint.route("/apply", methods=["POST"])
@blueprint.arguments(DeclaredToApply)
@blueprint.response(200, AppliedItem)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 409)
def apply(given: dict[str, Any]) -> Any:
    """Make the tables equal to a text: all of it or nothing, undone as one"""
    sent = Sent(given["name"], given["text"].encode(), given["generate"])
    proposal = proposals.plan(db.session(), actor(), sent)
    shown = given["plan"] or proposal.digest
    proposals.check_is_shown(proposal, shown)
    generated = proposals.generate(proposal)
    seal = Seal(security.configuration().secret_key)
    applied = transact(proposals.apply, actor(), seal, proposal, generated, shown=shown)
    return {
        "counts": _counts(proposal),
        "change": None if applied.head is None else applied.head.id,
        "keeper": None if applied.keeper is None else applied.keeper.id,
    }
