"""One row by its id, or several, or the refusal that one is not there."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..db import Base
from ..errors import Invalid, NotFound, Phrase

LARGEST_ID = 2**31 - 1  # an INT column's; SQLite's driver breaks at much larger numbers
MOST_IN_A_LIST = 1000  # values in one statement

# By noun: in other languages the sentence around a noun depends on it.
NOT_FOUND: Mapping[str, Phrase] = {
    "domain": Phrase("The domain was not found"),
    "user": Phrase("The user was not found"),
    "alias": Phrase("The alias was not found"),
    "administrator": Phrase("The administrator was not found"),
    "setting": Phrase("The setting was not found"),
    "change": Phrase("The change was not found"),
    "session": Phrase("The session was not found"),
    "import": Phrase("The import was not found"),
}

Row = TypeVar("Row", bound=Base)


def by_id(session: Session, model: type[Row], row_id: int, noun: str) -> Row:
    """The row with this id. Raises NotFound, which calls it by its noun."""
    row = session.get(model, row_id) if row_id <= LARGEST_ID else None
    if row is None:
        raise NotFound(NOT_FOUND[noun])
    return row


def by_id_with(
    session: Session,
    model: type[Row],
    extras: tuple[ColumnElement[Any], ...],
    row_id: int,
    noun: str,
) -> Sequence[Any]:
    """The row with this id, and what else is to be known of it, in one query. Raises NotFound."""
    if row_id <= LARGEST_ID:
        found = session.execute(_by_key(model, extras), {"row_id": row_id}).one_or_none()
        if found is not None:
            return found
    raise NotFound(NOT_FOUND[noun])


@lru_cache(maxsize=64)
def _by_key(model: type[Base], extras: tuple[ColumnElement[Any], ...]) -> Select[Any]:
    """Built once: ``extras`` are, too."""
    return select(model, *extras).where(key_of(model) == bindparam("row_id"))


def by_ids(session: Session, model: type[Row], row_ids: Sequence[int], noun: str) -> list[Row]:
    """The rows with these ids, in their order. Raises NotFound, and Invalid if none is asked for.

    For acts that are done to all or to none.
    """
    if not row_ids:
        raise Invalid("Nothing was selected")
    found = {
        row.__mapper__.primary_key_from_instance(row)[0]: row
        for row in present(session, model, row_ids)
    }
    wanted = dict.fromkeys(row_ids)
    if len(found) < len(wanted):
        raise NotFound(NOT_FOUND[noun])
    return [found[row_id] for row_id in wanted]


def present(session: Session, model: type[Row], row_ids: Collection[int]) -> list[Row]:
    """Those of the rows with these ids that are there."""
    storable = [row_id for row_id in row_ids if 0 < row_id <= LARGEST_ID]
    return where_in(session, model, key_of(model), storable)


def where_in(
    session: Session,
    model: type[Row],
    column: InstrumentedAttribute[Any] | ColumnElement[Any],
    values: Collection[Any],
    *conditions: ColumnElement[bool],
) -> list[Row]:
    """The rows whose column has one of these values, however many those are."""
    found: list[Row] = []
    for some in chunks(values):
        found += session.scalars(select(model).where(column.in_(some), *conditions))
    return found


def columns_in(
    session: Session,
    columns: Sequence[InstrumentedAttribute[Any]],
    column: InstrumentedAttribute[Any] | ColumnElement[Any],
    values: Collection[Any],
    *conditions: ColumnElement[bool],
) -> list[Any]:
    """As ``where_in``, some columns of the rows only: several times as fast."""
    session.flush()  # the connection knows nothing of what waits in the session
    connection = session.connection()
    found: list[Any] = []
    for some in chunks(values):
        found += connection.execute(select(*columns).where(column.in_(some), *conditions))
    return found


def remove(session: Session, model: type[Base], row_ids: Collection[int]) -> None:
    """Delete the rows with these ids, in a few statements."""
    for some in chunks(row_ids):
        session.execute(delete(model).where(key_of(model).in_(some)))


def remove_where(session: Session, model: type[Base], *conditions: ColumnElement[bool]) -> None:
    """Delete rows that the session has not read, in one statement."""
    session.connection().execute(delete(model).where(*conditions))


def fresh_ids(session: Session, model: type[Base]) -> Iterator[int | None]:
    """Ids for new rows in place of ones that the same act deletes; to be begun before it does.

    SQLite gives an id away again as soon as it is free, and then the deleted row could not
    come back. The other databases count on by themselves: None leaves it to them.
    """
    if session.get_bind().dialect.name != "sqlite":
        return itertools.repeat(None)
    return itertools.count((session.scalar(select(func.max(key_of(model)))) or 0) + 1)


def chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values in lists that a statement can hold."""
    every = list(values)
    for start in range(0, len(every), MOST_IN_A_LIST):
        yield every[start : start + MOST_IN_A_LIST]


def key_of(model: type[Base]) -> ColumnElement[Any]:
    """The primary key of a table whose key is ``id``."""
    return model.__table__.c["id"]
