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
ESCAPE = "/"  # before what means more in a pattern of LIKE


@dataclass(frozen=True)
class Where:
    """Conditions that all have to hold, and the values of the parameters in them.

    ``is_fixed``: the clauses were built once for good, so a statement with them may be kept.
    """

    clauses: tuple[ColumnElement[bool], ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    is_fixed: bool = True

    def __add__(self, other: "Where") -> "Where":
        """What fulfils both."""
        return Where(
            self.clauses + other.clauses,
            {**self.values, **other.values},
            self.is_fixed and other.is_fixed,
        )


def passing(*clauses: ColumnElement[bool]) -> Where:
    """Conditions that were built for this request, with their values in them."""
    return Where(clauses, is_fixed=not clauses)


class Kept:
    """Statements that are built once for each conditions that are fixed."""

    def __init__(self) -> None:
        self._built: dict[tuple[Any, ...], Any] = {}

    def get(self, where: Where, *name: Any, build: Callable[[], Statement]) -> Statement:
        """The statement of this name with these conditions."""
        key = (where.clauses, *name)
        built = self._built.get(key)
        if built is None:
            built = build()
            if where.is_fixed:
                self._built[key] = built
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
