"""The acts on domains: create, rename while empty, delete, search."""

import contextlib
from collections.abc import Collection, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound
from ..models import Alias, Domain, Note, User
from . import (
    addresses,
    aliases,
    history,
    lengths,
    notes,
    paging,
    recording,
    removals,
    rows,
    suspensions,
    turns,
    versions,
)
from .actor import Actor
from .aliases import GoesWith, Orphans
from .history import Kind
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
    mailboxes = rows.columns_in(session, (User.id, User.email), User.domain_id, ids)
    mailboxes.sort(key=lambda user: address_of(user).lower())
    own = (Alias.id, Alias.domain_id, Alias.source, Alias.destination)
    own_aliases = removals.in_order(rows.columns_in(session, own, Alias.domain_id, ids))
    emails = [address_of(user) for user in mailboxes]
    leading = removals.leading_to(session, emails, Alias.domain_id.not_in(ids))
    return removals.of(session, mailboxes, own_aliases, leading, emails, domain_ids=ids)


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
    ids = [domain.id for domain in chosen]
    changes = [as_removed(domain) for domain in chosen]
    elsewhere = gone.elsewhere_gone(orphans)
    noted = _notes(session, chosen, elsewhere)
    head = history.record_all(session, actor, changes, part_of=part_of)
    head_id = head.part_of or head.id
    _remove_rows(session, actor, head_id, ids)
    rows.remove(session, Alias, [alias.id for alias in elsewhere])
    rows.remove(session, Domain, ids)
    along = [aliases.as_removed(alias) for alias in elsewhere]
    history.add_along(session, actor, head_id, along + notes.remove_left(session, noted))


def _notes(session: Session, chosen: Sequence[Domain], elsewhere: Sequence[Alias]) -> list[Note]:
    """The notes on what goes: on aliases, on the domains, on users."""
    ids = [domain.id for domain in chosen]
    sources = {alias.source for alias in elsewhere}
    found = [
        *notes.of_rows(session, Kind.ALIAS, Alias.domain_id.in_(ids)),
        *notes.of_names(session, Kind.ALIAS, sources),
        *notes.of_names(session, Kind.DOMAIN, [domain.name for domain in chosen]),
        *notes.of_rows(session, Kind.USER, User.domain_id.in_(ids)),
    ]
    return list(dict.fromkeys(found))


def _remove_rows(session: Session, actor: Actor, head_id: int, domain_ids: Collection[int]) -> None:
    """Delete all users and aliases of domains, recorded as what came along."""
    are_users, are_aliases = User.domain_id.in_(domain_ids), Alias.domain_id.in_(domain_ids)
    recording.add_removed(session, actor, head_id, recording.users(), are_users)
    recording.add_removed(session, actor, head_id, recording.aliases(), are_aliases)
    suspensions.forget_in(session, are_users)
    rows.remove_where(session, Alias, are_aliases)
    rows.remove_where(session, User, are_users)


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
