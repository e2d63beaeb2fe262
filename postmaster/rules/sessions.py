"""Signed-in sessions: a random token in the cookie, its hash in the table."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, aliased

from ..models import Admin, AdminSession
from . import history, lengths

TOKEN_BYTES = 32
DEFAULT_USERNAME = "admin"


@dataclass(frozen=True)
class SignedIn:
    """The admin behind a session, as read at the start of a request."""

    token: str
    admin_id: int
    username: str
    name: str
    # The hash of the account that a new installation opens with, if it still is there.
    default_admin_hash: str | None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def start(session: Session, admin_id: int, *, ip: str, agent: str, hours: int) -> str:
    """Begin a session and return its token. Expired sessions are cleared away."""
    moment = history.now()
    session.execute(delete(AdminSession).where(AdminSession.expires <= moment))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        AdminSession(
            token_hash=_hash(token),
            admin_id=admin_id,
            started=moment,
            expires=moment + timedelta(hours=hours),
            ip=ip,
            agent=agent[: lengths.of(AdminSession.agent)],
        )
    )
    session.flush()
    return token


def find(session: Session, token: str) -> SignedIn | None:
    """Who this token belongs to, if it is alive and the admin is active."""
    default = aliased(Admin)
    default_hash = select(default.password).where(default.username == DEFAULT_USERNAME)
    row = session.execute(
        select(
            AdminSession.expires,
            Admin.id,
            Admin.username,
            Admin.name,
            Admin.active,
            default_hash.scalar_subquery().label("default_hash"),
        )
        .join(Admin, Admin.id == AdminSession.admin_id)
        .where(AdminSession.token_hash == _hash(token))
    ).one_or_none()
    if row is None or row.expires <= history.now() or row.active is False:
        return None
    return SignedIn(token, row.id, row.username or "", row.name or "", row.default_hash)


def end(session: Session, token: str) -> None:
    """End one session (sign out)."""
    session.execute(delete(AdminSession).where(AdminSession.token_hash == _hash(token)))


def end_all(session: Session, admin_id: int) -> None:
    """End every session of an admin: password or second factor changed."""
    session.execute(delete(AdminSession).where(AdminSession.admin_id == admin_id))
