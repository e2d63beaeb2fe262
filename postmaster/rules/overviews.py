"""What the lists show beside the rows themselves: counts, and what is odd about a row.

Rows that came by hand may hold what PostMaster would not write. Each list is one
query for its rows, with all of this in it, and one for the total.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    UnaryExpression,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ..errors import NotFound
from ..models import Alias, Domain, User
from . import addresses, aliases, domains, notes, paging, rows, suspensions, totals, users
from .actions import Kind
from .actor import Actor
from .conditions import Kept, Where


class Oddity(StrEnum):
    """Something about a row that PostMaster itself would not write."""

    MIXED_CASE = "mixed case"
    UNUSABLE = "unusable characters"
    DUPLICATE = "duplicate"
    DANGLING = "dangling"
    OUTSIDE = "outside"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class DomainRow:
    """A domain with how many users and aliases are in it."""

    domain: Domain
    users: int
    aliases: int
    oddities: list[Oddity]
    note: str

    @property
    def id(self) -> int:
        """The domain's id."""
        return self.domain.id

    @property
    def name(self) -> str:
        """The domain's name."""
        return self.domain.name


@dataclass(frozen=True)
class UserRow:
    """A mailbox with how many aliases lead to it."""

    user: User
    aliases: int
    oddities: list[Oddity]
    note: str

    @property
    def id(self) -> int:
        """The user's id."""
        return self.user.id

    @property
    def domain_id(self) -> int:
        """The id of its domain."""
        return self.user.domain_id

    @property
    def email(self) -> str:
        """Its address, also while it is suspended."""
        return suspensions.address_of(self.user)

    @property
    def suspended(self) -> suspensions.Mode | None:
        """How it is suspended, if it is."""
        return suspensions.mode_of(self.user)


@dataclass(frozen=True)
class AliasRow:
    """One destination of one source, with the note on the source."""

    alias: Alias
    note: str

    @property
    def id(self) -> int:
        """The row's id."""
        return self.alias.id

    @property
    def domain_id(self) -> int:
        """The id of its source's domain."""
        return self.alias.domain_id

    @property
    def source(self) -> str:
        """Where mail comes for."""
        return self.alias.source

    @property
    def destination(self) -> str:
        """Where it goes."""
        return self.alias.destination


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
    note: str
    destinations: list[Destination] = field(default_factory=list)


def find_domains(
    session: Session, actor: Actor, criteria: paging.Criteria
) -> paging.Page[DomainRow]:
    """A page of domains."""
    page = domains.LISTING.find_with(_beside_domains(), session, criteria)
    return page.with_items([_domain_row(*row) for row in page.items])


def get_domain(session: Session, actor: Actor, domain_id: int) -> DomainRow:
    """One domain as the list shows it. Raises NotFound."""
    return _domain_row(*rows.by_id_with(session, Domain, _beside_domains(), domain_id, "domain"))


@cache
def _beside_domains() -> tuple[ColumnElement[Any], ...]:
    other = aliased(Domain)
    return (
        _count(User.id, User.domain_id == Domain.id),
        _count(Alias.id, Alias.domain_id == Domain.id),
        exists().where(other.name == Domain.name, other.id != Domain.id),
        notes.beside(Kind.DOMAIN),
    )


def _domain_row(
    domain: Domain, user_count: int, alias_count: int, is_double: bool, note: str | None
) -> DomainRow:
    odd = _spelling(domain.name) + ([Oddity.DUPLICATE] if is_double else [])
    return DomainRow(domain, user_count, alias_count, odd, note or "")


def find_users(
    session: Session,
    actor: Actor,
    criteria: paging.Criteria,
    *,
    domain_ids: Sequence[int] | None = None,
    suspended: bool | None = None,
) -> paging.Page[UserRow]:
    """A page of users, of some domains, or only who is suspended or is not, if asked."""
    conditions = users.conditions(domain_ids, suspended)
    page = users.LISTING.find_with(_beside_users(), session, criteria, conditions)
    return page.with_items([_user_row(*row) for row in page.items])


def get_user(session: Session, actor: Actor, user_id: int) -> UserRow:
    """One user as the list shows it. Raises NotFound."""
    return _user_row(*rows.by_id_with(session, User, _beside_users(), user_id, "user"))


def leading_to(session: Session, actor: Actor, email: str, *, most: int) -> list[Alias]:
    """The first aliases that lead to an address, but for its own to keep a copy."""
    found = select(Alias).where(Alias.destination == email, Alias.source != email)
    return list(session.scalars(found.order_by(Alias.source, Alias.id).limit(most)))


@cache
def _beside_users() -> tuple[ColumnElement[Any], ...]:
    leading = _count(Alias.id, Alias.destination == suspensions.address())
    return leading, notes.beside(Kind.USER)


def _user_row(user: User, count: int, note: str | None) -> UserRow:
    return UserRow(user, count, _spelling(suspensions.address_of(user)), note or "")


