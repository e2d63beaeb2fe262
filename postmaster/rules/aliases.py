"""The acts on aliases: create, change, delete, search.

An alias belongs to the domain of its source. Several destinations of one source
are several rows. Postfix expands them over and over, so a circle of aliases
makes every sender retry for days: none is let in.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound
from ..models import Alias, Domain, User
from . import addresses, history, lengths, paging, rows, settings, turns
from .actor import Actor

LISTING = paging.Listing(
    model=Alias,
    searched=(Alias.source,),
    sortable={
        "id": Alias.id,
        "domain_id": Alias.domain_id,
        "source": Alias.source,
        "destination": Alias.destination,
    },
    sorted_by="source",
)
# Postfix gives up at this many recipients (virtual_alias_expansion_limit in postconf(5)).
EXPANSION_LIMIT = 1000


def find(
    session: Session,
    actor: Actor,
    criteria: paging.Criteria,
    *,
    domain_id: int | None = None,
) -> paging.Page[Alias]:
    """A page of aliases, of one domain if asked."""
    conditions = [] if domain_id is None else [Alias.domain_id == domain_id]
    return LISTING.find(session, criteria, *conditions)


def get(session: Session, actor: Actor, alias_id: int) -> Alias:
    """One alias by its id. Raises NotFound."""
    return rows.by_id(session, Alias, alias_id, "alias")


def matching(
    session: Session, actor: Actor, source: str, destination: str | None = None
) -> list[Alias]:
    """The rows of a source, or of one pair, as typed by the operator. Raises NotFound."""
    conditions: list[ColumnElement[bool]] = [Alias.source == addresses.trim(source)]
    if destination is not None:
        conditions.append(Alias.destination == addresses.trim(destination))
    found = list(session.scalars(select(Alias).where(*conditions).order_by(Alias.id)))
    if not found:
        raise NotFound('The alias "%(source)s" was not found', source=addresses.shown(source))
    return found


def create(session: Session, actor: Actor, *, source: str, destination: str) -> Alias:
    """Add one destination to a source."""
    turns.take(session, turns.Queue.MAIL)
    checked_source = _checked_source(source)
    checked_destination = _checked_destination(destination)
    domain = domain_of(session, checked_source)
    _check_destination_exists(session, checked_source, checked_destination)
    _check_mailbox_keeps_its_mail(session, checked_source, checked_destination)
    _check_is_new(session, checked_source, checked_destination)
    _check_closes_no_circle(session, checked_source, checked_destination)
    return add(session, actor, domain, checked_source, checked_destination)


def add(session: Session, actor: Actor, domain: Domain, source: str, destination: str) -> Alias:
    """Write a checked alias and its history."""
    alias = Alias(domain_id=domain.id, source=source, destination=destination)
    session.add(alias)
    session.flush()
    history.record(
        session,
        actor,
        history.Action.CREATE,
        history.Kind.ALIAS,
        alias.id,
        in_words(alias),
        new=as_recorded(alias),
    )
    return alias


def change(
    session: Session,
    actor: Actor,
    alias_id: int,
    *,
    source: str | None = None,
    destination: str | None = None,
) -> Alias:
    """Give an alias another source, destination, or both.

    What is not changed is not checked, so that a row made by hand stays editable.
    """
    turns.take(session, turns.Queue.MAIL)
    alias = get(session, actor, alias_id)
    if source is None and destination is None:
        raise Invalid("The source or destination was not supplied")
    old, old_words = as_recorded(alias), in_words(alias)
    new_source, new_domain_id = alias.source, alias.domain_id
    new_destination = alias.destination
    if source is not None and addresses.trim(source) != alias.source:
        new_source = _checked_source(source)
        new_domain_id = domain_of(session, new_source).id
    if destination is not None and addresses.trim(destination) != alias.destination:
        new_destination = _checked_destination(destination)
        _check_destination_exists(session, new_source, new_destination)
    if (new_source, new_destination) == (alias.source, alias.destination):
        return alias
    if new_source != alias.source or alias.destination == alias.source:
        _check_mailbox_keeps_its_mail(session, new_source, new_destination, besides=alias)
    _check_is_new(session, new_source, new_destination, besides=alias)
    _check_closes_no_circle(session, new_source, new_destination, besides=alias)
    alias.source, alias.domain_id = new_source, new_domain_id
    alias.destination = new_destination
    session.flush()
    history.record(
        session,
        actor,
        history.Action.CHANGE,
        history.Kind.ALIAS,
        alias.id,
        old_words,
        old=old,
        new=as_recorded(alias),
    )
    return alias


def remove(session: Session, actor: Actor, alias_id: int) -> None:
    """Delete one row: one destination of one source."""
    remove_all(session, actor, [alias_id])


def remove_all(session: Session, actor: Actor, alias_ids: Sequence[int]) -> None:
    """Delete several rows, all or none."""
    turns.take(session, turns.Queue.MAIL)
    for alias_id in alias_ids:
        alias = get(session, actor, alias_id)
        session.execute(delete(Alias).where(Alias.id == alias.id))
        history.record(
            session,
            actor,
            history.Action.DELETE,
            history.Kind.ALIAS,
            alias.id,
            in_words(alias),
            old=as_recorded(alias),
        )


def in_words(alias: Alias) -> str:
    """The alias as the history and the log name it."""
    return f"{alias.source} -> {alias.destination}"


def as_recorded(alias: Alias) -> dict[str, object]:
    """The alias as the history keeps it."""
    return {
        "domain_id": alias.domain_id,
        "source": alias.source,
        "destination": alias.destination,
    }


def as_removed(alias: Alias) -> history.Removed:
    """The alias as the history keeps it when it goes along with another row."""
    return history.Removed(history.Kind.ALIAS, alias.id, in_words(alias), as_recorded(alias))


# --- rules ----------------------------------------------------------------------


def domain_of(session: Session, address: str) -> Domain:
    """The domain row of a normalised address. Raises Invalid.

    Of several rows with one name, which a server may hold, the first counts.
    """
    name = addresses.split(address)[1]
    domain = session.scalar(select(Domain).where(Domain.name == name).order_by(Domain.id).limit(1))
    if domain is None:
        raise Invalid('The domain "%(name)s" is not managed by this database', name=name)
    return domain


def sources_at(session: Session, address: str) -> bool:
    """Whether an alias of exactly this address exists."""
    return session.scalar(select(Alias.id).where(Alias.source == address).limit(1)) is not None


def _is_mailbox(session: Session, address: str) -> bool:
    return session.scalar(select(User.id).where(User.email == address).limit(1)) is not None


def _checked_source(text: str) -> str:
    if not text.strip():
        raise Invalid("The source email was not specified", field="source")
    source = addresses.alias_source(text)
    lengths.check(source, Alias.source, "source")
    return source


def _checked_destination(text: str) -> str:
    if not text.strip():
        raise Invalid("The destination email was not specified", field="destination")
    destination = addresses.alias_destination(text)
    lengths.check(destination, Alias.destination, "destination")
    return destination


def _check_destination_exists(session: Session, source: str, destination: str) -> None:
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
    if not _is_mailbox(session, destination) and not sources_at(session, destination):
        raise Invalid(
            'The destination "%(destination)s" is not a current email address',
            field="destination",
            destination=destination,
        )


def _check_mailbox_keeps_its_mail(
    session: Session, source: str, destination: str, besides: Alias | None = None
) -> None:
    """A source that is a mailbox needs the row mailbox -> mailbox beside its others."""
    if destination == source or not _is_mailbox(session, source):
        return
    keeps_copy = select(Alias.id).where(Alias.source == source, Alias.destination == source)
    if besides is not None:
        keeps_copy = keeps_copy.where(Alias.id != besides.id)
    if session.scalar(keeps_copy.limit(1)) is None:
        raise Invalid(
            'The source "%(source)s" is an existing email address, and the alias would take '
            "its mail; to forward and keep a copy, first add the alias %(source)s -> %(source)s",
            field="source",
            source=source,
        )


def _check_is_new(
    session: Session, source: str, destination: str, besides: Alias | None = None
) -> None:
    same = select(Alias.id).where(Alias.source == source, Alias.destination == destination)
    if besides is not None:
        same = same.where(Alias.id != besides.id)
    if session.scalar(same.limit(1)) is not None:
        raise Invalid(
            'The alias "%(source)s" to "%(destination)s" already exists',
            field="destination",
            source=source,
            destination=destination,
        )


def _check_closes_no_circle(
    session: Session, source: str, destination: str, besides: Alias | None = None
) -> None:
    """Follow the destination as Postfix would, and refuse to come back to this alias.

    Postfix stops at an address that is among its own destinations, so a circle
    through such an address ends there.
    """
    source, destination = source.lower(), destination.lower()
    seen: set[str] = set()
    ahead = {destination}
    while ahead and len(seen) < EXPANSION_LIMIT:
        seen |= ahead
        further: set[str] = set()
        for address, (key, targets) in _lookups(
            session, ahead, source, destination, besides
        ).items():
            if address in targets:
                continue
            if key == source:
                raise Invalid(
                    'The alias "%(source)s" to "%(destination)s" would close a circle: '
                    "its mail would come back to it for ever",
                    field="destination",
                    source=source,
                    destination=destination,
                )
            further.update(targets)
        ahead = further - seen


def _lookups(
    session: Session, wanted: set[str], source: str, destination: str, besides: Alias | None
) -> dict[str, tuple[str, list[str]]]:
    """For each address, the source that Postfix finds it under and where that leads.

    An address has its own rows, else, where the server has the email2email map, a
    mailbox has itself, else it has its domain's catch-all. The alias to be counts
    already, in place of the one that it replaces.
    """
    catch_alls = {address: f"@{addresses.split(address)[1]}" for address in wanted}
    expansions = select(Alias.source, Alias.destination).where(
        Alias.source.in_(wanted | set(catch_alls.values()))
    )
    if besides is not None:
        expansions = expansions.where(Alias.id != besides.id)
    targets = {source: [destination]}
    for row_source, row_destination in session.execute(expansions):
        targets.setdefault(row_source.lower(), []).append(row_destination.lower())
    if settings.value_of(session, settings.EMAIL2EMAIL_MAP):
        mailboxes = select(func.lower(User.email)).where(User.email.in_(wanted))
        for mailbox in session.scalars(mailboxes):
            targets.setdefault(mailbox, [mailbox])
    return {
        address: (key, targets.get(key, []))
        for address in wanted
        for key in [address if address in targets else catch_alls[address]]
    }
