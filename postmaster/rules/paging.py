"""Search, order and pages, once for every list.

The rows of a page come in one query, which finds their ids first (in an index that holds all
it needs, however deep the page is) and joins the rows to them. Only where more rows follow is
the total counted, and remembered (see ``totals``). A search finds first what an index finds at
once (see ``matches``), then the rest, and stops when the page is full.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import ColumnElement, Integer, Select, bindparam, false, func, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..db import Base
from ..errors import Invalid, NotFound
from . import addresses, matches, totals
from .conditions import Kept, Where, contains, literally
from .rows import LARGEST_ID

DEFAULT_PER_PAGE = 10
MOST_PER_PAGE = 100
ORDERS = ("asc", "desc")

Row = TypeVar("Row", bound=Base)
Item = TypeVar("Item")
EVERYTHING, NOTHING = Where(), Where((false(),))
# The places of a statement for how many rows are skipped, and how many are wanted.
OFFSET, MOST = bindparam("offset", type_=Integer), bindparam("most", type_=Integer)


@dataclass(frozen=True)
class Criteria:
    """What a person asked of a list. ``sort`` None is the list's own order."""

    page: int = 1
    per_page: int = DEFAULT_PER_PAGE
    search: str = ""
    sort: str | None = None
    order: str = "asc"
    counted: bool = True  # whether to wait for the total
    at_once: bool = False  # of a search, only what an index finds, if that is anything

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
    """One page of rows, and where it is among the others.

    ``total`` None: it was not waited for. ``is_whole`` False: only what an index finds was
    looked for, and further rows may belong on this page.
    """

    items: list[Item]
    total: int | None
    number: int
    per_page: int
    has_next: bool
    is_whole: bool = True

    @property
    def at_least(self) -> int:
        """The total, or how many rows there are up to here and one more."""
        more = (self.number - 1) * self.per_page + len(self.items) + self.has_next
        return more if self.total is None else self.total

    @property
    def pages(self) -> int | None:
        """How many pages there are; none when there is no row."""
        return None if self.total is None else -(-self.total // self.per_page)

    def with_items(self, items: list[Any]) -> "Page[Any]":
        """The same page with what is made of its rows."""
        return replace(cast("Page[Any]", self), items=items)


# The first of the rows asked for (from which one on, and how many at most), and whether they
# are all that can be found there.
Fetch = Callable[[int, int], tuple[list[Any], bool]]


def page_of(
    session: Session, criteria: Criteria, fetch: Fetch, counting: totals.Counting
) -> Page[Any]:
    """The page asked for, of rows that ``fetch`` finds and ``counting`` counts.

    Raises Invalid, and NotFound past the last page.
    """
    per_page = min(criteria.per_page, MOST_PER_PAGE)
    if per_page < 1 or criteria.page < 1:
        raise Invalid("The page and the rows per page are counted from 1", field="page")
    offset = (criteria.page - 1) * per_page
    if offset > LARGEST_ID:  # a table cannot have so many rows
        raise _past_the_last(criteria)
    found, is_whole = fetch(offset, per_page + 1)  # one more tells whether there is a next page
    items, has_next = found[:per_page], len(found) > per_page
    seen = offset + len(found)
    if not found and is_whole and criteria.page > 1:
        raise _past_the_last(criteria)
    total: int | None = seen
    if has_next or not is_whole:
        total = totals.of(session, counting, waits=criteria.counted)
    if total is not None:
        total = max(total, seen)  # somebody may have added rows between the two queries
    return Page(items, total, criteria.page, per_page, has_next, is_whole)


def _past_the_last(criteria: Criteria) -> NotFound:
    return NotFound("There is no page %(page)s: it was not found", page=criteria.page)


def comparable(column: InstrumentedAttribute[Any], *texts: str) -> ColumnElement[Any]:
    """The column, or what it must be taken for to be compared with these texts.

    MySQL refuses to compare what a column's character set (the guides' utf8) lacks.
    """
    return column.expression if all(text.isascii() for text in texts) else with_any_text(column)


def with_any_text(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """The column as it can be compared with any text; no index serves then."""
    return sql_cast(column, mysql.CHAR(charset="utf8mb4"))


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """What can be listed of one table: which columns are searched and sorted by."""

    model: type[Row]
    searched: tuple[InstrumentedAttribute[Any], ...]
    sortable: Mapping[str, InstrumentedAttribute[Any]]
    sorted_by: str
    newest_first: bool = False  # the list's own order is descending
    also: Callable[[Session, str], Where] | None = None  # where else it is searched
    first: Callable[[Session, str], matches.First | None] | None = None  # what a search finds first
    _kept: Kept = field(default_factory=Kept, init=False, repr=False, compare=False)

    def find(
        self, session: Session, criteria: Criteria, conditions: Where = EVERYTHING
    ) -> Page[Row]:
        """The page asked for. Raises Invalid, and NotFound past the last page."""
        found = self.find_with((), session, criteria, conditions)
        return found.with_items([row[0] for row in found.items])

    def find_with(
        self,
        extras: tuple[ColumnElement[Any], ...],
        session: Session,
        criteria: Criteria,
        conditions: Where = EVERYTHING,
    ) -> Page[Any]:
        """As ``find``, each row beside what else is to be known of it, in the same query."""
        criteria.check_order(self.sortable)

        def fetch(where: Where, offset: int, most: int) -> list[Any]:
            limits = {"offset": offset, "most": most}
            return list(
                session.execute(self._rows(extras, where, criteria), {**where.values, **limits})
            )

        key = self.sortable["id"]
        return self.search(session, criteria, conditions, key, fetch, self._counting)

    def _rows(
        self, extras: tuple[ColumnElement[Any], ...], where: Where, criteria: Criteria
    ) -> Select[Any]:
        """``:most`` rows after the first ``:offset``."""

        def build() -> Select[Any]:
            order = self._order(criteria)
            key = self.model.__table__.c["id"]
            found = select(key.label("id")).where(*where.clauses).order_by(*order)
            inner = found.limit(MOST).offset(OFFSET).subquery()
            return select(self.model, *extras).join(inner, inner.c.id == key).order_by(*order)

        return self._kept.get(where, extras, criteria.sort, criteria.order, build=build)

    def _counting(self, where: Where) -> totals.Counting:
        def build() -> totals.Counting:
            counted = select(func.count()).select_from(self.model)
            return totals.Counting(counted.where(*where.clauses))

        return self._kept.get(where, "count", build=build).with_values(where.values)

    def search(
        self,
        session: Session,
        criteria: Criteria,
        conditions: Where,
        key: InstrumentedAttribute[Any],
        fetch: Callable[[Where, int, int], list[Any]],
        count: Callable[[Where], totals.Counting],
    ) -> Page[Any]:
        """The page asked for, of rows that ``fetch`` finds by conditions, and ``count`` counts.

        Each has a ``key`` of its own, which several rows of a group have in common. Without an
        order of the caller's own, what ``first`` says comes first.
        """
        text = criteria.search.strip()
        where = conditions + self._matching(session, text)
        first = None
        if text and self.first is not None and criteria.sort is None and criteria.order == "asc":
            first = self.first(session, text)
        if first is None:
            return page_of(
                *(session, criteria),
                lambda offset, most: (fetch(where, offset, most), True),
                count(where),
            )
        before = conditions + first.where

        def in_turn(offset: int, most: int) -> tuple[list[Any], bool]:
            rows = fetch(before, offset, most)
            if len(rows) == most or (rows and criteria.at_once):
                return rows, len(rows) == most
            skipped = offset + len(rows)
            if not rows and offset:
                skipped = min(offset, totals.counted(session, count(before)))
            # Where nothing comes first, the others are all there are.
            others = where + first.beside(key, conditions) if skipped else where
            return rows + fetch(others, offset + len(rows) - skipped, most - len(rows)), True

        return page_of(session, criteria, in_turn, count(where))

    def _matching(self, session: Session, text: str) -> Where:
        """The condition that a search means; none for an empty one."""
        if not text:
            return EVERYTHING
        if "\0" in text:  # no name has one, and SQLite's LIKE would end the pattern there
            return NOTHING
        spellings = sorted({text, addresses.as_stored(text)})
        are_ascii = tuple(spelling.isascii() for spelling in spellings)
        also = self.also(session, text) if self.also is not None else EVERYTHING

        def build() -> ColumnElement[bool]:
            places = [
                contains(comparable(column, spelling), f"text{number}")
                for column in self.searched
                for number, spelling in enumerate(spellings)
            ]
            return or_(*places, *also.clauses)

        clause = self._kept.get(also, "matching", are_ascii, build=build)
        values = {f"text{n}": literally(spelling) for n, spelling in enumerate(spellings)}
        return Where((clause,), {**values, **also.values})

    def _order(self, criteria: Criteria) -> list[ColumnElement[Any]]:
        column = self.sortable[criteria.sort or self.sorted_by]
        # The id makes the order total, so that no row is on two pages or on none. Where the
        # column does that itself, MariaDB would not use its index for both.
        is_total = column.key == "id" or column.property.columns[0].unique
        columns = [column] if is_total else [column, self.sortable["id"]]
        descends = criteria.order == "desc" or (criteria.sort is None and self.newest_first)
        return [c.desc() if descends else c.asc() for c in columns]
