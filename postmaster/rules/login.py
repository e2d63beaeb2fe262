"""Signing in: count first, then check, then settle.

``begin`` counts the attempt as failed and commits; only then is the password
looked at, outside any transaction, since bcrypt and a directory are slow; and
``settle`` takes the count back where the password and the code were right. An
attempt that is cut off in between stays counted. A refusal is returned, not
raised, so that its count is committed.
"""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ..db import announce
from ..errors import Forbidden, RuleError, Throttled
from ..models import Admin, SignInFailure
from . import addresses, admins, history, lengths, passwords, sessions, settings, twofactor
from .actor import Actor

LOCAL_SOURCE = "PostMaster User"
THROTTLE_WINDOW = timedelta(hours=1)
# Whoever has one IPv6 address mostly has a whole /64 of them.
IPV6_NETWORK_BITS = 64


@dataclass(frozen=True)
class Attempt:
    """A sign-in that has been counted and not been decided yet."""

    username: str
    ip: str
    failure_id: int
    admin_id: int | None
    password_hash: str | None
    # How long this attempt locks the administrator if it fails.
    locks_for_minutes: int | None


@dataclass(frozen=True)
class Welcome:
    """A sign-in that succeeded."""

    admin_id: int
    username: str
    token: str


def begin(
    session: Session,
    *,
    username: str,
    password: str,
    source: str,
    ip: str,
    failures_per_hour: int,
) -> Attempt | RuleError:
    """Count an attempt before it is checked, or refuse it at once."""
    name = username.strip().lower()
    if not name:
        return Forbidden("The username was not provided", field="username")
    if not password:
        return Forbidden("The password was not provided", field="password")
    throttled = _throttled(session, ip, failures_per_hour)
    if throttled is not None:
        return throttled
    failure = SignInFailure(network=network_of(ip), moment=history.now())
    session.add(failure)
    session.flush()
    admin = _local_admin(session, name) if source in ("", LOCAL_SOURCE) else None
    if admin is None:
        return Attempt(name, ip, failure.id, None, None, None)
    name = admin.username or name  # MySQL also finds it by another spelling: ädmin
    if admins.is_locked(admin):
        _log(session, name, ip, 'The locked administrator "{name}" tried to sign in')
        return _locked_out(admin)
    locks_for = _count(session, admin)
    return Attempt(name, ip, failure.id, admin.id, admin.password, locks_for)


def check(attempt: Attempt, password: str) -> bool:
    """Whether the password is right. Slow, and needs no database."""
    return passwords.matches_admin(password, attempt.password_hash)


def settle(
    session: Session,
    attempt: Attempt,
    *,
    password_is_right: bool,
    code: str,
    agent: str,
    session_hours: int,
) -> Welcome | RuleError:
    """Decide a counted attempt: begin a session, or refuse."""
    admin = None
    if password_is_right and attempt.admin_id is not None:
        admin = session.scalar(select(Admin).where(Admin.id == attempt.admin_id).with_for_update())
    # The password, or the whole administrator, may be another one by now.
    if admin is None or admin.password != attempt.password_hash or admin.active is False:
        return _refused(session, attempt, "The username or password was incorrect")
    if admin.otp_active and not twofactor.accept(session, admin, code):
        return _refused(session, attempt, "The two factor authentication code is incorrect")
    admins.forget_failures(admin)
    session.flush()
    session.execute(delete(SignInFailure).where(SignInFailure.id == attempt.failure_id))
    token = sessions.start(session, admin.id, ip=attempt.ip, agent=agent, hours=session_hours)
    _log(session, attempt.username, attempt.ip, 'The administrator "{name}" signed in')
    return Welcome(admin.id, admin.username or "", token)


def sign_out(session: Session, actor: Actor, token: str) -> None:
    """End the session of this token."""
    sessions.end(session, token)
    _log(session, actor.name, actor.ip, 'The administrator "{name}" signed out')


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


def _throttled(session: Session, ip: str, failures_per_hour: int) -> Throttled | None:
    moment = history.now()
    session.execute(delete(SignInFailure).where(SignInFailure.moment <= moment - THROTTLE_WINDOW))
    count, oldest = session.execute(
        select(func.count(), func.min(SignInFailure.moment)).where(
            SignInFailure.network == network_of(ip)
        )
    ).one()
    if count < failures_per_hour:
        return None
    wait = max(1, int((oldest + THROTTLE_WINDOW - moment).total_seconds()) + 1)
    return Throttled(
        "Too many refused sign-ins came from your address; try again in %(minutes)s minutes",
        retry_after=wait,
        minutes=-(-wait // 60),
    )


def _local_admin(session: Session, username: str) -> Admin | None:
    return session.scalar(
        select(Admin)
        .where(Admin.username == username, Admin.source == admins.LOCAL)
        .with_for_update()
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


def _locked_out(admin: Admin) -> Forbidden:
    return Forbidden(
        "The account is locked out until %(until)s UTC",
        until=admin.unlock_date.strftime("%H:%M") if admin.unlock_date else "",
    )


def _refused(session: Session, attempt: Attempt, reason: str) -> Forbidden:
    _log(session, attempt.username, attempt.ip, 'A sign-in as "{name}" was refused: ' + reason)
    if attempt.locks_for_minutes is not None and attempt.admin_id is not None:
        _record_lock(session, attempt, attempt.locks_for_minutes)
    return Forbidden(reason)


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
    _log(
        session,
        attempt.username,
        attempt.ip,
        f'The administrator "{{name}}" was locked out for {minutes} minutes',
    )


def _log(session: Session, username: str, ip: str, sentence: str) -> None:
    if settings.value_of(session, settings.LOGIN_AUDITING):
        name = addresses.shown(username)
        announce(session, history.LogEntry("auth", name, sentence.format(name=name), ip))
