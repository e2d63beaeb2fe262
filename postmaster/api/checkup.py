"""/api/v1/checkup"""

from typing import Any

import marshmallow as ma
from flask import current_app
from marshmallow import fields

from ..db import db, transact
from ..errors import fill
from ..rules import actions, schemes
from ..rules.checkup import checking, repairs
from ..rules.checkup.findings import Severity
from ..security import actor
from ..signing_in import trust
from . import surface
from .fields import Request, Text

SEVERITIES = [str(severity) for severity in Severity]
STATES = [str(state) for state in schemes.State]
ACTIONS = ["create", "change", "delete", "change password"]
CODE = "/<string:code>"

blueprint = surface.blueprint(
    "checkup", "What is wrong in the tables, and what can be done about it"
)


class SampleItem(ma.Schema):
    """One of the rows that were found; 0 for what has no id."""

    kind = fields.String(required=True)
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class CheckupFindingItem(ma.Schema):
    """What was found: how often, the first rows, what it means for mail, what can be done."""

    code = fields.String(required=True)
    severity = fields.String(required=True, validate=ma.validate.OneOf(SEVERITIES))
    what = fields.String(required=True)
    count = fields.Integer(required=True)
    meaning = fields.String(required=True)
    sample = fields.List(fields.Nested(SampleItem), required=True)
    statements = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "SQL for the operator to run; PostMaster does not"},
    )
    repair = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What POST /checkup/CODE does; null if it cannot be repaired"},
    )


class SchemeItem(ma.Schema):
    """How many users' passwords are in one scheme, and what Dovecot makes of them."""

    scheme = fields.String(required=True)
    state = fields.String(required=True, validate=ma.validate.OneOf(STATES))
    weak = fields.Boolean(required=True)
    users = fields.Integer(required=True)


class CheckupItem(ma.Schema):
    """All findings, the worst first. ``well`` if there is no error and no warning."""

    well = fields.Boolean(required=True)
    complete = fields.Boolean(
        required=True,
        metadata={"description": "Not if the form of the tables kept rows from being compared"},
    )
    findings = fields.List(fields.Nested(CheckupFindingItem), required=True)
    schemes = fields.List(fields.Nested(SchemeItem), required=True)


class RepairStepItem(ma.Schema):
    """One row that would change; ``before`` is null for a new one, ``after`` for a deleted one."""

    action = fields.String(required=True, validate=ma.validate.OneOf(ACTIONS))
    kind = fields.String(required=True)
    id = fields.Integer(required=True)
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True, allow_none=True)
    old = fields.Dict(required=True, allow_none=True)
    new = fields.Dict(required=True, allow_none=True)


class RepairLeftItem(SampleItem):
    """A row that would stay as it is, and why."""

    reason = fields.String(required=True)


class RepairPlanItem(ma.Schema):
    """What a repair would do. Not ``whole`` if there are more rows, for another go."""

    code = fields.String(required=True)
    what = fields.String(required=True)
    repair = fields.String(required=True)
    version = fields.String(required=True)
    count = fields.Integer(required=True)
    whole = fields.Boolean(required=True)
    steps = fields.List(fields.Nested(RepairStepItem), required=True)
    left = fields.List(fields.Nested(RepairLeftItem), required=True)


class Repair(Request):
    """Which plan is meant."""

    version = Text(
        "version",
        description="The version of the plan that was looked at; another plan is refused then",
        load_default=None,
        allow_none=True,
    )


class RepairedItem(ma.Schema):
    """The change of the history that the repair is; undo it there."""

    change = fields.Integer(required=True)
    count = fields.Integer(required=True)
    sentence = fields.String(required=True)


@blueprint.route("", methods=["GET"])
@blueprint.response(200, CheckupItem)
@surface.may_refuse(blueprint)
def find() -> Any:
    """Look at everything"""
    return checking.check(
        db.session(), actor(), log=current_app.extensions["postmaster_log"], trust=trust()
    ).plain()


@blueprint.route(CODE, methods=["GET"])
@blueprint.response(200, RepairPlanItem)
@surface.may_refuse(blueprint, 404)
def get(code: str) -> Any:
    """Show what a repair would do"""
    return repairs.plan(db.session(), actor(), code).plain()


@blueprint.route(CODE, methods=["POST"])
@blueprint.arguments(Repair)
@blueprint.response(200, RepairedItem)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404, 409)
def repair(asked: dict[str, Any], code: str) -> Any:
    """Repair what was found"""
    entry = transact(repairs.carry_out, actor(), code, seen=asked["version"])
    template, values = actions.sentence(entry)
    return {"change": entry.id, "count": values["count"], "sentence": fill(template, values)}
