"""/api/v1/history"""

from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import current_app
from marshmallow import fields

from ..db import db, transact
from ..models import HistoryEntry
from ..rules import history, undo
from ..rules.rows import LARGEST_ID
from ..security import actor
from . import surface
from .fields import Choice, Whole

blueprint = surface.blueprint("history", "Every change, the newest first, and how to undo it")


class IsoMoment(fields.Field[datetime]):
    """A moment as ISO 8601 in UTC: ``2026-11-24T12:00:00.123456Z``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            dump_only=True, metadata={"type": "string", "format": "date-time"}, **options
        )

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str:
        return f"{value.isoformat()}Z"


class HistoryItem(ma.Schema):
    """A change. It never holds a password, hash, secret or code."""

    id = fields.Integer(required=True)
    moment = IsoMoment(required=True)
    admin = fields.String(required=True)
    via = fields.String(required=True)
    ip = fields.String(required=True)
    action = fields.String(required=True)
    kind = fields.String(required=True)
    object_id = fields.Integer(
        required=True, metadata={"description": "0 for several objects changed as one"}
    )
    object_name = fields.String(required=True)
    old = fields.Dict(required=True, allow_none=True)
    new = fields.Dict(required=True, allow_none=True)
    part_of = fields.Integer(required=True, allow_none=True)
    undoes = fields.Integer(required=True, allow_none=True)
    undone_by = fields.Integer(required=True, allow_none=True)
    parts = fields.Integer(
        required=True, metadata={"description": "How many changes came along with it"}
    )


class HistoryArguments(surface.list_arguments("History", history.LISTING)):  # type: ignore[misc]
    """Which changes are asked for."""

    kind = Choice("kind", [str(kind) for kind in history.Kind])
    admin = fields.String(metadata={"description": "Who did it, by the exact name"})
    object_id = Whole("object_id", lowest=0, highest=LARGEST_ID)


@blueprint.route("", methods=["GET"])
@blueprint.arguments(HistoryArguments, location="query")
@blueprint.response(200, surface.page_of(HistoryItem))
@surface.may_refuse(blueprint, 400, 404)
def find(arguments: dict[str, Any]) -> Any:
    """List the changes"""
    filters = history.Filters(
        **{name: arguments.get(name) for name in ("admin", "kind", "object_id")}
    )
    page = history.find(db.session(), actor(), surface.criteria(arguments), filters=filters)
    answer = surface.listed(page)
    answer["items"] = _with_parts(page.items)
    return answer


@blueprint.route(surface.ID, methods=["GET"])
@blueprint.response(200, HistoryItem)
@surface.may_refuse(blueprint, 404)
def get(item_id: int) -> Any:
    """Show a change"""
    return _with_parts([history.get(db.session(), actor(), item_id)])[0]


@blueprint.route(f"{surface.ID}/undo", methods=["POST"])
@blueprint.response(200, HistoryItem)
@surface.may_refuse(blueprint, 400, 404, 409)
def take_back(item_id: int) -> Any:
    """Undo a change; answers with the change that this is"""
    log = current_app.extensions["postmaster_log"]
    entry = transact(undo.undo, actor(), item_id, log_is_writable=log.is_writable)
    return _with_parts([entry])[0]


def _with_parts(entries: list[HistoryEntry]) -> list[dict[str, Any]]:
    counts = history.count_parts(db.session(), [entry.id for entry in entries])
    columns = [column.key for column in HistoryEntry.__table__.columns]
    return [
        {name: getattr(entry, name) for name in columns} | {"parts": counts[entry.id]}
        for entry in entries
    ]
