"""The history of many rows at once: the database copies them, and none is fetched.

The entries are those that ``history.add_to`` would add, several times as fast.
"""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, bindparam, case, cast, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..db import Base
from ..models import Alias, HistoryEntry, HistorySecret, User
from . import history, rows, suspensions
from .actor import Actor
from .history import Action, Kind
from .suspensions import Mode

# What each row has of its own in the history.
OF_ROWS = frozenset({"object_id", "object_name", "old", "new"})


@dataclass(frozen=True)
class Recorded:
    """How rows of a table are recorded, in SQL: as ``history.Change`` has it.

    ``sorted_by``: in which order they are when they go; ``password``: the hash that is kept
    apart for undo then.
    """

    kind: Kind
    model: type[Base]
    name: ColumnElement[str]
    values: ColumnElement[Any]
    sorted_by: ColumnElement[str]
    password: ColumnElement[str] | None = None


@cache
def users() -> Recorded:
    """As ``users.as_created`` and ``users.as_removed`` have it."""
    address = suspensions.address()
    fields = ("domain_id", User.domain_id, "email", address)
    mode = case((suspensions.gets_no_mail(), Mode.ALL.value), else_=Mode.SIGN_IN.value)
    suspended = func.json_object(*fields, "suspended", mode)
    return Recorded(
        kind=Kind.USER,
        model=User,
        name=address,
        values=case((suspensions.condition(), suspended), else_=func.json_object(*fields)),
        sorted_by=address,
        password=suspensions.kept_hash(),
    )


@cache
def aliases() -> Recorded:
    """As ``aliases.as_created`` and ``aliases.as_removed`` have it."""
    fields = ("domain_id", Alias.domain_id, "source", Alias.source)
    return Recorded(
        kind=Kind.ALIAS,
        model=Alias,
        name=Alias.source.concat(" -> ").concat(Alias.destination),
        values=func.json_object(*fields, "destination", Alias.destination),
        sorted_by=Alias.source.expression,
    )


def add_created(
    session: Session,
    actor: Actor,
    head_id: int,
    recorded: Recorded,
    column: InstrumentedAttribute[str],
    names: Collection[str],
) -> None:
    """Add the creation of the rows with these names in a column to a head."""
    for some in rows.chunks(names):
        _copy(session, actor, head_id, Action.CREATE, recorded, [column.in_(some)])
    made = history.Change(Action.CREATE, recorded.kind, 0, "", new={})
    history.log(session, actor, (dataclasses.replace(made, name=name) for name in names))


def add_removed(
    session: Session,
    actor: Actor,
    head_id: int,
    recorded: Recorded,
    *conditions: ColumnElement[bool],
) -> None:
    """Add the removal of rows, which are there still, to a head, as what came along."""
    # By their octets, as Python would sort them.
    order = (cast(func.lower(recorded.sorted_by), LargeBinary), rows.key_of(recorded.model))
    if recorded.password is None:
        _copy(session, actor, head_id, Action.DELETE, recorded, conditions, order)
        return
    # A head may have very many parts already.
    before = session.scalar(select(func.max(HistoryEntry.id))) or 0
    _copy(session, actor, head_id, Action.DELETE, recorded, conditions, order)
    added = (
        select(HistoryEntry.id, recorded.password)
        .join(recorded.model, rows.key_of(recorded.model) == HistoryEntry.object_id)
        .where(HistoryEntry.part_of == head_id, HistoryEntry.id > before)
        .where(HistoryEntry.kind == recorded.kind, *conditions)
    )
    secrets = insert(HistorySecret).from_select(["entry_id", "password"], added)
    session.connection().execute(secrets)


def _copy(
    session: Session,
    actor: Actor,
    head_id: int,
    action: Action,
    recorded: Recorded,
    conditions: Collection[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]] = (),
) -> None:
    change = history.Change(action, recorded.kind, 0, "")
    columns = history.columns(actor, history.now(), change, head_id, None)
    constant = {column: value for column, value in columns.items() if column not in OF_ROWS}
    table = HistoryEntry.__table__
    found = select(
        *(bindparam(None, value, table.c[column].type) for column, value in constant.items()),
        *(rows.key_of(recorded.model), recorded.name, recorded.values),
    ).where(*conditions)
    kept_in = "new" if action is Action.CREATE else "old"
    copied = insert(HistoryEntry).from_select(
        [*constant, "object_id", "object_name", kept_in],
        found.order_by(*order),
        include_defaults=False,
    )
    session.connection().execute(copied)
