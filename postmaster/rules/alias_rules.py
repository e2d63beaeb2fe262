"""What an alias may be.

Postfix expands aliases over and over, so a circle of them makes every sender retry for
days: none is let in. A source that is a mailbox takes its mail, unless a row
mailbox -> mailbox keeps a copy.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from ..errors import Invalid
from ..models import Alias, Domain, User
from . import addresses, lengths, rows, settings

# Postfix gives up at this many recipients (virtual_alias_expansion_limit in postconf(5)).
EXPANSION_LIMIT = 1000


def domain_of(session: Session, address: str, *, field: str) -> Domain:
    """The domain row of a normalised address. Raises Invalid, for the field that holds it.

    Of several rows with one name, which a server may hold, the first counts.
    """
    name = addresses.split(address)[1]
    domain = session.scalar(select(Domain).where(Domain.name == name).order_by(Domain.id).limit(1))
    if domain is None:
        raise Invalid(
            'The domain "%(name)s" is not managed by this database; add the domain first',
            field=field,
            name=name,
        )
    return domain


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
    return Alias.id.not_in(alias_ids)


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
    name = addresses.split(destination)[1]
    managed = session.scalar(select(Domain.id).where(Domain.name == name).limit(1)) is not None
    if not managed:
        if settings.value_of(session, settings.EXTERNAL_DESTINATIONS):
            return
        raise Invalid(
            'The domain "%(name)s" of the destination is not managed by this database; '
            "the setting %(setting)s permits destinations elsewhere",
            field="destination",
            name=name,
            setting=settings.EXTERNAL_DESTINATIONS.name,
        )
    leads_on = destination != source and sources_at(session, destination, besides)
    if not is_mailbox(session, destination) and not leads_on:
        raise Invalid(
            'The destination "%(destination)s" is not a current email address: there is no '
            "such user or alias",
            field="destination",
            destination=destination,
        )


def check_mailbox_keeps_its_mail(
    session: Session, source: str, destination: str, besides: Collection[int] = ()
) -> None:
    """A source that is a mailbox needs the row mailbox -> mailbox beside its others."""
    if destination == source or not is_mailbox(session, source):
        return
    if not keeps_copy(session, source, besides):
        raise Invalid(
            'The source "%(source)s" is an existing email address, and the alias would take '
            "its mail; choose to keep a copy in it (keep_copy), or add the alias "
            "%(source)s -> %(source)s first",
            field="source",
            source=source,
        )


def check_is_new(
    session: Session, source: str, destination: str, besides: Collection[int] = ()
) -> None:
    """No pair of source and destination is there twice."""
    same = select(Alias.id).where(
        Alias.source == source, Alias.destination == destination, _not_one_of(besides)
    )
    if session.scalar(same.limit(1)) is not None:
        raise Invalid(
            'The alias "%(source)s" to "%(destination)s" already exists',
            field="destination",
            source=source,
            destination=destination,
        )


def swallowed(session: Session, source: str) -> list[User]:
    """The mailboxes that a catch-all would take the mail of.

    Without the email2email map, those are the ones with no alias row of their own.
    """
    if not source.startswith("@") or settings.value_of(session, settings.EMAIL2EMAIL_MAP):
        return []
    own = aliased(Alias)
    found = (
        select(User)
        .join(Domain, Domain.id == User.domain_id)
        .where(Domain.name == source[1:], ~exists().where(own.source == User.email))
    )
    return list(session.scalars(found.order_by(User.email)))


def check_closes_no_circle(
    session: Session, sources: Collection[str], destination: str, besides: Collection[int] = ()
) -> None:
    """Follow the destination as Postfix would, and refuse to come back to one of the sources.

    All of them are to lead to the destination, in place of the rows ``besides``. Postfix
    stops at an address that is among its own destinations, so a circle through such an
    address ends there.
    """
    ours = {source.lower() for source in sources}
    destination = destination.lower()
    seen: set[str] = set()
    ahead = {destination}
    while ahead and len(seen) < EXPANSION_LIMIT:
        seen |= ahead
        further: set[str] = set()
        for address, (key, targets) in _lookups(session, ahead, ours, destination, besides).items():
            if address in targets:
                continue
            if key in ours:
                raise Invalid(
                    'The alias "%(source)s" to "%(destination)s" would close a circle: '
                    "its mail would come back to it for ever",
                    field="destination",
                    source=key,
                    destination=destination,
                )
            further.update(targets)
        ahead = further - seen


def _lookups(
    session: Session,
    wanted: set[str],
    sources: set[str],
    destination: str,
    besides: Collection[int],
) -> dict[str, tuple[str, list[str]]]:
    """For each address, the source that Postfix finds it under and where that leads.

    An address has its own rows, else, where the server has the email2email map, a
    mailbox has itself, else it has its domain's catch-all. The aliases to be count
    already, in place of those that they replace.
    """
    catch_alls = {address: f"@{addresses.split(address)[1]}" for address in wanted}
    targets = {source: [destination] for source in sources}
    for alias in rows.where_in(session, Alias, Alias.source, wanted | set(catch_alls.values())):
        if alias.id not in besides:
            targets.setdefault(alias.source.lower(), []).append(alias.destination.lower())
    if settings.value_of(session, settings.EMAIL2EMAIL_MAP):
        for some in rows.chunks(wanted):
            mailboxes = select(func.lower(User.email)).where(User.email.in_(some))
            for mailbox in session.scalars(mailboxes):
                targets.setdefault(mailbox, [mailbox])
    return {
        address: (key, targets.get(key, []))
        for address in wanted
        for key in [address if address in targets else catch_alls[address]]
    }
