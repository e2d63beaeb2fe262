"""/api/v1/domains"""

from http import HTTPStatus
from typing import Any

import marshmallow as ma
from marshmallow import fields

from ..db import db, transact
from ..models import Domain
from ..rules import domains, overviews, patches
from ..security import actor
from . import surface
from .fields import NoteText, Request, Text

blueprint = surface.blueprint("domains", "The mail domains of this server")


class DomainItem(ma.Schema):
    """A domain."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    note = fields.String(required=True)


class NewDomain(Request):
    """What a new domain needs."""

    name = Text("domain name", column=Domain.name, example="example.com", required=True)
    note = NoteText()


class ChangedDomain(Request):
    """What can be changed of a domain; at least one of them."""

    name = Text("domain name", column=Domain.name, example="example.com")
    note = NoteText()


@blueprint.route("", methods=["GET"])
@blueprint.arguments(surface.list_arguments("Domain", domains.LISTING), location="query")
@blueprint.response(200, surface.page_of(DomainItem))
@surface.may_refuse(blueprint, 400, 404)
def find(arguments: dict[str, Any]) -> Any:
    """List the domains"""
    page = overviews.find_domains(db.session(), actor(), surface.criteria(arguments))
    return surface.listed(page)


@blueprint.route("", methods=["POST"])
@blueprint.arguments(NewDomain)
@blueprint.response(201, DomainItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY)
def create(fields: dict[str, Any]) -> Any:
    """Add a domain"""
    return surface.located(transact(patches.create_domain, actor(), **fields), HTTPStatus.CREATED)


@blueprint.route(surface.ID, methods=["GET"])
@blueprint.response(200, DomainItem)
@surface.may_refuse(blueprint, 404)
def get(item_id: int) -> Any:
    """Show a domain"""
    return overviews.get_domain(db.session(), actor(), item_id)


@blueprint.route(surface.ID, methods=["PATCH"])
@blueprint.arguments(ChangedDomain)
@blueprint.response(200, DomainItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404)
def change(fields: dict[str, Any], item_id: int) -> Any:
    """Rename a domain that has no users or aliases, or change the note on it"""
    changed = transact(patches.change_domain, actor(), item_id, **fields)
    return surface.located(changed, HTTPStatus.OK)


@blueprint.route(surface.ID, methods=["DELETE"])
@blueprint.response(204)
@surface.may_refuse(blueprint, 404)
def remove(item_id: int) -> None:
    """Delete a domain with its users and aliases, and the aliases elsewhere that lead to them"""
    transact(domains.remove, actor(), item_id)
