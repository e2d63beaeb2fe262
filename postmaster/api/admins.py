"""/api/v1/admins"""

from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from ..db import db, transact
from ..errors import Invalid
from ..models import Admin
from ..rules import admins, totp, twofactor
from ..security import actor, refuse_if_from_another_site
from ..signing_in import renew_session
from . import surface
from .fields import Code, HttpDate, Request, Scalar, Text

blueprint = surface.blueprint("admins", "The administrators of PostMaster")


class AdminItem(ma.Schema):
    """An administrator, never with the password."""

    id = fields.Integer(required=True)
    name = fields.String(required=True, allow_none=True)
    username = fields.String(required=True, allow_none=True)
    source = fields.String(required=True, allow_none=True)
    failed_attempts = fields.Integer(required=True, allow_none=True)
    last_failed_date = HttpDate(required=True)
    unlock_date = HttpDate(required=True)
    last_sign_in = HttpDate(required=True)
    locked = fields.Function(admins.is_locked, required=True, metadata={"type": "boolean"})
    two_factor = fields.Function(
        lambda admin: bool(admin.otp_active), required=True, metadata={"type": "boolean"}
    )


class NewAdmin(Request):
    """What a new administrator needs."""

    username = Text("username", column=Admin.username, example="bob", required=True)
    password = Text("password", required=True)
    name = Text("name", column=Admin.name, example="Bob Miller", required=True)


class ChangedAdmin(Request):
    """What can be changed of an administrator; at least one of them."""

    username = Text("username", allow_none=True, load_default=None)
    password = Text("password", allow_none=True, load_default=None)
    name = Text("name", allow_none=True, load_default=None)


class TwoFactor(ma.Schema):
    """Whether the second factor is on."""

    enabled = fields.Boolean(required=True)


class ChangedTwoFactor(Request):
    """False turns the second factor off; a verified code turns it on."""

    enabled = Scalar("parameter enabled", ["string", "boolean"], load_default="")


class Verification(Request):
    """The six digits that the authenticator shows."""

    code = Code("code", required=True)


class RecoveryCodes(ma.Schema):
    """One-time codes for a lost authenticator, shown this once."""

    status = fields.String(required=True)
    recovery_codes = fields.List(fields.String(), required=True)


@blueprint.route("", methods=["GET"])
@blueprint.arguments(surface.list_arguments("Admin", admins.LISTING), location="query")
@blueprint.response(200, surface.page_of(AdminItem))
@surface.may_refuse(blueprint, 400, 404)
def find(arguments: dict[str, Any]) -> Any:
    """List the administrators"""
    return surface.listed(admins.find(db.session(), actor(), surface.criteria(arguments)))


@blueprint.route("", methods=["POST"])
@blueprint.arguments(NewAdmin)
@blueprint.response(201, AdminItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY)
def create(fields: dict[str, Any]) -> Any:
    """Add an administrator"""
    return surface.located(transact(admins.create, actor(), **fields), HTTPStatus.CREATED)


@blueprint.route(surface.ID, methods=["GET"])
@blueprint.response(200, AdminItem)
@surface.may_refuse(blueprint, 404)
def get(item_id: int) -> Any:
    """Show an administrator"""
    return admins.get(db.session(), actor(), item_id)


@blueprint.route(surface.ID, methods=["PATCH"])
@blueprint.arguments(ChangedAdmin)
@blueprint.response(200, AdminItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404)
def change(fields: dict[str, Any], item_id: int) -> Any:
    """Change an administrator's username, password or name"""
    admin = transact(admins.change, actor(), item_id, **fields)
    if fields["password"] is not None:
        renew_session(admin.id)
    return surface.located(admin, HTTPStatus.OK)


@blueprint.route(surface.ID, methods=["DELETE"])
@blueprint.response(204)
@surface.may_refuse(blueprint, 400, 404)
def remove(item_id: int) -> None:
    """Delete an administrator; the last one stays"""
    transact(admins.remove, actor(), item_id)


@blueprint.route(f"{surface.ID}/unlock", methods=["PATCH"])
@blueprint.response(200, AdminItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, 404)
def unlock(item_id: int) -> Any:
    """Unlock an administrator"""
    return surface.located(transact(admins.unlock, actor(), item_id), HTTPStatus.OK)


@blueprint.route(f"{surface.ID}/twofactor", methods=["GET"])
@blueprint.response(200, TwoFactor)
@surface.may_refuse(blueprint, 404)
def get_twofactor(item_id: int) -> Any:
    """Show whether the second factor is on"""
    return {"enabled": bool(admins.get(db.session(), actor(), item_id).otp_active)}


@blueprint.route(f"{surface.ID}/twofactor", methods=["PATCH"])
@blueprint.arguments(ChangedTwoFactor)
@blueprint.response(200, TwoFactor)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404)
def change_twofactor(fields: dict[str, Any], item_id: int) -> Any:
    """Turn the second factor off"""
    wanted = fields["enabled"].strip().lower()
    if wanted == "true":
        raise Invalid("You cannot enable the second factor here: verify a code", field="enabled")
    if wanted != "false":
        raise Invalid("An invalid parameter was supplied: enabled must be false", field="enabled")
    admin = transact(twofactor.disable, actor(), item_id)
    renew_session(admin.id)
    return {"enabled": bool(admin.otp_active)}


@blueprint.route(f"{surface.ID}/twofactor/qrcode", methods=["GET"])
@blueprint.response(
    200,
    {"type": "string"},
    content_type="image/svg+xml",
    description="A fresh secret for one's own authenticator",
)
@blueprint.alt_response(204, description="The second factor is on already")
@surface.may_refuse(blueprint, 400, 404)
def qr_code(item_id: int) -> Response:
    """Show a fresh secret as a QR code"""
    refuse_if_from_another_site()
    uri = transact(twofactor.fresh_uri, actor(), item_id)
    if uri is None:
        return Response(status=HTTPStatus.NO_CONTENT)
    return Response(totp.qr_code_svg(uri), mimetype="image/svg+xml")


@blueprint.route(f"{surface.ID}/twofactor/verify", methods=["POST"])
@blueprint.arguments(Verification)
@blueprint.response(200, RecoveryCodes)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 404)
def verify(fields: dict[str, Any], item_id: int) -> Any:
    """Turn the second factor on with a code"""
    codes = transact(twofactor.enable, actor(), item_id, **fields)
    if codes:
        renew_session(item_id)
    return {"status": "Success", "recovery_codes": codes}


@blueprint.route(f"{surface.ID}/twofactor/recoverycodes", methods=["POST"])
@blueprint.response(200, RecoveryCodes)
@surface.may_refuse(blueprint, 400, 404)
def renew_recovery_codes(item_id: int) -> Any:
    """Replace one's own recovery codes by ten new ones"""
    codes = transact(twofactor.renew_recovery_codes, actor(), item_id)
    return {"status": "Success", "recovery_codes": codes}
