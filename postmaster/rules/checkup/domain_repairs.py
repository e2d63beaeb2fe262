"""What can be done about odd domains, and about rows that are in none or in a wrong one."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...errors import Invalid
from ...models import Alias, Domain, User
from .. import addresses, alias_rules, lengths, rows, suspensions
from ..history import Kind as Noun
from . import aliases, domains, users
from .findings import Kind, Sample
from .plans import ALIKE, MOST_ROWS, Left, Plan, Step, changed, deleted, made
from .scanning import BLANKS, Scan

Inside = TypeVar("Inside", User, Alias)


def trim(session: Session) -> Plan:
    """Blanks that keep a domain from being found go."""
    found = domains.scan().rows(session, domains.NEVER_FOUND.code, MOST_ROWS + 1)
    steps: list[Step] = []
    left: list[Left] = []
    for domain in found[:MOST_ROWS]:
        try:
            name = checked_name(domain.name.strip(BLANKS))
        except Invalid as error:
            left.append(Left.because(Sample("domain", domain.id, domain.name), error))
        else:
            steps.append(changed(domain, name=name))
    return Plan(domains.NEVER_FOUND, steps, left, len(found) <= MOST_ROWS)


def checked_name(name: str) -> str:
    """A name that needs no other spelling than small letters. Raises Invalid."""
    checked = addresses.domain_name(name)
    lengths.check(checked, Domain.name, "name")
    if checked != name.lower():
        raise Invalid('The domain would have to be written as "%(name)s"', name=checked)
    return checked


def lower(session: Session) -> Plan:
    """Capital letters of domains go."""
    found = domains.scan().rows(session, domains.MIXED_CASE.code, MOST_ROWS + 1)
    small = lowered(session, Domain.id, Domain.name, [domain.id for domain in found])
    steps = [changed(domain, name=small[domain.id]) for domain in found[:MOST_ROWS]]
    return Plan(domains.MIXED_CASE, steps, is_whole=len(found) <= MOST_ROWS)


def lowered(
    session: Session,
    key: InstrumentedAttribute[int],
    column: InstrumentedAttribute[str],
    ids: Collection[int],
) -> dict[int, str]:
    """The texts in small letters as the database writes them, by the rows' ids."""
    found: dict[int, str] = {}
    for some in rows.chunks(ids):
        small = select(key, func.lower(column)).where(key.in_(some))
        found |= {row_id: str(text) for row_id, text in session.execute(small)}
    return found


def trim_end(session: Session) -> Plan:
    """Blanks after domains go."""
    found = domains.scan().rows(session, domains.BLANK_AT_END.code, MOST_ROWS + 1)
    steps = [changed(domain, name=domain.name.rstrip(" ")) for domain in found[:MOST_ROWS]]
    return Plan(domains.BLANK_AT_END, steps, is_whole=len(found) <= MOST_ROWS)


def merge(session: Session) -> Plan:
    """What is in a domain's further rows moves to its first, and they go.

    Not where the database alone takes the names for one.
    """
    steps: list[Step] = []
    left: list[Left] = []
    for domain in domains.scan().rows(session, domains.DOUBLE.code, MOST_ROWS):
        same = rows.where_in(session, Domain, Domain.name, [domain.name])
        same.sort(key=lambda row: row.id)
        own = addresses.folded(domain.name)
        first = next(row for row in same if addresses.folded(row.name) == own)
        if first is domain:
            left.append(Left(Sample("domain", domain.id, domain.name), ALIKE))
            continue
        room = MOST_ROWS - len(steps)
        inside: list[User | Alias] = [*_of_domain(session, User, domain.id, room + 1)]
        inside += _of_domain(session, Alias, domain.id, room + 1)
        steps += [changed(row, domain_id=first.id) for row in inside[:room]]
        if len(inside) >= room:
            return Plan(domains.DOUBLE, steps, left, is_whole=False)
        steps.append(deleted(domain))
    return Plan(domains.DOUBLE, steps, left)


def _of_domain(session: Session, model: type[Inside], domain_id: int, most: int) -> list[Inside]:
    found = select(model).where(model.domain_id == domain_id).order_by(model.id)
    return list(session.scalars(found.limit(most)))


# --- rows of no domain, or of another -------------------------------------------


def add_domains_of_users(session: Session) -> Plan:
    """The domains that users' addresses name are added."""
    scan = users.scan()
    return _add_domains(session, scan, users.NO_DOMAIN, suspensions.address_of)


def add_domains_of_aliases(session: Session) -> Plan:
    """The domains that aliases' sources name are added."""
    scan = aliases.scan(session)
    return _add_domains(session, scan, aliases.NO_DOMAIN, lambda alias: str(alias.source))


def _add_domains(
    session: Session, scan: Scan, kind: Kind, address_of: Callable[[Any], str]
) -> Plan:
    found = scan.rows(session, kind.code, MOST_ROWS + 1)
    names: set[str] = set()
    left = []
    for row in found[:MOST_ROWS]:
        try:
            names.add(checked_name(addresses.split(address_of(row))[1].rstrip(" ")))
        except Invalid as error:
            left.append(Left.because(scan.sample(row), error))
    steps = [made(Noun.DOMAIN, name=name) for name in sorted(names)]
    return Plan(kind, steps, left, len(found) <= MOST_ROWS)


def move_users(session: Session) -> Plan:
    """Users move to the domain of their address."""
    found = users.scan().rows(session, users.OTHER_DOMAIN.code, MOST_ROWS + 1)
    return _move(session, users.OTHER_DOMAIN, found, suspensions.address_of)


def move_aliases(session: Session) -> Plan:
    """Aliases move to the domain of their source."""
    found = aliases.scan(session).rows(session, aliases.OTHER_DOMAIN.code, MOST_ROWS + 1)
    return _move(session, aliases.OTHER_DOMAIN, found, lambda alias: str(alias.source))


def _move(
    session: Session, kind: Kind, found: Sequence[Any], address_of: Callable[[Any], str]
) -> Plan:
    ids: dict[str, int] = {}
    steps = []
    for row in found[:MOST_ROWS]:
        name = addresses.split(address_of(row))[1]
        if name not in ids:
            ids[name] = alias_rules.domain_of(session, address_of(row), field="email").id
        steps.append(changed(row, domain_id=ids[name]))
    return Plan(kind, steps, is_whole=len(found) <= MOST_ROWS)
