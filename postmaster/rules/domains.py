"""The acts on domains: create, rename while empty, delete, search."""

import contextlib
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound
from ..models import Alias, Domain, User
from . import addresses, aliases, history, lengths, paging, rows, turns, users
from .actor import Actor

LISTING = paging.Listing(
    model=Domain,
    searched=(Domain.name,),
    sortable={"id": Domain.id, "name": Domain.name},
    sorted_by="name",
)


@dataclass(frozen=True)
class GoesWith:
    """What is deleted along with a domain."""

    users: list[User]
    aliases: list[Alias]
    aliases_elsewhere: list[Alias]


def find(session: Session, actor: Actor, criteria: paging.Criteria) -> paging.Page[Domain]:
    """A page of domains."""
    return LISTING.find(session, criteria)


def get(session: Session, actor: Actor, domain_id: int) -> Domain:
    """One domain by its id. Raises NotFound."""
    return rows.by_id(session, Domain, domain_id, "domain")


def by_name(session: Session, actor: Actor, name: str) -> Domain:
    """One domain by its name, as typed by the operator, in either form. Raises NotFound."""
    spellings = {addresses.trim(name)}
    with contextlib.suppress(Invalid):  # a row made by hand may have any name
        spellings.add(addresses.domain_name(name))
    domain = session.scalar(
        select(Domain).where(Domain.name.in_(spellings)).order_by(Domain.id).limit(1)
    )
    if domain is None:
        raise NotFound('The domain "%(name)s" was not found', name=addresses.shown(name))
    return domain


def create(session: Session, actor: Actor, *, name: str) -> Domain:
    """Add a domain. The mail server takes mail for it at once."""
    turns.take(session, turns.Queue.MAIL)
    checked = _checked_name(session, name)
    domain = Domain(name=checked)
    session.add(domain)
    session.flush()
    history.record(
        session,
        actor,
        history.Action.CREATE,
        history.Kind.DOMAIN,
        domain.id,
        checked,
        new={"name": checked},
    )
    return domain


def change(session: Session, actor: Actor, domain_id: int, *, name: str) -> Domain:
    """Rename a domain that has no users or aliases: their addresses and mail would stay behind."""
    turns.take(session, turns.Queue.MAIL)
    domain = get(session, actor, domain_id)
    for model in (User, Alias):
        if session.scalar(select(model.id).where(model.domain_id == domain.id).limit(1)):
            raise Invalid(
                'The domain "%(name)s" has users or aliases and cannot be renamed; '
                "add the new domain beside it",
                name=domain.name,
            )
    old = domain.name
    checked = _checked_name(session, name, besides=domain)
    if checked == old:
        return domain
    domain.name = checked
    session.flush()
    history.record(
        session,
        actor,
        history.Action.CHANGE,
        history.Kind.DOMAIN,
        domain.id,
        old,
        old={"name": old},
        new={"name": checked},
    )
    return domain


def goes_with(session: Session, actor: Actor, domain_id: int) -> GoesWith:
    """What is deleted with a domain: its users and aliases, and aliases to its users."""
    domain = get(session, actor, domain_id)
    emails = select(User.email).where(User.domain_id == domain.id)
    return GoesWith(
        users=list(
            session.scalars(select(User).where(User.domain_id == domain.id).order_by(User.email))
        ),
        aliases=list(
            session.scalars(
                select(Alias).where(Alias.domain_id == domain.id).order_by(Alias.source, Alias.id)
            )
        ),
        aliases_elsewhere=list(
            session.scalars(
                select(Alias)
                .where(Alias.domain_id != domain.id, Alias.destination.in_(emails))
                .order_by(Alias.source, Alias.id)
            )
        ),
    )


def remove(session: Session, actor: Actor, domain_id: int) -> None:
    """Delete a domain with all that goes with it. The mail on disk stays."""
    turns.take(session, turns.Queue.MAIL)
    domain = get(session, actor, domain_id)
    gone = goes_with(session, actor, domain_id)
    elsewhere = [alias.id for alias in gone.aliases_elsewhere]
    session.execute(delete(Alias).where(or_(Alias.domain_id == domain.id, Alias.id.in_(elsewhere))))
    session.execute(delete(User).where(User.domain_id == domain.id))
    session.execute(delete(Domain).where(Domain.id == domain.id))
    history.record(
        session,
        actor,
        history.Action.DELETE,
        history.Kind.DOMAIN,
        domain.id,
        domain.name,
        old={"name": domain.name},
        along=[
            *(users.as_removed(user) for user in gone.users),
            *(aliases.as_removed(alias) for alias in gone.aliases),
            *(aliases.as_removed(alias) for alias in gone.aliases_elsewhere),
        ],
    )


def _checked_name(session: Session, text: str, besides: Domain | None = None) -> str:
    if not text.strip():
        raise Invalid("The domain name was not specified", field="name")
    name = addresses.domain_name(text)
    lengths.check(name, Domain.name, "name")
    taken = select(func.min(Domain.id)).where(Domain.name == name)
    if besides is not None:
        taken = taken.where(Domain.id != besides.id)
    if session.scalar(taken) is not None:
        raise Invalid('The domain "%(name)s" already exists', field="name", name=name)
    return name
