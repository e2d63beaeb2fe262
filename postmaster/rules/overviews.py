"""What the lists show beside the rows themselves: counts, and what is odd about a row.

Rows that came by hand may hold what PostMaster would not write. Each list is one
query for its rows, with all of this in it, and one for the total.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, exists, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ..errors import NotFound
from ..models import Alias, Domain, User
from . import addresses, aliases, domains, paging, users
from .actor import Actor
from .rows import NOT_FOUND


class Oddity(StrEnum):
    """Something about a row that PostMaster itself would not write."""

    MIXED_CASE = "mixed case"
    UNUSABLE = "unusable characters"
    DUPLICATE = "duplicate"
    DANGLING = "dangling"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class DomainRow:
    """A domain with how many users and aliases are in it."""

    domain: Domain
    users: int
    aliases: int
    oddities: list[Oddity]


@dataclass(frozen=True)
class UserRow:
    """A mailbox with how many aliases lead to it."""

    user: User
    aliases: int
    oddities: list[Oddity]


@dataclass(frozen=True)
class Destination:
    """One row of an alias."""

    alias: Alias
    oddities: list[Oddity]


@dataclass(frozen=True)
class AliasGroup:
    """A source with all its destinations; known by the lowest id of its rows."""

    id: int
    source: str
    domain_id: int
    oddities: list[Oddity]
    destinations: list[Destination] = field(default_factory=list)


def find_domains(
    session: Session, actor: Actor, criteria: paging.Criteria
) -> paging.Page[DomainRow]:
    """A page of domains."""
    page = domains.LISTING.find_with(_beside_domains(), session, criteria)
    return _with(page, [_domain_row(*row) for row in page.items])


def get_domain(session: Session, actor: Actor, domain_id: int) -> DomainRow:
    """One domain as the list shows it. Raises NotFound."""
    domains.get(session, actor, domain_id)
    found = select(Domain, *_beside_domains()).where(Domain.id == domain_id)
    return _domain_row(*session.execute(found).one())


def _beside_domains() -> tuple[ColumnElement[Any], ...]:
    other = aliased(Domain)
    return (
        _count(User.id, User.domain_id == Domain.id),
        _count(Alias.id, Alias.domain_id == Domain.id),
        exists().where(other.name == Domain.name, other.id != Domain.id),
    )


def _domain_row(domain: Domain, user_count: int, alias_count: int, is_double: bool) -> DomainRow:
    double = [Oddity.DUPLICATE] if is_double else []
    return DomainRow(domain, user_count, alias_count, [*_spelling(domain.name), *double])


def find_users(
    session: Session,
    actor: Actor,
    criteria: paging.Criteria,
    *,
    domain_ids: Sequence[int] | None = None,
) -> paging.Page[UserRow]:
    """A page of users, of some domains if asked."""
    conditions = [] if domain_ids is None else [User.domain_id.in_(domain_ids)]
    page = users.LISTING.find_with((_aliases_to_it(),), session, criteria, *conditions)
    return _with(page, [UserRow(user, count, _spelling(user.email)) for user, count in page.items])


def get_user(session: Session, actor: Actor, user_id: int) -> UserRow:
    """One user as the list shows it. Raises NotFound."""
    user = users.get(session, actor, user_id)
    count = session.scalar(select(_aliases_to_it()).where(User.id == user_id)) or 0
    return UserRow(user, count, _spelling(user.email))


def leading_to(session: Session, actor: Actor, email: str, *, most: int) -> list[Alias]:
    """The first aliases that lead to an address, but for its own to keep a copy."""
    found = select(Alias).where(Alias.destination == email, Alias.source != email)
    return list(session.scalars(found.order_by(Alias.source, Alias.id).limit(most)))


def _aliases_to_it() -> ColumnElement[int]:
    return _count(Alias.id, Alias.destination == User.email)


def find_aliases(
    session: Session,
    actor: Actor,
    criteria: paging.Criteria,
    *,
    domain_ids: Sequence[int] | None = None,
    destination: str | None = None,
) -> paging.Page[AliasGroup]:
    """A page of sources with all their destinations; of some domains, or to one address.

    Raises Invalid, and NotFound past the last page.
    """
    criteria.check_order(["source"])
    conditions: list[ColumnElement[bool]] = list(aliases.LISTING.matching(criteria.search))
    if domain_ids is not None:
        conditions.append(Alias.domain_id.in_(domain_ids))
    if destination:
        leading = aliased(Alias)
        leads_there = paging.comparable(leading.destination, destination) == destination
        conditions.append(Alias.source.in_(select(leading.source).where(leads_there)))
    total = session.scalar(select(func.count(Alias.source.distinct())).where(*conditions)) or 0
    offset, per_page = paging.window(criteria, total)
    order = func.min(Alias.source).desc() if criteria.order == "desc" else func.min(Alias.source)
    sources = (
        select(func.min(Alias.source).label("source"))
        .where(*conditions)
        .group_by(Alias.source)
        .order_by(order)
        .limit(per_page)
        .offset(offset)
        .subquery()
    )
    row_order = Alias.source.desc() if criteria.order == "desc" else Alias.source
    groups = _groups(session, Alias.source.in_(select(sources.c.source)), row_order)
    return paging.Page(groups, total, criteria.page, per_page)


def get_alias(session: Session, actor: Actor, alias_id: int) -> AliasGroup:
    """The source that a row belongs to, with all its destinations. Raises NotFound."""
    source = aliases.get(session, actor, alias_id).source
    # A collation may take several spellings for this source.
    for group in _groups(session, Alias.source == source, Alias.source):
        if any(item.alias.id == alias_id for item in group.destinations):
            return group
    raise NotFound(NOT_FOUND["alias"])


def aliases_at(session: Session, actor: Actor, source: str) -> AliasGroup | None:
    """The alias of exactly this address, if there is one."""
    return next(iter(_groups(session, Alias.source == source, Alias.source)), None)


def addresses_like(session: Session, actor: Actor, typed: str, *, most: int) -> list[str]:
    """Mailboxes, then aliases, that begin with what was typed."""
    text = addresses.trim(typed)
    if not text.isascii() or "\0" in text or not text:
        return []
    mailboxes = select(User.email).where(User.email.startswith(text, autoescape=True))
    sources = (
        select(Alias.source)
        .where(Alias.source.startswith(text, autoescape=True), ~Alias.source.startswith("@"))
        .distinct()
    )
    found = list(session.scalars(mailboxes.order_by(User.email).limit(most)))
    found += session.scalars(sources.order_by(Alias.source).limit(most))
    return list(dict.fromkeys(found))[:most]


def _groups(
    session: Session,
    condition: ColumnElement[bool],
    order: UnaryExpression[str] | InstrumentedAttribute[str],
) -> list[AliasGroup]:
    name = func.substring_index(Alias.destination, "@", -1)
    target, catch_all = aliased(Alias), aliased(Alias)
    rows = session.execute(
        select(
            Alias,
            exists().where(Domain.name == name),
            exists().where(User.email == Alias.destination),
            # Two lookups in an index; as one with an OR it would be a scan for each row.
            or_(
                exists().where(target.source == Alias.destination),
                exists().where(catch_all.source == literal("@").concat(name)),
            ),
        )
        .where(condition)
        .order_by(order, Alias.id)
    )
    groups: dict[str, AliasGroup] = {}
    for alias, is_here, is_mailbox, is_alias in rows:
        group = groups.setdefault(
            alias.source.lower(),
            AliasGroup(alias.id, alias.source, alias.domain_id, _spelling(alias.source)),
        )
        oddities = _spelling(alias.destination)
        if not is_here:
            oddities.append(Oddity.OUTSIDE)
        elif not is_mailbox and not is_alias and not alias.destination.startswith("@"):
            oddities.append(Oddity.DANGLING)
        group.destinations.append(Destination(alias, oddities))
    return list(groups.values())


def _with(page: paging.Page[object], items: list[paging.Item]) -> paging.Page[paging.Item]:
    return paging.Page(items, page.total, page.number, page.per_page)


def _count(
    column: InstrumentedAttribute[int], condition: ColumnElement[bool]
) -> ColumnElement[int]:
    return select(func.count(column)).where(condition).scalar_subquery()


def _spelling(text: str) -> list[Oddity]:
    odd = []
    if text != text.lower():
        odd.append(Oddity.MIXED_CASE)
    if addresses.has_unusable_characters(text):
        odd.append(Oddity.UNUSABLE)
    return odd
