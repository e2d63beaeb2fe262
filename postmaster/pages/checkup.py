"""/checkup: what is wrong in the tables, and what can be done about it."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from ..db import db, transact
from ..errors import Phrase
from ..rules import schemes
from ..rules.checkup import checking, repairs
from ..rules.checkup.findings import WORST_FIRST, Finding, Sample, Severity
from ..rules.checkup.plans import Left
from ..security import actor
from ..signing_in import trust
from . import surface
from .directions import isolated
from .forms import PageForm
from .sentences import readable
from .translation import say

blueprint = Blueprint("checkup", __name__)

OPEN_BOX = "\N{OPEN BOX}"
CONTROL_PICTURES = 0x2400  # Unicode's signs for the characters below the blank
MOST_STEPS = 100  # rows of a plan that are shown
HEADINGS: Mapping[Severity, Phrase] = {
    Severity.ERROR: Phrase("To be mended"),
    Severity.WARNING: Phrase("To look at"),
    Severity.NOTE: Phrase("Good to know"),
}
STATES: Mapping[str, Phrase] = {
    schemes.State.READABLE: Phrase("works"),
    schemes.State.EMPTY: Phrase("empty"),
    schemes.State.LOCKED: Phrase("locked on purpose"),
    schemes.State.PLAIN: Phrase("as it is typed"),
    schemes.State.CUT: Phrase("cut or damaged"),
    schemes.State.UNKNOWN: Phrase("not read by Dovecot"),
}
# Where a row has its own page.
PAGES: Mapping[str, tuple[str, str]] = {
    "domain": ("domains.get", "domain_id"),
    "user": ("users.get", "user_id"),
    "alias": ("aliases.get", "alias_id"),
    "admin": ("admins.get", "admin_id"),
}


@blueprint.get("/checkup")
def show() -> Response:
    """All that was found, the worst first."""
    report = checking.check(
        db.session(), actor(), log=current_app.extensions["postmaster_log"], trust=trust()
    )
    return surface.show(
        "checkup/show.html",
        report=report,
        groups=[
            (severity, HEADINGS[severity], [f for f in report.findings if f.severity is severity])
            for severity in WORST_FIRST
        ],
        form=surface.standing(PageForm(formdata=None)),
    )


@blueprint.get("/checkup/<code>")
def get(code: str) -> Response:
    """What a repair would do."""
    return _plan(code, surface.fresh(PageForm(formdata=None)))


@blueprint.post("/checkup/<code>")
def repair(code: str) -> BaseResponse:
    """Do what was shown, and only that."""
    form = PageForm()
    return surface.submit(
        form,
        lambda: transact(repairs.carry_out, actor(), code, seen=form.seen.data or ""),
        lambda: _plan(code, form),
        to=lambda: url_for(".show"),
    )


def _plan(code: str, form: PageForm) -> Response:
    plan = repairs.plan(db.session(), actor(), code)
    form.seen.data = plan.version
    form.back.data = url_for(".show")
    return surface.show("checkup/plan.html", plan=plan, steps=plan.steps[:MOST_STEPS], form=form)


# --- words ----------------------------------------------------------------------


@blueprint.app_template_filter()
def checkup_phrase(phrase: Phrase) -> str:
    """A phrase without places, in the page's language."""
    return say(phrase)


@blueprint.app_template_filter()
def checkup_meaning(finding: Finding) -> str:
    """What a finding means for mail."""
    values = {name: isolated(str(value)) for name, value in finding.values.items()}
    return say(finding.kind.meaning, **values)


@blueprint.app_template_filter()
def checkup_row(text: str) -> str:
    """A row by its name, as people read it."""
    return " → ".join(readable(_visible(part)) for part in text.split(" -> "))


def _visible(text: str) -> str:
    """With signs for blanks at the ends and for control characters, which are what is odd."""
    before, after = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    return "".join(
        OPEN_BOX
        if character == " " and not before <= place < after
        else chr(CONTROL_PICTURES + ord(character))
        if character < " "
        else character
        for place, character in enumerate(text)
    )


@blueprint.app_template_filter()
def checkup_reason(left: Left) -> str:
    """Why a row is left."""
    values = {
        name: isolated(value) if type(value) is str else value
        for name, value in left.values.items()
    }
    return say(left.reason, **values)


@blueprint.app_template_filter()
def checkup_state(state: str) -> str:
    """What Dovecot makes of passwords."""
    return str(_(STATES[state]))


@blueprint.app_template_global()
def checkup_page_of(sample: Sample) -> str:
    """The address of a row's own page; empty if it has none."""
    if sample.noun not in PAGES or not sample.id:
        return ""
    endpoint, argument = PAGES[sample.noun]
    values: dict[str, Any] = {argument: sample.id}
    return url_for(endpoint, **values)
