"""What an alias may be, judged by what is known of the mail tables.

The tables may be those of the database, for one alias at a time (``alias_rules``), or what
was fetched of them for many at once (an import). Postfix expands aliases over and over, so
a circle of them makes every sender retry for days: none is let in. A source that is a
mailbox takes its mail, unless a row mailbox -> mailbox keeps a copy.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from ..errors import Invalid
from . import addresses, expansion, settings, suspensions


class Known(Protocol):
    """What is known of the mail tables. Every address is in lower case."""

    def manages(self, domain: str) -> bool:
        """Whether this server has the domain."""

    def permits_elsewhere(self) -> bool:
        """Whether destinations may be on other servers."""

    def server(self) -> expansion.Server:
        """How Postfix is set up."""

    def is_mailbox(self, address: str) -> bool:
        """Whether there is a mailbox of exactly this address."""

    def is_without_mail(self, address: str) -> bool:
        """Whether there is a mailbox that is suspended without mail."""

    def restores(self) -> bool:
        """Whether a file is read: its aliases may be those of suspended mailboxes, as they were."""

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
    if _is_mailbox(known, destination) or (destination != source and known.is_source(destination)):
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
    if not _is_mailbox(known, source):
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


def _is_mailbox(known: Known, address: str) -> bool:
    return known.is_mailbox(address) or (known.restores() and known.is_without_mail(address))


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
    server, found = known.server(), expansion.Known()
    ours = {source.lower() for source in sources}
    seen: set[str] = set()
    ahead = {destination.lower()}
    while ahead and len(seen) < expansion.EXPANSION_LIMIT:
        seen |= ahead
        _fetch(known, server, found, ahead, dict.fromkeys(ours, destination.lower()))
        further: set[str] = set()
        for address in ahead:
            lookup = expansion.look_up(address, server, found)
            if address in lookup.leads_to:
                continue
            source = lookup.asked[-1].key
            if lookup.leads_to and source in ours:
                raise Invalid(
                    'The alias "%(source)s" to "%(destination)s" would close a circle: '
                    "its mail would come back to it for ever",
                    field="destination",
                    source=source,
                    destination=destination.lower(),
                )
            further.update(lookup.leads_to)
        ahead = {to for to in further - seen if not expansion.is_too_long(to)}


def _fetch(
    known: Known,
    server: expansion.Server,
    found: expansion.Known,
    wanted: Collection[str],
    planned: Mapping[str, str],
) -> None:
    """What looking these addresses up asks for, the aliases to be included."""
    keys = {key for address in wanted for _how, key in expansion.keys_of(address, server.delimiter)}
    new = keys - found.aliases.keys()
    leads = known.leads(new)
    for key in new:
        own = [planned[key]] if key in planned else []
        targets = [*own, *leads.get(key, ())]
        found.aliases[key] = [expansion.AliasRow(None, key, target) for target in targets]
    if server.email2email:
        mailboxes = known.mailboxes([key for key in new if not key.startswith("@")])
        found.mailboxes |= {each: expansion.MailboxRow(None, each) for each in mailboxes}
