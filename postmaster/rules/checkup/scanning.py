"""How odd rows are counted: all kinds of one table in one scan, with the first rows of each.

A scan of a million rows is what a checkup takes its time for. So the database first asks of
each row, as cheaply as can be, whether it is as PostMaster would write it; only of the
others it asks everything.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    LargeBinary,
    Select,
    Subquery,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...db import Base
from ...models import Domain
from .. import rows
from .findings import MOST_SAMPLES, Finding, Kind, Sample

Text = InstrumentedAttribute[str] | ColumnElement[str]
MOST_FETCHED = 50_000  # odd rows; of more, the database does the counting


@dataclass(frozen=True)
class Rule:
    """One kind of odd row: which rows of the scan it is."""

    kind: Kind
    condition: ColumnElement[bool]


@dataclass(frozen=True)
class Scan:
    """One table with what its rows are compared with, and what can be odd about them.

    No rule is about a row that ``is_usual``; that a row is not, says nothing.
    """

    model: type[Base]
    source: FromClause
    is_usual: ColumnElement[bool]
    rules: Sequence[Rule]
    sample: Callable[[Any], Sample]

    @property
    def key(self) -> ColumnElement[Any]:
        """The table's primary key."""
        return rows.key_of(self.model)

    @property
    def is_unusual(self) -> ColumnElement[bool]:
        """Also where it is not known."""
        return case((self.is_usual, 0), else_=1) == 1

    @property
    def mask(self) -> ColumnElement[int]:
        """A number with a bit for each rule."""
        bits = [
            case((rule.condition, 1 << number), else_=0) for number, rule in enumerate(self.rules)
        ]
        return reduce(add, bits)

    def select(self, *columns: Any) -> Select[Any]:
        """Columns of the unusual rows."""
        return select(*columns).select_from(self.source).where(self.is_unusual)

    def rows(self, session: Session, code: str, most: int) -> list[Any]:
        """The first rows of one kind, in the order of their ids."""
        (rule,) = (rule for rule in self.rules if rule.kind.code == code)
        return self.rows_of(session, rule, 0, most)

    def rows_of(self, session: Session, rule: Rule, first: int, most: int) -> list[Any]:
        """The first rows of one kind from an id on."""
        # In a CASE, lest the database turns an EXISTS into a join that reads everything.
        is_so = case((rule.condition, 1), else_=0) == 1
        found = self.select(self.model).where(is_so, self.key >= first)
        return list(session.scalars(found.order_by(self.key).limit(most)))


def find(session: Session, scan: Scan) -> list[Finding]:
    """What is odd in one table."""
    masks = session.execute(scan.select(scan.key, scan.mask).limit(MOST_FETCHED + 1)).all()
    if len(masks) > MOST_FETCHED:
        return _find_many(session, scan)
    ids: dict[str, list[int]] = {}
    for row_id, mask in sorted((int(row_id), int(mask)) for row_id, mask in masks if mask):
        for number, rule in enumerate(scan.rules):
            if mask >> number & 1:
                ids.setdefault(rule.kind.code, []).append(row_id)
    shown = {row_id for some in ids.values() for row_id in some[:MOST_SAMPLES]}
    there = {row.id: scan.sample(row) for row in _present(session, scan, shown)}
    return [
        Finding(
            rule.kind,
            len(ids[rule.kind.code]),
            [there[row_id] for row_id in ids[rule.kind.code][:MOST_SAMPLES] if row_id in there],
        )
        for rule in scan.rules
        if rule.kind.code in ids
    ]


def _present(session: Session, scan: Scan, ids: Collection[int]) -> list[Any]:
    return [*rows.present(session, scan.model, ids)]


def _find_many(session: Session, scan: Scan) -> list[Finding]:
    """The same where very many rows are odd."""
    every = scan.select(scan.key.label("id"), scan.mask.label("mask")).subquery()
    counted = select(every.c.mask, func.count(), func.min(every.c.id)).group_by(every.c.mask)
    groups = [tuple(map(int, row)) for row in session.execute(counted)]
    findings = []
    for number, rule in enumerate(scan.rules):
        own = [(count, first) for mask, count, first in groups if mask >> number & 1]
        if own:
            first = min(first for _count, first in own)
            sample = [scan.sample(r) for r in scan.rows_of(session, rule, first, MOST_SAMPLES)]
            findings.append(Finding(rule.kind, sum(count for count, _first in own), sample))
    return findings


# --- what the conditions are made of --------------------------------------------


def named_domains() -> Subquery:
    """Each domain's name with the id of its first row."""
    names = select(Domain.name.label("name"), func.min(Domain.id).label("id"))
    return names.group_by(Domain.name).subquery()


def domain_part(address: Text) -> ColumnElement[str]:
    """What stands after the last ``@``; without one, everything."""
    return func.substring_index(address, "@", -1)


def local_part(address: Text) -> ColumnElement[str]:
    """What stands before the last ``@``."""
    taken = func.char_length(domain_part(address)) + 1
    return func.substr(address, 1, func.char_length(address) - taken)


def exact(text: Text) -> ColumnElement[bytes]:
    """The text as its bytes: a collation takes other case, accents and blanks for equal."""
    return cast(text, LargeBinary)


def is_mixed_case(text: Text) -> ColumnElement[bool]:
    """Whether it has capital letters."""
    return exact(text) != exact(func.lower(text))


def small(pattern: str) -> str:
    """A pattern for the whole of a text, without regard for the collation: no capital fits."""
    return f"(?-i:^{pattern}$(?!\n))"  # a $ matches before a line end, too


BLANKS = " \t\r\n\v\f"
# A database takes blanks at the end for nothing, but neither those at the beginning nor others.
HIDES = "^[ \t\r\n\v\f]|[\t\r\n\v\f] *$"


def never_matches(text: Text) -> ColumnElement[bool]:
    """Whether a blank keeps the text from ever being looked up."""
    return text.regexp_match(HIDES)


def ends_in_blank(text: Text) -> ColumnElement[bool]:
    """Whether blanks stand at the end that a database does not see when it compares."""
    return exact(text) != exact(func.rtrim(text))
