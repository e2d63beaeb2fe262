"""What a browser or a script does to sign in and out, step by step; ``rules.login`` decides.

Whatever is slow (bcrypt, a directory, a provider) is asked while no connection to the
database is held.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, request, session
from flask_login import login_user, logout_user

from .db import db, transact
from .directory.faults import NotAnswered, Refused
from .directory.plan import Account
from .errors import Forbidden, RuleError, SessionEnded, Unauthenticated, Unavailable
from .models import Admin
from .rules import account, directories, elsewhere, login, sessions
from .rules.attempts import Attempt
from .rules.directories import Trust
from .security import (
    PUBLIC_ENDPOINTS,
    CurrentAdmin,
    actor,
    client_ip,
    configuration,
    signed_in,
)

# The first step of a sign-in, in the signed cookie, and how long it waits for the code.
PENDING = "sign_in"
PENDING_SECONDS = 300

Refusal = RuleError | login.CodeWanted | None


def init_app(app: Flask) -> None:
    """Have accounts from elsewhere confirmed while their sessions last."""
    app.before_request(_confirm)


def trust() -> Trust:
    """What the configuration file says of the directory."""
    config = configuration()
    return Trust(
        bind_password=config.ldap_bind_password,
        ca_file=config.ldap_ca_file,
        verify=config.ldap_verify_certificate,
        allow_plain_passwords=config.ldap_allow_plain_passwords,
    )


# --- with a password ------------------------------------------------------------


def sign_in(
    *, username: str, password: str, source: str, code: str, in_steps: bool = False
) -> Refusal:
    """Try to sign in this browser; the refusal, or None if it is in now.

    ``in_steps``: a code that is missing comes later, by ``sign_in_with_code``.
    """
    _forget_first_step()
    attempt = transact(
        login.begin,
        username=username,
        password=password,
        source=source,
        ip=client_ip(),
        failures_per_hour=configuration().sign_in_failures_per_hour,
        trust=trust(),
    )
    if isinstance(attempt, RuleError):
        return attempt
    db.session.remove()  # no connection is held while the password is checked
    if attempt.directory is None:
        is_right = login.check(attempt, password)
        return _settle(attempt, password_is_right=is_right, code=code, asks_for_code=in_steps)
    found = login.ask_directory(attempt, password)
    return _settle_elsewhere(attempt, found, code=code, asks_for_code=in_steps)


def sign_in_with_code(code: str) -> RuleError | None:
    """The second step: the code of the sign-in that waits for it in this browser.

    Unauthenticated means that one has to begin with the first step again.
    """
    pending = awaited_code()
    if pending is None:
        _forget_first_step()
        return Unauthenticated(
            "The code came without a password, or too long after it: "
            "enter the username and the password again"
        )
    attempt = transact(
        login.begin_code,
        admin_id=pending.admin_id,
        proof=pending.proof,
        ip=client_ip(),
        failures_per_hour=configuration().sign_in_failures_per_hour,
    )
    if isinstance(attempt, Unauthenticated):
        _forget_first_step()
    if isinstance(attempt, RuleError):
        return attempt
    outcome = _settle(attempt, password_is_right=True, code=code, asks_for_code=False)
    return outcome if isinstance(outcome, RuleError) else None


def awaited_code() -> login.CodeWanted | None:
    """The first step that this browser has behind it, for five minutes."""
    pending = session.get(PENDING)
    if pending is None or not 0 <= time.time() - pending["at"] <= PENDING_SECONDS:
        return None
    return login.CodeWanted(pending["admin_id"], pending["username"], pending["proof"])


def _forget_first_step() -> None:
    if PENDING in session:
        del session[PENDING]


# --- with what another place says -----------------------------------------------


def sign_in_by_proxy() -> Refusal:
    """Sign in whom a listed proxy names; the refusal, or None.

    Raises Forbidden if no proxy that may names anybody.
    """
    username = named_by_proxy()
    if username is None:
        raise Forbidden("No proxy has named you")
    person = elsewhere.Person(sessions.PROXY, username.lower(), username.lower(), username)
    return sign_in_as(username, lambda: person)


def named_by_proxy() -> str | None:
    """The user name that a listed proxy sends, where the configuration file names a header.

    ``security`` has taken the header away from everybody else's requests.
    """
    header = configuration().sign_in_header
    if not header:
        return None
    try:
        # WSGI gives octets as Latin-1, and proxies send UTF-8. Blanks are cut off afterwards:
        # some letters of UTF-8 end in an octet that is a blank of Latin-1.
        named = request.headers.get(header, "").encode("latin-1").decode().strip()
    except UnicodeError:
        return None
    # A comma is where a server has joined two headers: nobody can tell whose each is.
    return named if named.isprintable() and "," not in named and named else None


def sign_in_as(shown: str, ask: Callable[[], elsewhere.Person | RuleError]) -> Refusal:
    """Sign in whom another place vouches for, once it was asked; ``shown`` is for the log."""
    _forget_first_step()
    attempt = transact(
        login.begin_elsewhere,
        username=shown,
        ip=client_ip(),
        failures_per_hour=configuration().sign_in_failures_per_hour,
    )
    if isinstance(attempt, RuleError):
        return attempt
    db.session.remove()  # no connection is held while the other place is asked
    return _settle_elsewhere(attempt, ask(), code="", asks_for_code=True)


def not_answered(error: Unavailable) -> Unavailable:
    """What a stranger reads where the place to ask does not answer; the log has why."""
    return transact(elsewhere.not_answered, "", client_ip(), error)


def _confirm() -> None:
    """Ask the directory now and then whether somebody who is signed in still may be."""
    # Whoever wants to leave may, whatever the directory does.
    is_free = request.endpoint in PUBLIC_ENDPOINTS or request.endpoint == "login.sign_out"
    who = None if is_free else signed_in()
    if who is None:
        return
    if who.source == sessions.PROXY:
        named = named_by_proxy()
        if named is None or named.lower() != elsewhere.external_id_of(db.session(), who):
            _dismiss(who, Forbidden("The proxy does not name this administrator any more"))
    elif elsewhere.is_due(db.session(), who):
        _look_up(who)


def _look_up(who: sessions.SignedIn) -> None:
    directory = directories.enabled(db.session(), trust())
    if directory is None:
        _dismiss(who, Forbidden("Accounts of the directory may not sign in any more"))
        return
    if not directory.can_look_up:
        _dismiss(who, Forbidden("Sign in again, so that the directory is asked"))
    external_id = elsewhere.external_id_of(db.session(), who)
    db.session.remove()  # no connection is held while the directory is asked
    from .directory import asking  # noqa: PLC0415 -- see directory/__init__

    try:
        asking.look_up(directory, Account(external_id, who.username, who.name, ""))
    except Refused as refusal:
        _dismiss(who, refusal)
    except NotAnswered as error:
        transact(elsewhere.log_fault, who.username, client_ip(), error)
        raise
    transact(elsewhere.confirm, who.admin_id)


def _dismiss(who: sessions.SignedIn, refusal: RuleError) -> None:
    transact(elsewhere.dismiss, who, client_ip(), refusal)
    _end()
    raise SessionEnded("Your session has ended: %(reason)s", reason=refusal)


# --- settling -------------------------------------------------------------------


def _settle(
    attempt: Attempt, *, password_is_right: bool, code: str, asks_for_code: bool
) -> Refusal:
    return _begin_session(
        transact(
            login.settle,
            attempt,
            password_is_right=password_is_right,
            **_how(code, asks_for_code),
        )
    )


def _settle_elsewhere(
    attempt: Attempt,
    found: elsewhere.Person | RuleError,
    *,
    code: str,
    asks_for_code: bool,
) -> Refusal:
    return _begin_session(
        transact(login.settle_elsewhere, attempt, found, **_how(code, asks_for_code))
    )


def _how(code: str, asks_for_code: bool) -> Mapping[str, Any]:
    return {
        "code": code,
        "agent": request.user_agent.string,
        "session_hours": configuration().session_hours,
        "asks_for_code": asks_for_code,
    }


def _begin_session(outcome: login.Welcome | login.CodeWanted | RuleError) -> Refusal:
    if isinstance(outcome, login.CodeWanted):
        session[PENDING] = {
            "admin_id": outcome.admin_id,
            "username": outcome.username,
            "proof": outcome.proof,
            "at": int(time.time()),
        }
    if not isinstance(outcome, login.Welcome):
        return outcome
    replaced = signed_in()
    if replaced is not None:
        transact(sessions.end, replaced.token)
    _use_token(outcome.token)
    return None


def _use_token(token: str) -> None:
    """Give this browser a new cookie: nothing of the old session goes on."""
    session.clear()
    found = sessions.find(db.session(), token)
    if found is not None:
        login_user(CurrentAdmin(found))


def sign_out() -> None:
    """End this browser's session."""
    who = signed_in()
    if who is not None:
        transact(login.sign_out, actor(), who.token)
    _end()


