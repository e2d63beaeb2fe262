"""/api/v1/checkup/server"""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from ..db import db
from ..rules.server_config import checking
from ..rules.server_config.findings import Severity
from ..rules.server_config.texts import MOST_TEXTS, Text
from ..security import actor
from . import surface
from .fields import Objects, Request
from .fields import Text as TextField

SEVERITIES = [str(severity) for severity in Severity]

blueprint = surface.ApiBlueprint(
    "api_server_config",
    __name__,
    url_prefix=f"{surface.PREFIX}/checkup/server",
    description="Whether the mail server's configuration asks these tables the right questions",
)


class GivenText(Request):
    """One text of the mail server's configuration."""

    name = TextField("name", example="/etc/postfix/main.cf", load_default="")
    text = TextField("text", example="recipient_delimiter = +", required=True)


class GivenTexts(Request):
    """The texts; what each is, is recognised by what stands in it."""

    texts = Objects("texts", GivenText, most=MOST_TEXTS)


class OwnSettingItem(ma.Schema):
    """A setting of PostMaster itself, as /configs has it, and the value that fits."""

    id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True)
    value = fields.String(required=True)


class FindingItem(ma.Schema):
    """What was found, what it means for mail, and the lines to write instead."""

    severity = fields.String(required=True, validate=ma.validate.OneOf(SEVERITIES))
    code = fields.String(required=True)
    where = fields.String(required=True)
    sentence = fields.String(required=True)
    meaning = fields.String(required=True)
    write = fields.List(fields.String(), required=True)
    setting = fields.Nested(OwnSettingItem, required=True, allow_none=True)


class ReadTextItem(ma.Schema):
    """What a text was taken for."""

    name = fields.String(required=True)
    kind = fields.String(required=True)


class ReportItem(ma.Schema):
    """The findings, the worst first. Nothing of the texts is stored."""

    worst = fields.String(required=True, validate=ma.validate.OneOf(SEVERITIES))
    findings = fields.List(fields.Nested(FindingItem), required=True)
    texts = fields.List(fields.Nested(ReadTextItem), required=True)
    email2email = fields.Boolean(required=True, allow_none=True)
    mail_folder = fields.String(required=True, allow_none=True)


@blueprint.route("", methods=["POST"])
@blueprint.arguments(GivenTexts)
@blueprint.response(200, ReportItem)
@surface.may_refuse(blueprint, *surface.WITH_BODY)
def check(given: dict[str, Any]) -> Any:
    """Check the mail server's configuration"""
    texts = [Text(item["name"], item["text"]) for item in given["texts"]]
    return checking.check(db.session(), actor(), texts).plain()
