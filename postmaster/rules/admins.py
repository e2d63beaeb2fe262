"""The acts on administrators: create, change, unlock, delete, search."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound, Phrase
from ..models import Admin
from . import (
    addresses,
    history,
    lengths,
    paging,
    passwords,
    rows,
    sessions,
    settings,
    turns,
    versions,
)
from .actor import Actor
from .sessions import ELSEWHERE, LOCAL

DEFAULT_PASSWORD = "PostMaster"  # noqa: S105 -- documented, and every page says to change it

LISTING = paging.Listing(
    model=Admin,
    searched=(Admin.username,),
    sortable={"id": Admin.id, "name": Admin.name, "username": Admin.username},
    sorted_by="username",
)


def find(session: Session, actor: Actor, criteria: paging.Criteria) -> paging.Page[Admin]:
    """A page of administrators."""
    return LISTING.find(session, criteria)


def get(session: Session, actor: Actor, admin_id: int) -> Admin:
    """One administrator by the id. Raises NotFound."""
    return rows.by_id(session, Admin, admin_id, "administrator")


def by_username(session: Session, actor: Actor, username: str) -> Admin:
    """One administrator by the user name, as typed by the operator. Raises NotFound."""
    admin = session.scalar(select(Admin).where(Admin.username == username.strip().lower()))
    if admin is None:
        raise NotFound(
            'The administrator "%(username)s" was not found', username=addresses.shown(username)
        )
    return admin


def is_locked(admin: Admin) -> bool:
    """Whether a lock on this administrator is still running."""
    return admin.unlock_date is not None and admin.unlock_date > history.now()


def create(
    session: Session,
    actor: Actor,
    *,
    username: str,
    password: str,
    name: str,
) -> Admin:
    """Add a local administrator."""
    turns.take(session, turns.Queue.ADMINS)
    admin = Admin(
        username=_checked_username(session, username),
        password=_hashed(session, password),
        name=_checked_name(name),
        source=LOCAL,
        active=True,
        failed_attempts=0,
        otp_active=False,
    )
    session.add(admin)
    session.flush()
    record(session, actor, history.Action.CREATE, admin, new=as_recorded(admin))
    return admin


def add_default(session: Session) -> None:
    """The administrator of a new installation, where there is none at all."""
    if session.scalar(select(func.count()).select_from(Admin)) == 0:
        session.add(
            Admin(
                username=sessions.DEFAULT_USERNAME,
                password=passwords.hash_for_admin(DEFAULT_PASSWORD),
                name="Default User",
                source=LOCAL,
                active=True,
                failed_attempts=0,
                otp_active=False,
            )
        )
        session.flush()


@lru_cache(maxsize=64)
def is_default_password(hashed: str | None) -> bool:
    """Whether this hash is that of the default password; slow once a hash and process."""
    return passwords.matches_admin(DEFAULT_PASSWORD, hashed)


def change(
    session: Session,
    actor: Actor,
    admin_id: int,
    *,
    username: str | None = None,
    password: str | None = None,
    name: str | None = None,
    seen: str | None = None,
) -> Admin:
    """Change the user name, the display name or the password; a new password ends all sessions."""
    turns.take(session, turns.Queue.ADMINS)
    admin = get(session, actor, admin_id)
    versions.check(session, history.Kind.ADMIN, admin.id, as_recorded(admin), seen)
    if username is None and password is None and name is None:
        raise Invalid("The username, password, or name was not supplied")
    old, old_username = as_recorded(admin), admin.username
    if username is not None:
        admin.username = _checked_username(session, username, besides=admin)
    if name is not None:
        admin.name = _checked_name(name)
    if as_recorded(admin) != old:
        session.flush()
        record(
            session,
            actor,
            history.Action.CHANGE,
            admin,
            name=old_username,
            old=old,
            new=as_recorded(admin),
        )
    if password is not None:
        _change_password(session, actor, admin, password)
    return admin


def check_password_is_here(admin: Admin) -> None:
    """Refuse an administrator whose password is kept elsewhere."""
    if admin.source in ELSEWHERE:
        raise Invalid(
            "PostMaster keeps no password of this administrator; it is changed elsewhere",
            field="password",
        )


def _change_password(session: Session, actor: Actor, admin: Admin, password: str) -> None:
    check_password_is_here(admin)
    replaced = admin.password
    admin.password = _hashed(session, password)
    session.flush()
    sessions.end_all(session, admin.id)
    history.record_all(session, actor, [as_reset(admin, replaced)])


def unlock(session: Session, actor: Actor, admin_id: int) -> Admin:
    """End a lock and forget the failed attempts."""
    turns.take(session, turns.Queue.ADMINS)
    admin = get(session, actor, admin_id)
    if admin.failed_attempts or admin.unlock_date or admin.last_failed_date:
        forget_failures(admin)
        session.flush()
        record(session, actor, history.Action.UNLOCK, admin)
    return admin


def forget_failures(admin: Admin) -> None:
    """Back to no failed attempt and no lock."""
    admin.failed_attempts = 0
    admin.last_failed_date = None
    admin.unlock_date = None


def remove(session: Session, actor: Actor, admin_id: int, *, seen: str | None = None) -> None:
    """Delete an administrator, whose sessions end; the last one stays."""
    turns.take(session, turns.Queue.ADMINS)
    admin = get(session, actor, admin_id)
    versions.check(session, history.Kind.ADMIN, admin.id, as_recorded(admin), seen)
    remove_several(session, actor, [admin_id])


def remove_several(session: Session, actor: Actor, admin_ids: Sequence[int]) -> None:
    """Delete several administrators, all or none; one has to stay."""
    turns.take(session, turns.Queue.ADMINS)
    chosen = rows.by_ids(session, Admin, admin_ids, "administrator")
    check_one_stays(session, len(chosen))
    for admin in chosen:
        sessions.end_all(session, admin.id)
    rows.remove(session, Admin, [admin.id for admin in chosen])
    history.record_all(session, actor, [as_removed(admin) for admin in chosen])


def check_one_stays(session: Session, leaving: int = 1) -> None:
    """Refuse to delete all administrators that there are."""
    if session.scalar(select(func.count()).select_from(Admin)) == leaving:
        raise Invalid("There must be at least one administrator")


def get_several(session: Session, actor: Actor, admin_ids: Sequence[int]) -> list[Admin]:
    """Those of the administrators with these ids that are there, by username."""
    return sorted(rows.present(session, Admin, admin_ids), key=lambda admin: admin.username or "")


def version(session: Session, actor: Actor, admin: Admin) -> str:
    """The version of a row, for a form that changes it."""
    return versions.of(session, history.Kind.ADMIN, admin.id, as_recorded(admin))


def as_recorded(admin: Admin) -> dict[str, object]:
    """The administrator as the history keeps it: without password or secret."""
    return {"username": admin.username, "name": admin.name, "source": admin.source}


def as_removed(admin: Admin) -> history.Change:
    """A removed administrator, for the history: also what an undo needs to let in again."""
    return history.Change(
        *(history.Action.DELETE, history.Kind.ADMIN, admin.id, admin.username or ""),
        old={**as_recorded(admin), **_to_let_in(admin)},
        password=admin.password,
        otp_secret=admin.otp_secret if admin.otp_active else None,
    )


def _to_let_in(admin: Admin) -> dict[str, object]:
    kept: dict[str, object] = {"active": admin.active, "language": admin.language}
    return kept | ({"external_id": admin.external_id} if admin.external_id else {})


def as_reset(admin: Admin, replaced: str | None) -> history.Change:
    """An administrator whose password was changed, for the history."""
    return history.Change(
        *(history.Action.CHANGE_PASSWORD, history.Kind.ADMIN, admin.id, admin.username or ""),
        password=replaced,
        new_password=admin.password,
    )


def record(
    session: Session,
    actor: Actor,
    action: history.Action,
    admin: Admin,
    *,
    name: str | None = None,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
) -> None:
    """Record a change of an administrator under the name that it had."""
    history.record(
        session,
        actor,
        action,
        history.Kind.ADMIN,
        admin.id,
        name or admin.username or "",
        old=old,
        new=new,
    )


def _checked_username(session: Session, text: str, besides: Admin | None = None) -> str:
    username = text.strip().lower()
    if not username:
        raise Invalid("The username was not specified", field="username")
    _check_printable(username, "username")
    lengths.check(username, Admin.username, "username")
    taken = select(Admin.id).where(Admin.username == username)
    if besides is not None:
        taken = taken.where(Admin.id != besides.id)
    if session.scalar(taken.limit(1)) is not None:
        raise Invalid(
            'The username "%(username)s" already exists', field="username", username=username
        )
    return username


def _checked_name(text: str) -> str:
    name = text.strip()
    if not name:
        raise Invalid("The name was not specified", field="name")
    _check_printable(name, "name")
    lengths.check(name, Admin.name, "name")
    return name


UNPRINTABLE = {
    "username": Phrase("The username may not contain control characters"),
    "name": Phrase("The name may not contain control characters"),
}


def _check_printable(text: str, field: str) -> None:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise Invalid(UNPRINTABLE[field], field=field)


def _hashed(session: Session, password: str) -> str:
    passwords.check(
        password,
        minimum=settings.value_of(session, settings.MINIMUM_PASSWORD_LENGTH),
        most_bytes=passwords.ADMIN_PASSWORD_BYTES,
    )
    hashed = passwords.hash_for_admin(password)
    lengths.check(hashed, Admin.password, "password hash")
    return hashed
