"""The acts that suspend users and resume them, and what to know before."""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..errors import Conflict, Invalid, Phrase
from ..models import Alias, User
from . import alias_rules, history, lengths, rows, suspensions, turns, users
from .actor import Actor
from .suspensions import Mode

VERSION_LENGTH = 16
NOT_KEPT = Phrase(
    'The password of "%(email)s" was not kept by PostMaster: set a new one first, then resume it'
)


@dataclass(frozen=True)
class About:
    """Who is to be suspended, and what goes on without mail; ``foresight`` knows what stops.

    ``forwarding``: how many alias rows of theirs lead mail on to others.
    """

    users: list[User]
    forwarding: int
    version: str


def about(session: Session, actor: Actor, user_ids: Sequence[int]) -> About:
    """What to know before users are suspended."""
    chosen = users.get_several(session, actor, user_ids)
    emails = [suspensions.address_of(user) for user in chosen]
    return About(chosen, _count_forwarding(session, emails), _version(chosen))


def _count_forwarding(session: Session, emails: Sequence[str]) -> int:
    total = 0
    for some in rows.chunks(emails):
        condition = Alias.source.in_(some) & (Alias.destination != Alias.source)
        total += session.scalar(select(func.count(Alias.id)).where(condition)) or 0
    return total


def _version(chosen: Sequence[User]) -> str:
    states = sorted((user.id, user.email, suspensions.mode_of(user)) for user in chosen)
    return hashlib.sha256(json.dumps(states).encode()).hexdigest()[:VERSION_LENGTH]


def ending_sessions(user: User) -> str:
    """The command that ends a user's sessions on the mail server, for a shell there."""
    return f"doveadm kick {shlex.quote(suspensions.address_of(user))}"


# --- the acts -------------------------------------------------------------------


def suspend(
    session: Session, actor: Actor, user_id: int, *, mode: Mode, seen: str | None = None
) -> User:
    """Suspend one user; see ``suspend_several``."""
    suspend_several(session, actor, [user_id], mode=mode, seen=seen)
    return users.get(session, actor, user_id)


def suspend_several(
    session: Session,
    actor: Actor,
    user_ids: Sequence[int],
    *,
    mode: Mode,
    seen: str | None = None,
) -> list[User]:
    """Suspend users, all or none; returns those that were not suspended so already.

    Raises Invalid where the address would not fit, Conflict where one that gets mail again
    has been taken.
    """
    return _change(session, actor, user_ids, mode, seen)


def resume(session: Session, actor: Actor, user_id: int, *, seen: str | None = None) -> User:
    """Resume one user; see ``resume_several``."""
    resume_several(session, actor, [user_id], seen=seen)
    return users.get(session, actor, user_id)


def resume_several(
    session: Session, actor: Actor, user_ids: Sequence[int], *, seen: str | None = None
) -> list[User]:
    """Give users their addresses and hashes back, all or none; returns those that had none.

    Raises Invalid where a hash was not kept, Conflict where an address has been taken.
    """
    return _change(session, actor, user_ids, None, seen)


def _change(
    session: Session,
    actor: Actor,
    user_ids: Sequence[int],
    mode: Mode | None,
    seen: str | None,
) -> list[User]:
    turns.take(session, turns.Queue.MAIL)
    chosen = rows.by_ids(session, User, user_ids, "user")
    if seen is not None and seen != _version(chosen):
        raise Conflict(
            "Somebody suspended, resumed or changed one of these users since you opened this: "
            "look at it again"
        )
    chosen = [user for user in chosen if suspensions.mode_of(user) is not mode]
    if chosen:
        changes = put(session, chosen, {user.id: mode for user in chosen})
        history.record_all(session, actor, changes)
    return chosen


def put(
    session: Session, chosen: Sequence[User], modes: Mapping[int, Mode | None]
) -> list[history.Change]:
    """Put users into a mode, each by its id; its changes are for the caller to record."""
    changes = [_as_changed(user, modes[user.id]) for user in chosen]
    returning = [user for user in chosen if modes[user.id] is not Mode.ALL]
    _check_hashes(session, [user for user in chosen if modes[user.id] is None])
    _check_fit(session, [user for user in chosen if modes[user.id] is Mode.ALL])
    _check_addresses_are_free(session, returning)
    suspensions.put(session, chosen, modes)
    return changes


def _as_changed(user: User, mode: Mode | None) -> history.Change:
    action = history.Action.RESUME if mode is None else history.Action.SUSPEND
    return history.Change(
        *(action, history.Kind.USER, user.id, suspensions.address_of(user)),
        old={"suspended": suspensions.mode_of(user)},
        new={"suspended": mode},
    )


# --- checks ---------------------------------------------------------------------


def _check_hashes(session: Session, resumed: Sequence[User]) -> None:
    hashes = suspensions.hashes_of(session, resumed)
    for user in resumed:
        if hashes[user.id] == suspensions.MARKER:
            raise Invalid(NOT_KEPT, email=suspensions.address_of(user))


def _check_fit(session: Session, suspended: Sequence[User]) -> None:
    if not suspended:
        return
    most = lengths.in_database(session, User.email)
    for user in suspended:
        check_fits(suspensions.address_of(user), most)


def check_fits(email: str, most: int) -> None:
    """The address of a user without mail, in a column of at most so many characters."""
    if len(suspensions.stored_address(email, Mode.ALL)) > most:
        raise Invalid(
            '"%(email)s" is too long to be suspended without mail: its column in this '
            "database has no room for the sign before it. Suspend its sign-in only",
            email=email,
        )


def alias_takes_its_mail(email: str) -> Conflict:
    """The refusal to a user that is to get mail again, where an alias would take it."""
    return Conflict(
        'There is an alias "%(email)s" now, which would take the mail of the user: '
        "delete it first, or add the alias %(email)s -> %(email)s",
        email=email,
    )


def _check_addresses_are_free(session: Session, returning: Sequence[User]) -> None:
    """Refuse an address that somebody else has by now, made by hand."""
    emails = [
        suspensions.address_of(user) for user in returning if suspensions.mode_of(user) is Mode.ALL
    ]
    for user in rows.where_in(session, User, User.email, emails):
        raise Conflict(
            'There is another user "%(email)s" now: delete or rename it first', email=user.email
        )
    for alias in rows.where_in(session, Alias, Alias.source, emails):
        if not alias_rules.keeps_copy(session, alias.source):
            raise alias_takes_its_mail(alias.source)
