"""How long a text may be: as long as its column. Read from the tables' own declaration."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import InstrumentedAttribute

from ..errors import Invalid


def of(column: InstrumentedAttribute[Any]) -> int:
    """The length of a text column, in characters."""
    kind = column.type
    if not isinstance(kind, String) or kind.length is None:
        raise TypeError(f"{column} is no text column with a length")
    return kind.length


def check(text: str, column: InstrumentedAttribute[Any], field: str) -> None:
    """Refuse a text that is too long for its column: nothing is ever stored cut."""
    if len(text) > of(column):
        raise Invalid(
            "The %(field)s is too long: at most %(most)s characters can be stored",
            field=field,
            most=of(column),
        )
