"""How many rows there are: counted once, and remembered until a table changes.

An exact count reads a whole index: 70 ms for a million rows. MariaDB keeps of each table when the
transaction began that changed it last, its next id and about how many rows it has; these tell in
a tenth of a millisecond whether a total that was counted before is still true, whoever wrote
since. Where the database says nothing of the kind, each total is counted each time.

That time is noted at the commit, so a transaction of any length shows; but for one that began in
the very second in which the one noted before did, wrote before a count, and committed after it.
So nothing is remembered for longer than ``LONGEST``.
"""

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnClause,
    Dialect,
    Engine,
    Select,
    String,
    Table,
    column,
    func,
    literal,
    select,
    table,
    union_all,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors

from ..db import is_acting, read_on_from_now

# A table that is not larger is counted at once, whoever asks: that takes a few milliseconds.
FEW_ROWS = 50_000
# A change in the second in which we counted may have come after us. Two, for a commit that is
# seen a moment before its second is noted.
SETTLED_AFTER = timedelta(seconds=2)
LONGEST = 30.0  # seconds that a total is remembered
MOST_REMEMBERED = 500
ITSELF = "postmaster_totals"  # where a connection keeps what it is known by

_SAYS: tuple[ColumnClause[Any], ...] = (
    column("update_time"),
    column("create_time"),
    column("auto_increment"),
    column("table_rows"),
)
_tables = table(
    "tables", column("table_schema"), column("table_name"), *_SAYS, schema="information_schema"
)


@dataclass(frozen=True)
class Signal:
    """What the database says of a table without reading it.

    ``change`` is equal as long as the table did not change. It is None where that cannot be
    told, also because the last change was just now.
    """

    change: object | None
    estimated_rows: int


@dataclass(frozen=True)
class _Counted:
    changes: tuple[object, ...]
    total: int
    counted: float  # by the monotonic clock


@dataclass(frozen=True)
class _Memory:
    """Of one database: the totals, and until when a table is taken for large without asking."""

    totals: OrderedDict[Any, _Counted] = field(default_factory=OrderedDict)
    large: dict[str, float] = field(default_factory=dict)


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()


class Counting:
    """A statement that counts, the values it counts with, and what its total is remembered by."""

    def __init__(self, statement: Select[int]) -> None:
        self.statement = statement
        self.values: Mapping[str, object] = {}
        every = visitors.iterate(statement)
        self.tables = tuple(sorted({each.name for each in every if isinstance(each, Table)}))
        self._texts: dict[str, tuple[str, ...]] = {}

    def with_values(self, values: Mapping[str, object]) -> "Counting":
        """The same, with values for the parameters in it."""
        if not values:
            return self
        other = copy(self)  # which has the texts in common
        other.values = values
        return other

    def key(self, dialect: Dialect) -> tuple[str, ...]:
        """The same for each statement that counts the same."""
        text = self._texts.get(dialect.name)
        if text is None:
            compiled = self.statement.compile(dialect=dialect)
            text = (str(compiled), *(repr(value) for value in compiled.params.values()))
            self._texts[dialect.name] = text
        return (*text, *(repr(item) for item in sorted(self.values.items())))


def counted(session: Session, counting: Counting) -> int:
    """How many there are now, whatever is remembered."""
    return session.scalar(counting.statement, counting.values) or 0


def of(session: Session, counting: Counting, *, waits: bool = True) -> int | None:
    """What a counting statement finds; see ``of_all``."""
    return of_all(session, [counting], waits=waits)[0]


