"""Signing in: count first, then check, then settle. The counting is in ``attempts``.

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
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db import announce
from ..directory.faults import NotAnswered, Refused
from ..errors import Forbidden, Invalid, Phrase, RuleError, Unavailable
from ..models import Admin
from . import (
    admins,
    attempts,
    directories,
    elsewhere,
    history,
    passwords,
    sessions,
    settings,
    twofactor,
)
from .actor import Actor
from .attempts import Attempt, Outcome, SignIn
from .directories import Trust

LOCAL_SOURCE = "PostMaster User"
PROOF_LENGTH = 32
INCORRECT = Phrase("The username or password was incorrect")


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


@dataclass(frozen=True)
class Offered:
    """Whom the sign-in page offers to ask about a password, and the OpenID provider's name."""

    sources: tuple[str, ...]
    provider: str | None


def offered(session: Session) -> Offered:
    """What the sign-in page offers: PostMaster, the directory, the provider."""
    values = settings.values_of(
        session,
        settings.LDAP_ENABLED,
        settings.LDAP_DOMAIN,
        settings.OPENID_ENABLED,
        settings.OPENID_ISSUER,
    )
    domain = values[settings.LDAP_DOMAIN] if values[settings.LDAP_ENABLED] else None
    issuer = values[settings.OPENID_ISSUER] if values[settings.OPENID_ENABLED] else None
    return Offered(
        (LOCAL_SOURCE, domain) if domain else (LOCAL_SOURCE,),
        urlsplit(issuer).netloc if issuer else None,
    )


def begin(
    session: Session,
    *,
    username: str,
    password: str,
    source: str,
    ip: str,
    failures_per_hour: int,
    trust: Trust = Trust(),  # noqa: B008 -- it cannot be changed
) -> Attempt | RuleError:
    """Count an attempt before it is checked, or refuse it at once.

    ``trust``: what the configuration file says of the directory.
    """
    name = username.strip().lower()
    if not name or not password:
        announce(session, SignIn(Outcome.INCOMPLETE))
    if not name:
        return Forbidden("The username was not provided", field="username")
    if not password:
        return Forbidden("The password was not provided", field="password")
    throttled = attempts.throttled(session, ip, failures_per_hour)
    if throttled is not None:
        return throttled
    failure = attempts.add_failure(session, ip)
    if source in ("", LOCAL_SOURCE):
        return _counted(session, _local_admin(session, name), Attempt(name, ip, failure.id))
    directory = directories.enabled(session, trust)
    if directory is None or source.lower() != directory.domain.lower():
        return Attempt(name, ip, failure.id)
    meant = elsewhere.meant(session, directory, username)
    unknown = Attempt(name, ip, failure.id, directory=directory, typed=username.strip())
    return _counted(session, meant, unknown)


def begin_elsewhere(
    session: Session, *, username: str, ip: str, failures_per_hour: int
) -> Attempt | RuleError:
    """Count an attempt before a provider or a proxy is believed, or refuse it at once."""
    throttled = attempts.throttled(session, ip, failures_per_hour)
    if throttled is not None:
        return throttled
    return Attempt(username, ip, attempts.add_failure(session, ip).id)


def begin_code(
    session: Session, *, admin_id: int, proof: str, ip: str, failures_per_hour: int
) -> Attempt | RuleError:
    """Count the attempt of a second step before its code is looked at.

    Unauthenticated means that the first step counts no more.
    """
    return attempts.begin_known(
        session,
        admin_id,
        ip,
        failures_per_hour,
        lambda admin: (
            admin.active is not False
            and bool(admin.otp_active)
            and hmac.compare_digest(proof_of(admin), proof)
        ),
    )


def begin_present(
    session: Session, *, admin_id: int, ip: str, failures_per_hour: int
) -> Attempt | RuleError:
    """Count a try at the present password of somebody who is signed in.

    Whoever finds a browser open may not guess there more often than at the sign-in.
    """
    return attempts.begin_known(session, admin_id, ip, failures_per_hour, lambda _admin: True)


def _counted(session: Session, admin: Admin | None, attempt: Attempt) -> Attempt | RuleError:
    """The attempt, counted for the administrator that it is at, if there is one."""
    if admin is None:
        return attempt
    counted = attempts.counted(session, admin, attempt.failure_id, attempt.ip)
    if isinstance(counted, RuleError):
        return counted
    return replace(counted, directory=attempt.directory, typed=attempt.typed)


def check(attempt: Attempt, password: str) -> bool:
    """Whether the password is right. Slow, and needs no database."""
    return passwords.matches_admin(password, attempt.password_hash)


