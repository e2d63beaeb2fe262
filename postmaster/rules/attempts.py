"""Attempts to sign in, counted before they are checked: the throttle and the lockout.

``begin`` of ``login`` counts by what is here, ``settle`` takes the count back where the
password and the code were right. A refusal is returned, not raised, so that its count is
committed.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ..db import announce
from ..directory.plan import Directory
from ..errors import Forbidden, RuleError, Throttled, Unauthenticated
from ..models import Admin, SignInFailure
from . import admins, clock, history, lengths, sessions, settings
from .actor import Actor

THROTTLE_WINDOW = timedelta(hours=1)
# Whoever has one IPv6 address mostly has a whole /64 of them.
IPV6_NETWORK_BITS = 64


class Outcome(StrEnum):
    """How one step of a sign-in ended, or a try at one's own present password that failed."""

    ACCEPTED = "accepted"
    CODE_WANTED = "code_wanted"  # the password was right, and the code is still to come
    INCOMPLETE = "incomplete"  # no user name or no password
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 -- or no such user
    WRONG_CODE = "wrong_code"
    WRONG_PRESENT_PASSWORD = "wrong_present_password"  # noqa: S105
    LOCKED = "locked"
    THROTTLED = "throttled"
    OUTDATED = "outdated"  # the account was changed between the two steps
    NOT_ADMITTED = "not_admitted"  # the directory knows the account, but it may not sign in
    NOT_ANSWERED = "not_answered"  # the directory or the provider could not be asked


@dataclass(frozen=True)
class SignIn:
    """What is announced of each of them."""

    outcome: Outcome


@dataclass(frozen=True)
class Attempt:
    """A sign-in that has been counted and not been decided yet."""

    username: str
    ip: str
    failure_id: int
    admin_id: int | None = None
    password_hash: str | None = None
    # How long this attempt locks the administrator if it fails, and until when.
    locks_for_minutes: int | None = None
    locks_until: datetime | None = None
    # Whom to ask about the password, if not our own table, and the user name as it was typed.
    directory: Directory | None = None
    typed: str = ""


def network_of(ip: str) -> str:
    """What the throttle counts by: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[: lengths.of(SignInFailure.network)]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), IPV6_NETWORK_BITS), strict=False))
    return str(address)


def throttled(session: Session, ip: str, failures_per_hour: int) -> Throttled | None:
    """The refusal of an address with too many of them; None while it may try."""
    moment = history.now()
    session.execute(delete(SignInFailure).where(SignInFailure.moment <= moment - THROTTLE_WINDOW))
    count, oldest = session.execute(
        select(func.count(), func.min(SignInFailure.moment)).where(
            SignInFailure.network == network_of(ip)
        )
    ).one()
    if count < failures_per_hour:
        return None
    announce(session, SignIn(Outcome.THROTTLED))
    wait = max(1, int((oldest + THROTTLE_WINDOW - moment).total_seconds()) + 1)
    return Throttled(
        "Too many refused sign-ins came from your address; try again in %(minutes)s minutes",
        retry_after=wait,
        minutes=-(-wait // 60),
    )


def _locked_row(session: Session, admin_id: int) -> Admin | None:
    return session.scalar(select(Admin).where(Admin.id == admin_id).with_for_update())


def unchanged(session: Session, attempt: Attempt) -> Admin | None:
    """The attempt's administrator, unless it is gone or has another password by now."""
    if attempt.admin_id is None:
        return None
    admin = _locked_row(session, attempt.admin_id)
    return admin if admin is not None and admin.password == attempt.password_hash else None


# --- counting -------------------------------------------------------------------


def begin_known(
    session: Session,
    admin_id: int,
    ip: str,
    failures_per_hour: int,
    is_same: Callable[[Admin], bool],
) -> Attempt | RuleError:
    """Count an attempt of an administrator who is known, if it still is the same account."""
    too_many = throttled(session, ip, failures_per_hour)
    if too_many is not None:
        return too_many
    failure = add_failure(session, ip)
    admin = _locked_row(session, admin_id)
    if admin is None or not is_same(admin):
        announce(session, SignIn(Outcome.OUTDATED))
        return Unauthenticated("The account was changed meanwhile: sign in again")
    return counted(session, admin, failure.id, ip)


def add_failure(session: Session, ip: str) -> SignInFailure:
    """Count one more refused sign-in of an address, until it turns out not to be one."""
    failure = SignInFailure(network=network_of(ip), moment=history.now())
    session.add(failure)
    session.flush()
    return failure


