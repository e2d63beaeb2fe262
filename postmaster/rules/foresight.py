"""What would become of mail, before an act is done: the trace before and after it.

As far as ``affected.MOST`` addresses; of what is beyond, only the number is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from ..models import Alias, Domain, User
from . import addresses, affected, consequences, expansion, mail_tables, planned_acts
from .actor import Actor
from .consequences import Changes, Consequence, Outcome, Planned
from .expansion import Known, Server, Tables
from .mail_tables import Changed, StoredTables
from .removals import GoesWith, Orphans

Choice = TypeVar("Choice")
NOBODY: frozenset[str] = frozenset()
REFUSED = Outcome(is_taken=False, is_endless=False, reaches=NOBODY, lost=NOBODY)
ENDLESS = Outcome(is_taken=True, is_endless=True, reaches=NOBODY, lost=NOBODY)


@dataclass(frozen=True)
class Foreseen(Generic[Choice]):
    """What changes whatever is chosen, and besides what by each choice.

    ``unseen``: how many more addresses may be affected, and were not looked at.
    ``offers_copy`` as in ``Planned``.
    """

    always: tuple[Consequence, ...]
    by_choice: Mapping[Choice, tuple[Consequence, ...]]
    unseen: int = 0
    offers_copy: bool = False


def of(session: Session, actor: Actor, planned: Planned) -> Foreseen[None]:
    """What a planned change means for mail."""
    found = of_choices(session, actor, {None: planned})
    return replace(found, offers_copy=planned.offers_copy)


def of_removal(
    session: Session,
    actor: Actor,
    gone: GoesWith,
    *,
    domains: Sequence[Domain] = (),
    users: Sequence[User] = (),
    aliases: Sequence[Alias] = (),
) -> Foreseen[Orphans]:
    """What a deletion means for mail, by what becomes of aliases that would point nowhere."""
    choices = (Orphans.ALL, Orphans.KEEP) if gone.orphans else (Orphans.ALL,)
    planned = {
        choice: planned_acts.removing(gone, choice, domains=domains, users=users, aliases=aliases)
        for choice in choices
    }
    return of_choices(session, actor, planned)


def of_choices(
    session: Session, actor: Actor, planned: Mapping[Choice, Planned]
) -> Foreseen[Choice]:
    """What is the same for all choices, and what each of them means besides."""
    touched = dict.fromkeys(address for plan in planned.values() for address in plan.touched)
    found = affected.of(session, list(touched))
    if not found.addresses:
        return Foreseen((), dict.fromkeys(planned, ()))
    server, tables = mail_tables.server(session), StoredTables(session)
    before = _outcomes(server, tables, found.addresses)
    changes = {
        choice: consequences.differences(
            before, _outcomes_after(server, _after(tables, plan), found.addresses), plan
        )
        for choice, plan in planned.items()
    }
    common, *others = changes.values()
    always = {
        address: some
        for address, some in common.items()
        if all(other.get(address, ()) == some for other in others)
    }
    return Foreseen(
        consequences.grouped(always),
        {choice: consequences.grouped(_without(some, always)) for choice, some in changes.items()},
        found.unseen,
    )


def _without(changes: Changes, others: Changes) -> Changes:
    return {address: some for address, some in changes.items() if address not in others}


def _outcomes(server: Server, tables: Tables, wanted: Sequence[str]) -> dict[str, Outcome]:
    """What the mail server does with each of these, by these tables."""
    known = expansion.fetch(tables, server, [affected.traced(address) for address in wanted])
    return {address: _outcome(affected.traced(address), server, known) for address in wanted}


def _outcomes_after(server: Server, tables: Tables, wanted: Sequence[str]) -> dict[str, Outcome]:
    """The same, where most of what is asked for may be in a domain that is gone."""
    here = tables.domains({addresses.split(address)[1] for address in wanted})
    staying = [address for address in wanted if addresses.split(address)[1] in here]
    return dict.fromkeys(wanted, REFUSED) | _outcomes(server, tables, staying)


def _outcome(address: str, server: Server, known: Known) -> Outcome:
    if not expansion.is_here(address, known) or not expansion.is_listed(address, server, known):
        return REFUSED
    finals, failure = expansion.expand(address, server, known)
    if failure:
        return ENDLESS
    lost = {
        final
        for final in finals
        if not expansion.is_sendable(final)
        or (expansion.is_here(final, known) and not _takes_mail(final, server, known))
    }
    reached = {_recipient(final, server, known) for final in finals if final not in lost}
    return Outcome(True, False, _named(reached), _named(lost))


def _recipient(final: str, server: Server, known: Known) -> str:
    """Who gets the mail for an address in the end: here that is a mailbox."""
    if not expansion.is_here(final, known):
        return final
    return expansion.mailbox_address(final, server)


def _takes_mail(address: str, server: Server, known: Known) -> bool:
    mailbox = expansion.mailbox_at(address, server, known)
    return mailbox is not None and mailbox.takes_mail


def _named(found: Iterable[str]) -> frozenset[str]:
    return frozenset(affected.named(address) for address in found)


def _after(tables: Tables, planned: Planned) -> Tables:
    return Changed(
        tables,
        without_aliases=[alias.id for alias in planned.gone_aliases],
        with_aliases=planned.new_aliases,
        without_users=[user.id for user in planned.gone_users],
        with_users=planned.new_users,
        without_domains=[domain.id for domain in planned.gone_domains],
    )
