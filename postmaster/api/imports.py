"""/api/v1/imports and /api/v1/export"""

from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import Response, stream_with_context, url_for
from marshmallow import fields

from .. import security
from ..db import db, transact
from ..rules import exports
from ..rules.imports import formats, uploads
from ..rules.imports.sealing import Seal
from ..rules.imports.uploads import Upload
from ..rules.imports.verdicts import Line, Options, Verdict
from ..security import actor
from . import surface
from .fields import Choice, FileText, Objects, Request, Switch, Whole

VERDICTS = [str(verdict) for verdict in Verdict]
TYPES = {"csv": "text/csv", "json": "application/json", "yaml": "application/yaml"}
AS_OBJECT = {"schema": {"type": "object"}}
MOST_PAGES = 10**6

blueprint = surface.blueprint(
    "imports", "Files of domains, users and aliases: first a plan, then steps until all is done"
)
export_blueprint = surface.blueprint("export", "Domains, users and aliases as a file")


class SentFile(Request):
    """One file to import."""

    name = FileText("name", example="mail.csv", required=True)
    text = FileText("text", example="kind,address\ndomain,example.com\n", required=True)


class NewImport(Request):
    """What is to be imported, and what may be done with it."""

    files = Objects("files", SentFile, most=uploads.MOST_FILES)
    format = Choice(
        "format",
        formats.NAMES,
        load_default=None,
        allow_none=True,
        metadata={"description": "Else it is recognised"},
    )
    update = Switch("update", load_default=False)
    create_domains = Switch("create_domains", load_default=False)
    generate = Switch("generate", load_default=False)


class ImportItem(ma.Schema):
    """An import, and how far it is.

    ``planned`` is what would have come of its lines when it was sent; it is empty in lists, and
    once the file is not kept any more.
    """

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    admin = fields.String(required=True)
    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    finished = fields.Boolean(required=True)
    counts = fields.Dict(fields.String(), fields.Integer(), required=True)
    planned = fields.Dict(fields.String(), fields.Integer(), required=True)
    has_passwords = fields.Boolean(required=True)
    change = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The change in the history that holds all of it"},
    )


class ImportList(ma.Schema):
    """The imports that wait for somebody."""

    items = fields.List(fields.Nested(ImportItem), required=True)


