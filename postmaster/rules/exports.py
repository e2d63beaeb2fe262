"""Domains, users and aliases as a file that an import reads back.

Ordered by name, without ids, so that what was exported, imported into an empty database and
exported again is the same to the byte. Streamed: a million rows take no more memory than ten.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, select
from sqlalchemy.orm import Session

from ..errors import Invalid
from ..models import Alias, Domain, Suspension, User
from . import domains, notes, suspensions
from .actor import Actor
from .declarations import writing
from .history import Kind
from .imports import csv_rows, fields, own_json

AT_ONCE = 1000  # rows that the database hands over
Fields = dict[str, str]
Groups = Iterable[tuple[str, Iterable[Fields]]]


def pieces(
    session: Session, actor: Actor, format_name: str, names: Sequence[str] = ()
) -> Iterator[str]:
    """The file in pieces, of all domains or of those with these names.

    Nothing else may be asked of the session meanwhile, and it is closed at the end. Raises
    Invalid for an unknown format, and NotFound for a domain that is not there; both before the
    first piece.
    """
    if format_name not in FORMATS:
        raise Invalid("The format must be one of: %(names)s", field="format", names=list(FORMATS))
    for name in names:
        domains.by_name(session, actor, name)
    ids = [each for name in names for each in domains.ids_named(session, actor, name)]
    written = (
        (f"{line}\n" for line in writing.lines(session, actor, ids if names else None))
        if format_name == DECLARATION
        else WRITERS[format_name](_groups(session, ids if names else None))
    )
    return _closing(session, written)


def _closing(session: Session, written: Iterator[str]) -> Iterator[str]:
    """The request that asked is over by then, and nothing else gives the connection back."""
    try:
        yield from written
    finally:
        session.close()


# --- rows -----------------------------------------------------------------------


def _groups(session: Session, domain_ids: Sequence[int] | None) -> Groups:
    """Each kind with its rows; a kind is read to its end before the next."""
    named = select(Domain.name, notes.beside(Kind.DOMAIN)).distinct().order_by(Domain.name)
    mailboxes = (
        select(User.email, User.password, Suspension.password, notes.beside(Kind.USER))
        .outerjoin(Suspension, suspensions.is_kept())
        .order_by(User.email)
    )
    leading = (
        select(Alias.source, Alias.destination, notes.beside(Kind.ALIAS))
        .distinct()
        .order_by(Alias.source, Alias.destination)
    )
    if domain_ids is not None:
        named = named.where(Domain.id.in_(domain_ids))
        mailboxes = mailboxes.where(User.domain_id.in_(domain_ids))
        leading = leading.where(Alias.domain_id.in_(domain_ids))
    yield Kind.DOMAIN, (_domain(*row) for row in _streamed(session, named))
    yield Kind.USER, (_user(*row) for row in _streamed(session, mailboxes))
    yield Kind.ALIAS, (_alias(*row) for row in _streamed(session, leading))


def _streamed(session: Session, query: Executable) -> Iterator[Any]:
    return iter(session.execute(query, execution_options={"yield_per": AT_ONCE}))


def _domain(name: str, note: str | None) -> Fields:
    return {"address": name, "note": note or ""}


def _user(email: str, password: str, kept: str | None, note: str | None) -> Fields:
    """A suspended user has its address and hash as they will be again."""
    user = User(email=email, password=password)
    mode = suspensions.mode_of(user)
    is_marked = password == suspensions.MARKER
    return {
        "address": suspensions.address_of(user),
        "hash": kept if is_marked and kept is not None else password,
        "suspended": mode or "",
        "note": note or "",
    }


def _alias(source: str, destination: str, note: str | None) -> Fields:
    return {"address": source, "destination": destination, "note": note or ""}


# --- formats --------------------------------------------------------------------


def _csv(groups: Groups) -> Iterator[str]:
    yield _csv_line(fields.COLUMNS)
    for kind, rows in groups:
        for row in rows:
            cells = (row.get(column, "") for column in fields.COLUMNS[1:])
            yield _csv_line([kind, *map(csv_rows.neutralised, cells)])


def _csv_line(cells: Sequence[str]) -> str:
    """Every cell quoted: a spreadsheet splits at its own separator, whatever ours is."""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _json(groups: Groups) -> Iterator[str]:
    """One item a line, for those who compare two exports."""
    lists = {kind: name for name, kind in own_json.LISTS.items()}
    yield "{"
    before_list = ""
    for kind, rows in groups:
        yield f'{before_list}\n"{lists[kind]}": ['
        before_item = ""
        for row in rows:
            item = {own_json.NAMES[kind]: row.pop("address")}
            item |= {field: text for field, text in row.items() if text}
            yield f"{before_item}\n{json.dumps(item, ensure_ascii=False)}"
            before_item = ","
        yield "\n]"
        before_list = ","
    yield "\n}\n"


WRITERS: Mapping[str, Callable[[Groups], Iterator[str]]] = {"csv": _csv, "json": _json}
# What ``manage.py plan`` and ``apply`` read.
DECLARATION = "yaml"
FORMATS = (*WRITERS, DECLARATION)
