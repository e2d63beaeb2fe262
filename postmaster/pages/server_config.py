"""/checkup/server: what is pasted or sent as a file is judged, and not stored."""

from flask import Blueprint, Response, request
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import FileStorage
from wtforms import MultipleFileField, TextAreaField

from ..db import db
from ..errors import Phrase
from ..rules.server_config import checking
from ..rules.server_config.findings import Finding, Severity
from ..rules.server_config.texts import Text
from ..security import actor
from . import surface
from .directions import isolated
from .forms import PageForm
from .translation import say

blueprint = Blueprint("server_config", __name__)


class TextsForm(PageForm):
    """A field for each kind of text; any field takes any kind."""

    space = "texts"

    postfix = TextAreaField(_l("Postfix's settings"))
    maps = TextAreaField(_l("Postfix's maps"))
    dovecot_sql = TextAreaField(_l("Dovecot's SQL file"))
    dovecot = TextAreaField(_l("Dovecot's settings"))
    files = MultipleFileField(_l("Or the files themselves"))


# What prints each text, on the mail server as root.
COMMANDS = {
    "postfix": "postconf -n",
    "maps": "tail -n +1 /etc/postfix/mysql-*.cf",
    "dovecot_sql": "cat /etc/dovecot/dovecot-sql.conf.ext",
    "dovecot": "doveconf -n",
}
HEADINGS = {
    Severity.ERROR: Phrase("Wrong"),
    Severity.WARNING: Phrase("To look at"),
    Severity.OK: Phrase("As it should be"),
}


@blueprint.get("/checkup/server")
def show() -> Response:
    """The form."""
    return surface.show("server_config/show.html", form=_fresh(), commands=COMMANDS, report=None)


@blueprint.post("/checkup/server")
def check() -> Response:
    """What is wrong, and the form once more: empty, since what was sent holds passwords."""
    texts = [Text("", request.form.get(name, "")) for name in COMMANDS]
    texts += [_text_of(file) for file in request.files.getlist("files") if file.filename]
    report = checking.check(db.session(), actor(), texts)
    return surface.show(
        "server_config/show.html",
        form=_fresh(),
        commands=COMMANDS,
        report=report,
        headings={severity: say(words) for severity, words in HEADINGS.items()},
    )


def _fresh() -> PageForm:
    return surface.fresh(TextsForm(formdata=None))


def _text_of(file: FileStorage) -> Text:
    return Text(file.filename or "", file.read().decode("utf-8", "replace"))


@blueprint.app_template_filter()
def finding_in_words(finding: Finding) -> str:
    """What is so, in the page's language."""
    shown = finding.shown(isolated)
    return say(shown.kind.what, **shown.values)


@blueprint.app_template_filter()
def meaning_in_words(finding: Finding) -> str:
    """What it means for mail, in the page's language."""
    shown = finding.shown(isolated)
    phrase = shown.means or shown.kind.meaning
    return say(phrase, **shown.values) if phrase else ""


@blueprint.app_template_filter()
def text_in_words(kind: Phrase) -> str:
    """What a text was taken for, in the page's language."""
    return say(kind)
