"""Collects the sentences of the pages, and keeps each language's catalogue in step.

A catalogue keeps its translations; what no page says any more leaves it, what is new
comes in untranslated. No file holds a date or a line number, so that only sentences
make differences. Started by ops/translate, and asked by tests/test_translations.py.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "postmaster"
TRANSLATIONS = SOURCE / "translations"
TEMPLATE = TRANSLATIONS / "messages.pot"
LANGUAGES = ("de", "fr", "es", "nl")
WIDTH = 100

# The first that fits decides. What commands and the API say is English.
METHODS = [
    ("cli/**.py", "ignore"),
    ("api/**.py", "ignore"),
    ("schema.py", "ignore"),
    ("examining.py", "ignore"),
    ("templates/api/**.html", "ignore"),
    ("**.py", "python"),
    ("templates/**.html", "jinja2.ext:babel_extract"),
]
OPTIONS = {"templates/**.html": {"silent": "false", "newstyle_gettext": "true"}}
REFUSALS = (
    "Conflict",
    "Forbidden",
    "Invalid",
    "NotFound",
    "SessionEnded",
    "Throttled",
    "Unauthenticated",
    "Unavailable",
)
KEYWORDS = DEFAULT_KEYWORDS | dict.fromkeys(("Phrase", "lazy_gettext", "_l", *REFUSALS))


class Steady(Catalog):
    """A catalogue whose header has no dates and no version of a tool."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The lines of the header."""
        lines = [("Project-Id-Version", "PostMaster")]
        if self.locale is not None:
            lines += [("Language", str(self.locale)), ("Plural-Forms", self.plural_forms)]
        return [
            *lines,
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit\n"),  # the header ends with a line end
        ]


def extracted() -> Catalog:
    """Every sentence that a page can say, untranslated."""
    catalog = Steady(
        header_comment="# The sentences of PostMaster's pages. Made by ops/translate.", fuzzy=False
    )
    for _name, _line, message, comments, context in extract_from_dir(
        SOURCE, METHODS, OPTIONS, KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        if message:
            catalog.add(message, None, auto_comments=comments, context=context)
    return catalog


def po_path(language: str) -> Path:
    """Where a language's sentences are written."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def read(path: Path, language: str | None = None) -> Catalog:
    """A catalogue from its file."""
    with path.open("rb") as file:
        return read_po(file, locale=language, charset="utf-8", abort_invalid=True)


def merged(source: Catalog, language: str) -> Catalog:
    """A language's catalogue with the sentences of today and the translations so far."""
    path = po_path(language)
    old = read(path, language) if path.exists() else Catalog(language)
    catalog = Steady(
        language,
        header_comment=f"# PostMaster's pages: {language}. Sentences come and go by ops/translate.",
        fuzzy=False,
    )
    for message in sentences(source):
        known = old.get(message.id, message.context)
        keeps = known is not None and known.id == message.id and not known.fuzzy
        catalog.add(
            message.id,
            known.string if known is not None and keeps else None,
            flags=message.flags,
            auto_comments=message.auto_comments,
            user_comments=known.user_comments if known is not None else (),
            context=message.context,
        )
    return catalog


def sentences(catalog: Catalog) -> Iterator[Message]:
    """The messages without the header."""
    return (message for message in catalog if message.id)


def as_text(catalog: Catalog) -> bytes:
    """The catalogue as a .po or .pot file."""
    file = io.BytesIO()
    write_po(file, catalog, width=WIDTH, no_location=True, sort_output=True, ignore_obsolete=True)
    return file.getvalue().rstrip(b"\n") + b"\n"


def compiled(language: str) -> bytes:
    """The .mo file of a language, as its .po file has it now."""
    steady = Steady(language, fuzzy=False)
    for message in sentences(read(po_path(language), language)):
        steady.add(message.id, message.string, flags=message.flags, context=message.context)
    file = io.BytesIO()
    write_mo(file, steady)
    return file.getvalue()


def missing(language: str) -> int:
    """How many sentences have no translation yet."""
    return sum(
        not all(message.string) if isinstance(message.string, tuple) else not message.string
        for message in sentences(read(po_path(language), language))
    )


def update() -> None:
    """Write every file anew."""
    source = extracted()
    TRANSLATIONS.mkdir(exist_ok=True)
    TEMPLATE.write_bytes(as_text(source))
    for language in LANGUAGES:
        path = po_path(language)
        catalog = merged(source, language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_text(catalog))
        path.with_suffix(".mo").write_bytes(compiled(language))
        sys.stdout.write(f"{language}: {missing(language)} of {len(catalog)} to translate\n")


if __name__ == "__main__":
    update()