def find_alias_rows(
    session: Session,
    actor: Actor,
    criteria: paging.Criteria,
    *,
    domain_ids: Sequence[int] | None = None,
) -> paging.Page[AliasRow]:
    """A page of the rows of aliases, of some domains if asked."""
    beside = (notes.beside(Kind.ALIAS),)
    page = aliases.LISTING.find_with(beside, session, criteria, _aliases_in(domain_ids))
    return page.with_items([AliasRow(alias, note or "") for alias, note in page.items])


def get_alias_row(session: Session, actor: Actor, alias_id: int) -> AliasRow:
    """One row of an alias. Raises NotFound."""
    beside = (notes.beside(Kind.ALIAS),)
    alias, note = rows.by_id_with(session, Alias, beside, alias_id, "alias")
    return AliasRow(alias, note or "")


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
    conditions = _aliases_in(domain_ids)
    if destination:
        clause = _leads_to(destination.isascii())
        conditions += Where((clause,), {"destination": destination})
    row_order = Alias.source.desc() if criteria.order == "desc" else Alias.source

    def fetch(where: Where, offset: int, most: int) -> list[AliasGroup]:
        def build() -> Select[Any]:
            found = select(Alias.source).where(*where.clauses).distinct().order_by(row_order)
            sources = found.limit(paging.MOST).offset(paging.OFFSET).subquery()
            return _grouped(Alias.source == sources.c.source, row_order, first=sources)

        statement = _kept.get(where, "groups", criteria.order, build=build)
        return _groups(session, statement, {**where.values, "offset": offset, "most": most})

    def count(where: Where) -> totals.Counting:
        def build() -> totals.Counting:
            counted = select(func.count(Alias.source.distinct()))
            return totals.Counting(counted.where(*where.clauses))

        return _kept.get(where, "count", build=build).with_values(where.values)

    return aliases.LISTING.search(session, criteria, conditions, Alias.source, fetch, count)


_kept = Kept()


def _aliases_in(domain_ids: Sequence[int] | None) -> Where:
    if domain_ids is None:
        return paging.EVERYTHING
    return Where((_IN_DOMAINS,), {"in_domains": domain_ids})


_IN_DOMAINS = Alias.domain_id.in_(bindparam("in_domains", expanding=True))


@cache
def _leads_to(is_ascii: bool) -> ColumnElement[bool]:
    leading = aliased(Alias)
    plain, other = leading.destination.expression, paging.with_any_text(leading.destination)
    leads_there = (plain if is_ascii else other) == bindparam("destination")
    return Alias.source.in_(select(leading.source).where(leads_there))


def get_alias(session: Session, actor: Actor, alias_id: int) -> AliasGroup:
    """The source that a row belongs to, with all its destinations. Raises NotFound."""
    source = aliases.get(session, actor, alias_id).source
    # A collation may take several spellings for this source.
    for group in _groups(session, _grouped(Alias.source == source, Alias.source)):
        if any(item.alias.id == alias_id for item in group.destinations):
            return group
    raise NotFound(rows.NOT_FOUND["alias"])


def aliases_at(session: Session, actor: Actor, source: str) -> AliasGroup | None:
    """The alias of exactly this address, if there is one."""
    return next(iter(_groups(session, _grouped(Alias.source == source, Alias.source))), None)


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


def _grouped(
    condition: ColumnElement[bool],
    order: UnaryExpression[str] | InstrumentedAttribute[str],
    *,
    first: FromClause | None = None,
) -> Select[Any]:
    name = func.substring_index(Alias.destination, "@", -1)
    target, catch_all = aliased(Alias), aliased(Alias)
    wanted: Any = (
        select(
            Alias,
            exists().where(Domain.name == name),
            exists().where(User.email == Alias.destination),
            exists().where(User.email == literal(suspensions.SIGN).concat(Alias.destination)),
            # Two lookups in an index; as one with an OR it would be a scan for each row.
            or_(
                exists().where(target.source == Alias.destination),
                exists().where(catch_all.source == literal("@").concat(name)),
            ),
            notes.beside(Kind.ALIAS),
        )
        .where(condition)
        .order_by(order, Alias.id)
    )
    if first is not None:
        # MySQL would sometimes read all aliases to find those of a page.
        wanted = wanted.select_from(first, Alias)
        for dialect in ("mysql", "mariadb"):
            wanted = wanted.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    return cast("Select[Any]", wanted)


def _groups(
    session: Session, wanted: Select[Any], values: Mapping[str, object] | None = None
) -> list[AliasGroup]:
    groups: dict[str, AliasGroup] = {}
    for alias, is_here, is_mailbox, is_suspended, is_alias, note in session.execute(wanted, values):
        group = groups.setdefault(
            alias.source.lower(),
            AliasGroup(
                alias.id, alias.source, alias.domain_id, _spelling(alias.source), note or ""
            ),
        )
        oddities = _spelling(alias.destination)
        if not is_here:
            oddities.append(Oddity.OUTSIDE)
        elif is_suspended:
            oddities.append(Oddity.SUSPENDED)
        elif not is_mailbox and not is_alias and not alias.destination.startswith("@"):
            oddities.append(Oddity.DANGLING)
        group.destinations.append(Destination(alias, oddities))
    return list(groups.values())


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
