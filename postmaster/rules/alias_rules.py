"""What an alias may be, one at a time; ``alias_verdicts`` judges by what the tables hold."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, exists, func, select, true
from sqlalchemy.orm import Session, aliased

from ..errors import Invalid
from ..models import Alias, Domain, User
from . import addresses, alias_verdicts, lengths, mail_tables, rows, settings, suspensions
from .expansion import Server

_BY_NAME = select(Domain).where(Domain.name == bindparam("name")).order_by(Domain.id).limit(1)


def domain_of(session: Session, address: str, *, field: str) -> Domain:
    """The domain row of a normalised address. Raises Invalid, for the field that holds it.

    Of several rows with one name, which a server may hold, the first counts.
    """
    name = addresses.split(address)[1]
    domain = session.scalar(_BY_NAME, {"name": name})
    if domain is None:
        raise not_managed(name, field)
    return domain


def not_managed(name: str, field: str) -> Invalid:
    """The refusal of an address whose domain is not here."""
    return Invalid(
        'The domain "%(name)s" is not managed by this database; add the domain first',
        field=field,
        name=name,
    )


def sources_at(session: Session, address: str, besides: Collection[int] = ()) -> bool:
    """Whether an alias of exactly this address exists, besides some rows."""
    found = select(Alias.id).where(Alias.source == address, _not_one_of(besides))
    return session.scalar(found.limit(1)) is not None


def is_mailbox(session: Session, address: str) -> bool:
    """Whether there is a mailbox of exactly this address."""
    return session.scalar(select(User.id).where(User.email == address).limit(1)) is not None


def keeps_copy(session: Session, address: str, besides: Collection[int] = ()) -> bool:
    """Whether the row mailbox -> mailbox is there, which keeps a mailbox its own mail."""
    own = select(Alias.id).where(
        Alias.source == address, Alias.destination == address, _not_one_of(besides)
    )
    return session.scalar(own.limit(1)) is not None


def _not_one_of(alias_ids: Collection[int]) -> ColumnElement[bool]:
    return Alias.id.not_in(alias_ids) if alias_ids else true()


def checked_source(text: str) -> str:
    """The source, normalised. Raises Invalid."""
    if not text.strip():
        raise Invalid("The source email was not specified", field="source")
    source = addresses.alias_source(text)
    lengths.check(source, Alias.source, "source")
    return source


def checked_destination(text: str) -> str:
    """The destination, normalised. Raises Invalid."""
    if not text.strip():
        raise Invalid("The destination email was not specified", field="destination")
    destination = addresses.alias_destination(text)
    lengths.check(destination, Alias.destination, "destination")
    return destination


def check_destination_exists(
    session: Session, source: str, destination: str, besides: Collection[int] = ()
) -> None:
    """A destination is a mailbox or another alias here, or elsewhere if a setting permits it."""
    alias_verdicts.check_destination_exists(_Tables(session, besides), source, destination)


def check_mailbox_keeps_its_mail(
    session: Session, source: str, destination: str, besides: Collection[int] = ()
) -> None:
    """A source that is a mailbox needs the row mailbox -> mailbox beside its others."""
    alias_verdicts.check_mailbox_keeps_its_mail(_Tables(session, besides), source, destination)


def check_is_new(
    session: Session, source: str, destination: str, besides: Collection[int] = ()
) -> None:
    """No pair of source and destination is there twice."""
    alias_verdicts.check_is_new(_Tables(session, besides), source, destination)


def swallowed(session: Session, source: str) -> list[User]:
    """The mailboxes that a catch-all would take the mail of.

    Without the email2email map, those are the ones with no alias row of their own.
    """
    if not source.startswith("@"):
        return []
    return [user for _name, user in swallowed_in(session, [source[1:]])]


def swallowed_in(session: Session, domains: Collection[str]) -> list[tuple[str, User]]:
    """The mailboxes that catch-alls of these domains would take the mail of, with their domain."""
    if settings.value_of(session, settings.EMAIL2EMAIL_MAP):
        return []
    found = []
    for some in rows.chunks(domains):
        mailboxes = (
            select(Domain.name, User)
            .join(Domain, Domain.id == User.domain_id)
            .where(Domain.name.in_(some), *has_no_row_of_its_own())
        )
        found += [(name, user) for name, user in session.execute(mailboxes.order_by(User.email))]
    return found


def is_swept(session: Session, address: str) -> bool:
    """Whether a catch-all would take the mail of a mailbox of this address.

    That is where there is no email2email map, and no alias row of the address.
    """
    return (
        sources_at(session, f"@{addresses.split(address)[1]}")
        and not sources_at(session, address)
        and not settings.value_of(session, settings.EMAIL2EMAIL_MAP)
    )


def has_no_row_of_its_own() -> tuple[ColumnElement[bool], ...]:
    """In SQL, of a user: a catch-all would take its mail where there is no email2email map."""
    own = aliased(Alias)
    return ~suspensions.gets_no_mail(), ~exists().where(own.source == User.email)


def check_closes_no_circle(
    session: Session, sources: Collection[str], destination: str, besides: Collection[int] = ()
) -> None:
    """No circle, when all of the sources lead to the destination in place of the rows besides."""
    alias_verdicts.check_closes_no_circle(_Tables(session, besides), sources, destination)


@dataclass(frozen=True)
class _Tables:
    """The database's tables, without some rows of aliases."""

    session: Session
    besides: Collection[int]

    def manages(self, domain: str) -> bool:
        found = select(Domain.id).where(Domain.name == domain)
        return self.session.scalar(found.limit(1)) is not None

    def permits_elsewhere(self) -> bool:
        return settings.value_of(self.session, settings.EXTERNAL_DESTINATIONS)

    def server(self) -> Server:
        return mail_tables.server(self.session)

    def is_mailbox(self, address: str) -> bool:
        return is_mailbox(self.session, address)

    def is_without_mail(self, address: str) -> bool:
        return suspensions.is_without_mail(self.session, address)

    def restores(self) -> bool:
        return False

    def is_source(self, address: str) -> bool:
        return sources_at(self.session, address, self.besides)

    def has_pair(self, source: str, destination: str) -> bool:
        same = select(Alias.id).where(
            Alias.source == source, Alias.destination == destination, _not_one_of(self.besides)
        )
        return self.session.scalar(same.limit(1)) is not None

    def leads(self, sources: Collection[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for alias in rows.where_in(self.session, Alias, Alias.source, sources):
            if alias.id not in self.besides:
                found.setdefault(alias.source.lower(), []).append(alias.destination.lower())
        return found

    def mailboxes(self, wanted: Collection[str]) -> set[str]:
        found: set[str] = set()
        for some in rows.chunks(wanted):
            mailboxes = select(func.lower(User.email)).where(User.email.in_(some))
            found |= set(self.session.scalars(mailboxes))
        return found
