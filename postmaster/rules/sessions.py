"""Signed-in sessions: a random token in the cookie, its hash in the table."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select
from sqlalchemy.orm import Session, aliased

from ..db import announce
from ..directory.kinds import may_be_searched
from ..models import Admin, AdminSession
from . import addresses, history, lengths, settings
from .actor import Actor

TOKEN_BYTES = 32
DEFAULT_USERNAME = "admin"
# Where the password of an administrator is kept: here, or elsewhere.
LOCAL, LDAP, OPENID, PROXY = "local", "ldap", "openid", "proxy"
ELSEWHERE = frozenset({LDAP, OPENID, PROXY})


@dataclass(frozen=True)
class SignedIn:
    """The admin behind a session, as read at the start of a request."""

    token: str
    admin_id: int
    username: str
    name: str
    # The hash of the account that a new installation opens with, if it still is there,
    # and that of the oldest account, which it is once it was renamed.
    default_admin_hashes: tuple[str, ...]
    # The chosen language of the pages; None: as the browser asks for.
    language: str | None
    # Where the password is kept: local, or a directory.
    source: str | None
    two_factor: bool


@dataclass(frozen=True)
class OpenSession:
    """A session as its owner sees it; ``is_this`` is the one that asks."""

    started: datetime
    expires: datetime
    ip: str
    agent: str
    is_this: bool


def _by_token() -> Select[Any]:
    """The query behind every request; built once, which takes longer than asking it."""
    default, oldest = aliased(Admin), aliased(Admin)
    default_hash = select(default.password).where(default.username == DEFAULT_USERNAME)
    oldest_hash = select(oldest.password).order_by(oldest.id).limit(1)
    return (
        select(
            AdminSession.expires,
            Admin.id,
            Admin.username,
            Admin.name,
            Admin.active,
            Admin.language,
            Admin.source,
            Admin.otp_active,
            default_hash.scalar_subquery().label("default_hash"),
            oldest_hash.scalar_subquery().label("oldest_hash"),
        )
        .join(Admin, Admin.id == AdminSession.admin_id)
        .where(AdminSession.token_hash == bindparam("token_hash"))
    )


BY_TOKEN = _by_token()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def start(session: Session, admin_id: int, *, ip: str, agent: str, hours: int) -> str:
    """Begin a session and return its token. Expired sessions are cleared away."""
    moment = history.now()
    session.execute(delete(AdminSession).where(AdminSession.expires <= moment))
    expires = moment + timedelta(hours=hours)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        AdminSession(
            token_hash=_hash(token),
            admin_id=admin_id,
            started=moment,
            expires=min(expires, _last_moment(session, admin_id) or expires),
            ip=ip,
            agent=agent[: lengths.of(AdminSession.agent)],
        )
    )
    session.flush()
    return token


def _last_moment(session: Session, admin_id: int) -> datetime | None:
    """When a session ends of an account that cannot be looked up without its password.

    Counted from the last time that it was shown, so that no new session prolongs it.
    """
    source, confirmed = session.execute(
        select(Admin.source, Admin.confirmed).where(Admin.id == admin_id)
    ).one()
    if source not in (LDAP, OPENID) or confirmed is None:
        return None
    values = settings.values_of(
        session,
        settings.DIRECTORY_KIND,
        settings.LDAP_BIND_ACCOUNT,
        settings.ELSEWHERE_MINUTES,
    )
    kind, account = values[settings.DIRECTORY_KIND], values[settings.LDAP_BIND_ACCOUNT]
    if source == LDAP and may_be_searched(kind, account):
        return None  # it is looked up while the session lasts
    last: datetime = confirmed + timedelta(minutes=values[settings.ELSEWHERE_MINUTES])
    return last


def find(session: Session, token: str) -> SignedIn | None:
    """Who this token belongs to, if it is alive and the admin is active."""
    row = session.execute(BY_TOKEN, {"token_hash": _hash(token)}).one_or_none()
    if row is None or row.expires <= history.now() or row.active is False:
        return None
    return SignedIn(
        token,
        row.id,
        row.username or "",
        row.name or "",
        tuple(filter(None, dict.fromkeys((row.default_hash, row.oldest_hash)))),
        row.language,
        row.source,
        bool(row.otp_active),
    )


def of_admin(session: Session, admin_id: int, token: str) -> list[OpenSession]:
    """The open sessions of an admin, the newest first; ``token`` is the one that asks."""
    rows = session.scalars(
        select(AdminSession)
        .where(AdminSession.admin_id == admin_id, AdminSession.expires > history.now())
        .order_by(AdminSession.started.desc(), AdminSession.token_hash)
    )
    own = _hash(token)
    return [
        OpenSession(row.started, row.expires, row.ip, row.agent, row.token_hash == own)
        for row in rows
    ]


def end(session: Session, token: str) -> None:
    """End one session (sign out)."""
    session.execute(delete(AdminSession).where(AdminSession.token_hash == _hash(token)))


def end_all(session: Session, admin_id: int) -> None:
    """End every session of an admin: password or second factor changed."""
    session.execute(delete(AdminSession).where(AdminSession.admin_id == admin_id))


def end_others(session: Session, actor: Actor, token: str) -> int:
    """End all of the actor's own sessions but this one; how many were still open."""
    others = (AdminSession.admin_id == actor.admin_id, AdminSession.token_hash != _hash(token))
    is_open = AdminSession.expires > history.now()
    count = session.scalar(select(func.count()).select_from(AdminSession).where(*others, is_open))
    session.execute(delete(AdminSession).where(*others))
    if count:
        log(session, actor.name, actor.ip, 'The administrator "{name}" ended all other sessions')
    return count or 0


def log(session: Session, username: str, ip: str, sentence: str) -> None:
    """Have the log tell of a sign-in or sign-out, while login auditing is on."""
    if settings.value_of(session, settings.LOGIN_AUDITING):
        name = addresses.shown(username)
        announce(session, history.LogEntry("auth", name, sentence.replace("{name}", name), ip))
