"""What can be done about odd aliases."""

from sqlalchemy.orm import Session

from ...errors import Invalid
from ...models import Alias, Domain
from .. import addresses, alias_rules, expansion, lengths, removals, rows
from ..history import Kind as Noun
from . import aliases, circles
from .domain_repairs import lowered
from .findings import Kind
from .plans import (
    ALIKE,
    MOST_ROWS,
    MOST_SLOW_ROWS,
    NOT_AN_ADDRESS,
    Left,
    Plan,
    Step,
    changed,
    deleted,
    made,
)
from .scanning import BLANKS


def _found(session: Session, kind: Kind, most: int = MOST_ROWS) -> tuple[list[Alias], bool]:
    """The first rows of a kind, and whether these are all."""
    found: list[Alias] = aliases.scan(session).rows(session, kind.code, most + 1)
    return found[:most], len(found) <= most


# --- rows that go ---------------------------------------------------------------


def delete_empty(session: Session) -> Plan:
    """Rows without destination go."""
    found, is_whole = _found(session, aliases.EMPTY)
    return Plan(aliases.EMPTY, [deleted(alias) for alias in found], is_whole=is_whole)


def delete_doubles(session: Session) -> Plan:
    """Of equal rows all but the first go; not one that the database alone takes for another."""
    found, is_whole = _found(session, aliases.DOUBLE)
    first: dict[tuple[str, str], int] = {}
    for alias in rows.where_in(session, Alias, Alias.source, {alias.source for alias in found}):
        first[_pair(alias)] = min(alias.id, first.get(_pair(alias), alias.id))
    steps = [deleted(alias) for alias in found if first[_pair(alias)] < alias.id]
    alone = [alias for alias in found if first[_pair(alias)] == alias.id]
    left = [Left(aliases.sample(alias), ALIKE) for alias in alone]
    return Plan(aliases.DOUBLE, steps, left, is_whole)


def _pair(alias: Alias) -> tuple[str, str]:
    return addresses.folded(alias.source), addresses.folded(alias.destination)


def delete_dangling(session: Session) -> Plan:
    """Rows that lead nowhere go, and those that would lead nowhere then."""
    found, is_whole = _found(session, aliases.DANGLING)
    gone = {alias.id: alias for alias in found}
    gone |= {alias.id: alias for alias in removals.pointing_nowhere(session, found)}
    return Plan(aliases.DANGLING, [deleted(a) for a in gone.values()], is_whole=is_whole)


def open_circles(session: Session) -> Plan:
    """The row that closes each circle goes."""
    ids = circles.closing(session)
    found = sorted(rows.present(session, Alias, ids[:MOST_ROWS]), key=lambda alias: alias.id)
    steps = [deleted(alias) for alias in found]
    return Plan(circles.CIRCLE, steps, is_whole=len(ids) <= MOST_ROWS)


# --- rows that are written otherwise --------------------------------------------


def trim_source(session: Session) -> Plan:
    """Blanks that keep an alias from being found go."""
    found, is_whole = _found(session, aliases.NEVER_FOUND, MOST_SLOW_ROWS)
    steps: list[Step] = []
    left: list[Left] = []
    pairs: set[tuple[str, str]] = set()
    for alias in found:
        destination = alias.destination.strip(BLANKS)
        try:
            source = alias_rules.checked_source(alias.source.strip(BLANKS))
            domain = alias_rules.domain_of(session, source, field="source")
            alias_rules.check_mailbox_keeps_its_mail(session, source, destination.lower())
            alias_rules.check_is_new(session, source, destination)
            alias_rules.check_closes_no_circle(session, [source], destination, [alias.id])
            _check_is_new_here(pairs, source, destination)
        except Invalid as error:
            left.append(Left.because(aliases.sample(alias), error))
        else:
            steps.append(changed(alias, source=source, domain_id=domain.id))
    return Plan(aliases.NEVER_FOUND, steps, left, is_whole)


def _check_is_new_here(pairs: set[tuple[str, str]], source: str, destination: str) -> None:
    pair = (source, destination.lower())
    if pair in pairs:
        raise Invalid("The same alias is there twice")
    pairs.add(pair)


def trim(session: Session) -> Plan:
    """Blanks around addresses go."""
    found, is_whole = _found(session, aliases.BLANKS)
    steps = [
        changed(
            alias,
            source=alias.source.rstrip(" "),
            destination=alias.destination.strip(" \t"),
        )
        for alias in found
    ]
    return Plan(aliases.BLANKS, steps, is_whole=is_whole)


def lower(session: Session) -> Plan:
    """Capital letters go, but for destinations on other servers, which may read them otherwise."""
    found, is_whole = _found(session, aliases.MIXED_CASE)
    ids = [alias.id for alias in found]
    sources = lowered(session, Alias.id, Alias.source, ids)
    destinations = lowered(session, Alias.id, Alias.destination, ids)
    names = {addresses.split(text)[1] for text in destinations.values()}
    here = {d.name.lower().rstrip(" ") for d in rows.where_in(session, Domain, Domain.name, names)}
    steps = []
    for alias in found:
        new: dict[str, object] = {"source": sources[alias.id]}
        if addresses.split(destinations[alias.id])[1].rstrip(" ") in here:
            new["destination"] = destinations[alias.id]
        steps.append(changed(alias, **new))
    return Plan(aliases.MIXED_CASE, steps, is_whole=is_whole)


def split_lists(session: Session) -> Plan:
    """Each address of a list gets a row of its own."""
    return _rewrite(session, aliases.LIST)


def take_names_off(session: Session) -> Plan:
    """A name beside an address goes."""
    return _rewrite(session, aliases.NAMED)


def _rewrite(session: Session, kind: Kind) -> Plan:
    found, is_whole = _found(session, kind)
    own = {alias.id for alias in found}
    pairs = {
        (alias.source.lower(), alias.destination.lower())
        for alias in rows.where_in(session, Alias, Alias.source, {a.source for a in found})
        if alias.id not in own
    }
    steps: list[Step] = []
    left: list[Left] = []
    for alias in found:
        texts = expansion.read_destination(alias.destination)
        try:
            destinations = [_address(text) for text in texts]
        except Invalid as error:
            left.append(Left.because(aliases.sample(alias), error))
            continue
        source = alias.source.lower()
        new = []
        for text in destinations:
            if (source, text.lower()) not in pairs:
                pairs.add((source, text.lower()))
                new.append(text)
        steps += [changed(alias, destination=text) for text in new[:1]] or [deleted(alias)]
        values = {"domain_id": alias.domain_id, "source": alias.source}
        steps += [made(Noun.ALIAS, **values, destination=text) for text in new[1:]]
    return Plan(kind, steps, left, is_whole)


def _address(address: str) -> str:
    """One address of a destination, in its own spelling."""
    checked = addresses.alias_destination(address)
    lengths.check(address, Alias.destination, "destination")
    if checked != address.lower():
        raise Invalid(NOT_AN_ADDRESS, text=address)
    return address
