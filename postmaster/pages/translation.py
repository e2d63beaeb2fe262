"""The language of a page: which one, sentences in it, and its numbers and moments.

Flask-Babel looks the sentences up in ``postmaster/translations``, which
``ops/translate`` keeps up to date.
"""

from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal
from flask import Flask, Response, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations, gettext
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from .. import security
from ..errors import RuleError, fill
from ..rules.languages import DEFAULT, LANGUAGES
from .directions import isolated

babel = Babel()


def init_app(app: Flask) -> None:
    """Choose a language for each request, and teach the templates what depends on it."""
    babel.init_app(app, default_locale=DEFAULT, locale_selector=_choose)
    # As Flask-Babel does, which looks for the language anew for each of a page's sentences.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of Jinja's i18n
        gettext=lambda text: _catalogue().ugettext(text),
        ngettext=lambda one, many, number: _catalogue().ungettext(one, many, number),
        newstyle=True,
    )
    app.jinja_env.globals["_"] = sentence
    app.add_template_filter(number)
    app.add_template_filter(moment)
    app.add_template_global(language)
    app.after_request(_add_headers)


def language() -> str:
    """The code of this request's language, such as ``de``."""
    return str(get_locale() or DEFAULT)


def _choose() -> str:
    """The language that the admin chose, else the best of those that the browser asks for."""
    if not has_request_context() or security.is_api():
        return DEFAULT
    return _chosen() or _asked() or DEFAULT


def _asked() -> str | None:
    """The first that we have, whatever the country: ``en-GB`` before ``de``."""
    for tag, quality in request.accept_languages:
        code = tag.lower().replace("_", "-").split("-")[0]
        if quality > 0 and code in LANGUAGES:
            return code
    return None


def _chosen() -> str | None:
    if g.get("language_of_the_browser"):
        return None
    try:
        who = security.signed_in()
    except SQLAlchemyError:
        return None
    chosen: str | None = getattr(who, "language", None)
    return chosen if chosen in LANGUAGES else None


def as_the_browser_asks() -> None:
    """From now on in this request, do not ask the database who is signed in: it may be away.

    A language that is known already stays.
    """
    g.language_of_the_browser = True


def _catalogue() -> Any:
    """The sentences of this request's language."""
    catalogue = g.get("catalogue")
    if catalogue is None:
        catalogue = g.catalogue = get_translations()
    return catalogue


def _add_headers(response: Response) -> Response:
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST
    if response.mimetype == "text/html" and not is_redirect:
        response.headers["Content-Language"] = language()
        if not security.is_api():
            response.vary.add("Accept-Language")
    return response


# --- sentences ------------------------------------------------------------------


def sentence(text: str, /, **values: object) -> Markup:
    """A template's own sentence in the page's language, with its values escaped.

    What Jinja's own would make of it, which looks for three functions in its context first: a
    list has fifty sentences.
    """
    found = Markup(_catalogue().ugettext(text))  # noqa: S704 -- a sentence of ours
    return found % values if values or "%" in found else found


def translated(error: RuleError) -> str:
    """A refusal in the page's language."""
    values = {
        name: isolated(value) if type(value) is str else value  # a Phrase is ours
        for name, value in error.values.items()
    }
    return fill(error.template, values, gettext)


def say(template: str, **values: Any) -> str:
    """A Phrase in the page's language; values that are Phrases are translated too."""
    return fill(template, values, gettext)


# --- numbers and moments --------------------------------------------------------


def number(value: float) -> str:
    """A number with the language's separators: ``100,000``, ``100.000``."""
    return _formatted(value, get_locale())


@lru_cache(maxsize=1000)
def _formatted(value: float, locale: Locale | None) -> str:
    return format_decimal(value, locale=locale)


def moment(value: datetime | str | None) -> Markup:
    """A moment in UTC, which a script shows in local time; nothing for None.

    Takes what the database and the log hold: UTC without a zone, or ISO 8601.
    """
    if value is None:
        return Markup()
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return Markup('<time datetime="{}" data-local>{} UTC</time>').format(
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        format_datetime(utc, "medium", tzinfo=UTC, locale=get_locale()),
    )
