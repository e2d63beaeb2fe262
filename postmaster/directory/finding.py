"""Finding the entry of whoever signs in."""

import ldap3

from ..errors import Phrase
from . import entries, filters, names, states
from .entries import Entry
from .faults import NotAnswered, Refused
from .names import Form, Name
from .plan import MEMBER_OF, Account, Directory


def _attributes(directory: Directory) -> list[str]:
    wanted = [directory.naming_attribute, *directory.name_attributes, *directory.preset.ids]
    wanted += states.ATTRIBUTES[directory.kind]
    wanted += ["objectSid", "primaryGroupID"] if directory.is_active else [MEMBER_OF]
    return wanted


def named(directory: Directory, connection: ldap3.Connection, name: Name) -> list[Entry]:
    """Who may be meant by a user name: mostly one, none if there is no such user."""
    query = directory.users
    base, wanted = directory.user_base, _attributes(directory)
    if name.form is Form.DN:
        meant = entries.at(connection, name.typed, attributes=wanted)
        if meant is not None:
            same = filters.fill(query, user=meant.text(directory.naming_attribute))
            found = entries.search(connection, base, same, wanted)
            # All of one name, if there are several: groups may name people by it.
            is_among = any(entry.dn.lower() == meant.dn.lower() for entry in found)
            return found if is_among else []
    spellings = dict.fromkeys((name.account, name.typed))
    if name.domain and not directory.is_active and name.domain.lower() != directory.domain.lower():
        spellings = dict.fromkeys((name.typed,))  # only Active Directory knows other domains
    either = "".join(filters.fill(query, user=spelling) for spelling in spellings)
    return entries.search(connection, base, f"(|{either})", wanted)


def oneself(directory: Directory, connection: ldap3.Connection, name: Name) -> Entry:
    """The entry of whoever is signed in on this connection.

    A name may mean somebody else than it seems to: another user's principal, or a user of
    a domain that this one trusts. The SIDs of the session say who it is.
    """
    own = entries.at(connection, "", attributes=["tokenGroups"])
    sids = own.values.get("tokengroups", ()) if own else ()
    found = [e for e in named(directory, connection, name) if e.first("objectSid") in sids]
    if len(found) == 1:
        return found[0]
    raise Refused(
        Phrase("Your account is not one of those that may use PostMaster"),
        Phrase("Check LDAP Base DN and LDAP User Filter; an account of another domain cannot"),
        detail=f"{len(found)} users of the name {name.typed} are below {directory.user_base}",
    )


def only(found: list[Entry], otherwise: Refused) -> Entry:
    """The one entry of those found; else raises what is given, or NotAnswered for several."""
    if not found:
        raise otherwise
    if len(found) > 1:
        raise NotAnswered(
            Phrase("%(count)s users have this name: %(dns)s"),
            Phrase("Narrow LDAP Base DN or LDAP User Filter, so that one is found"),
            others_may=False,
            count=len(found),
            dns=[entry.dn for entry in found[:3]],
        )
    return found[0]


def known(directory: Directory, connection: ldap3.Connection, account: Account) -> Entry:
    """The entry of an account that has signed in before, or of a name."""
    gone = Refused(
        Phrase("There is no such account in the directory"),
        Phrase("Check the name, LDAP Base DN and LDAP User Filter"),
    )
    if not account.external_id:
        name = names.read(account.username)
        return only(named(directory, connection, name) if name is not None else [], gone)
    query = entries.query_of_id(directory, account.external_id)
    if query is None:
        raise gone
    found = entries.search(connection, directory.user_base, query, _attributes(directory))
    return only([entry for entry in found if _fits(directory, connection, entry)], gone)


def _fits(directory: Directory, connection: ldap3.Connection, entry: Entry) -> bool:
    """Whether the filter of users still finds this entry."""
    query = directory.users
    filled = filters.fill(query, user=entry.text(directory.naming_attribute))
    return entries.at(connection, entry.dn, filled) is not None
