"""Which rows a declaration's domains are about.

A domain's rows are those whose address is in it: the mail server never looks at which row
of domains they belong to. And what deletes rows does not go by the database's comparison
alone, since its collation may hold two names for one (``addresses.folded``).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...models import Alias, Domain, User
from .. import addresses, rows, suspensions
from ..checkup.scanning import domain_part, exact

Row = TypeVar("Row", User, Alias)


def domains(
    session: Session, names: Collection[str]
) -> tuple[dict[str, list[Domain]], list[Domain]]:
    """The rows of each of these names, and those that the database alone takes for one of them."""
    wanted = set(names)
    found: dict[str, list[Domain]] = {}
    alike = []
    for domain in rows.where_in(session, Domain, Domain.name, wanted):
        name = addresses.folded(domain.name)
        if name in wanted:
            found.setdefault(name, []).append(domain)
        else:
            alike.append(domain)
    return found, alike


def domain_of(row: User | Alias) -> str:
    """The domain that the row's address is in; empty where it is no address."""
    address = row.source if isinstance(row, Alias) else suspensions.address_of(row)
    _local_part, at, name = address.rpartition("@")
    return addresses.folded(name) if at else ""


def rows_of(
    session: Session,
    model: type[Row],
    names: Collection[str],
    there: Mapping[str, Sequence[Domain]],
) -> list[Row]:
    """The rows that belong to these domains, or whose addresses are in them."""
    ids = [domain.id for some in there.values() for domain in some]
    found = {row.id: row for row in rows.where_in(session, model, model.domain_id, ids)}
    found |= {row.id: row for row in strays(session, model, names, there)}
    return list(found.values())


def strays(
    session: Session,
    model: type[Row],
    names: Collection[str],
    there: Mapping[str, Sequence[Domain]],
) -> list[Row]:
    """The rows whose addresses are in these domains, but which belong to another row of domains."""
    column: InstrumentedAttribute[str] = Alias.source if model is Alias else User.email
    is_elsewhere = exact(func.lower(Domain.name)) != exact(func.lower(domain_part(column)))
    found = (
        select(model)
        .outerjoin(Domain, Domain.id == model.domain_id)
        .where(or_(Domain.id.is_(None), is_elsewhere))
    )
    ids = {name: [domain.id for domain in there.get(name, ())] for name in names}
    return [
        row
        for row in session.scalars(found)
        if domain_of(row) in ids and row.domain_id not in ids[domain_of(row)]
    ]
