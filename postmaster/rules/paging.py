"""Search, order and pages, once for every list.

The rows of a page come in one query, which finds their ids first (in an index
that holds all it needs, however deep the page is) and joins the rows to them;
their total comes in one more. A search has one before, for what else it means.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, cast, false, func, or_, select
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..db import Base
from ..errors import Invalid, NotFound
from . import addresses

DEFAULT_PER_PAGE = 10
MOST_PER_PAGE = 100
ORDERS = ("asc", "desc")

Row = TypeVar("Row", bound=Base)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Criteria:
    """What a person asked of a list. ``sort`` None is the list's own order."""

    page: int = 1
    per_page: int = DEFAULT_PER_PAGE
    search: str = ""
    sort: str | None = None
    order: str = "asc"

    def check_order(self, sortable: Collection[str]) -> None:
        """Raises Invalid unless the list can be sorted so."""
        if self.sort and self.sort not in sortable:
            raise Invalid(
                "The sort column must be one of: %(columns)s",
                field="sort",
                columns=", ".join(sortable),
            )
        if self.order not in ORDERS:
            raise Invalid('The order must be "asc" or "desc"', field="order")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of rows, and where it is among the others."""

    items: list[Item]
    total: int
    number: int
    per_page: int

    @property
    def pages(self) -> int:
        """How many pages there are; none when there is no row."""
        return -(-self.total // self.per_page)


def window(criteria: Criteria, total: int) -> tuple[int, int]:
    """Where the page asked for begins among ``total`` rows, and how many it may hold.

    Raises Invalid, and NotFound past the last page.
    """
    per_page = min(criteria.per_page, MOST_PER_PAGE)
    if per_page < 1 or criteria.page < 1:
        raise Invalid("The page and the rows per page are counted from 1", field="page")
    offset = (criteria.page - 1) * per_page
    if criteria.page > 1 and offset >= total:
        raise NotFound("There is no page %(page)s: it was not found", page=criteria.page)
    return offset, per_page


def comparable(column: InstrumentedAttribute[Any], *texts: str) -> ColumnElement[Any]:
    """The column, or what it must be taken for to be compared with these texts.

    MySQL refuses to compare what a column's character set (the guides' utf8) lacks.
    """
    if all(text.isascii() for text in texts):
        return column.expression
    return cast(column, mysql.CHAR(charset="utf8mb4"))


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """What can be listed of one table: which columns are searched and sorted by."""

    model: type[Row]
    searched: tuple[InstrumentedAttribute[Any], ...]
    sortable: Mapping[str, InstrumentedAttribute[Any]]
    sorted_by: str
    newest_first: bool = False  # the list's own order is descending
    also: Callable[[Session, str], ColumnElement[bool]] | None = None  # where else it is searched

    def find(
        self, session: Session, criteria: Criteria, *conditions: ColumnElement[bool]
    ) -> Page[Row]:
        """The page asked for. Raises Invalid, and NotFound past the last page."""
        found = self.find_with((), session, criteria, *conditions)
        return Page([row[0] for row in found.items], found.total, found.number, found.per_page)

    def find_with(
        self,
        extras: Sequence[ColumnElement[Any]],
        session: Session,
        criteria: Criteria,
        *conditions: ColumnElement[bool],
    ) -> Page[Any]:
        """As ``find``, each row beside what else is to be known of it, in the same query."""
        where = [*conditions, *self.matching(session, criteria.search)]
        primary_key = self.model.__table__.c["id"]
        total = session.scalar(select(func.count()).select_from(self.model).where(*where)) or 0
        offset, per_page = window(criteria, total)
        order = self._order(criteria)
        ids = (
            select(primary_key.label("id"))
            .where(*where)
            .order_by(*order)
            .limit(per_page)
            .offset(offset)
            .subquery()
        )
        rows = session.execute(
            select(self.model, *extras).join(ids, ids.c.id == primary_key).order_by(*order)
        )
        return Page(list(rows), total, criteria.page, per_page)

    def matching(self, session: Session, search: str) -> list[ColumnElement[bool]]:
        """The condition that a search means; none for an empty one."""
        text = search.strip()
        if not text:
            return []
        if "\0" in text:  # no name has one, and SQLite's LIKE would end the pattern there
            return [false()]
        places = [
            comparable(column, spelling).contains(spelling, autoescape=True)
            for column in self.searched
            for spelling in sorted({text, addresses.as_stored(text)})
        ]
        return [or_(*places, *([self.also(session, text)] if self.also is not None else []))]

    def _order(self, criteria: Criteria) -> list[ColumnElement[Any]]:
        criteria.check_order(self.sortable)
        column = self.sortable[criteria.sort or self.sorted_by]
        # The id makes the order total, so that no row is on two pages or on none.
        columns = [column] if column.key == "id" else [column, self.sortable["id"]]
        descends = criteria.order == "desc" or (criteria.sort is None and self.newest_first)
        return [c.desc() if descends else c.asc() for c in columns]
