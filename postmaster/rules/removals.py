"""What goes along when mailboxes and aliases are deleted, and what would point nowhere."""

import hashlib
import itertools
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, case, exists, select
from sqlalchemy.orm import Session, aliased

from ..errors import Conflict
from ..models import Alias, AnyAlias, AnyUser
from . import addresses, rows, suspensions
from .mail_tables import StoredTables

VERSION_LENGTH = 16
AnyAliasRow = TypeVar("AnyAliasRow", bound=AnyAlias)
ASKED_LEVELS = 20  # of aliases that lead to aliases; of a longer chain the rest is read at once


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

    users: Sequence[AnyUser]
    aliases: Sequence[AnyAlias]
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

    def aliases_gone(self, orphans: Orphans) -> list[AnyAlias]:
        """The aliases that go, by what was chosen."""
        return [*self.aliases, *self.elsewhere_gone(orphans)]

    def elsewhere_gone(self, orphans: Orphans) -> list[Alias]:
        """Those of them that are not rows of the thing itself."""
        if orphans is Orphans.KEEP:
            return []
        return self.orphans if orphans is Orphans.ALL else self.leading_here

    def check(self, seen: str | None) -> None:
        """Refuse to delete something else than what was shown. Raises Conflict."""
        if seen is not None and seen != self.version:
            raise Conflict(
                "What would be deleted is not what was shown any more: somebody changed it. "
                "Look at it again"
            )


def leading_to(
    session: Session, emails: Collection[str], *conditions: ColumnElement[bool]
) -> list[Alias]:
    """The aliases whose destination is one of these mailboxes."""
    return in_order(rows.where_in(session, Alias, Alias.destination, emails, *conditions))


def of(
    session: Session,
    users: Sequence[AnyUser],
    own: Sequence[AnyAlias],
    leading_here: list[Alias],
    emails: Collection[str],
    *,
    domain_ids: Collection[int] = (),
) -> GoesWith:
    """What goes with these rows and mailboxes, from the aliases elsewhere that lead to them.

    ``domain_ids``: of these domains all users and aliases are among the rows.
    """
    tables = StoredTables(session, besides=domain_ids)
    leading: dict[str, list[Alias]] = {}
    for alias in leading_here:
        leading.setdefault(addresses.folded(alias.destination), []).append(alias)
    # What other letters are the same, the database is to say.
    tables.know_leading_to({key: some for key, some in leading.items() if key.isascii()})
    # Of what goes, only what something elsewhere leads to has to be looked at.
    led_to = set(leading) | set(tables.leading_to({addresses.folded(a.source) for a in own}))
    nowhere = _pointing_nowhere(session, tables, led_to, {alias.id for alias in own}, emails)
    nowhere_ids, leading_ids = {a.id for a in nowhere}, {a.id for a in leading_here}
    return GoesWith(
        users=users,
        aliases=own,
        leading_here=leading_here,
        pointing_nowhere=[alias for alias in nowhere if alias.id not in leading_ids],
        still_leading=[alias for alias in leading_here if alias.id not in nowhere_ids],
    )


def pointing_nowhere(session: Session, gone: Sequence[AnyAlias]) -> list[Alias]:
    """The aliases that lead to aliases that are gone and so, step by step, nowhere.

    What still is a mailbox, or has another row or a catch-all as an alias, is a place.
    """
    lost = {addresses.folded(alias.source) for alias in gone}
    gone_ids = {alias.id for alias in gone}
    return _pointing_nowhere(session, StoredTables(session), lost, gone_ids, ())


def _pointing_nowhere(
    session: Session,
    tables: StoredTables,
    lost: set[str],
    gone_ids: set[int],
    gone_emails: Collection[str],
) -> list[Alias]:
    """The aliases that lead to these lost places, and which are none any more."""
    mailboxes = {addresses.folded(email) for email in gone_emails} if lost else set()
    found: list[int] = []
    level = 0
    while lost:
        level += 1
        if level == ASKED_LEVELS:
            _read_ahead(session, tables, lost)
        lost = lost - _still_a_place(tables, lost, gone_ids, mailboxes)
        leading = itertools.chain.from_iterable(tables.leading_to(lost).values())
        orphaned = {row.id: row for row in leading if row.id is not None}
        new = orphaned.keys() - gone_ids
        found += new
        gone_ids = gone_ids | new
        lost = {addresses.folded(orphaned[row_id].source) for row_id in new}
    return in_order(rows.present(session, Alias, found))


def _read_ahead(session: Session, tables: StoredTables, lost: Collection[str]) -> None:
    """Have the tables remember all that may lead to these places, over any number of aliases.

    A question for each level of a long chain takes longer than to read, once, which aliases
    lead to others.
    """
    on = aliased(Alias)
    # In a CASE, lest the database turns it into a join that reads all rows for each.
    leads_on = case((exists().where(on.source == Alias.destination), 1), else_=0) == 1
    leading: dict[str, list[str]] = {}
    for source, destination in session.execute(
        select(Alias.source, Alias.destination).where(leads_on)
    ):
        leading.setdefault(addresses.folded(destination), []).append(addresses.folded(source))
    ahead, places = list(lost), set(lost)
    while ahead:
        new = set(leading.get(ahead.pop(), ())) - places
        places |= new
        ahead += new
    tables.leading_to(places)
    tables.aliases(places | _catch_alls(places))
    tables.mailboxes(suspensions.spellings(places))


def _still_a_place(
    tables: StoredTables, places: set[str], gone_ids: set[int], gone_emails: set[str]
) -> set[str]:
    """As the database compares, like the mail server: what it finds there is found."""
    there = tables.aliases(places | _catch_alls(places))
    kept = {key for key, some in there.items() if any(row.id not in gone_ids for row in some)}
    # A suspended user's address is a place still: it comes back.
    for key, row in tables.mailboxes(suspensions.spellings(places)).items():
        if addresses.folded(row.email.removeprefix(suspensions.SIGN)) not in gone_emails:
            kept.add(key.removeprefix(suspensions.SIGN))
    return {place for place in places if place in kept or _catch_all(place) in kept}


def _catch_alls(places: Collection[str]) -> set[str]:
    return {_catch_all(place) for place in places}


def _catch_all(address: str) -> str:
    return f"@{addresses.split(address)[1]}"


def in_order(aliases: Collection[AnyAliasRow]) -> list[AnyAliasRow]:
    """By source, then as they were made."""
    return sorted(aliases, key=lambda alias: (alias.source.lower(), alias.id))
