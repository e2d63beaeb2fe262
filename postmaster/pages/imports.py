"""/import, /export: a file becomes a plan, and the plan is done in steps; and the way back."""

import csv
import io
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, redirect, request, stream_with_context, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse
from wtforms import BooleanField, MultipleFileField, SelectField, StringField, TextAreaField

from .. import security
from ..db import db, transact
from ..errors import Phrase, RuleError
from ..rules import exports, history, undo
from ..rules.actions import Kind
from ..rules.addresses import as_stored
from ..rules.imports import csv_rows, uploads
from ..rules.imports.password_file import HEADER
from ..rules.imports.sealing import Seal
from ..rules.imports.uploads import Upload
from ..rules.imports.verdicts import REFUSED, Line, Options, Verdict
from ..security import actor
from . import surface
from .forms import PageForm, choices
from .sentences import readable
from .translation import say, translated

blueprint = Blueprint("imports", __name__)

PASTED = "pasted.txt"
FORMATS = {
    "": _l("Recognise it"),
    "csv": _l("PostMaster, CSV"),
    "json": _l("PostMaster, JSON"),
    "postfixadmin": _l("PostfixAdmin's tables, CSV"),
    "vimbadmin": _l("ViMbAdmin's tables, CSV"),
}
EXPORTS = {
    "csv": _l("CSV, for spreadsheets"),
    "json": _l("JSON, for programs"),
    "yaml": _l("YAML, for manage.py plan and apply"),
}
TYPES = {"csv": "text/csv", "json": "application/json", "yaml": "application/yaml"}
VERDICTS = {
    Verdict.ERROR: Phrase("Errors"),
    Verdict.CONFLICT: Phrase("Conflicts"),
    Verdict.CREATE: Phrase("New"),
    Verdict.CHANGE: Phrase("Changed"),
    Verdict.SKIP: Phrase("Left out"),
}
KINDS = {
    Kind.DOMAIN: Phrase("domain"),
    Kind.USER: Phrase("user"),
    Kind.ALIAS: Phrase("alias"),
}


class ImportForm(PageForm):
    """A file or a text, and what may be done with it."""

    space = "import"

    files = MultipleFileField(_l("Files"))
    text = TextAreaField(_l("Or the text itself"))
    format = SelectField(_l("Format"), choices=choices(FORMATS), validate_choice=False)
    create_domains = BooleanField(_l("Add the domains that are missing"))
    update = BooleanField(
        _l(
            "Give users that are there already the password of the file, and suspend them where "
            "it says so"
        )
    )
    generate = BooleanField(_l("Generate passwords for users that have none in the file"))


class ExportForm(PageForm):
    """What is to be written, and how."""

    space = "export"

    format = SelectField(_l("Format"), choices=choices(EXPORTS), validate_choice=False)
    domain = StringField(_l("Only this domain"))


def _seal() -> Seal:
    return Seal(security.configuration().secret_key)


# --- sending --------------------------------------------------------------------


@blueprint.get("/import")
def show() -> Response:
    """Where files are sent, what waits to be gone on with, and the export."""
    return _form(surface.fresh(ImportForm(formdata=None)), surface.fresh(ExportForm(formdata=None)))


@blueprint.post("/import")
def upload() -> BaseResponse:
    """Read a file, and keep it with its plan."""
    form = ImportForm()
    session = db.session()
    try:
        prepared = uploads.prepare(
            session,
            actor(),
            files=_files(),
            format_name=form.format.data or None,
            options=Options(
                update=form.update.data,
                create_domains=form.create_domains.data,
                generate=form.generate.data,
            ),
        )
    except RuleError as error:
        if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE):
            raise
        form.text.data = ""  # it may hold passwords, which no page has in it
        other = surface.fresh(ExportForm(formdata=None))
        return surface.refused(form, error, lambda: _form(form, other))
    record = transact(uploads.keep, actor(), _seal(), prepared)
    return redirect(url_for(".get", import_id=record.id), HTTPStatus.SEE_OTHER)


def _files() -> list[tuple[str, bytes]]:
    files: list[FileStorage] = request.files.getlist("files")
    found = []
    for file in files:
        with file.stream as stream:
            if file.filename:
                found.append((file.filename, stream.read()))
    text = request.form.get("text", "")
    return [*found, (PASTED, text.encode())] if text.strip() else found


def _form(form: PageForm, export: PageForm) -> Response:
    return surface.show(
        "imports/show.html",
        form=form,
        export=export,
        waiting=uploads.unfinished(db.session(), actor()),
    )


# --- the plan, the run, the end -------------------------------------------------


@blueprint.get("/import/<int:import_id>")
def get(import_id: int) -> Response:
    """The plan of an import, or how far it is, or what it has done."""
    return _one(import_id, surface.fresh(PageForm(formdata=None)))


@blueprint.post("/import/<int:import_id>/next")
def go_on(import_id: int) -> BaseResponse:
    """Do a step of an import."""
    form = PageForm()
    try:
        uploads.step(actor(), _seal(), import_id)
    except RuleError as error:
        if error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT):
            raise
        return surface.refused(form, error, lambda: _one(import_id, form))
    return redirect(url_for(".get", import_id=import_id), HTTPStatus.SEE_OTHER)


