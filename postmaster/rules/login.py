"""Signing in: count first, then check, then settle.

``begin`` counts the attempt as failed and commits; only then is the password
looked at, outside any transaction, since bcrypt and a directory are slow; and
``settle`` takes the count back where the password and the code were right. An
attempt that is cut off in between stays counted. A refusal is returned, not
raised, so that its count is committed.

The code may come with the password (scripts), or in a second step (the page). The
first step takes back only its own count: otherwise someone who has the password
could start again after each wrong code, and guess codes without end.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ..db import announce
from ..errors import Forbidden, Invalid, RuleError, Throttled, Unauthenticated
from ..models import Admin, SignInFailure
from . import admins, clock, history, lengths, passwords, sessions, settings, twofactor
from .actor import Actor

LOCAL_SOURCE = "PostMaster User"
THROTTLE_WINDOW = timedelta(hours=1)
# Whoever has one IPv6 address mostly has a whole /64 of them.
IPV6_NETWORK_BITS = 64
PROOF_LENGTH = 32


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
    admin_id: int | None
    password_hash: str | None
    # How long this attempt locks the administrator if it fails, and until when.
    locks_for_minutes: int | None = None
    locks_until: datetime | None = None


@dataclass(frozen=True)
class Welcome:
    """A sign-in that succeeded."""

    admin_id: int
    username: str
    token: str


@dataclass(frozen=True)
class CodeWanted:
    """A first step that succeeded: the password was right, the code is still to come.

    ``proof`` belongs to the password of that moment. It is no secret that lets anybody
    in, but the second step trusts it, so it has to be kept where nobody can forge it.
    """

    admin_id: int
    username: str
    proof: str


def sources(session: Session) -> list[str]:
    """Whom the sign-in page offers to ask about a password: PostMaster, then the directory."""
    values = settings.values_of(session, settings.LDAP_ENABLED, settings.LDAP_DOMAIN)
    domain = values[settings.LDAP_DOMAIN]
    return [LOCAL_SOURCE, domain] if values[settings.LDAP_ENABLED] and domain else [LOCAL_SOURCE]


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
    if not name or not password:
        announce(session, SignIn(Outcome.INCOMPLETE))
    if not name:
        return Forbidden("The username was not provided", field="username")
    if not password:
        return Forbidden("The password was not provided", field="password")
    throttled = _throttled(session, ip, failures_per_hour)
    if throttled is not None:
        return throttled
    failure = _add_failure(session, ip)
    admin = _local_admin(session, name) if source in ("", LOCAL_SOURCE) else None
    if admin is None:
        return Attempt(name, ip, failure.id, None, None)
    return _counted(session, admin, failure, ip)


def begin_code(
    session: Session, *, admin_id: int, proof: str, ip: str, failures_per_hour: int
) -> Attempt | RuleError:
    """Count the attempt of a second step before its code is looked at.

    Unauthenticated means that the first step counts no more.
    """
    return _begin_known(
        session,
        admin_id,
        ip,
        failures_per_hour,
        lambda admin: (
            admin.active is not False
            and bool(admin.otp_active)
            and hmac.compare_digest(proof_of(admin.password), proof)
        ),
    )


def begin_present(
    session: Session, *, admin_id: int, ip: str, failures_per_hour: int
) -> Attempt | RuleError:
    """Count a try at the present password of somebody who is signed in.

    Whoever finds a browser open may not guess there more often than at the sign-in.
    """
    return _begin_known(session, admin_id, ip, failures_per_hour, lambda _admin: True)


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
    asks_for_code: bool = False,
) -> Welcome | CodeWanted | RuleError:
    """Decide a counted attempt: begin a session, ask for the code, or refuse.

    ``asks_for_code``: there will be a second step, so that a missing code is no wrong one.
    """
    admin = _unchanged(session, attempt) if password_is_right else None
    if admin is None or admin.active is False:
        refusal = Forbidden("The username or password was incorrect")
        return _refused(session, attempt, Outcome.WRONG_PASSWORD, refusal)
    if admin.otp_active and asks_for_code and not code.strip():
        return _code_wanted(session, attempt, admin)
    if admin.otp_active and not twofactor.accept(session, admin, code):
        refusal = Forbidden("The two factor authentication code is incorrect")
        return _refused(
            session, attempt, Outcome.WRONG_CODE, refusal, remark=_about_the_clock(session)
        )
    admins.forget_failures(admin)
    admin.last_sign_in = history.now().replace(microsecond=0)
    session.flush()
    session.execute(delete(SignInFailure).where(SignInFailure.id == attempt.failure_id))
    token = sessions.start(session, admin.id, ip=attempt.ip, agent=agent, hours=session_hours)
    sessions.log(session, attempt.username, attempt.ip, 'The administrator "{name}" signed in')
    announce(session, SignIn(Outcome.ACCEPTED))
    return Welcome(admin.id, admin.username or "", token)


def settle_present(
    session: Session, attempt: Attempt, *, password_is_right: bool
) -> RuleError | None:
    """Decide a try at the present password: None if it was right."""
    admin = _unchanged(session, attempt) if password_is_right else None
    if admin is None:
        return _refused(
            session,
            attempt,
            Outcome.WRONG_PRESENT_PASSWORD,
            Invalid("The present password is incorrect", field="present"),
            sentence='An own change of "{name}" was refused: ',
        )
    _take_back(session, attempt, admin)
    return None


def proof_of(password_hash: str | None) -> str:
    """What shows in the second step that the password is still the one of the first."""
    return hashlib.sha256((password_hash or "").encode()).hexdigest()[:PROOF_LENGTH]


def sign_out(session: Session, actor: Actor, token: str) -> None:
    """End the session of this token."""
    sessions.end(session, token)
    sessions.log(session, actor.name, actor.ip, 'The administrator "{name}" signed out')


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
    announce(session, SignIn(Outcome.THROTTLED))
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


def _locked_row(session: Session, admin_id: int) -> Admin | None:
    return session.scalar(select(Admin).where(Admin.id == admin_id).with_for_update())


def _unchanged(session: Session, attempt: Attempt) -> Admin | None:
    """The attempt's administrator, unless it is gone or has another password by now."""
    if attempt.admin_id is None:
        return None
    admin = _locked_row(session, attempt.admin_id)
    return admin if admin is not None and admin.password == attempt.password_hash else None


