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

# What Postfix reads in a destination, piece by piece (tok822_scan): a comment, a quoted string,
# a word, or a character that stands for itself.
TOKENS = re.compile(r'\([^()]*\)|"(?:\\.|[^"\\])*"?|[^][()<>@,;:\\".|%!\s]+|\S', re.DOTALL)
OPERATORS = frozenset("][()<>@,;:\\.|%!")
# Most are this: words with dots and an @ between them, which are one address.
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_.@+-]+")
# What a name before the @ has in quotes only: RFC 5322 specials, but for the dot, and blanks.
NEEDS_QUOTES = re.compile(r'[][()<>@,;:\\"\s]')
# Names that Postfix does not take for one with an extension (split_addr; owner_request_special).
NEVER_APART = frozenset({"double-bounce", "mailer-daemon"})
OWNER_OR_REQUEST = re.compile(r"owner-.*|.+-request")
BLANK = re.compile(r"[ \t\r\n]")


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
    """All questions about one address, and where the last of them led.

    ``how`` None: no map knows it. Known, but leading nowhere: it has no address in it.
    """

    address: str
    asked: tuple[Asked, ...]
    how: How | None = None
    leads_to: tuple[str, ...] = ()


class Failure(StrEnum):
    """Why Postfix gives up on an address: it puts the whole message off."""

    CIRCLE = "circle"
    TOO_MANY = "too many"
    TOO_LONG = "too long"
    NO_ADDRESS = "no address"


@dataclass
class Known:
    """What was fetched of the tables; ``lookups`` are those that were made already."""

    aliases: dict[str, Sequence[AliasRow]] = field(default_factory=dict)
    mailboxes: dict[str, MailboxRow] = field(default_factory=dict)
    domains: dict[str, Sequence[int]] = field(default_factory=dict)
    lookups: dict[str, Lookup] = field(default_factory=dict)


# --- keys and destinations ------------------------------------------------------


def _address(name: str, domain: str) -> str:
    """The two as one address; Postfix puts quotes round a name that needs them (RFC 5322)."""
    if not name or NEEDS_QUOTES.search(name):
        name = re.sub(r'(["\\])', r"\\\1", name)
        name = f'"{name}"'
    return f"{name}@{domain}"


def _name_and_domain(address: str) -> tuple[str, str]:
    """The other way round: the name before the last @ is without quotes."""
    local_part, domain = addresses.split(address)
    if len(local_part) > 1 and local_part.startswith('"') and local_part.endswith('"'):
        local_part = re.sub(r"\\(.)", r"\1", local_part[1:-1])
    return local_part, domain


def without_extension(address: str, delimiter: str) -> tuple[str, str]:
    """The address without its extension, and the extension with its delimiter, if it has one."""
    if delimiter[:1] not in address:
        return address, ""
    name = _name_and_domain(address)[0]
    if name in NEVER_APART or (delimiter == "-" and OWNER_OR_REQUEST.fullmatch(name)):
        return address, ""
    return _cut(address, delimiter)


def _cut(address: str, delimiter: str) -> tuple[str, str]:
    if delimiter[:1] not in address:
        return address, ""
    name, domain = _name_and_domain(address)
    at = name.find(delimiter) if delimiter else -1
    if at <= 0:
        return address, ""
    return _address(name[:at], domain), name[at:]


def mailbox_address(address: str, server: Server) -> str:
    """The mailbox that Dovecot looks for: it cuts the extension off any name."""
    return _cut(address, server.delimiter or DOVECOT_DELIMITER)[0]


def keys_of(address: str, delimiter: str) -> list[tuple[How, str]]:
    """What is looked up for an address, in this order, until something is found."""
    bare, extension = without_extension(address, delimiter)
    keys = [(How.EXACT, address)]
    if extension:
        keys.append((How.BARE, bare))
    return [*keys, (How.CATCH_ALL, f"@{addresses.split(address)[1]}")]