def ask_directory(attempt: Attempt, password: str) -> elsewhere.Person | RuleError:
    """Whom the directory says this is. Slow, and needs no database."""
    if attempt.directory is None:
        return Forbidden(INCORRECT)
    from ..directory import asking  # noqa: PLC0415 -- see directory/__init__

    try:
        account = asking.sign_in(attempt.directory, attempt.typed, password)
    except (Refused, NotAnswered) as error:
        return error
    return elsewhere.of_directory(attempt.directory, account)


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
    admin = attempts.unchanged(session, attempt) if password_is_right else None
    if admin is None or admin.active is False:
        return attempts.refused(session, attempt, Outcome.WRONG_PASSWORD, Forbidden(INCORRECT))
    return _welcomed(
        session,
        attempt,
        admin,
        code=code,
        agent=agent,
        session_hours=session_hours,
        asks_for_code=asks_for_code,
    )


def settle_elsewhere(
    session: Session,
    attempt: Attempt,
    found: elsewhere.Person | RuleError,
    *,
    code: str,
    agent: str,
    session_hours: int,
    asks_for_code: bool = False,
) -> Welcome | CodeWanted | RuleError:
    """Decide an attempt that a directory, a provider or a proxy was asked about."""
    if isinstance(found, Unavailable):
        attempts.undo(session, attempt)
        return elsewhere.not_answered(session, attempt.username, attempt.ip, found)
    if isinstance(found, RuleError):
        return elsewhere.refused(session, attempt, found)
    admin = elsewhere.admitted(session, found, attempt.ip)
    if isinstance(admin, RuleError):
        return elsewhere.refused(session, attempt, admin)
    if admin.id != attempt.admin_id:  # a name that only the directory knows, or a new one
        attempts.uncount(session, attempt)
        counted = attempts.counted(session, admin, attempt.failure_id, attempt.ip)
        if isinstance(counted, RuleError):
            # While a lock runs nobody learns that the password was right.
            return Forbidden(INCORRECT) if attempt.directory is not None else counted
        attempt = counted
    return _welcomed(
        session,
        attempt,
        admin,
        code=code,
        agent=agent,
        session_hours=session_hours,
        asks_for_code=asks_for_code,
    )


def _welcomed(
    session: Session,
    attempt: Attempt,
    admin: Admin,
    *,
    code: str,
    agent: str,
    session_hours: int,
    asks_for_code: bool,
) -> Welcome | CodeWanted | RuleError:
    """Who has shown the password shows the code too, or is in."""
    if admin.otp_active and asks_for_code and not code.strip():
        return _code_wanted(session, attempt, admin)
    if admin.otp_active and not twofactor.accept(session, admin, code):
        refusal = Forbidden("The two factor authentication code is incorrect")
        return attempts.refused(
            session, attempt, Outcome.WRONG_CODE, refusal, remark=attempts.about_the_clock(session)
        )
    admins.forget_failures(admin)
    admin.last_sign_in = history.now().replace(microsecond=0)
    session.flush()
    attempts.forget(session, attempt)
    token = sessions.start(session, admin.id, ip=attempt.ip, agent=agent, hours=session_hours)
    sessions.log(session, attempt.username, attempt.ip, 'The administrator "{name}" signed in')
    announce(session, SignIn(Outcome.ACCEPTED))
    return Welcome(admin.id, admin.username or "", token)


def settle_present(
    session: Session, attempt: Attempt, *, password_is_right: bool
) -> RuleError | None:
    """Decide a try at the present password: None if it was right."""
    admin = attempts.unchanged(session, attempt) if password_is_right else None
    if admin is None:
        return attempts.refused(
            session,
            attempt,
            Outcome.WRONG_PRESENT_PASSWORD,
            Invalid("The present password is incorrect", field="present"),
            sentence='An own change of "{name}" was refused: ',
        )
    attempts.take_back(session, attempt, admin)
    return None


def proof_of(admin: Admin) -> str:
    """What shows in the second step that the first one still counts: the password is the same,
    or nobody has signed in elsewhere since.
    """
    shown = admin.password or f"{admin.external_id} {admin.confirmed}"
    return hashlib.sha256(shown.encode()).hexdigest()[:PROOF_LENGTH]


def sign_out(session: Session, actor: Actor, token: str) -> None:
    """End the session of this token."""
    sessions.end(session, token)
    sessions.log(session, actor.name, actor.ip, 'The administrator "{name}" signed out')


def _local_admin(session: Session, username: str) -> Admin | None:
    return session.scalar(
        select(Admin)
        .where(Admin.username == username, Admin.source == sessions.LOCAL)
        .with_for_update()
    )


def _code_wanted(session: Session, attempt: Attempt, admin: Admin) -> CodeWanted:
    attempts.take_back(session, attempt, admin)
    sessions.log(
        session,
        attempt.username,
        attempt.ip,
        'The administrator "{name}" gave the password and was asked for the code',
    )
    announce(session, SignIn(Outcome.CODE_WANTED))
    return CodeWanted(admin.id, admin.username or "", proof_of(admin))
