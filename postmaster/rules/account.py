"""What administrators do to their own account.

Who changes the password or turns the second factor off gives the present password
first. That goes as in ``login``: ``begin`` counts, ``check`` looks at the password
outside any transaction, and the act itself takes the count back. So its refusals are
returned, not raised.
"""

from collections.abc import Callable

from sqlalchemy.orm import Session

from ..errors import Invalid, RuleError, Unauthenticated
from ..models import Admin
from . import admins, login, totp, turns, twofactor
from .actor import Actor
from .attempts import Attempt
from .languages import LANGUAGES


def own(session: Session, actor: Actor) -> Admin:
    """The actor's own row. Raises Unauthenticated for the operator at the command line."""
    return admins.get(session, actor, _own_id(actor))


def change_name(session: Session, actor: Actor, name: str) -> Admin:
    """Change one's own display name."""
    return admins.change(session, actor, _own_id(actor), name=name)


def choose_language(session: Session, actor: Actor, language: str | None) -> Admin:
    """Choose the language of one's own pages; None: as the browser asks for."""
    if language is not None and language not in LANGUAGES:
        raise Invalid("There is no such language here", field="language")
    admin = own(session, actor)
    admin.language = language
    session.flush()
    return admin


def second_factor_uri(session: Session, actor: Actor) -> tuple[str, str] | None:
    """The otpauth URI and the secret that wait for their first code, if there are any."""
    admin = own(session, actor)
    if admin.otp_active or not admin.otp_secret:
        return None
    return totp.otpauth_uri(admin.otp_secret, admin.username or ""), admin.otp_secret


# --- with the present password --------------------------------------------------


def begin(session: Session, actor: Actor, *, failures_per_hour: int) -> Attempt | RuleError:
    """Count a try at the present password before it is checked."""
    admins.check_password_is_here(own(session, actor))
    return login.begin_present(
        session, admin_id=_own_id(actor), ip=actor.ip, failures_per_hour=failures_per_hour
    )


def check(attempt: Attempt, present: str) -> bool:
    """Whether the present password is right. Slow, and needs no database."""
    return login.check(attempt, present)


def change_password(
    session: Session,
    actor: Actor,
    attempt: Attempt,
    *,
    present_is_right: bool,
    new: str,
) -> Admin | RuleError:
    """Change one's own password; all one's sessions end."""

    def act() -> Admin:
        return admins.change(session, actor, _own_id(actor), password=new)

    outcome = _settle(session, attempt, present_is_right, act)
    if isinstance(outcome, RuleError) and outcome.field == "password":
        outcome.field = "new"
    return outcome


def turn_off_second_factor(
    session: Session, actor: Actor, attempt: Attempt, *, present_is_right: bool
) -> Admin | RuleError:
    """Turn one's own second factor off; all one's sessions end."""

    def act() -> Admin:
        return twofactor.disable(session, actor, _own_id(actor))

    return _settle(session, attempt, present_is_right, act)


def _settle(
    session: Session,
    attempt: Attempt,
    present_is_right: bool,
    act: Callable[[], Admin],
) -> Admin | RuleError:
    turns.take(session, turns.Queue.ADMINS)  # before anything is read, as the act wants it
    refused = login.settle_present(session, attempt, password_is_right=present_is_right)
    if refused is not None:
        return refused
    try:
        return act()
    except RuleError as error:
        # An act refuses before it writes. The present password was right, though: its
        # count stays taken back.
        return error


def _own_id(actor: Actor) -> int:
    if actor.admin_id is None:
        raise Unauthenticated("You are not signed in")
    return actor.admin_id
