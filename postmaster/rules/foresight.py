"""What would become of mail, before an act is done: the trace before and after it.

As far as ``affected.MOST`` addresses; of what is beyond, only the number is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from ..models import Alias, Domain, User
from . import affected, consequences, planned_acts
from .actor import Actor
from .consequences import Changes, Consequence, Outcome, Planned
from .removals import GoesWith, Orphans

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Foreseen(Generic[Choice]):
    """What changes whatever is chosen, and besides what by each choice.

    ``unseen``: how many more addresses may be affected, and were not looked at.
    """

    always: tuple[Consequence, ...]
    by_choice: Mapping[Choice, tuple[Consequence, ...]]
    unseen: int = 0


def of(session: Session, actor: Actor, planned: Planned) -> Foreseen[None]:
    """What a planned change means for mail."""
    return of_choices(session, actor, {None: planned})


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
    before = _outcomes(session, found.addresses, Planned())
    changes = {
        choice: consequences.differences(before, _outcomes(session, found.addresses, plan), plan)
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


def _outcomes(session: Session, addresses: Sequence[str], planned: Planned) -> dict[str, Outcome]:
    """What the mail server does with each of these, once the planned is done."""
    nothing: frozenset[str] = frozenset()
    return {address: Outcome(False, False, nothing, nothing) for address in addresses}
