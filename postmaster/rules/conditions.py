"""Conditions of lists, apart from the values that they are asked with.

Where an index serves, building a statement takes longer than MariaDB needs to answer it. So the
statements of lists are built once and kept; what a person typed is only a value in them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.orm import InstrumentedAttribute

Statement = TypeVar("Statement")
MOST_KEPT = 200  # statements of one list
ESCAPE = "/"  # before what means more in a pattern of LIKE


@dataclass(frozen=True)
class Where:
    """Conditions that all have to hold, and the values of the parameters in them.

    The clauses are built once for good: statements with them are kept by what they are.
    """

    clauses: tuple[ColumnElement[bool], ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    def __add__(self, other: "Where") -> "Where":
        """What fulfils both."""
        return Where(self.clauses + other.clauses, {**self.values, **other.values})


class Kept:
    """Statements that are built once for each conditions. The oldest make room for new ones."""

    def __init__(self) -> None:
        self._built: dict[tuple[Any, ...], Any] = {}

    def get(self, where: Where, *name: Any, build: Callable[[], Statement]) -> Statement:
        """The statement of this name with these conditions."""
        key = (where.clauses, *name)
        built = self._built.get(key)
        if built is None:
            built = self._built[key] = build()
            for old in list(self._built)[:-MOST_KEPT]:
                self._built.pop(old, None)  # another thread may have been first
        return cast("Statement", built)


# --- patterns -------------------------------------------------------------------


def literally(text: str) -> str:
    """The text as the value of ``contains`` and ``begins``: nothing in it means more."""
    for sign in (ESCAPE, "%", "_"):
        text = text.replace(sign, ESCAPE + sign)
    return text


def contains(
    column: InstrumentedAttribute[Any] | ColumnElement[Any], name: str
) -> ColumnElement[bool]:
    """The value of this name stands somewhere in the column."""
    return column.contains(bindparam(name), escape=ESCAPE)


def begins(column: InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """The column begins with the value of this name."""
    return column.startswith(bindparam(name), escape=ESCAPE)
