"""How long a text may be: as long as its column. Read from the tables' own declaration."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import String, inspect
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..errors import Invalid, Phrase

# By field: in other languages the sentence around a noun depends on it.
TOO_LONG: Mapping[str, Phrase] = {
    "name": Phrase("The name is too long: at most %(most)s characters can be stored"),
    "email": Phrase("The email is too long: at most %(most)s characters can be stored"),
    "source": Phrase("The source is too long: at most %(most)s characters can be stored"),
    "destination": Phrase("The destination is too long: at most %(most)s characters can be stored"),
    "note": Phrase("The note is too long: at most %(most)s characters can be stored"),
    "username": Phrase("The username is too long: at most %(most)s characters can be stored"),
    "password hash": Phrase(
        "The password hash is too long: at most %(most)s characters can be stored"
    ),
}


@cache
def of(column: InstrumentedAttribute[Any]) -> int:
    """The length of a text column, in characters."""
    kind = column.type
    if not isinstance(kind, String) or kind.length is None:
        raise TypeError(f"{column} is no text column with a length")
    return kind.length


def in_database(session: Session, column: InstrumentedAttribute[Any]) -> int:
    """The length of a text column as this database has it: guides made some narrower."""
    table, key = column.class_.__table__.name, column.key
    for found in inspect(session.connection()).get_columns(table):
        if found["name"] == key:
            return getattr(found["type"], "length", None) or of(column)
    return of(column)


def check(text: str, column: InstrumentedAttribute[Any], field: str) -> None:
    """Refuse a text that is too long for its column: nothing is ever stored cut."""
    if len(text) > of(column):
        raise Invalid(TOO_LONG[field], field=field, most=of(column))