class LineItem(ma.Schema):
    """What would become of a line."""

    file = fields.Integer(required=True)
    line = fields.Integer(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    verdict = fields.String(required=True, validate=ma.validate.OneOf(VERDICTS))
    reason = fields.String(required=True, allow_none=True)


class LinePage(ma.Schema):
    """A page of lines of one verdict."""

    items = fields.List(fields.Nested(LineItem), required=True)
    page = fields.Integer(required=True)
    pages = fields.Integer(required=True)
    total = fields.Integer(required=True)


class PlanQuery(ma.Schema):
    """Which lines of a plan are asked for."""

    verdict = fields.String(
        load_default=str(Verdict.CREATE),
        validate=ma.validate.OneOf(VERDICTS, error="The verdict must be one of: {choices}"),
    )
    page = Whole("page", lowest=1, highest=MOST_PAGES, load_default=1)


class PasswordItem(ma.Schema):
    """A generated password."""

    address = fields.String(required=True)
    password = fields.String(required=True)


class PasswordList(ma.Schema):
    """The passwords that an import generated."""

    items = fields.List(fields.Nested(PasswordItem), required=True)


class ExportQuery(ma.Schema):
    """What is to be written, and how."""

    format = Choice("format", exports.FORMATS, load_default="csv")
    domain = fields.String(load_default="")


def _seal() -> Seal:
    return Seal(security.configuration().secret_key)


def _item(one: Upload) -> dict[str, Any]:
    record = one.record
    return {
        "id": record.id,
        "name": record.name,
        "admin": record.admin,
        "total": record.total,
        "done": record.done,
        "finished": one.is_finished,
        "counts": record.counts,
        "planned": {},
        "has_passwords": one.has_passwords,
        "change": record.head_id,
    }


def _with_plan(item_id: int) -> dict[str, Any]:
    session = db.session()
    item = _item(uploads.get(session, actor(), item_id))
    return item | {"planned": uploads.planned_counts(session, actor(), _seal(), item_id)}


def _line(line: Line) -> dict[str, Any]:
    return {
        "file": line.file,
        "line": line.line,
        "kind": line.kind,
        "name": line.name,
        "verdict": line.verdict,
        "reason": None if line.reason is None else line.reason.sentence(),
    }


@blueprint.route("", methods=["GET"])
@blueprint.response(200, ImportList)
@surface.may_refuse(blueprint)
def find() -> Any:
    """List the imports that are not finished, or whose passwords wait"""
    return {"items": [_item(one) for one in uploads.unfinished(db.session(), actor())]}


@blueprint.route("", methods=["POST"])
@blueprint.arguments(NewImport)
@blueprint.response(201, ImportItem, headers=surface.LOCATION)
@surface.may_refuse(blueprint, *surface.WITH_BODY, 409)
def create(given: dict[str, Any]) -> Any:
    """Send files, and get a plan; nothing is imported yet"""
    prepared = uploads.prepare(
        db.session(),
        actor(),
        files=[(file["name"], file["text"].encode()) for file in given["files"]],
        format_name=given["format"],
        options=Options(
            update=given["update"],
            create_domains=given["create_domains"],
            generate=given["generate"],
        ),
    )
    record = transact(uploads.keep, actor(), _seal(), prepared)
    location = {"Location": url_for(".get", item_id=record.id)}
    return _with_plan(record.id), HTTPStatus.CREATED, location


@blueprint.route(surface.ID, methods=["GET"])
@blueprint.response(200, ImportItem)
@surface.may_refuse(blueprint, 404)
def get(item_id: int) -> Any:
    """Show an import, and how far it is"""
    return _with_plan(item_id)


@blueprint.route(surface.ID, methods=["DELETE"])
@blueprint.response(204)
@surface.may_refuse(blueprint, 404)
def discard(item_id: int) -> None:
    """Remove an import's file and passwords; what is imported stays"""
    transact(uploads.discard, actor(), _seal(), item_id)


@blueprint.route(f"{surface.ID}/plan", methods=["GET"])
@blueprint.arguments(PlanQuery, location="query")
@blueprint.response(200, LinePage)
@surface.may_refuse(blueprint, 400, 404)
def plan(arguments: dict[str, Any], item_id: int) -> Any:
    """Show what would become of the lines, by verdict"""
    session = db.session()
    uploads.get(session, actor(), item_id)
    verdict = Verdict(arguments["verdict"])
    counts = uploads.planned_counts(session, actor(), _seal(), item_id)
    total = counts.get(verdict, 0)
    lines = uploads.plan_page(session, actor(), _seal(), item_id, verdict, arguments["page"])
    return {
        "items": [_line(line) for line in lines],
        "page": arguments["page"],
        "pages": uploads.pages_of(total),
        "total": total,
    }


@blueprint.route(f"{surface.ID}/run", methods=["POST"])
@blueprint.response(200, ImportItem)
@surface.may_refuse(blueprint, 400, 404, 409)
def run(item_id: int) -> Any:
    """Import for a second or two; call it again until it is finished"""
    uploads.step(actor(), _seal(), item_id)
    return _with_plan(item_id)


@blueprint.route(f"{surface.ID}/passwords", methods=["GET"])
@blueprint.response(200, PasswordList)
@surface.may_refuse(blueprint, 404)
def generated(item_id: int) -> Any:
    """Show the passwords that were generated; they are kept for a day, or until deleted"""
    security.refuse_if_from_another_site()
    found = uploads.generated(db.session(), actor(), _seal(), item_id)
    return {"items": [{"address": address, "password": word} for address, word in found]}


@export_blueprint.route("", methods=["GET"])
@export_blueprint.arguments(ExportQuery, location="query")
@export_blueprint.response(200, {"type": "string"}, content_type=TYPES["csv"])
@export_blueprint.doc(
    responses={
        "200": {
            "content": {
                TYPES["csv"]: {"schema": {"type": "string"}},
                TYPES["json"]: AS_OBJECT,
                TYPES["yaml"]: AS_OBJECT,
            }
        }
    }
)
@surface.may_refuse(export_blueprint, 400, 404)
def export(arguments: dict[str, Any]) -> Any:
    """Write domains, users with their hashes, and aliases; import reads it"""
    security.refuse_if_from_another_site()
    name, domain = arguments["format"], arguments["domain"]
    pieces = exports.pieces(db.session(), actor(), name, [domain] if domain else [])
    return Response(stream_with_context(pieces), mimetype=TYPES[name])