def read_destination(text: str) -> list[str]:
    """The addresses that Postfix reads in a destination, in their spelling (tok822_parse).

    They are separated by commas and semicolons, and by any blanks between two words. Where
    one is in angle brackets, the words before it are a name.
    """
    if PLAIN_ADDRESS.fullmatch(text):
        return [text]
    found: list[str] = []
    begun = [""]
    after_word = False
    for piece in TOKENS.findall(text):
        is_word = piece not in OPERATORS
        if piece.startswith("("):
            continue
        if piece in ",;>":
            found += begun
            begun = [""]
        elif piece == "<":
            begun = [""]
        elif is_word and after_word:
            begun.append(piece)
        else:
            begun[-1] += piece
        after_word = is_word
    return [one for one in (*found, *begun) if one]


def _led_on(address: str, how: How, answers: Sequence[str], delimiter: str) -> tuple[str, ...]:
    """The addresses that a map's answer means for the address that was looked up."""
    extension = without_extension(address, delimiter)[1] if how is How.BARE else ""
    text = ",".join(answers)
    if text.startswith("@"):
        # The same name in another domain, as virtual(5) says. Where more follows, from the
        # same row or the next, it becomes a part of that name, which ends at the last @.
        name = _name_and_domain(address)[0].removesuffix(extension)
        before, _, domain = text.rpartition("@")
        text = _address(BLANK.sub(" ", f"{name}{before}"), domain)
    found = []
    for one in read_destination(text.lower()):
        name, domain = _name_and_domain(one)
        found.append(_address(f"{name}{extension}", domain) if "@" in one else f"{one}{extension}")
    return tuple(found)


def is_too_long(address: str) -> bool:
    """Whether Postfix gives up on what a map led to; it counts the octets, without quotes."""
    return len("@".join(_name_and_domain(address)).encode()) > LENGTH_LIMIT


def look_up(address: str, server: Server, known: Known) -> Lookup:
    """What the alias maps answer for an address: by key, and for each key map by map."""
    if address not in known.lookups:
        known.lookups[address] = _look_up(address, server, known)
    return known.lookups[address]


def _look_up(address: str, server: Server, known: Known) -> Lookup:
    asked = []
    for how, key in keys_of(address, server.delimiter):
        rows = [row for row in known.aliases.get(key, ()) if row.destination]
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
        ahead = {to for to in further - seen if not is_too_long(to)}
    finals = {key for address in seen for key in _mailbox_keys(address, server)}
    finals |= {f"{sign}{address}" for sign in also for address in finals}
    known.mailboxes.update(tables.mailboxes(finals - known.mailboxes.keys()))
    known.domains.update(tables.domains({addresses.split(address)[1] for address in seen}))
    return known


def _mailbox_keys(address: str, server: Server) -> Iterator[str]:
    yield from (key for _how, key in keys_of(address, server.delimiter))
    yield mailbox_address(address, server)


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
            lookup = look_up(recipients[at], server, known)
            if lookup.how is None:
                break
            leads_to = lookup.leads_to
            if not leads_to:
                return [], Failure.NO_ADDRESS
            if any(map(is_too_long, leads_to)):
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


def is_sendable(address: str) -> bool:
    """Whether Postfix sends to such a name at all (allow_min_user of postconf(5) is no)."""
    return not _name_and_domain(address)[0].startswith("-")


def mailbox_at(address: str, server: Server, known: Known) -> MailboxRow | None:
    """The mailbox that Dovecot delivers a final address to; it cuts the extension off."""
    return known.mailboxes.get(mailbox_address(address, server))


def is_listed(address: str, server: Server, known: Known) -> bool:
    """Whether smtpd(8) takes mail for an address of a domain that is here."""
    if look_up(address, server, known).how is not None:
        return True
    return any(key in known.mailboxes for _how, key in keys_of(address, server.delimiter))
