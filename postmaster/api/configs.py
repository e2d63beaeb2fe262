"""/api/v1/configs: the settings"""

from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import current_app
from marshmallow import fields

from ..db import db, transact
from ..rules import settings_acts
from ..security import actor
from . import surface
from .fields import Request, Scalar

blueprint = surface.blueprint("configs", "The settings of PostMaster")


class ConfigItem(ma.Schema):
    """A setting."""

    id = fields.Integer(required=True)
    setting = fields.String(required=True, allow_none=True)
    value = fields.String(required=True, allow_none=True)
    regex = fields.String(required=True, allow_none=True)


class ChangedConfig(Request):
    """The new value; null or empty empties a setting that may be empty."""

    value = Scalar("value", ["string", "boolean", "integer"], required=True, allow_none=True)


@blueprint.route("", methods=["GET"])
@blueprint.arguments(surface.list_arguments("Config", settings_acts.LISTING), location="query")
@blueprint.response(200, surface.page_of(ConfigItem))
@surface.may_refuse(blueprint, 400, 404)
def find(arguments: dict[str, Any]) -> Any:
    """List the settings"""
    return surface.listed(settings_acts.find(db.session(), actor(), surface.criteria(arguments)))


@blueprint.route(surface.ID, methods=["GET"])
@blueprint.response(200, ConfigItem)
@surface.may_refuse(blueprint, 404)
def get(item_id: int) -> Any:
    """Show a setting"""
    return settings_acts.get(db.session(), actor(), item_id)


@blueprint.route(surface.ID, methods=["PATCH", "PUT"])
@blueprint.arguments(ChangedConfig)
@blueprint.response(200, ConfigItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404)
def change(fields: dict[str, Any], item_id: int) -> Any:
    """Change a setting"""
    row = transact(
        settings_acts.change,
        actor(),
        item_id,
        **fields,
        log_is_writable=current_app.extensions["postmaster_log"].is_writable,
    )
    return surface.located(row, HTTPStatus.OK)
