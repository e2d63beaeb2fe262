"""/api/v1/users"""

from http import HTTPStatus
from typing import Any

import marshmallow as ma
from marshmallow import fields

from ..db import db, transact
from ..models import User
from ..rules import overviews, patches, users
from ..rules.suspensions import Mode
from ..security import actor
from . import surface
from .fields import NoteText, Request, Switch, Text

blueprint = surface.blueprint("users", "The mailboxes; their owners sign in with the address")


SUSPENDED = {
    "description": "sign-in: nobody signs in, mail still arrives; all: neither; null: it is not"
}


class UserItem(ma.Schema):
    """A mailbox, never with its password."""

    id = fields.Integer(required=True)
    domain_id = fields.Integer(required=True)
    email = fields.String(required=True)
    suspended = fields.Enum(Mode, by_value=True, required=True, allow_none=True, metadata=SUSPENDED)
    note = fields.String(required=True)


class NewUser(Request):
    """What a new mailbox needs."""

    email = Text("email address", column=User.email, example="ana@example.com", required=True)
    password = Text("password", example="correct horse battery", required=True)
    keep_copy = Switch(
        "keep_copy",
        metadata={
            "description": "Where an alias has this address: add the mailbox to it; where a "
            "catch-all would take its mail: an alias to itself"
        },
    )
    note = NoteText()


class ChangedUser(Request):
    """What can be changed of a mailbox; at least one of them."""

    password = Text("password", allow_none=True, load_default=None)
    email = Text("email address", column=User.email, example="anna@example.com")
    keep_alias = Switch(
        "keep_alias",
        metadata={"description": "With a new address: an alias leads there from the old one"},
    )
    keep_copy = Switch(
        "keep_copy",
        metadata={
            "description": "With a new address: where a catch-all would take its mail, an alias "
            "to itself"
        },
    )
    suspended = fields.Enum(
        Mode,
        by_value=True,
        allow_none=True,
        error_messages={"unknown": 'suspended must be "sign-in", "all" or null'},
        metadata=SUSPENDED,
    )
    note = NoteText()


class UserArguments(surface.list_arguments("User", users.LISTING, "domain_id")):  # type: ignore[misc]
    """Which users are asked for."""

    suspended = Switch(
        "suspended",
        metadata={"description": "Only who is suspended, or only who is not"},
    )


@blueprint.route("", methods=["GET"])
@blueprint.arguments(UserArguments, location="query")
@blueprint.response(200, surface.page_of(UserItem))
@surface.may_refuse(blueprint, 400, 404)
def find(arguments: dict[str, Any]) -> Any:
    """List the users"""
    page = overviews.find_users(
        db.session(),
        actor(),
        surface.criteria(arguments),
        domain_ids=surface.domain_ids(arguments),
        suspended=arguments.get("suspended"),
    )
    return surface.listed(page)


@blueprint.route("", methods=["POST"])
@blueprint.arguments(NewUser)
@blueprint.response(201, UserItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY)
def create(fields: dict[str, Any]) -> Any:
    """Add a user"""
    return surface.located(transact(patches.create_user, actor(), **fields), HTTPStatus.CREATED)


@blueprint.route(surface.ID, methods=["GET"])
@blueprint.response(200, UserItem)
@surface.may_refuse(blueprint, 404)
def get(item_id: int) -> Any:
    """Show a user"""
    return overviews.get_user(db.session(), actor(), item_id)


@blueprint.route(surface.ID, methods=["PATCH"])
@blueprint.arguments(ChangedUser)
@blueprint.response(200, UserItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404, 409)
def change(fields: dict[str, Any], item_id: int) -> Any:
    """Change a user's password, address or note; suspend or resume it"""
    changed = transact(patches.change_user, actor(), item_id, **fields)
    return surface.located(changed, HTTPStatus.OK)


@blueprint.route(surface.ID, methods=["DELETE"])
@blueprint.response(204)
@surface.may_refuse(blueprint, 404)
def remove(item_id: int) -> None:
    """Delete a user, and the aliases that lead to it"""
    transact(users.remove, actor(), item_id)
