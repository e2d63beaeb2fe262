"""The acts on an administrator's second factor: a fresh secret, on, off, recovery codes."""

from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ..errors import Invalid
from ..models import Admin, RecoveryCode
from . import admins, history, sessions, totp, turns
from .actor import Actor


def fresh_uri(session: Session, actor: Actor, admin_id: int) -> str | None:
    """The otpauth URI of a new secret, still unused; None once the factor is on.

    Only one's own: whoever sees the secret could sign in with it.
    """
    turns.take(session, turns.Queue.ADMINS)
    admin = admins.get(session, actor, admin_id)
    if admin.id != actor.admin_id:
        raise Invalid("You may not view the QR code of another administrator")
    if admin.otp_active:
        return None
    admin.otp_secret = totp.new_secret()
    admin.otp_last_step = None
    session.flush()
    return totp.otpauth_uri(admin.otp_secret, admin.username or "")


def enable(session: Session, actor: Actor, admin_id: int, *, code: str) -> list[str]:
    """Turn the second factor on with a code that proves the app has the secret.

    Returns the ten recovery codes, which are shown this once; none if it was on.
    """
    turns.take(session, turns.Queue.ADMINS)
    admin = admins.get(session, actor, admin_id)
    if not code.strip():
        raise Invalid("The code was not supplied", field="code")
    if not admin.otp_secret:
        raise Invalid("The second factor's secret has not been generated yet", field="code")
    step = _matching_step(admin, code)
    if step is None:
        raise Invalid("An invalid code was supplied", field="code")
    admin.otp_last_step = step
    if admin.otp_active:
        session.flush()
        return []
    admin.otp_active = True
    session.flush()
    sessions.end_all(session, admin.id)
    _record(session, actor, history.Action.ENABLE_SECOND_FACTOR, admin)
    return _replace_recovery_codes(session, admin)


def disable(session: Session, actor: Actor, admin_id: int) -> Admin:
    """Turn the second factor off, and forget its secret and recovery codes."""
    turns.take(session, turns.Queue.ADMINS)
    admin = admins.get(session, actor, admin_id)
    if not admin.otp_active:
        return admin
    admin.otp_active = False
    admin.otp_secret = None
    admin.otp_last_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.admin_id == admin.id))
    session.flush()
    sessions.end_all(session, admin.id)
    _record(session, actor, history.Action.DISABLE_SECOND_FACTOR, admin)
    return admin


def renew_recovery_codes(session: Session, actor: Actor, admin_id: int) -> list[str]:
    """Ten new recovery codes instead of the old; only one's own."""
    turns.take(session, turns.Queue.ADMINS)
    admin = admins.get(session, actor, admin_id)
    if admin.id != actor.admin_id:
        raise Invalid("You may not view the recovery codes of another administrator")
    if not admin.otp_active:
        raise Invalid("The second factor is not turned on")
    codes = _replace_recovery_codes(session, admin)
    _record(session, actor, history.Action.RENEW_RECOVERY_CODES, admin)
    return codes


def codes_left(session: Session, actor: Actor) -> int:
    """How many of one's own recovery codes are still unused."""
    own = select(func.count()).where(RecoveryCode.admin_id == actor.admin_id)
    return session.scalar(own) or 0


def accept(session: Session, admin: Admin, code: str) -> bool:
    """Whether this code lets the administrator in; a code lets in once.

    The caller holds the lock on the administrator's row.
    """
    step = _matching_step(admin, code)
    if step is not None:
        admin.otp_last_step = step
        session.flush()
        return True
    used = session.scalar(
        select(RecoveryCode)
        .where(
            RecoveryCode.admin_id == admin.id,
            RecoveryCode.code_hash == totp.recovery_code_hash(code),
        )
        .with_for_update()
    )
    if used is None:
        return False
    session.delete(used)
    session.flush()
    return True


def _matching_step(admin: Admin, code: str) -> int | None:
    if not admin.otp_secret:
        return None
    return totp.matching_step(admin.otp_secret, code, datetime.now(UTC), admin.otp_last_step)


def _replace_recovery_codes(session: Session, admin: Admin) -> list[str]:
    codes = totp.new_recovery_codes()
    session.execute(delete(RecoveryCode).where(RecoveryCode.admin_id == admin.id))
    session.add_all(
        RecoveryCode(admin_id=admin.id, code_hash=totp.recovery_code_hash(code)) for code in codes
    )
    session.flush()
    return codes


def _record(session: Session, actor: Actor, action: history.Action, admin: Admin) -> None:
    history.record(session, actor, action, history.Kind.ADMIN, admin.id, admin.username or "")
