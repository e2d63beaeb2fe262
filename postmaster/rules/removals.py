"""What goes along when mailboxes and aliases are deleted, and what would point nowhere."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import Conflict
from ..models import Alias, User
from . import addresses, rows, suspensions

VERSION_LENGTH = 16


class Orphans(StrEnum):
    """What becomes of aliases elsewhere that lead to what is deleted."""

    MAILBOX = "mailbox"  # those to a deleted mailbox go too
    ALL = "all"  # all that would point nowhere go
    KEEP = "keep"  # all stay


@dataclass(frozen=True)
class GoesWith:
    """What a deletion takes along, or may take along.

    ``users`` and ``aliases`` are rows of the thing itself and always go. ``leading_here``
    are aliases elsewhere whose destination is a deleted mailbox; of those ``still_leading``
    have a place to go to all the same, since it is an alias too. ``pointing_nowhere`` are
    further ones whose destination would be neither a mailbox nor an alias any more.
    """

    users: list[User]
    aliases: list[Alias]
    leading_here: list[Alias]
    pointing_nowhere: list[Alias]
    still_leading: list[Alias] = field(default_factory=list)

    @property
    def orphans(self) -> list[Alias]:
        """The aliases elsewhere that would point nowhere."""
        still = {alias.id for alias in self.still_leading}
        leading = [alias for alias in self.leading_here if alias.id not in still]
        return leading + self.pointing_nowhere

    @property
    def version(self) -> str:
        """Changes as soon as a row joins or leaves."""
        ids = [
            sorted(row.id for row in some)
            for some in (
                *(self.users, self.aliases, self.leading_here),
                *(self.pointing_nowhere, self.still_leading),
            )
        ]
        return hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:VERSION_LENGTH]

    def aliases_gone(self, orphans: Orphans) -> list[Alias]:
        """The aliases that go, by what was chosen."""
        if orphans is Orphans.KEEP:
            return list(self.aliases)
        return self.aliases + (self.orphans if orphans is Orphans.ALL else self.leading_here)

    def check(self, seen: str | None) -> None:
        """Refuse to delete something else than what was shown. Raises Conflict."""
        if seen is not None and seen != self.version:
            raise Conflict(
                "What would be deleted is not what was shown any more: somebody changed it. "
                "Look at it again"
            )


def leading_to(session: Session, emails: Collection[str]) -> list[Alias]:
    """The aliases whose destination is one of these mailboxes."""
    return in_order(rows.where_in(session, Alias, Alias.destination, emails))


def of(
    session: Session,
    users: list[User],
    own: list[Alias],
    leading_here: list[Alias],
    emails: list[str],
) -> GoesWith:
    """What goes with these rows and mailboxes, from the aliases elsewhere that lead to them."""
    nowhere = pointing_nowhere(session, own, emails)
    nowhere_ids, leading_ids = {a.id for a in nowhere}, {a.id for a in leading_here}
    return GoesWith(
        users=users,
        aliases=own,
        leading_here=leading_here,
        pointing_nowhere=[alias for alias in nowhere if alias.id not in leading_ids],
        still_leading=[alias for alias in leading_here if alias.id not in nowhere_ids],
    )


def pointing_nowhere(
    session: Session, gone: Sequence[Alias], gone_emails: Collection[str]
) -> list[Alias]:
    """The aliases that lead to what is gone, an alias or a mailbox, and so, step by step, nowhere.

    What still is a mailbox, or has another row or a catch-all as an alias, is a place.
    """
    gone_ids = {alias.id for alias in gone}
    mailboxes = {email.lower() for email in gone_emails}
    lost = {alias.source.lower() for alias in gone} | mailboxes
    found: list[Alias] = []
    while lost:
        lost -= _still_a_place(session, lost, gone_ids, mailboxes)
        orphaned = [
            alias
            for alias in rows.where_in(session, Alias, Alias.destination, lost)
            if alias.id not in gone_ids
        ]
        found += orphaned
        gone_ids |= {alias.id for alias in orphaned}
        lost = {alias.source.lower() for alias in orphaned}
    return in_order(found)


def _still_a_place(
    session: Session, places: set[str], gone_ids: set[int], gone_emails: set[str]
) -> set[str]:
    catch_alls = {f"@{addresses.split(address)[1]}" for address in places}
    kept = set()
    for some in rows.chunks(places | catch_alls):
        sources = select(Alias.id, Alias.source).where(Alias.source.in_(some))
        kept |= {
            source.lower()
            for alias_id, source in session.execute(sources)
            if alias_id not in gone_ids
        }
        # A suspended user's address is a place still: it comes back.
        spellings = suspensions.spellings(some)
        mailboxes = session.scalars(select(User).where(User.email.in_(spellings)))
        kept |= {suspensions.address_of(user).lower() for user in mailboxes} - gone_emails
    return {place for place in places if place in kept or f"@{addresses.split(place)[1]}" in kept}


def in_order(aliases: Collection[Alias]) -> list[Alias]:
    """By source, then as they were made."""
    return sorted(aliases, key=lambda alias: (alias.source.lower(), alias.id))
