"""The formats that can be imported, and which of them a file has."""

from collections.abc import Sequence

from ...errors import Invalid
from . import own_csv, own_json, postfixadmin, vimbadmin
from .items import Format, Source

# In the order in which they are tried.
ALL = (
    Format("json", own_json.read, own_json.recognises),
    Format("csv", own_csv.read, own_csv.recognises),
    Format("vimbadmin", vimbadmin.read, vimbadmin.recognises),
    Format("postfixadmin", postfixadmin.read, postfixadmin.recognises),
)
NAMES = tuple(each.name for each in ALL)
BEGINNING = 4096  # bytes that a format is recognised by


def named(name: str) -> Format:
    """The format of this name. Raises Invalid."""
    for each in ALL:
        if each.name == name:
            return each
    raise Invalid("The format must be one of: %(names)s", field="format", names=list(NAMES))


def detect(sources: Sequence[Source]) -> Format:
    """The format that these files have, from their names and beginnings. Raises Invalid."""
    beginnings = []
    for source in sources:
        source.stream.seek(0)
        beginnings.append((source.name, source.stream.read(BEGINNING)))
        source.stream.seek(0)
    for each in ALL:
        if each.recognises(beginnings):
            return each
    raise Invalid(
        "The format of the file is not known: say which one it is. Known are %(names)s",
        field="format",
        names=list(NAMES),
    )
