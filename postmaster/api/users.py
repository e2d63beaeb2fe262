"""/api/v1/users"""

from http import HTTPStatus
from typing import Any

import marshmallow as ma
from marshmallow import fields

from ..db import db, transact
from ..models import User
from ..rules import users
from ..security import actor
from . import surface
from .fields import Request, Text

blueprint = surface.blueprint("users", "The mailboxes; their owners sign in with the address")


class UserItem(ma.Schema):
    """A mailbox, never with its password."""

    id = fields.Integer(required=True)
    domain_id = fields.Integer(required=True)
    email = fields.String(required=True)


class NewUser(Request):
    """What a new mailbox needs."""

    email = Text("email address", column=User.email, example="ana@example.com", required=True)
    password = Text("password", example="correct horse battery", required=True)
    keep_copy = fields.Boolean(
        error_messages={"invalid": "keep_copy must be true or false"},
        metadata={"description": "Where an alias has this address: add the mailbox to it"},
    )


class ChangedUser(Request):
    """What can be changed of a mailbox."""

    password = Text("password", allow_none=True, load_default=None)


@blueprint.route("", methods=["GET"])
@blueprint.arguments(surface.list_arguments("User", users.LISTING, "domain_id"), location="query")
@blueprint.response(200, surface.page_of(UserItem))
@surface.may_refuse(blueprint, 400, 404)
def find(arguments: dict[str, Any]) -> Any:
    """List the users"""
    page = users.find(
        db.session(), actor(), surface.criteria(arguments), domain_ids=surface.domain_ids(arguments)
    )
    return surface.listed(page)


@blueprint.route("", methods=["POST"])
@blueprint.arguments(NewUser)
@blueprint.response(201, UserItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY)
def create(fields: dict[str, Any]) -> Any:
    """Add a user"""
    return surface.located(transact(users.create, actor(), **fields), HTTPStatus.CREATED)


@blueprint.route(surface.ID, methods=["GET"])
@blueprint.response(200, UserItem)
@surface.may_refuse(blueprint, 404)
def get(item_id: int) -> Any:
    """Show a user"""
    return users.get(db.session(), actor(), item_id)


@blueprint.route(surface.ID, methods=["PATCH"])
@blueprint.arguments(ChangedUser)
@blueprint.response(200, UserItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404)
def change(fields: dict[str, Any], item_id: int) -> Any:
    """Change a user's password"""
    return surface.located(transact(users.change, actor(), item_id, **fields), HTTPStatus.OK)


@blueprint.route(surface.ID, methods=["DELETE"])
@blueprint.response(204)
@surface.may_refuse(blueprint, 404)
def remove(item_id: int) -> None:
    """Delete a user, and the aliases that lead to it"""
    transact(users.remove, actor(), item_id)
