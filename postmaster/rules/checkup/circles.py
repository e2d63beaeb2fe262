"""Aliases that lead round in a circle, and the row that closes each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from ...errors import Phrase
from ...models import Alias, User
from .. import addresses, expansion, mail_tables, rows
from ..expansion import AliasRow, How, Known, Server
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
class Edge:
    """One address leads to another; where it does so by a row of aliases, with its id."""

    start: str
    end: str
    row_id: int = 0


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
    server = mail_tables.server(session)
    candidates = _candidates(_rows_leading_on(session, server), server)
    if not candidates:
        return []
    known = expansion.fetch(mail_tables.StoredTables(session), server, _starts(candidates))
    return _on_circles(_edges(known, server))


def _rows_leading_on(session: Session, server: Server) -> list[AliasRow]:
    """The rows whose destination is an alias again; the others are on no circle."""
    on, catch_all = aliased(Alias), aliased(Alias)
    destination = Alias.destination
    caught: ColumnElement[bool] = exists().where(
        catch_all.source == literal("@").concat(domain_part(destination))
    )
    if server.email2email:
        caught = and_(caught, ~exists().where(User.email == destination))
    ways: list[ColumnElement[bool]] = [
        exists().where(on.source == destination),
        caught,
        destination.startswith("@"),
    ]
    if server.delimiter:
        base = aliased(Alias)
        has_extension = local_part(destination).contains(server.delimiter, autoescape=True)
        leads_on = exists().where(base.source == without_extension(destination, server.delimiter))
        ways.append(and_(has_extension, leads_on))
    query = select(Alias.id, func.lower(Alias.source), func.lower(destination)).where(or_(*ways))
    return [AliasRow(*row) for row in session.execute(query.order_by(Alias.id))]


def _candidates(found: Sequence[AliasRow], server: Server) -> list[AliasRow]:
    """Those of the rows that may lie on a circle, whichever key an address is found by."""
    in_domain: dict[str, list[str]] = {}
    for source in {row.source for row in found}:
        in_domain.setdefault(addresses.split(source)[1], []).append(source)
    edges: list[Edge] = []
    for row in found:
        to = row.destination
        if to.startswith("@"):  # to any address of the domain
            edges += [Edge(row.source, key, row.id or 0) for key in in_domain.get(to[1:], ())]
        else:
            keys = expansion.keys_of(to, server.delimiter)
            edges += [Edge(row.source, key, row.id or 0) for _how, key in keys]
    ids = {edge.row_id for edge in _on_circles(edges)}
    return [row for row in found if row.id in ids]


def _starts(candidates: Sequence[AliasRow]) -> set[str]:
    """The addresses from which every circle of these rows is entered."""
    starts = {row.source for row in candidates if not row.source.startswith("@")}
    locals_ = {addresses.split(start)[0] for start in starts} | {ANYTHING}
    catch_alls = {row.source for row in candidates if row.source.startswith("@")}
    return starts | {f"{local}{catch_all}" for local in locals_ for catch_all in catch_alls}


def _edges(known: Known, server: Server) -> list[Edge]:
    """What leads where, row by row; what is among its own destinations leads no further."""
    edges: list[Edge] = []
    for address, lookup in list(known.lookups.items()):
        if address in lookup.leads_to or not lookup.leads_to:
            continue
        key = lookup.asked[-1].key
        for row in known.aliases.get(key, ()):
            alone = expansion.look_up(address, server, Known(aliases={key: [row]}))
            start = _node(address, server, known)
            ends = [_node(to, server, known) for to in alone.leads_to]
            edges += [Edge(start, end, row.id or 0) for end in ends]
    return edges


def _node(address: str, server: Server, known: Known) -> str:
    """The address; one that is found without its extension, with any extension in its place.

    What it leads to has the extension too, which so may grow from round to round.
    """
    if expansion.look_up(address, server, known).how is not How.BARE:
        return address
    bare, extension = expansion.without_extension(address, server.delimiter)
    return f"{bare} with any {extension[0]}"


def _on_circles(edges: Sequence[Edge]) -> list[Edge]:
    part_of = _components(edges)
    return [edge for edge in edges if part_of[edge.start] == part_of[edge.end]]


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
