"""/declared: the tables are made equal to a file, after its plan."""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Response, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse
from wtforms import BooleanField, FileField, HiddenField, TextAreaField

from .. import security
from ..db import db, transact
from ..errors import Invalid, Phrase, RuleError
from ..rules import addresses, foresight, suspensions
from ..rules.declarations import differences, proposals
from ..rules.declarations.differences import Sign, Step
from ..rules.declarations.proposals import Applied, Envelope, Sent
from ..rules.imports.sealing import Seal
from ..security import actor
from . import surface
from .forms import PageForm
from .sentences import readable
from .translation import say, translated

blueprint = Blueprint("declared", __name__)

PASTED = "pasted.yaml"
MOST_SHOWN = 200  # steps of one sign, and refusals
MOST_OF_A_NAME = 600  # characters: more than two addresses have, less than a file may give
SIGNS: Mapping[Sign, Phrase] = {
    Sign.DELETE: Phrase("To delete"),
    Sign.CHANGE: Phrase("To change"),
    Sign.CREATE: Phrase("To create"),
}
# What a plan says of a step, by its English words.
DETAILS: Mapping[str, tuple[Phrase, dict[str, str]]] = {
    **{
        str(words): (words, {})
        for words in (differences.NEW_HASH, differences.GENERATED, differences.RESUMED)
    },
    **{
        differences.SUSPENDED % {"mode": mode}: (differences.SUSPENDED, {"mode": str(mode)})
        for mode in suspensions.Mode
    },
}


class SendForm(PageForm):
    """A file or a text, and what may be done for it."""

    space = "declared"

    file = FileField(_l("File"))
    text = TextAreaField(_l("Or the text itself"))
    generate = BooleanField(_l("Generate passwords for users that have none in the file"))


class ApplyForm(PageForm):
    """What was sent, sealed; ``seen`` is the digest of the plan that was shown."""

    sealed = HiddenField()


def _envelope() -> Envelope:
    return Envelope(security.configuration().secret_key)


@blueprint.get("/declared")
def show() -> Response:
    """Where a file is sent."""
    return _form(surface.fresh(SendForm(formdata=None)))


@blueprint.post("/declared")
def plan() -> BaseResponse:
    """What would make the tables equal to it; nothing is done."""
    form = SendForm()
    try:
        return _plan(_sent(form), surface.fresh(ApplyForm(formdata=None)))
    except RuleError as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
        form.text.data = ""  # it may hold hashes, which no page has in it
        return surface.refused(form, error, lambda: _form(form))


@blueprint.post("/declared/apply")
def apply() -> BaseResponse:
    """Do what was shown, and only that."""
    form = ApplyForm()
    try:
        sent = _envelope().open(form.sealed.data or "")
    except Invalid as error:
        again = surface.fresh(SendForm(formdata=None))
        return surface.refused(again, error, lambda: _form(again))
    try:
        applied = _apply(sent, form.seen.data or "")
    except RuleError as error:
        if error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT):
            raise
        return surface.refused(form, error, lambda: _plan(sent, form))
    if applied.keeper is not None:  # the passwords are fetched there
        return surface.done(url_for("imports.get", import_id=applied.keeper.id))
    return surface.done(url_for(".show"))


def _apply(sent: Sent, shown: str) -> Applied:
    proposal = proposals.plan(db.session(), actor(), sent)
    proposals.check_is_shown(proposal, shown)
    generated = proposals.generate(proposal)
    seal = Seal(security.configuration().secret_key)
    return transact(proposals.apply, actor(), seal, proposal, generated, shown=shown)


def _sent(form: SendForm) -> Sent:
    generates = bool(form.generate.data)
    text = request.form.get("text", "")
    file = request.files.get("file")
    if file is None or not file.filename:
        return Sent(PASTED, text.encode(), generates)
    if text.strip():
        raise Invalid("There is a file and a text: send one of them", field="file")
    with file.stream as stream:
        return Sent(file.filename, stream.read(), generates)


def _form(form: PageForm) -> Response:
    return surface.show("declared/show.html", form=form)


def _plan(sent: Sent, form: ApplyForm) -> Response:
    session = db.session()
    proposal = proposals.plan(session, actor(), sent)
    found = proposal.plan
    form.sealed.data = _envelope().close(sent)
    form.seen.data = proposal.digest
    steps = {sign: [step for step in found.steps if step.sign is sign] for sign in SIGNS}
    return surface.show(
        "declared/plan.html",
        form=form,
        name=sent.name,
        plan=found,
        refusals=proposal.refusals,
        groups=[(sign, SIGNS[sign], some) for sign, some in steps.items() if some],
        most_shown=MOST_SHOWN,
        foreseen=foresight.of(session, actor(), proposals.planned(found)),
    )


# --- words ----------------------------------------------------------------------


@blueprint.app_template_filter()
def refusal_in_words(refusal: Invalid) -> str:
    """A refusal of the plan, in the page's language."""
    return translated(refusal)


@blueprint.app_template_filter()
def name_of_step(step: Step) -> str:
    """What a step is about, as people read it."""
    names = addresses.shown(step.name, MOST_OF_A_NAME).split(" -> ")
    return " → ".join(readable(name) for name in names)


@blueprint.app_template_filter()
def details_of_step(step: Step) -> str:
    """What a plan says of it besides, in the page's language."""
    said = []
    for detail in step.details:
        words, values = DETAILS.get(detail, (Phrase(detail), {}))
        said.append(say(words, **values))
    return ", ".join(said)
