"""What an undo takes away because it was made: what is there now may need it."""

from typing import Any

from sqlalchemy.orm import Session

from ..db import Base
from ..errors import Conflict
from ..models import Alias, Domain, User
from . import aliases, returning, rows, suspensions

# The rows that are to go, by their table and id.
Found = dict[type[Base], dict[int, Any]]


def check(session: Session, found: Found, after: int) -> None:
    """Refuse to take rows away that others need. Raises Conflict, which names one of these.

    ``after`` is the id of the change that made the rows.
    """
    _check_domains_are_empty(session, found)
    _check_nothing_leads_to(session, found)
    _check_copies_are_not_needed(session, found, after)


def _check_domains_are_empty(session: Session, found: Found) -> None:
    in_them: list[User | Alias] = [
        *rows.where_in(session, User, User.domain_id, found[Domain]),
        *rows.where_in(session, Alias, Alias.domain_id, found[Domain]),
    ]
    for row in in_them:
        if row.id not in found[type(row)]:
            raise Conflict(
                'The domain "%(name)s" has users or aliases now',
                name=found[Domain][row.domain_id].name,
            )


def _check_nothing_leads_to(session: Session, found: Found) -> None:
    emails = [suspensions.address_of(user) for user in found[User].values()]
    staying = [
        alias
        for alias in rows.where_in(session, Alias, Alias.source, emails)
        if alias.id not in found[Alias] and not aliases.is_copy(alias)
    ]
    still_aliases = {alias.source.lower() for alias in staying}
    for alias in rows.where_in(session, Alias, Alias.destination, emails):
        is_served = alias.destination.lower() in still_aliases and not aliases.is_copy(alias)
        if alias.id not in found[Alias] and not is_served:
            raise Conflict(
                'The alias "%(name)s" leads to this user now', name=aliases.in_words(alias)
            )


def _check_copies_are_not_needed(session: Session, found: Found, after: int) -> None:
    """A row mailbox -> mailbox stays while others take the mailbox's mail.

    Those that took it before there was the copy do not count.
    """
    copies = {
        alias.source.lower(): alias.id for alias in found[Alias].values() if aliases.is_copy(alias)
    }
    newer = {alias.id for alias in returning.newer_aliases(session, copies, after)}
    gone = {suspensions.address_of(user).lower() for user in found[User].values()}
    for alias in rows.where_in(session, Alias, Alias.source, copies):
        was_before = alias.id not in newer and alias.id < copies.get(alias.source.lower(), 0)
        if alias.id not in found[Alias] and alias.source.lower() not in gone and not was_before:
            raise Conflict(
                'Without it the alias "%(name)s" would take all the mail of the mailbox',
                name=aliases.in_words(alias),
            )
