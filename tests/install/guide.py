"""The commands of a page in docs/, to be run as they stand there.

A fenced block is taken by its language (``sh``, ``sql``, ...). What follows the language
(```` ```sh debian-12 ubuntu-24.04 ````) says for which systems or for which purpose it is.
"""

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parent.parent.parent / "docs"
BLOCK = re.compile(
    r"^```(?P<language>\w+)(?P<labels>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    heading: str
    language: str
    labels: frozenset[str]
    text: str


def blocks(page: str) -> list[Block]:
    """Every block of a page, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    headings = [(found.start(), found[1]) for found in HEADING.finditer(text)]
    return [
        Block(
            heading=[title for start, title in headings if start < found.start()][-1],
            language=found["language"],
            labels=frozenset(found["labels"].split()),
            text=found["text"],
        )
        for found in BLOCK.finditer(text)
        if any(start < found.start() for start, _title in headings)
    ]


def under(page: str, heading: str, language: str, label: str = "") -> list[str]:
    """The blocks of one language below a heading: those without a label, and those with this one.

    Raises LookupError if there is none: the page has changed.
    """
    found = [
        block.text
        for block in blocks(page)
        if (block.heading, block.language) == (heading, language)
        and (not block.labels or label in block.labels)
    ]
    if not found:
        raise LookupError(f"{page} has no {language} block under {heading!r} for {label!r}")
    return found
