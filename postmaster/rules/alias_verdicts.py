"""What an alias may be, judged by what is known of the mail tables.

The tables may be those of the database, for one alias at a time (``alias_rules``), or what
was fetched of them for many at once (an import). Postfix expands aliases over and over, so
a circle of them makes every sender retry for days: none is let in. A source that is a
mailbox takes its mail, unless a row mailbox -> mailbox keeps a copy.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from ..errors import Invalid
from . import addresses, settings, suspensions

# Postfix gives up at this many recipients (virtual_alias_expansion_limit in postconf(5)).
EXPANSION_LIMIT = 1000


class Known(Protocol):
    """What is known of the mail tables. Every address is in lower case."""

    def manages(self, domain: str) -> bool:
        """Whether this server has the domain."""

    def permits_elsewhere(self) -> bool:
        """Whether destinations may be on other servers."""

    def has_map(self) -> bool:
        """Whether the mail server has the email2email map."""

    def is_mailbox(self, address: str) -> bool:
        """Whether there is a mailbox of exactly this address."""

    def is_without_mail(self, address: str) -> bool:
        """Whether there is a mailbox that is suspended without mail."""

    def is_source(self, address: str) -> bool:
        """Whether there is an alias of exactly this address."""

    def has_pair(self, source: str, destination: str) -> bool:
        """Whether this source leads to this destination already."""

    def leads(self, sources: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Where those of the sources lead to that are there."""

    def mailboxes(self, wanted: Collection[str]) -> Collection[str]:
        """Those of the addresses that are mailboxes."""


def check_destination_exists(known: Known, source: str, destination: str) -> None:
    """A destination is a mailbox or another alias here, or elsewhere if a setting permits it."""
    name = addresses.split(destination)[1]
    if not known.manages(name):
        if known.permits_elsewhere():
            return
        raise Invalid(
            'The domain "%(name)s" of the destination is not managed by this database; '
            "the setting %(setting)s permits destinations elsewhere",
            field="destination",
            name=name,
            setting=settings.EXTERNAL_DESTINATIONS.name,
        )
    if known.is_mailbox(destination) or (destination != source and known.is_source(destination)):
        return
    _check_is_not_suspended(known, destination, "destination")
    raise Invalid(
        'The destination "%(destination)s" is not a current email address: there is no '
        "such user or alias",
        field="destination",
        destination=destination,
    )


def check_mailbox_keeps_its_mail(known: Known, source: str, destination: str) -> None:
    """A source that is a mailbox needs the row mailbox -> mailbox beside its others."""
    if not known.is_mailbox(source):
        _check_is_not_suspended(known, source, "source")
        return
    if destination != source and not known.has_pair(source, source):
        raise Invalid(
            'The source "%(source)s" is an existing email address, and the alias would take '
            "its mail; choose to keep a copy in it (keep_copy), or add the alias "
            "%(source)s -> %(source)s first",
            field="source",
            source=source,
        )


def _check_is_not_suspended(known: Known, address: str, field: str) -> None:
    if known.is_without_mail(address):
        raise Invalid(suspensions.IS_SUSPENDED, field=field, email=address)


def check_is_new(known: Known, source: str, destination: str) -> None:
    """No pair of source and destination is there twice."""
    if known.has_pair(source, destination):
        raise Invalid(
            'The alias "%(source)s" to "%(destination)s" already exists',
            field="destination",
            source=source,
            destination=destination,
        )


def check_closes_no_circle(known: Known, sources: Collection[str], destination: str) -> None:
    """Follow the destination as Postfix would, and refuse to come back to one of the sources.

    All of them are to lead to the destination. Postfix stops at an address that is among
    its own destinations, so a circle through such an address ends there.
    """
    ours = {source.lower() for source in sources}
    destination = destination.lower()
    seen: set[str] = set()
    ahead = {destination}
    while ahead and len(seen) < EXPANSION_LIMIT:
        seen |= ahead
        further: set[str] = set()
        for address, (key, targets) in _lookups(known, ahead, ours, destination).items():
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
    known: Known, wanted: set[str], sources: set[str], destination: str
) -> dict[str, tuple[str, Sequence[str]]]:
    """For each address, the source that Postfix finds it under and where that leads.

    An address has its own rows, else, where the server has the email2email map, a
    mailbox has itself, else it has its domain's catch-all. The aliases to be count already.
    """
    catch_alls = {address: f"@{addresses.split(address)[1]}" for address in wanted}
    targets = {source: [destination] for source in sources}
    for source, destinations in known.leads(wanted | set(catch_alls.values())).items():
        targets.setdefault(source, []).extend(destinations)
    if known.has_map():
        for mailbox in known.mailboxes(wanted):
            targets.setdefault(mailbox, [mailbox])
    return {
        address: (key, targets.get(key, []))
        for address in wanted
        for key in [address if address in targets else catch_alls[address]]
    }
