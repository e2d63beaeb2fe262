"""How Postfix looks an address up in the maps, and what it expands it to. Pure.

As cleanup(8) of Postfix 3.7 does it (``cleanup_map1n``, ``mail_addr_map``,
``mail_addr_find``), with the guides' maps: the aliases, and on some servers after them the
email2email map, in which every mailbox is itself. The tables are asked for many addresses
at once, so the number of questions grows with the depth and not with the rows.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from . import addresses

# virtual_alias_recursion_limit, virtual_alias_expansion_limit and
# virtual_alias_address_length_limit of postconf(5).
RECURSION_LIMIT = 1000
EXPANSION_LIMIT = 1000
LENGTH_LIMIT = 1000
# Whatever is asked for, no more addresses than these are looked up.
MOST_LOOKED_UP = 20_000
# recipient_delimiter of Dovecot, unless it is told another one.
DOVECOT_DELIMITER = "+"

# What Postfix reads as several addresses in one destination.
BETWEEN_ADDRESSES = re.compile(r"[,;\r\n]+")
IN_ANGLES = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True)
class Server:
    """What of Postfix's configuration decides about an address. No delimiter: no extensions."""

    email2email: bool
    delimiter: str


@dataclass(frozen=True)
class AliasRow:
    """A row of ``virtual_aliases``; one that is only planned has no id."""

    id: int | None
    source: str
    destination: str


@dataclass(frozen=True)
class MailboxRow:
    """A row of ``virtual_users``, without its password.

    ``scheme`` is what Dovecot reads the password as, ``unreadable`` why it cannot (a state
    of ``schemes``), and ``suspended`` how the user is suspended; empty where it is not so.
    """

    id: int | None
    email: str
    scheme: str = ""
    unreadable: str = ""
    suspended: str = ""

    @property
    def takes_mail(self) -> bool:
        """Whether Dovecot delivers to such a name; it refuses some that Postfix takes."""
        local_part = addresses.split(self.email.lower())[0]
        return addresses.MAILBOX_LOCAL_PART.fullmatch(local_part) is not None


class Tables(Protocol):
    """The mail tables. Keys are in lower case; one that is not there is not in the answer."""

    def aliases(self, keys: Collection[str]) -> Mapping[str, Sequence[AliasRow]]:
        """The rows whose source is one of these, by key and in their order."""

    def mailboxes(self, keys: Collection[str]) -> Mapping[str, MailboxRow]:
        """The rows whose address is one of these, by key."""

    def domains(self, keys: Collection[str]) -> Mapping[str, Sequence[int]]:
        """The ids of the rows whose name is one of these, by key."""


class How(StrEnum):
    """By which key a map had an address."""

    EXACT = "exact"
    BARE = "without extension"
    CATCH_ALL = "catch-all"


class Map(StrEnum):
    """A map of Postfix: one of the guides' queries."""

    DOMAINS = "virtual-mailbox-domains"
    ALIASES = "virtual-alias-maps"
    EMAIL2EMAIL = "virtual-email2email"
    MAILBOXES = "virtual-mailbox-maps"


@dataclass(frozen=True)
class Asked:
    """One question to a map: the key, and what it answered, row by row."""

    map: Map
    key: str
    answers: tuple[str, ...]
    ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lookup:
    """All questions about one address, and where the last of them led; ``how`` None: nowhere."""

    address: str
    asked: tuple[Asked, ...]
    how: How | None = None
    leads_to: tuple[str, ...] = ()


class Failure(StrEnum):
    """Why Postfix gives up on an address: it puts the whole message off."""

    CIRCLE = "circle"
    TOO_MANY = "too many"
    TOO_LONG = "too long"


@dataclass
class Known:
    """What was fetched of the tables; ``lookups`` are those that were made already."""

    aliases: dict[str, Sequence[AliasRow]] = field(default_factory=dict)
    mailboxes: dict[str, MailboxRow] = field(default_factory=dict)
    domains: dict[str, Sequence[int]] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)


# --- keys and destinations ------------------------------------------------------


def without_extension(address: str, delimiter: str) -> tuple[str, str]:
    """The address without its extension, and the extension with its delimiter, if it has one."""
    local_part, domain = addresses.split(address)
    at = local_part.find(delimiter) if delimiter else -1
    if at <= 0:
        return address, ""
    return f"{local_part[:at]}@{domain}", local_part[at:]


def keys_of(address: str, delimiter: str) -> list[tuple[How, str]]:
    """What is looked up for an address, in this order, until something is found."""
    bare, extension = without_extension(address, delimiter)
    keys = [(How.EXACT, address)]
    if extension:
        keys.append((How.BARE, bare))
    return [*keys, (How.CATCH_ALL, f"@{addresses.split(address)[1]}")]


def read_destination(text: str) -> list[str]:
    """The addresses that Postfix reads in a destination, in lower case."""
    found = []
    for part in BETWEEN_ADDRESSES.split(text):
        marked = IN_ANGLES.search(part)
        address = (marked[1] if marked else part).strip().lower()
        if address:
            found.append(address)
    return found


