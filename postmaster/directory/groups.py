"""Whether an account is in the group that lets it in."""

import struct

import ldap3
from ldap3.utils.conv import escape_bytes, escape_filter_chars

from ..errors import Phrase
from .entries import Entry, at, search
from .faults import NotAnswered
from .filters import fill
from .plan import MEMBER_OF, Directory

# LDAP_MATCHING_RULE_IN_CHAIN (MS-ADTS 3.1.1.3.4.4.3): also the groups of the groups.
IN_CHAIN = "1.2.840.113556.1.4.1941"
DEEPEST = 20


def is_member(connection: ldap3.Connection, directory: Directory, entry: Entry) -> bool:
    """Directly, through other groups, or as primary group. Raises NotAnswered."""
    group = _group(connection, directory)
    if directory.is_active:
        return _is_in_chain(connection, directory, entry, group)
    wanted = _comparable(group.dn)
    holders = directory.group_filter or directory.preset.holders
    if holders == MEMBER_OF:
        return wanted in map(_comparable, entry.texts(MEMBER_OF))
    return _holds(connection, directory, entry, wanted, holders)


def _group(connection: ldap3.Connection, directory: Directory) -> Entry:
    """The one group of the configured name. Two would be one too many to trust."""
    query = fill(directory.preset.groups, group=directory.group)
    found = search(connection, directory.group_base, query, ["objectSid"])
    if len(found) == 1:
        return found[0]
    raise NotAnswered(
        Phrase("%(count)s groups named %(group)s were found below %(base)s, and it has to be one"),
        Phrase("Check AD PostMaster Group and LDAP Base DN"),
        others_may=False,
        count=len(found),
        group=directory.group,
        base=directory.group_base,
    )


def _is_in_chain(
    connection: ldap3.Connection, directory: Directory, entry: Entry, group: Entry
) -> bool:
    in_chain = f"(memberOf:{IN_CHAIN}:={escape_filter_chars(group.dn)})"
    if at(connection, entry.dn, in_chain) is not None:
        return True
    primary = _primary_group(entry)
    if primary == group.first("objectSid"):
        return True
    # The primary group is in no member list, so the chain does not begin with it.
    query = f"(&(objectSid={escape_bytes(primary)}){in_chain})"
    return bool(primary and search(connection, directory.group_base, query, []))


def _primary_group(entry: Entry) -> bytes:
    """The SID of the primary group: that of the user with another last part (MS-DTYP 2.4.2)."""
    sid = entry.first("objectSid") or b""
    return sid[:-4] + struct.pack("<I", entry.number("primaryGroupID")) if sid else b""


def _holds(
    connection: ldap3.Connection, directory: Directory, entry: Entry, wanted: str, holders: str
) -> bool:
    """Whether the group holds the account, or a group that holds it, and so on."""
    user = entry.text(directory.naming_attribute)
    seen: set[str] = set()
    below = [entry.dn]
    for _ in range(DEEPEST):
        queries = [fill(holders, dn=dn, user=user) for dn in below]
        found = search(connection, directory.group_base, f"(|{''.join(queries)})", [])
        below = [group.dn for group in found if _comparable(group.dn) not in seen]
        seen |= {_comparable(dn) for dn in below}
        if wanted in seen:
            return True
        if not below:
            return False
    return False


def _comparable(dn: str) -> str:
    """A DN of the same server, for comparing: its letters' case and blanks do not count."""
    return ",".join(part.strip() for part in dn.lower().split(","))
