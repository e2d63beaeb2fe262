"""Whose mail may take another way once rows of the mail tables come or go.

Those are the addresses of the rows themselves and, step by step, the aliases that lead
to them. A catch-all touches the mailboxes and aliases of its domain too.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ..models import Alias, Domain, User
from . import addresses, rows

# At most so many addresses are looked at for one question; the others are only counted.
MOST = 400
# So many are read to say how many more there are.
MOST_READ = 10_000
# A local part that nobody has: what mail to any other address of a domain does.
ANYBODY = "any-other-address.of-this-domain"


@dataclass
class Affected:
    """The addresses to compare, in lower case; ``@domain`` is any other address there.

    ``unseen``: how many more there are at least.
    """

    addresses: list[str] = field(default_factory=list)
    unseen: int = 0

    def add(self, found: Iterable[str]) -> set[str]:
        """Take these in as far as there is room; returns those that are new."""
        known = set(self.addresses)
        new = [address for address in dict.fromkeys(found) if address not in known]
        room = max(MOST - len(self.addresses), 0)
        self.addresses += new[:room]
        self.unseen += len(new[room:])
        return set(new[:room])


def of(session: Session, touched: Collection[str]) -> Affected:
    """What is affected by changes of the rows of these addresses, the given ones first."""
    affected = Affected()
    ahead = affected.add(address.lower() for address in touched)
    catch_alls = sorted(address for address in ahead if address.startswith("@"))
    if catch_alls:
        ahead |= affected.add(_in_domains(session, catch_alls))
    while ahead:
        ahead = affected.add(_leading_to(session, ahead))
    return affected


def traced(address: str) -> str:
    """The address to look up for one of those that are affected."""
    return f"{ANYBODY}{address}" if address.startswith("@") else address


def named(address: str) -> str:
    """The other way round: what stands for any other address of a domain is ``@domain``."""
    return address.removeprefix(ANYBODY) if address.startswith(f"{ANYBODY}@") else address


def _leading_to(session: Session, places: Collection[str]) -> list[str]:
    """The sources whose destination is one of these, or ``@domain`` of one of these."""
    locals_at: dict[str, list[str]] = {}
    for place in places:
        local_part, domain = addresses.split(place)
        locals_at.setdefault(f"@{domain}", []).append(local_part)
    wanted = {*places, *locals_at}
    found: list[str] = []
    for some in rows.chunks(sorted(wanted)):
        names = func.lower(Alias.source), func.lower(Alias.destination)
        leading = select(*names).where(Alias.destination.in_(some))
        for source, destination in session.execute(leading.order_by(Alias.id).limit(MOST_READ)):
            if destination in locals_at and source.startswith("@"):
                # A domain's mail goes to the same names in another domain.
                found += [f"{name}{source}" for name in locals_at[destination]]
            else:
                found.append(source)
    return found


def _in_domains(session: Session, catch_alls: Collection[str]) -> list[str]:
    """The mailboxes of the domains whose catch-all is touched, and what leads into these.

    Of the latter those that are aliases of the same domain: others would have to be looked
    for among all aliases there are.
    """
    names = [catch_all[1:] for catch_all in catch_alls]
    ids = list(session.scalars(select(Domain.id).where(Domain.name.in_(names))))
    emails = select(func.lower(User.email)).where(User.domain_id.in_(ids))
    found = list(session.scalars(emails.order_by(User.email).limit(MOST_READ)))
    into = or_(*(Alias.destination.endswith(name, autoescape=True) for name in catch_alls))
    sources = select(func.lower(Alias.source)).where(Alias.domain_id.in_(ids), into)
    return found + list(session.scalars(sources.order_by(Alias.source).limit(MOST_READ)))