@blueprint.post("/import/<int:import_id>/discard")
def discard(import_id: int) -> BaseResponse:
    """Leave an import as it is, and remove its file."""
    transact(uploads.discard, actor(), _seal(), import_id)
    return redirect(url_for(".show"), HTTPStatus.SEE_OTHER)


def _one(import_id: int, form: PageForm) -> Response:
    one = uploads.get(db.session(), actor(), import_id)
    if one.is_finished:
        return _finished(one, form)
    if one.is_begun:
        return surface.show("imports/progress.html", upload=one, form=form, counted=_counted(one))
    return _plan(one, form)


def _plan(one: Upload, form: PageForm) -> Response:
    session = db.session()
    counts = uploads.planned_counts(session, actor(), _seal(), one.record.id)
    shown = _shown(counts)
    pages = uploads.pages_of(counts.get(shown, 0))
    number = min(max(request.args.get("page", 1, type=int), 1), max(pages, 1))
    lines = uploads.plan_page(session, actor(), _seal(), one.record.id, shown, number)
    return surface.show(
        "imports/plan.html",
        upload=one,
        form=form,
        counts=counts,
        verdicts=VERDICTS,
        shown=shown,
        lines=lines,
        number=number,
        pages=pages,
        most_shown=uploads.MOST_PAGES * uploads.LINES_PER_PAGE,
        several=one.record.name.count(", ") > 0,
        to_do=counts.get(Verdict.CREATE, 0) + counts.get(Verdict.CHANGE, 0),
        refused=sum(counts.get(verdict, 0) for verdict in REFUSED),
    )


def _shown(counts: dict[str, int]) -> Verdict:
    """Which lines are shown: those that were asked for, else the first that there are."""
    asked = request.args.get("verdict", "")
    if asked in list(Verdict):
        return Verdict(asked)
    return next((verdict for verdict in VERDICTS if counts.get(verdict)), Verdict.CREATE)


def _finished(one: Upload, form: PageForm) -> Response:
    head_id = one.record.head_id
    head = None if head_id is None else history.get(db.session(), actor(), head_id)
    return surface.show(
        "imports/done.html",
        upload=one,
        form=form,
        head=head,
        counted=_counted(one),
        is_complete=uploads.is_complete(one.record),
        is_undoable=head is not None and undo.is_undoable(head),
    )


def _counted(one: Upload) -> list[tuple[str, int]]:
    """How many lines came to which verdict so far, those that there are."""
    counts = one.record.counts
    return [(say(VERDICTS[each]), counts[each]) for each in VERDICTS if counts.get(each)]


# --- passwords ------------------------------------------------------------------


@blueprint.post("/import/<int:import_id>/passwords")
def fetch_passwords(import_id: int) -> Response:
    """The passwords that were generated, as a file."""
    found = uploads.generated(db.session(), actor(), _seal(), import_id)
    text = io.StringIO()
    rows = ((csv_rows.neutralised(address), password) for address, password in found)
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
    return _attached(text.getvalue(), "text/csv", f"passwords-{import_id}.csv")


@blueprint.post("/import/<int:import_id>/passwords/delete")
def forget_passwords(import_id: int) -> BaseResponse:
    """Keep them no longer."""
    transact(uploads.forget_passwords, actor(), _seal(), import_id)
    return redirect(url_for(".get", import_id=import_id), HTTPStatus.SEE_OTHER)


# --- export ---------------------------------------------------------------------


@blueprint.post("/export")
def export() -> BaseResponse:
    """Domains, users with their hashes, and aliases, as a file."""
    form = ExportForm()
    domain = (form.domain.data or "").strip()
    try:
        pieces = exports.pieces(
            db.session(), actor(), form.format.data or "csv", [domain] if domain else []
        )
    except RuleError as error:
        if error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
            raise
        form.refuse("domain", translated(error))
        response = _form(surface.fresh(ImportForm(formdata=None)), form)
        response.status_code = error.status
        return response
    name = form.format.data or "csv"
    return _attached(
        stream_with_context(pieces), TYPES[name], f"{as_stored(domain) or 'mail'}.{name}"
    )


def _attached(content: Any, mimetype: str, name: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{_ascii(name)}"'
    return response


def _ascii(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "-" for c in name)


# --- words ----------------------------------------------------------------------


@blueprint.app_template_filter()
def kind_of_line(line: Line) -> str:
    """What a line is about; empty where it cannot be read."""
    return say(KINDS[Kind(line.kind)]) if line.kind else ""


@blueprint.app_template_filter()
def name_of_line(line: Line) -> str:
    """What it is about, as people read it."""
    return " → ".join(readable(name) for name in line.name.split(" -> "))


@blueprint.app_template_filter()
def reason_of_line(line: Line) -> str:
    """Why it is so, in the page's language."""
    return "" if line.reason is None else line.reason.sentence(_)


@blueprint.app_template_filter()
def verdict_in_words(verdict: str) -> str:
    """The verdict, as a heading."""
    return say(VERDICTS[Verdict(verdict)])
