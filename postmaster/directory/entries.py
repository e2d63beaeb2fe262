"""Reading entries of a directory."""

import contextlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import ldap3
from ldap3.core.results import (
    RESULT_INVALID_DN_SYNTAX,
    RESULT_NO_SUCH_OBJECT,
    RESULT_SIZE_LIMIT_EXCEEDED,
    RESULT_SUCCESS,
)
from ldap3.utils.conv import escape_bytes

from ..errors import Phrase
from .faults import NotAnswered
from .plan import Account, Directory

ANY = "(objectClass=*)"
# Nobody has so many groups; whoever finds more searches for the wrong thing.
MOST_ENTRIES = 1000


@dataclass(frozen=True)
class Entry:
    """One entry: its DN and its values, as octets, by the attribute's name in lower case."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]]

    def first(self, attribute: str) -> bytes | None:
        """The first value of an attribute, if it has one."""
        values = self.values.get(attribute.lower(), ())
        return values[0] if values else None

    def text(self, attribute: str) -> str:
        """The first value as text, or nothing."""
        return (self.first(attribute) or b"").decode("utf-8", "replace").strip()

    def texts(self, attribute: str) -> list[str]:
        """All values as text."""
        return [v.decode("utf-8", "replace") for v in self.values.get(attribute.lower(), ())]

    def number(self, attribute: str) -> int:
        """The first value as a number; 0 where there is none."""
        text = self.text(attribute)
        return int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() else 0


def search(
    connection: ldap3.Connection, base: str, query: str, attributes: Iterable[str]
) -> list[Entry]:
    """The entries below ``base`` that a filter finds. Raises NotAnswered."""
    found = _search(connection, base, query, ldap3.SUBTREE, attributes)
    if found is None:
        raise _not_searched(base, connection.result)
    return found


def at(
    connection: ldap3.Connection, dn: str, query: str = ANY, attributes: Iterable[str] = ()
) -> Entry | None:
    """The entry of this DN, if it is there and a filter fits it. Raises NotAnswered.

    Text that only looks like a DN is nobody's.
    """
    found = _search(connection, dn, query, ldap3.BASE, attributes)
    return found[0] if found else None


def _search(
    connection: ldap3.Connection,
    base: str,
    query: str,
    scope: Literal["BASE", "SUBTREE"],
    attributes: Iterable[str],
) -> list[Entry] | None:
    """What was found; None where there is no such base, or where it may not be seen."""
    connection.search(
        base,
        query,
        search_scope=scope,
        dereference_aliases=ldap3.DEREF_NEVER,
        attributes=list(attributes) or [ldap3.NO_ATTRIBUTES],
        size_limit=MOST_ENTRIES,
        time_limit=5,
    )
    result = connection.result
    if result["result"] in (RESULT_NO_SUCH_OBJECT, RESULT_INVALID_DN_SYNTAX):
        return None
    if result["result"] not in (RESULT_SUCCESS, RESULT_SIZE_LIMIT_EXCEEDED):
        raise _not_searched(base, result)
    return [
        Entry(
            item["dn"],
            {name.lower(): tuple(values) for name, values in item["raw_attributes"].items()},
        )
        for item in connection.response or ()
        if item["type"] == "searchResEntry"  # and no reference to another server
    ]


def _not_searched(base: str, result: dict[str, Any]) -> NotAnswered:
    return NotAnswered(
        Phrase("The directory did not answer a search below %(base)s: %(reason)s"),
        Phrase("Name a bind account that may search there, and check LDAP Base DN"),
        others_may=False,
        base=base,
        reason=f"{result['description']} {result['message']}".strip("\x00 "),
    )


def external_id(directory: Directory, entry: Entry) -> str:
    """What identifies this account for ever; nothing where the directory does not say."""
    for attribute in directory.preset.ids:
        value = entry.first(attribute)
        if value:
            is_binary = directory.is_active and len(value) == len(uuid.UUID(int=0).bytes)
            return str(uuid.UUID(bytes_le=value)) if is_binary else entry.text(attribute)
    return ""


def query_of_id(directory: Directory, external_id: str) -> str | None:
    """The filter that finds an account by what identifies it; None if it is another type's."""
    if directory.is_active:
        with contextlib.suppress(ValueError):
            return f"(objectGUID={escape_bytes(uuid.UUID(external_id).bytes_le)})"
        return None
    escaped = escape_bytes(external_id.encode())
    return "(|" + "".join(f"({name}={escaped})" for name in directory.preset.ids) + ")"


def account(directory: Directory, entry: Entry) -> Account:
    """Who an entry is."""
    username = entry.text(directory.naming_attribute)
    names = [entry.text(attribute) for attribute in directory.name_attributes]
    return Account(
        external_id=external_id(directory, entry),
        username=username.lower(),
        name=next(filter(None, names), username),
        dn=entry.dn,
    )
