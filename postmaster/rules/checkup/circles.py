"""Aliases that lead round in a circle, and the row that closes each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from ...errors import Phrase
from ...models import Alias, User
from .. import addresses, rows, settings
from .aliases import sample, without_extension
from .findings import MOST_SAMPLES, Finding, Kind, Severity
from .scanning import domain_part, local_part

CIRCLE = Kind(
    "alias-circle",
    Severity.ERROR,
    Phrase("Aliases that lead round in a circle"),
    Phrase("Every message is put off after it was sent: senders try again for days, then give up."),
    Phrase(
        "Deletes the newest row of each circle, which closed it. Mail goes where the other "
        "rows lead."
    ),
)
# What stands before the @ of an address that a catch-all takes, whatever it is.
ANYTHING = "*"


@dataclass(frozen=True)
class Row:
    """One alias, in small letters."""

    id: int
    source: str
    destination: str


@dataclass(frozen=True)
class Edge:
    """A row leads from one address to another."""

    start: str
    end: str
    row_id: int


def find(session: Session) -> list[Finding]:
    """The rows that lie on a circle."""
    on_circles = sorted({edge.row_id for edge in edges_on_circles(session)})
    if not on_circles:
        return []
    first = rows.present(session, Alias, on_circles[:MOST_SAMPLES])
    samples = [sample(alias) for alias in sorted(first, key=lambda alias: alias.id)]
    return [Finding(CIRCLE, len(on_circles), samples)]


def closing(session: Session) -> list[int]:
    """The ids of the rows that close a circle, if rows are added in the order of their ids."""
    by_row: dict[int, list[Edge]] = {}
    for edge in edges_on_circles(session):
        by_row.setdefault(edge.row_id, []).append(edge)
    leads: dict[str, set[str]] = {}
    closes = []
    for row_id, edges in sorted(by_row.items()):
        if any(edge.start in _reached(leads, edge.end) for edge in edges):
            closes.append(row_id)
            continue
        for edge in edges:
            leads.setdefault(edge.start, set()).add(edge.end)
    return closes


def edges_on_circles(session: Session) -> list[Edge]:
    """Which address leads to which on a circle."""
    delimiter = settings.value_of(session, settings.RECIPIENT_DELIMITER)
    has_map = settings.value_of(session, settings.EMAIL2EMAIL_MAP)
    without = None if delimiter == settings.NO_DELIMITER else str(delimiter)
    found = _rows_leading_on(session, without, has_map=has_map)
    mailboxes = _mailboxes(session, found) if has_map and found else set()
    edges = _edges(found, without, mailboxes)
    part_of = _components(edges)
    return [edge for edge in edges if part_of[edge.start] == part_of[edge.end]]


def _rows_leading_on(session: Session, delimiter: str | None, *, has_map: bool) -> list[Row]:
    """The rows whose destination is an alias again; the others are on no circle."""
    on, catch_all = aliased(Alias), aliased(Alias)
    destination = Alias.destination
    caught: ColumnElement[bool] = exists().where(
        catch_all.source == literal("@").concat(domain_part(destination))
    )
    if has_map:
        caught = and_(caught, ~exists().where(User.email == destination))
    ways: list[ColumnElement[bool]] = [exists().where(on.source == destination), caught]
    if delimiter is not None:
        base = aliased(Alias)
        has_extension = local_part(destination).contains(delimiter, autoescape=True)
        leads_on = exists().where(base.source == without_extension(destination, delimiter))
        ways.append(and_(has_extension, leads_on))
    query = select(Alias.id, func.lower(Alias.source), func.lower(destination)).where(or_(*ways))
    return [Row(*row) for row in session.execute(query.order_by(Alias.id))]


def _mailboxes(session: Session, found: Sequence[Row]) -> set[str]:
    wanted = {row.destination for row in found} | {row.source for row in found}
    return {user.email.lower() for user in rows.where_in(session, User, User.email, wanted)}


def _edges(found: Sequence[Row], delimiter: str | None, mailboxes: set[str]) -> list[Edge]:
    """Follow every address as Postfix looks it up; see postconf(5), virtual_alias_maps.

    First the address, then without its extension, then its domain's catch-all; where the
    server has the email2email map, a mailbox is itself before that. What is among its own
    destinations goes no further.
    """
    by_source: dict[str, list[Row]] = {}
    for row in found:
        by_source.setdefault(row.source, []).append(row)
    ahead = [f"{ANYTHING}{s}" if s.startswith("@") else s for s in by_source]
    seen = set(ahead)
    edges: list[Edge] = []
    while ahead:
        address = ahead.pop()
        targets = [
            (_target(address, row), row)
            for row in _looked_up(address, by_source, delimiter, mailboxes)
        ]
        if any(target == address for target, _row in targets):
            continue
        for target, row in targets:
            edges.append(Edge(address, target, row.id))
            if target not in seen:
                seen.add(target)
                ahead.append(target)
    return edges


def _looked_up(
    address: str,
    by_source: Mapping[str, list[Row]],
    delimiter: str | None,
    mailboxes: set[str],
) -> list[Row]:
    if address in by_source:
        return by_source[address]
    local, domain = addresses.split(address)
    base = local.split(delimiter)[0] if delimiter else local
    if base and base != local and f"{base}@{domain}" in by_source:
        return by_source[f"{base}@{domain}"]
    if address in mailboxes:
        return []
    return by_source.get(f"@{domain}", [])


def _target(address: str, row: Row) -> str:
    """``@domain`` as a destination takes over what stands before the @."""
    if row.destination.startswith("@"):
        return f"{addresses.split(address)[0]}{row.destination}"
    return row.destination


def _reached(leads: Mapping[str, set[str]], start: str) -> set[str]:
    seen, ahead = {start}, [start]
    while ahead:
        for address in leads.get(ahead.pop(), ()):
            if address not in seen:
                seen.add(address)
                ahead.append(address)
    return seen


def _components(edges: Iterable[Edge]) -> dict[str, int]:
    """Of each address a number; two have the same if each leads to the other.

    Kosaraju's two passes, without recursion: a chain may be long.
    """
    forward: dict[str, list[str]] = {}
    backward: dict[str, list[str]] = {}
    for edge in edges:
        forward.setdefault(edge.start, []).append(edge.end)
        forward.setdefault(edge.end, [])
        backward.setdefault(edge.end, []).append(edge.start)
    part_of: dict[str, int] = {}
    for start in reversed(_finished(forward)):
        if start in part_of:
            continue
        number = len(part_of)
        ahead = [start]
        while ahead:
            address = ahead.pop()
            if address not in part_of:
                part_of[address] = number
                ahead += backward.get(address, [])
    return part_of


def _finished(forward: Mapping[str, list[str]]) -> list[str]:
    """The addresses in the order in which a search to the depth leaves them."""
    order: list[str] = []
    seen: set[str] = set()
    for start in forward:
        stack = [] if start in seen else [(start, iter(forward[start]))]
        seen.add(start)
        while stack:
            address, following = stack[-1]
            for other in following:
                if other not in seen:
                    seen.add(other)
                    stack.append((other, iter(forward[other])))
                    break
            else:
                order.append(address)
                stack.pop()
    return order
