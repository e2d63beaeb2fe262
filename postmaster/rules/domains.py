"""The acts on domains: create, rename while empty, delete, search."""

import contextlib
from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound
from ..models import Alias, Domain, User
from . import (
    addresses,
    aliases,
    history,
    lengths,
    notes,
    paging,
    removals,
    rows,
    turns,
    users,
    versions,
)
from .actor import Actor
from .aliases import GoesWith, Orphans
from .suspensions import address_of

LISTING = paging.Listing(
    model=Domain,
    searched=(Domain.name,),
    sortable={"id": Domain.id, "name": Domain.name},
    sorted_by="name",
    also=notes.holding(history.Kind.DOMAIN),
)


def get(session: Session, actor: Actor, domain_id: int) -> Domain:
    """One domain by its id. Raises NotFound."""
    return rows.by_id(session, Domain, domain_id, "domain")


def get_several(session: Session, actor: Actor, domain_ids: Sequence[int]) -> list[Domain]:
    """Those of the domains with these ids that are there, by name."""
    return sorted(rows.present(session, Domain, domain_ids), key=lambda domain: domain.name.lower())


def by_name(session: Session, actor: Actor, name: str) -> Domain:
    """One domain by its name, as typed by the operator, in either form. Raises NotFound."""
    domain = session.scalar(_named(name).limit(1))
    if domain is None:
        raise NotFound('The domain "%(name)s" was not found', name=addresses.shown(name))
    return domain


def ids_named(session: Session, actor: Actor, name: str) -> list[int]:
    """The ids of all rows with this name, as typed; a server may hold several."""
    return [domain.id for domain in session.scalars(_named(name))]


def _named(name: str) -> Select[Domain]:
    spellings = {addresses.trim(name)}
    with contextlib.suppress(Invalid):  # a row made by hand may have any name
        spellings.add(addresses.domain_name(name))
    column = paging.comparable(Domain.name, *spellings)
    return select(Domain).where(column.in_(spellings)).order_by(Domain.id)


def create(session: Session, actor: Actor, *, name: str) -> Domain:
    """Add a domain. The mail server takes mail for it at once."""
    turns.take(session, turns.Queue.MAIL)
    checked = _checked_name(session, name)
    domain = Domain(name=checked)
    session.add(domain)
    session.flush()
    history.record_all(session, actor, [as_created(domain)])
    return domain


def version(session: Session, actor: Actor, domain: Domain) -> str:
    """The version of a row, for a form that changes it."""
    return versions.of(session, history.Kind.DOMAIN, domain.id, as_recorded(domain))


def change(
    session: Session, actor: Actor, domain_id: int, *, name: str, seen: str | None = None
) -> Domain:
    """Rename a domain that has no users or aliases: their addresses and mail would stay behind."""
    turns.take(session, turns.Queue.MAIL)
    domain = get(session, actor, domain_id)
    versions.check(session, history.Kind.DOMAIN, domain.id, as_recorded(domain), seen)
    if not is_empty(session, domain):
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
    along = notes.move(session, history.Kind.DOMAIN, old, checked)
    history.record(
        session,
        actor,
        history.Action.CHANGE,
        history.Kind.DOMAIN,
        domain.id,
        old,
        old={"name": old},
        new={"name": checked},
        along=along,
    )
    return domain


def is_empty(session: Session, domain: Domain) -> bool:
    """Whether no user and no alias is in it."""
    return all(
        session.scalar(select(model.id).where(model.domain_id == domain.id).limit(1)) is None
        for model in (User, Alias)
    )


def goes_with(session: Session, actor: Actor, *domain_ids: int) -> GoesWith:
    """What is deleted with a domain, or with several: users, aliases, what leads to them."""
    chosen = rows.by_ids(session, Domain, domain_ids, "domain")
    ids = [domain.id for domain in chosen]
    mailboxes = rows.where_in(session, User, User.domain_id, ids)
    emails = [address_of(user) for user in mailboxes]
    own = removals.in_order(rows.where_in(session, Alias, Alias.domain_id, ids))
    own_ids = {alias.id for alias in own}
    leading = [alias for alias in removals.leading_to(session, emails) if alias.id not in own_ids]
    mailboxes.sort(key=lambda user: address_of(user).lower())
    return removals.of(session, mailboxes, own, leading, emails)


def remove(
    session: Session,
    actor: Actor,
    domain_id: int,
    *,
    orphans: Orphans = Orphans.MAILBOX,
    seen: str | None = None,
    part_of: int | None = None,
) -> None:
    """Delete a domain with all that goes with it. The mail on disk stays."""
    remove_several(session, actor, [domain_id], orphans=orphans, seen=seen, part_of=part_of)


def remove_several(
    session: Session,
    actor: Actor,
    domain_ids: Sequence[int],
    *,
    orphans: Orphans = Orphans.MAILBOX,
    seen: str | None = None,
    part_of: int | None = None,
) -> None:
    """Delete several domains, all or none, as ``remove`` does with one."""
    turns.take(session, turns.Queue.MAIL)
    chosen = rows.by_ids(session, Domain, domain_ids, "domain")
    gone = goes_with(session, actor, *domain_ids)
    gone.check(seen)
    along = gone.aliases_gone(orphans)
    aliases_gone = aliases.removal(session, along)
    users_gone = users.removal(session, gone.users)
    rows.remove(session, Domain, [domain.id for domain in chosen])
    notes_gone = notes.remove_with(
        session,
        domains=[domain.name for domain in chosen],
        users=[change.name for change in users_gone],
    )
    history.record_all(
        session,
        actor,
        [as_removed(domain) for domain in chosen],
        along=[*users_gone, *aliases_gone, *notes_gone],
        part_of=part_of,
    )


def as_recorded(domain: Domain) -> dict[str, object]:
    """The domain as the history keeps it."""
    return {"name": domain.name}


def as_created(domain: Domain) -> history.Change:
    """A new domain, for the history."""
    kind, new = history.Kind.DOMAIN, as_recorded(domain)
    return history.Change(history.Action.CREATE, kind, domain.id, domain.name, new=new)


def as_removed(domain: Domain) -> history.Change:
    """A removed domain, for the history."""
    kind, old = history.Kind.DOMAIN, as_recorded(domain)
    return history.Change(history.Action.DELETE, kind, domain.id, domain.name, old=old)


def normalised(text: str) -> str:
    """The name of a domain, normalised. Raises Invalid."""
    check_is_specified(text)
    name = addresses.domain_name(text)
    lengths.check(name, Domain.name, "name")
    return name


def check_is_specified(name: str | None) -> None:
    """Refuse a domain without a name."""
    if name is None or not name.strip():
        raise Invalid("The domain name was not specified", field="name")


def _checked_name(session: Session, text: str, besides: Domain | None = None) -> str:
    name = normalised(text)
    taken = select(func.min(Domain.id)).where(Domain.name == name)
    if besides is not None:
        taken = taken.where(Domain.id != besides.id)
    if session.scalar(taken) is not None:
        raise is_taken(name)
    return name


def is_taken(name: str) -> Invalid:
    """The refusal of a name that is there already."""
    return Invalid('The domain "%(name)s" already exists', field="name", name=name)