def of_all(
    session: Session, countings: Sequence[Counting], *, waits: bool = True
) -> list[int | None]:
    """What counting statements find, in one query, or none for what is remembered.

    None is "not known yet": only for who does not wait, while a large table would be counted.
    """
    engine = session.get_bind().engine
    memory = _memories.setdefault(engine, _Memory())
    if not waits and all(_cannot_be_told(memory, engine, counting) for counting in countings):
        return [None for _ in countings]
    names = tuple(sorted({name for counting in countings for name in counting.tables}))
    signals = None if is_acting(session) else _signals(session, names)
    if signals is None:
        return [*_count(session, countings)]
    for name, signal in signals.items():
        is_large = signal.estimated_rows > FEW_ROWS
        memory.large[name] = time.monotonic() + LONGEST if is_large else 0
    totals: dict[Counting, int | None] = {}
    missing: dict[Counting, tuple[object, ...] | None] = {}
    for counting in countings:
        about = [signals[name] for name in counting.tables]
        changes = _changes(about)
        totals[counting] = _remembered(memory, counting.key(engine.dialect), changes)
        is_large = sum(each.estimated_rows for each in about) > FEW_ROWS
        if totals[counting] is None and (waits or not is_large):
            missing[counting] = changes
    if missing:
        read_on_from_now(session)  # what is counted is not older than the signals
    for counting, total in zip(missing, _count(session, [*missing]), strict=True):
        totals[counting] = total
        changes = missing[counting]
        if changes is not None:
            key = counting.key(engine.dialect)
            memory.totals[key] = _Counted(changes, total, time.monotonic())
    while len(memory.totals) > MOST_REMEMBERED:
        memory.totals.popitem(last=False)
    return [totals[counting] for counting in countings]


def _cannot_be_told(memory: _Memory, engine: Engine, counting: Counting) -> bool:
    """Whether it was not counted lately, and would read a large table: a search, mostly."""
    is_known = _present(memory, counting.key(engine.dialect)) is not None
    now = time.monotonic()
    return not is_known and any(memory.large.get(name, 0) > now for name in counting.tables)


def _remembered(
    memory: _Memory, key: tuple[str, ...], changes: tuple[object, ...] | None
) -> int | None:
    known = _present(memory, key)
    return None if known is None or known.changes != changes else known.total


def _present(memory: _Memory, key: tuple[str, ...]) -> _Counted | None:
    known = memory.totals.get(key)
    return known if known and time.monotonic() - known.counted < LONGEST else None


def _count(session: Session, countings: Sequence[Counting]) -> list[int]:
    if len(countings) < 2 or any(counting.values for counting in countings):
        return [counted(session, counting) for counting in countings]
    asked = select(*(counting.statement.scalar_subquery() for counting in countings))
    return [total or 0 for total in session.execute(asked).one()]


def _changes(about: Collection[Signal]) -> tuple[object, ...] | None:
    changes = tuple(each.change for each in about if each.change is not None)
    return changes if len(changes) == len(about) else None


def _signals(session: Session, names: tuple[str, ...]) -> dict[str, Signal] | None:
    connection = session.connection()
    if not getattr(connection.dialect, "is_mariadb", False):
        return None  # MySQL says what it knew up to a day ago
    asked = _asking(connection.engine.url.database or "", names)
    # Without a time there was no change since the server was started: this connection is not
    # older, and what it is known by ends with it.
    itself = connection.info.setdefault(ITSELF, object())
    signals = {name: Signal(None, 0) for name in names}
    for name, updated, created, next_id, rows, now in connection.execute(asked):
        is_settled = updated is None or now - updated > SETTLED_AFTER
        # A TRUNCATE sets no time. It begins the ids anew, also where the number of rows was not
        # looked for yet.
        change = (updated or itself, created, next_id, rows) if is_settled else None
        signals[name] = Signal(change, rows or 0)
    return signals


@lru_cache(maxsize=64)
def _asking(schema: str, names: tuple[str, ...]) -> Any:
    """One look-up each: for a list of names MariaDB would open all tables there are."""
    each = [
        select(literal(name, String), *_SAYS, func.now()).where(
            _tables.c.table_schema == literal(schema, String),
            _tables.c.table_name == literal(name, String),
        )
        for name in names
    ]
    return union_all(*each) if len(each) > 1 else each[0]
