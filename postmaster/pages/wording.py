"""What the templates say about rows, and what every page has: the menu and its files."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, current_app, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from ..errors import Phrase
from ..models import Alias
from ..rules.consequences import Consequence
from ..rules.overviews import Oddity
from ..rules.suspensions import address_of
from ..version import VERSION
from . import sentences
from .sentences import readable
from .translation import language

MOST_FRAGMENTS = 500  # of areas in languages
SAFE_IN_A_QUERY = "!$'()*,/:;?@"  # as Werkzeug's url_for has it (RFC 3986, 3.4)

NAMES: Mapping[Oddity, Phrase] = {
    Oddity.MIXED_CASE: Phrase("upper case"),
    Oddity.UNUSABLE: Phrase("unusable"),
    Oddity.DUPLICATE: Phrase("twice"),
    Oddity.DANGLING: Phrase("leads nowhere"),
    Oddity.OUTSIDE: Phrase("other server"),
    Oddity.SUSPENDED: Phrase("suspended"),
}
MEANINGS: Mapping[Oddity, Phrase] = {
    Oddity.MIXED_CASE: Phrase(
        "It has capital letters. Mail arrives, but the folder on the disk is named exactly so: "
        "writing it in small letters would leave the old mail behind."
    ),
    Oddity.UNUSABLE: Phrase(
        "It has blanks, commas or other characters that mail servers refuse or read as "
        "several addresses."
    ),
    Oddity.DUPLICATE: Phrase(
        "Another row has the same name. Mail arrives, but deleting one of them leaves the "
        "domain in service."
    ),
    Oddity.DANGLING: Phrase(
        "There is no such user or alias here. Mail to it is taken and then comes back to its "
        "sender."
    ),
    Oddity.OUTSIDE: Phrase("It is on another server. All mail is passed on to there."),
    Oddity.SUSPENDED: Phrase(
        "Its user is suspended, and no mail arrives for it: mail to it comes back to its sender."
    ),
}


@dataclass(frozen=True)
class MenuItem:
    """An area of the panel: where it is, what it is called, and the key after ``g``."""

    endpoint: str
    name: LazyString
    icon: str
    key: str


MENU = (
    MenuItem("domains.find", _l("Domains"), "globe", "d"),
    MenuItem("users.find", _l("Users"), "people", "u"),
    MenuItem("aliases.find", _l("Aliases"), "at", "a"),
    MenuItem("trace.show", _l("Trace"), "envelope-at", "t"),
    MenuItem("checkup.show", _l("Checkup"), "activity", "k"),
    MenuItem("imports.show", _l("Import and export"), "download", "p"),
    MenuItem("admins.find", _l("Administrators"), "shield-lock", "i"),
    MenuItem("configs.find", _l("Configurations"), "gear", "c"),
    MenuItem("logs.find", _l("Logs"), "journal-text", "l"),
    MenuItem("history.find", _l("History"), "clock-history", "h"),
    MenuItem("dashboard.show", _l("Dashboard"), "house", "s"),
)


def init_app(app: Flask) -> None:
    """Teach the templates to say these things."""
    for word in (
        sentences.sentence,
        sentences.kind_in_words,
        sentences.way_in_words,
        sentences.name_of,
        sentences.addresses_in,
        readable,
        address_of,
        attributes,
        query,
        about_oddity,
        name_of_oddity,
        alias_words,
        foretold,
    ):
        app.add_template_filter(word)
    app.add_template_global(menu)
    _remember_fragments(app)
    app.add_template_global(static_url)
    app.jinja_env.globals["version"] = VERSION


# --- rows -----------------------------------------------------------------------


def attributes(named: Mapping[str, object]) -> dict[str, object]:
    """Attributes for htmx as HTML spells them: a macro's arguments cannot have hyphens."""
    return {
        name.replace("_", "-") if name.startswith("hx_") else name: value
        for name, value in named.items()
    }


def query(arguments: Mapping[str, str]) -> str:
    """Arguments as ``url_for`` puts them after an address, which a list looks up only once."""
    return urlencode(arguments, safe=SAFE_IN_A_QUERY)


def alias_words(alias: Alias) -> str:
    """``source → destination``"""
    return f"{readable(alias.source)} → {readable(alias.destination)}"


def foretold(consequence: Consequence) -> str:
    """What a change would mean for somebody's mail."""
    return consequence.sentence(_, readable)


def name_of_oddity(oddity: Oddity) -> str:
    """What is odd about a row, in a word or two."""
    return str(_(NAMES[oddity]))


def about_oddity(oddity: Oddity) -> str:
    """What it means for the mail."""
    return str(_(MEANINGS[oddity]))


# --- every page -----------------------------------------------------------------


def menu() -> tuple[MenuItem, ...]:
    """The areas of the panel, in the menu's order."""
    return MENU


def _remember_fragments(app: Flask) -> None:
    """Render what is the same on each page of one area, in one language, once."""

    @lru_cache(maxsize=MOST_FRAGMENTS)
    def rendered(name: str, _language: str, _root: str, _endpoint: str | None) -> Markup:
        return Markup(app.jinja_env.get_template(f"layouts/{name}.html").render())  # noqa: S704 -- it was escaped by its template

    def fragment(name: str) -> Markup:
        return rendered(name, language(), request.script_root, request.endpoint)

    app.add_template_global(fragment)


def static_url(filename: str) -> str:
    """The address of a file of ours, which changes with its content."""
    path = Path(current_app.static_folder or "", filename)
    return _static_url(request.script_root, filename, path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _static_url(_root: str, filename: str, path: Path, _changed: int) -> str:
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:10]
    return url_for("static", filename=filename, v=version)
