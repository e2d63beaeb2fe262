"""Domains and addresses: normalise first, then check. Pure.

The syntax is that of RFC 5321 as far as a real Postfix and Dovecot deliver it;
domains are kept as A-labels (IDNA 2008, RFC 5891), which is the form that mail
arrives with.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any, NoReturn, Protocol

import idna

from ..errors import Invalid, Phrase

LOCAL_PART_LENGTH = 64  # octets, RFC 5321 section 4.5.3.1.1
DOMAIN_LENGTH = 253
LINE_LENGTH = 80  # of what is quoted

# What Dovecot's auth_username_chars lets in and LMTP delivers; a "+" is cut off by both.
MAILBOX_LOCAL_PART = re.compile(r"[a-z0-9._-]+")
# RFC 5321 atext, less "!" and "%", which Postfix refuses as source routes.
ALIAS_LOCAL_PART = re.compile(r"[a-z0-9.#$&'*+/=?^_`{|}~-]+")
# A top-level domain is never a number (RFC 3696, section 2), so 192.0.2.1 is no domain.
NUMERIC = re.compile(r"[0-9]+")
SEPARATORS = frozenset(",;")
UNUSABLE_ASCII = re.compile(r"[\x00-\x20\x7f,;]")


class Refusal(Protocol):
    """Raises Invalid with the given reason."""

    def __call__(self, reason: Phrase, **values: Any) -> NoReturn:
        """Refuse."""


def trim(text: str) -> str:
    """The text without blanks at its ends."""
    return text.strip()


def folded(text: str) -> str:
    """A name or an address without what every collation ignores: case, and blanks at the end.

    Most ignore accents, too. To people these are two names, so what deletes rows or moves them
    goes by this besides what the database takes for the same.
    """
    return text.rstrip(" ").lower()


def has_unusable_characters(text: str) -> bool:
    """Whether it holds blanks, separators or control characters.

    Postfix reads ``a, b`` as two recipients, and a line end may end the lookup.
    """
    if text.isascii():
        return UNUSABLE_ASCII.search(text) is not None
    return any(
        character.isspace()
        or character in SEPARATORS
        or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")
        for character in text
    )


def domain_name(text: str) -> str:
    """The domain in lower case as A-labels. Raises Invalid."""
    name = _a_labels(trim(text))
    if name is None:
        raise Invalid(
            '"%(name)s" is not a valid domain name: it has at least two parts of letters, '
            "digits and hyphens, such as example.com",
            field="name",
            name=shown(text),
        )
    return name


@lru_cache(maxsize=4096)  # an import has many addresses of few domains
def _a_labels(domain: str) -> str | None:
    if not domain or has_unusable_characters(domain):
        return None
    try:
        name = idna.encode(domain.lower(), uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None
    labels = name.split(".")
    if len(labels) < 2 or "" in labels or NUMERIC.fullmatch(labels[-1]):
        return None
    return name if len(name) <= DOMAIN_LENGTH else None


def as_stored(text: str) -> str:
    """An address, or a part of one, with an international domain in the tables' form.

    What cannot have such a form stays as it is.
    """
    local_part, at, domain = text.rpartition("@")
    if domain.isascii():
        return text
    try:
        labels = idna.encode(domain.lower(), uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return text
    return f"{local_part}{at}{labels}"


def u_labels(domain: str) -> str:
    """The domain as people read it; what is no IDN stays as it is."""
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def split(address: str) -> tuple[str, str]:
    """Local part and domain of a normalised or stored address, at the last ``@``."""
    local_part, _, domain = address.rpartition("@")
    return local_part, domain


def mailbox(text: str) -> str:
    """The address of a mailbox, normalised. Raises Invalid."""
    refuse = _refusal(Phrase('"%(text)s" is not a valid email address: %(reason)s'), "email", text)
    local_part, domain = _parts(trim(text), refuse)
    if not MAILBOX_LOCAL_PART.fullmatch(local_part):
        refuse(Phrase("before the @ a mailbox may have only a-z, 0-9, dot, hyphen and underscore"))
    _check_dots(local_part, refuse)
    return f"{local_part}@{domain}"


def alias_source(text: str) -> str:
    """The source of an alias, normalised: an address, or ``@domain`` for a catch-all."""
    refuse = _refusal(
        Phrase('The source "%(text)s" is not in a valid email format: %(reason)s'), "source", text
    )
    return _address_or_domain(trim(text), refuse)


def alias_destination(text: str) -> str:
    """The destination of an alias, normalised. Raises Invalid."""
    refuse = _refusal(
        Phrase('The destination "%(text)s" is not in a valid email format: %(reason)s'),
        "destination",
        text,
    )
    return _alias_address(trim(text), refuse)


def any_address(text: str) -> str:
    """An address that mail can be sent to, or ``@domain``, normalised. Raises Invalid."""
    refuse = _refusal(
        Phrase('"%(text)s" is not a valid email address: %(reason)s'), "address", text
    )
    return _address_or_domain(trim(text), refuse)


def _refusal(template: Phrase, field: str, text: str) -> Refusal:
    def refuse(reason: Phrase, **values: Any) -> NoReturn:
        raise Invalid(template, field=field, text=shown(text), reason=reason, **values)

    return refuse


def _address_or_domain(address: str, refuse: Refusal) -> str:
    if address.startswith("@"):
        domain = _a_labels(address[1:])
        if domain is None:
            refuse(Phrase("after the @ there must be a domain"))
        return f"@{domain}"
    return _alias_address(address, refuse)


def _alias_address(address: str, refuse: Refusal) -> str:
    local_part, domain = _parts(address, refuse)
    if not ALIAS_LOCAL_PART.fullmatch(local_part):
        refuse(Phrase("before the @ there is a character that mail servers refuse"))
    _check_dots(local_part, refuse)
    return f"{local_part}@{domain}"


def _parts(address: str, refuse: Refusal) -> tuple[str, str]:
    if has_unusable_characters(address):
        refuse(Phrase("it may not contain blanks, commas, semicolons or control characters"))
    if address.count("@") != 1:
        refuse(Phrase("it must have one @"))
    local_part, domain_part = split(address)
    if not local_part:
        refuse(Phrase("there is nothing before the @"))
    local_part = local_part.lower()
    if len(local_part.encode("utf-8")) > LOCAL_PART_LENGTH:
        refuse(
            Phrase("before the @ there may be at most %(most)s characters"), most=LOCAL_PART_LENGTH
        )
    domain = _a_labels(domain_part)
    if domain is None:
        refuse(Phrase("after the @ there must be a domain"))
    return local_part, domain


def _check_dots(local_part: str, refuse: Refusal) -> None:
    if local_part.startswith(".") or local_part.endswith(".") or ".." in local_part:
        refuse(Phrase("a dot may not stand first, last or twice in a row before the @"))
    if local_part.startswith("-"):
        refuse(Phrase("a hyphen may not stand first"))


def shown(text: str, most: int = LINE_LENGTH) -> str:
    """The text as an error may quote it: printable, and not longer than a line."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.strip())
    if len(printable) <= most:
        return printable
    return f"{printable[: most - 1]}\N{HORIZONTAL ELLIPSIS}"
