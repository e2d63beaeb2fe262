"""What a person can read, or hear read, of an HTML page."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

# The same in every language.
NAMES = (
    "PostMaster",
    "API",
    "UTC",
    "JSON",
    "GET",
    "POST",
    "PATCH",
    "PUT",
    "DELETE",
    "English",
    "Deutsch",
    "Français",
    "Español",
    "Nederlands",
)
# An address, a domain or a URL in an example.
EXAMPLE = re.compile(r"\S*@\S*|\S+\.(?:com|org|net|example)\b\S*|\S+://\S*")

SILENT = {"script", "style", "time", "code", "kbd", "pre", "samp"}
VOID = {"br", "col", "hr", "img", "input", "link", "meta", "source", "use", "wbr", "path"}
SPOKEN = {
    "alt",
    "aria-description",
    "aria-label",
    "aria-roledescription",
    "aria-valuetext",
    "hx-confirm",
    "hx-prompt",
    "label",
    "placeholder",
    "title",
}
BUTTONS = {"submit", "button", "reset"}
WORDS = re.compile(r"[^\W\d_]{2,} [^\W\d_]{2,}")


class Visible(HTMLParser):
    """Collects the texts of a page: ``texts`` in order, ``attributes`` each with its name.

    What stands in ``time``, ``code``, ``kbd`` and their like, or under
    ``translate="no"``, is not for translation and is left out.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[tuple[str, bool]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        silent = self._is_silent() or tag in SILENT or values.get("translate") == "no"
        if not silent:
            self.attributes += spoken(tag, values)
        if tag not in VOID:
            self.open.append((tag, silent))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        tags = [name for name, _silent in self.open]
        if tag in tags:
            del self.open[len(tags) - 1 - tags[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if not self._is_silent():
            self.texts.append(data)

    def _is_silent(self) -> bool:
        return bool(self.open) and self.open[-1][1]


def spoken(tag: str, values: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The attributes of an element that a person reads or hears, or a script shows."""
    for name, value in values.items():
        is_button = tag == "input" and name == "value" and values.get("type") in BUTTONS
        is_about = tag == "meta" and name == "content" and values.get("name") == "description"
        is_for_a_script = name.startswith("data-") and WORDS.search(value)
        if name in SPOKEN or is_button or is_about or is_for_a_script:
            yield f"{tag} {name}", value


def without(text: str, known: list[str]) -> str:
    """The text without the known words, names and examples, wherever they stand alone."""
    for word in sorted({*known, *NAMES}, key=len, reverse=True):
        if word in text:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", " ", text)
    return " ".join(EXAMPLE.sub(" ", text).split())


def has_letters(text: str) -> bool:
    """Whether there is a letter of any script in it."""
    return any(character.isalpha() for character in text)