# --- counting -------------------------------------------------------------------


def _begin_known(
    session: Session,
    admin_id: int,
    ip: str,
    failures_per_hour: int,
    is_same: Callable[[Admin], bool],
) -> Attempt | RuleError:
    throttled = _throttled(session, ip, failures_per_hour)
    if throttled is not None:
        return throttled
    failure = _add_failure(session, ip)
    admin = _locked_row(session, admin_id)
    if admin is None or not is_same(admin):
        announce(session, SignIn(Outcome.OUTDATED))
        return Unauthenticated("The account was changed meanwhile: sign in again")
    return _counted(session, admin, failure, ip)


def _add_failure(session: Session, ip: str) -> SignInFailure:
    failure = SignInFailure(network=network_of(ip), moment=history.now())
    session.add(failure)
    session.flush()
    return failure


def _counted(
    session: Session, admin: Admin, failure: SignInFailure, ip: str
) -> Attempt | RuleError:
    """The attempt at an administrator who was found, unless a lock is running."""
    name = admin.username or ""  # not as typed: MySQL also finds it by ädmin
    if admins.is_locked(admin):
        sessions.log(session, name, ip, 'The locked administrator "{name}" tried to sign in')
        announce(session, SignIn(Outcome.LOCKED))
        return _locked_out(admin)
    locks_for = _count(session, admin)
    return Attempt(
        name, ip, failure.id, admin.id, admin.password, locks_for, locks_until=admin.unlock_date
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


def _take_back(session: Session, attempt: Attempt, admin: Admin) -> None:
    """Uncount this one attempt, and end the lock that it began; the failures before it stay."""
    admin.failed_attempts = max((admin.failed_attempts or 0) - 1, 0)
    if admin.failed_attempts == 0:
        admin.last_failed_date = None
    if attempt.locks_until is not None and admin.unlock_date == attempt.locks_until:
        admin.unlock_date = None
    session.flush()
    session.execute(delete(SignInFailure).where(SignInFailure.id == attempt.failure_id))


def _code_wanted(session: Session, attempt: Attempt, admin: Admin) -> CodeWanted:
    _take_back(session, attempt, admin)
    sessions.log(
        session,
        attempt.username,
        attempt.ip,
        'The administrator "{name}" gave the password and was asked for the code',
    )
    announce(session, SignIn(Outcome.CODE_WANTED))
    return CodeWanted(admin.id, admin.username or "", proof_of(admin.password))


def _locked_out(admin: Admin) -> Forbidden:
    return Forbidden(
        "The account is locked out until %(until)s UTC",
        until=admin.unlock_date.strftime("%H:%M") if admin.unlock_date else "",
    )


def _refused(
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


def _about_the_clock(session: Session) -> str:
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
