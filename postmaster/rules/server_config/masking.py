"""No password leaves a text of the mail server's configuration.

The readers keep only settings whose names they know, none of which is a password. A
value that is kept may still hold one: in a URL, or as ``password=`` within it.
"""

import re

MASK = "••••"
LONGEST_KEPT = 20_000  # characters of a value that are read
LONGEST_SHOWN = 300

_NAMED_SO = r"(?:pass|pwd?|secret|token)"
# The name of a secret, its sign, and its value: in quotes, or all that follows. So does all
# that follows a quote that is never closed.
_ASSIGNED = re.compile(
    rf"""({_NAMED_SO}\w{{0,40}}["'`]?[ ]{{0,20}}[=:][ ]{{0,20}})
    (?:"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$)|[^"'\s].*)""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_URL = re.compile(r"(\w{1,20}://)\S+")
_BEFORE_HOST = re.compile(r"(?<![\w.+-])([\w.+-]{1,64}):[^\s:@{}'\"]+@(?=[\w\[])")
_LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)""")
_SECRET_NAME = re.compile(rf"{_NAMED_SO}|private|credential", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether a setting of this name may hold a password."""
    return _SECRET_NAME.search(name) is not None


def masked(value: str) -> str:
    """A value as it may be kept and shown: no password in it, on one line, printable."""
    covered = _ASSIGNED.sub(rf"\1{MASK}", printable(value[:LONGEST_KEPT]))
    covered = _IN_URL.sub(rf"\1{MASK}", covered)
    return _BEFORE_HOST.sub(rf"\1:{MASK}@", covered)


def masked_query(value: str) -> str:
    """A query as it may be kept: also without the texts in it that name no part of an address,
    such as a password for everybody. After a quote that is never closed, all is covered.
    """
    covered = masked(value)
    literals = list(_LITERAL.finditer(covered))
    if literals and (len(literals[-1][0]) == 1 or literals[-1][0][-1] != literals[-1][0][0]):
        first = literals[0].start()
        return f"{covered[: first + 1]}{MASK}"
    return _LITERAL.sub(_covered, covered)


def _covered(literal: re.Match[str]) -> str:
    text = literal[0]
    return text if "%" in text or len(text) <= len("'1'") else f"{text[0]}{MASK}{text[0]}"


def printable(text: str) -> str:
    """The text on one line, with what no page can show replaced."""
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split())
    )


def shortened(text: str) -> str:
    """The text at a length that fits into a sentence."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
