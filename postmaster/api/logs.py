"""/api/v1/logs"""

from typing import Any

import marshmallow as ma
from flask import current_app
from marshmallow import fields

from . import surface
from .fields import Whole

MOST_LINES = 10_000

blueprint = surface.blueprint("logs", "The last lines of the log file")


class LogArguments(ma.Schema):
    """How many lines, and from which end."""

    lines = Whole("number of lines", lowest=1, highest=MOST_LINES, load_default=50)
    reverse = Whole("reverse", lowest=0, highest=1, load_default=0)


class LogItem(ma.Schema):
    """A line of the log."""

    timestamp = fields.String(required=True)
    category = fields.String(required=True)
    admin = fields.String(required=True, allow_none=True)
    message = fields.String(required=True)


class LogList(ma.Schema):
    """Lines of the log, the oldest first unless reversed."""

    items = fields.List(fields.Nested(LogItem), required=True)


@blueprint.route("", methods=["GET"])
@blueprint.arguments(LogArguments, location="query")
@blueprint.response(200, LogList)
@surface.may_refuse(blueprint, 400)
def find(arguments: dict[str, Any]) -> Any:
    """List the last lines of the log"""
    lines = current_app.extensions["postmaster_log"].newest(arguments["lines"])
    return {"items": lines if arguments["reverse"] else lines[::-1]}
