"""docs/directory.md and docs/openid.md show sentences that the code says."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("postmaster/directory", "postmaster/openid", "postmaster/rules", "postmaster/pages")
PLACE = re.compile(r"%\(\w+\)s")
OPENSSL = ("self-signed certificate in certificate chain", "IP address mismatch", "access_denied")


def said() -> list[str]:
    """Every text in the code."""
    found = []
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            values = [node.value for node in tree if isinstance(node, ast.Constant)]
            found += [value for value in values if isinstance(value, str)]
    return found


PATTERNS = [
    re.compile(".+".join(map(re.escape, PLACE.split(text)))) for text in said() if " " in text
]


def seen() -> list[str]:
    """What stands in the pages' tables of sentences."""
    rows = []
    for page in ("directory.md", "openid.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        for table in ("what you see", "in the log"):
            for part in text.split(f"| {table} |")[1:]:
                for row in part.split("\n\n")[0].splitlines()[2:]:
                    rows += re.findall(r"`([^`]+)`", row.split(" | ")[0])
    return [row for row in rows if row not in OPENSSL]


@pytest.mark.parametrize("sentence", seen())
def test_what_the_page_shows_is_said(sentence: str) -> None:
    # What the page leaves out could be anything of the sentence.
    shown = re.compile(".+".join(map(re.escape, sentence.split("…"))) + ".*")
    shown_text = sentence.replace("…", "x")
    assert any(pattern.match(shown_text) for pattern in PATTERNS) or any(
        shown.fullmatch(PLACE.sub("xx", text)) for text in said()
    ), sentence