def _end() -> None:
    logout_user()
    session.clear()


def renew_session(admin_id: int) -> None:
    """After a change of password or second factor: a new session for this browser,
    if it was the admin's own change; the act has ended all others.
    """
    who = signed_in()
    if who is None or who.admin_id != admin_id:
        return
    token = transact(
        sessions.start,
        admin_id,
        ip=client_ip(),
        agent=request.user_agent.string,
        hours=configuration().session_hours,
    )
    _use_token(token)


# --- one's own account ----------------------------------------------------------


def change_own_password(*, present: str, new: str) -> None:
    """Give whoever is signed in a new password, and this browser a new session."""
    _with_present_password(present, account.change_password, new=new)


def turn_off_own_second_factor(*, present: str) -> None:
    """Turn the second factor of whoever is signed in off, and renew this browser's session."""
    _with_present_password(present, account.turn_off_second_factor)


def _with_present_password(
    present: str, act: Callable[..., Admin | RuleError], **fields: Any
) -> None:
    who = actor()
    attempt = transact(
        account.begin, who, failures_per_hour=configuration().sign_in_failures_per_hour
    )
    if isinstance(attempt, RuleError):
        raise attempt
    db.session.remove()  # no connection is held while the password is checked
    is_right = account.check(attempt, present)
    outcome = transact(act, who, attempt, present_is_right=is_right, **fields)
    if isinstance(outcome, RuleError):
        raise outcome
    renew_session(outcome.id)
