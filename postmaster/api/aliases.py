"""/api/v1/aliases"""

from http import HTTPStatus
from typing import Any

import marshmallow as ma
from marshmallow import fields

from ..db import db, transact
from ..models import Alias
from ..rules import aliases, overviews, patches
from ..security import actor
from . import surface
from .fields import NoteText, Request, Switch, Text

blueprint = surface.blueprint(
    "aliases", "Where mail to other addresses goes; one item for each destination"
)


class AliasItem(ma.Schema):
    """One destination of one source."""

    id = fields.Integer(required=True)
    domain_id = fields.Integer(required=True)
    source = fields.String(required=True)
    destination = fields.String(required=True)
    note = fields.String(
        required=True, metadata={"description": "It belongs to the source, and so to all its rows"}
    )


class NewAlias(Request):
    """What a new alias needs."""

    source = Text(
        "source email",
        column=Alias.source,
        example="sales@example.com",
        description="An address, or @domain for all that has no other place",
        required=True,
    )
    destination = Text(
        "destination email",
        column=Alias.destination,
        example="ana@example.com",
        required=True,
    )
    keep_copy = Switch(
        "keep_copy",
        metadata={"description": "Where the source is a mailbox: let it get its mail too"},
    )
    keep_mailboxes = Switch(
        "keep_mailboxes",
        metadata={"description": "For a catch-all: let the domain's mailboxes get their own mail"},
    )
    note = NoteText()


class ChangedAlias(Request):
    """What can be changed of an alias; at least one of them."""

    source = Text("source email", allow_none=True, load_default=None)
    destination = Text("destination email", allow_none=True, load_default=None)
    note = NoteText()


@blueprint.route("", methods=["GET"])
@blueprint.arguments(
    surface.list_arguments("Alias", aliases.LISTING, "domain_id"), location="query"
)
@blueprint.response(200, surface.page_of(AliasItem))
@surface.may_refuse(blueprint, 400, 404)
def find(arguments: dict[str, Any]) -> Any:
    """List the aliases"""
    page = overviews.find_alias_rows(
        db.session(), actor(), surface.criteria(arguments), domain_ids=surface.domain_ids(arguments)
    )
    return surface.listed(page)


@blueprint.route("", methods=["POST"])
@blueprint.arguments(NewAlias)
@blueprint.response(201, AliasItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY)
def create(fields: dict[str, Any]) -> Any:
    """Add an alias, or one more destination to it"""
    return surface.located(transact(patches.create_alias, actor(), **fields), HTTPStatus.CREATED)


@blueprint.route(surface.ID, methods=["GET"])
@blueprint.response(200, AliasItem)
@surface.may_refuse(blueprint, 404)
def get(item_id: int) -> Any:
    """Show an alias"""
    return overviews.get_alias_row(db.session(), actor(), item_id)


@blueprint.route(surface.ID, methods=["PATCH"])
@blueprint.arguments(ChangedAlias)
@blueprint.response(200, AliasItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404)
def change(fields: dict[str, Any], item_id: int) -> Any:
    """Change an alias's source or destination, or the note on it"""
    changed = transact(patches.change_alias, actor(), item_id, **fields)
    return surface.located(changed, HTTPStatus.OK)


@blueprint.route(surface.ID, methods=["DELETE"])
@blueprint.response(204)
@surface.may_refuse(blueprint, 404)
def remove(item_id: int) -> None:
    """Delete an alias, or one destination of it"""
    transact(aliases.remove, actor(), item_id)