def _led_on(address: str, how: How, answers: Sequence[str], delimiter: str) -> tuple[str, ...]:
    """The addresses that a map's answer means for the address that was looked up."""
    bare, extension = without_extension(address, delimiter)
    extension = extension if how is How.BARE else ""
    texts = ",".join(answers)
    if texts.startswith("@"):
        # The same name in another domain, as virtual(5) says; only of the first result.
        texts = f"{addresses.split(bare if extension else address)[0]}{texts}"
    found = []
    for one in read_destination(texts):
        local_part, at, domain = one.rpartition("@")
        found.append(f"{local_part}{extension}@{domain}" if at else f"{one}{extension}")
    return tuple(found)


def look_up(address: str, server: Server, known: Known) -> Lookup:
    """What the alias maps answer for an address: by key, and for each key map by map."""
    if address not in known.lookups:
        known.lookups[address] = _look_up(address, server, known)
    return known.lookups[address]


def _look_up(address: str, server: Server, known: Known) -> Lookup:
    asked = []
    for how, key in keys_of(address, server.delimiter):
        rows = [row for row in known.aliases.get(key, ()) if row.destination.strip()]
        answers = tuple(row.destination for row in rows)
        ids = tuple(row.id for row in rows if row.id is not None)
        asked.append(Asked(Map.ALIASES, key, answers, ids))
        mailbox = known.mailboxes.get(key)
        if not answers and server.email2email:
            answers = (mailbox.email,) if mailbox else ()
            ids = (mailbox.id,) if mailbox and mailbox.id is not None else ()
            asked.append(Asked(Map.EMAIL2EMAIL, key, answers, ids))
        if answers:
            led_on = _led_on(address, how, answers, server.delimiter)
            return Lookup(address, tuple(asked), how, led_on)
    return Lookup(address, tuple(asked))


# --- fetching -------------------------------------------------------------------


def fetch(
    tables: Tables, server: Server, wanted: Collection[str], *, also: Sequence[str] = ()
) -> Known:
    """Everything that expanding these addresses asks for, level by level.

    ``also``: signs before an address under which a mailbox is looked for besides.
    """
    known = Known()
    seen: set[str] = set()
    ahead = set(wanted)
    while ahead and len(seen) < MOST_LOOKED_UP:
        seen |= ahead
        keys = {key for address in ahead for _how, key in keys_of(address, server.delimiter)}
        known.aliases.update(tables.aliases(keys))
        if server.email2email:
            known.mailboxes.update(tables.mailboxes(keys))
        further = {to for address in ahead for to in look_up(address, server, known).leads_to}
        # With its extension an address may grow for ever; Postfix gives up on a long one.
        ahead = {to for to in further - seen if len(to) <= LENGTH_LIMIT}
    finals = {key for address in seen for key in _mailbox_keys(address, server)}
    finals |= {f"{sign}{address}" for sign in also for address in finals}
    known.mailboxes.update(tables.mailboxes(finals - known.mailboxes.keys()))
    known.domains.update(tables.domains({addresses.split(address)[1] for address in seen}))
    return known


def _mailbox_keys(address: str, server: Server) -> Iterator[str]:
    yield from (key for _how, key in keys_of(address, server.delimiter))
    yield without_extension(address, server.delimiter or DOVECOT_DELIMITER)[0]


# --- expanding ------------------------------------------------------------------


def expand(address: str, server: Server, known: Known) -> tuple[list[str], Failure | None]:
    """The addresses that Postfix delivers to in the end, or why it gives up.

    Each is replaced by its first destination over and over, the others are appended; one
    that was among its own destinations is not looked up again.
    """
    recipients = [address]
    expanded_into_themselves: set[str] = set()
    at = 0
    while at < len(recipients):
        if len(recipients) > EXPANSION_LIMIT:
            return [], Failure.TOO_MANY
        steps = 0
        while recipients[at] not in expanded_into_themselves:
            if steps >= RECURSION_LIMIT:
                return [], Failure.CIRCLE
            leads_to = look_up(recipients[at], server, known).leads_to
            if not leads_to:
                break
            if any(len(one) > LENGTH_LIMIT for one in leads_to):
                return [], Failure.TOO_LONG
            if recipients[at] in leads_to:
                expanded_into_themselves.add(recipients[at])
            recipients[at] = leads_to[0]
            recipients += leads_to[1:]
            steps += 1
        at += 1
    return list(dict.fromkeys(recipients)), None


def is_here(address: str, known: Known) -> bool:
    """Whether the address's domain is one of this server's."""
    return addresses.split(address)[1] in known.domains


def mailbox_at(address: str, server: Server, known: Known) -> MailboxRow | None:
    """The mailbox that Dovecot delivers a final address to; it cuts the extension off."""
    bare = without_extension(address, server.delimiter or DOVECOT_DELIMITER)[0]
    return known.mailboxes.get(bare)


def is_listed(address: str, server: Server, known: Known) -> bool:
    """Whether smtpd(8) takes mail for an address of a domain that is here."""
    if look_up(address, server, known).leads_to:
        return True
    return any(key in known.mailboxes for _how, key in keys_of(address, server.delimiter))