def counted(session: Session, admin: Admin, failure_id: int, ip: str) -> Attempt | RuleError:
    """The attempt at an administrator who was found, unless a lock is running."""
    name = admin.username or ""  # not as typed: MySQL also finds it by ädmin
    if admins.is_locked(admin):
        sessions.log(session, name, ip, 'The locked administrator "{name}" tried to sign in')
        announce(session, SignIn(Outcome.LOCKED))
        return _locked_out(admin)
    locks_for = _count(session, admin)
    return Attempt(
        name, ip, failure_id, admin.id, admin.password, locks_for, locks_until=admin.unlock_date
    )


def _count(session: Session, admin: Admin) -> int | None:
    """Count one more failed attempt; the minutes of the lock if it reaches the threshold."""
    values = settings.values_of(
        session,
        settings.LOCKOUT_THRESHOLD,
        settings.LOCKOUT_MINUTES,
        settings.LOCKOUT_RESET_MINUTES,
    )
    moment = history.now()
    reset_after = timedelta(minutes=values[settings.LOCKOUT_RESET_MINUTES])
    is_old = admin.last_failed_date is None or admin.last_failed_date + reset_after <= moment
    lock_is_over = admin.unlock_date is not None
    admin.failed_attempts = 1 if is_old or lock_is_over else (admin.failed_attempts or 0) + 1
    admin.last_failed_date = moment.replace(microsecond=0)
    admin.unlock_date = None
    threshold = values[settings.LOCKOUT_THRESHOLD]
    minutes: int | None = None
    if threshold and admin.failed_attempts >= threshold:
        minutes = values[settings.LOCKOUT_MINUTES]
        admin.unlock_date = moment.replace(microsecond=0) + timedelta(minutes=minutes)
    session.flush()
    return minutes


def take_back(session: Session, attempt: Attempt, admin: Admin) -> None:
    """Uncount this one attempt, and end the lock that it began; the failures before it stay."""
    _uncount(session, attempt, admin)
    forget(session, attempt)


def _uncount(session: Session, attempt: Attempt, admin: Admin) -> None:
    admin.failed_attempts = max((admin.failed_attempts or 0) - 1, 0)
    if admin.failed_attempts == 0:
        admin.last_failed_date = None
    if attempt.locks_until is not None and admin.unlock_date == attempt.locks_until:
        admin.unlock_date = None
    session.flush()


def forget(session: Session, attempt: Attempt) -> None:
    """Uncount it for its address."""
    session.execute(delete(SignInFailure).where(SignInFailure.id == attempt.failure_id))


def uncount(session: Session, attempt: Attempt) -> None:
    """Uncount it for the administrator whom the name seemed to mean, and not for its address."""
    admin = unchanged(session, attempt)
    if admin is not None:
        _uncount(session, attempt, admin)


def undo(session: Session, attempt: Attempt) -> None:
    """Uncount an attempt that nobody could decide."""
    admin = unchanged(session, attempt)
    if admin is None:
        forget(session, attempt)
    else:
        take_back(session, attempt, admin)


def _locked_out(admin: Admin) -> Forbidden:
    return Forbidden(
        "The account is locked out until %(until)s UTC",
        until=admin.unlock_date.strftime("%H:%M") if admin.unlock_date else "",
    )


def refused(
    session: Session,
    attempt: Attempt,
    outcome: Outcome,
    error: RuleError,
    *,
    sentence: str = 'A sign-in as "{name}" was refused: ',
    remark: str = "",
) -> RuleError:
    """The refusal; the log has the ``remark`` too."""
    sessions.log(session, attempt.username, attempt.ip, f"{sentence}{error}{remark}")
    announce(session, SignIn(outcome))
    if attempt.locks_for_minutes is not None and attempt.admin_id is not None:
        _record_lock(session, attempt, attempt.locks_for_minutes)
    return error


def about_the_clock(session: Session) -> str:
    """For the log, where a wrong clock may be why a right code is refused."""
    offset = clock.ahead(session)
    if not offset:
        return ""
    side = "ahead of" if offset > timedelta(0) else "behind"
    return f". This host's clock is {side} the database server's by {clock.in_words(offset)}"


def _record_lock(session: Session, attempt: Attempt, minutes: int) -> None:
    history.record(
        session,
        Actor(None, attempt.username[: lengths.of(Admin.username)], "page", attempt.ip),
        history.Action.LOCK,
        history.Kind.ADMIN,
        attempt.admin_id or 0,
        attempt.username,
        new={"minutes": minutes},
    )
    sessions.log(
        session,
        attempt.username,
        attempt.ip,
        f'The administrator "{{name}}" was locked out for {minutes} minutes',
    )
