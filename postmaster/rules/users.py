"""The acts on users, who are mailboxes: create, change the password, delete, search."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..db import flush_unique
from ..errors import Invalid, NotFound
from ..models import Alias, Domain, User
from . import (
    addresses,
    aliases,
    history,
    lengths,
    paging,
    passwords,
    removals,
    rows,
    settings,
    turns,
    versions,
)
from .actor import Actor
from .aliases import GoesWith, Orphans

LISTING = paging.Listing(
    model=User,
    searched=(User.email,),
    sortable={"id": User.id, "domain_id": User.domain_id, "email": User.email},
    sorted_by="email",
)


def find(
    session: Session,
    actor: Actor,
    criteria: paging.Criteria,
    *,
    domain_ids: Sequence[int] | None = None,
) -> paging.Page[User]:
    """A page of users, of some domains if asked."""
    conditions = [] if domain_ids is None else [User.domain_id.in_(domain_ids)]
    return LISTING.find(session, criteria, *conditions)


def get(session: Session, actor: Actor, user_id: int) -> User:
    """One user by its id. Raises NotFound."""
    return rows.by_id(session, User, user_id, "user")


def get_several(session: Session, actor: Actor, user_ids: Sequence[int]) -> list[User]:
    """Those of the users with these ids that are there, by address."""
    return sorted(rows.present(session, User, user_ids), key=lambda user: user.email.lower())


def by_email(session: Session, actor: Actor, email: str) -> User:
    """One user by the address, as typed by the operator. Raises NotFound."""
    user = session.scalar(select(User).where(User.email == addresses.trim(email)))
    if user is None:
        raise NotFound('The user "%(email)s" was not found', email=addresses.shown(email))
    return user


def create(
    session: Session, actor: Actor, *, email: str, password: str, keep_copy: bool = False
) -> User:
    """Add a mailbox.

    Where an alias of that name stands, the mailbox would get no mail, so it is
    refused; with ``keep_copy`` it becomes one more destination of that alias.
    """
    turns.take(session, turns.Queue.MAIL)
    address, domain = _checked_address(session, email)
    hashed = _hashed(session, password)
    is_alias = aliases.sources_at(session, address)
    if is_alias and not keep_copy:
        raise _is_an_alias(address)
    user = User(domain_id=domain.id, email=address, password=hashed)
    session.add(user)
    flush_unique(session, _is_taken(address))
    history.record(
        session,
        actor,
        history.Action.CREATE,
        history.Kind.USER,
        user.id,
        address,
        new=as_recorded(user),
        along=[aliases.add_copy(session, domain, address)] if is_alias else [],
    )
    return user


def checked_address(session: Session, actor: Actor, email: str) -> str:
    """The address that a new mailbox would get. Raises Invalid as ``create`` would."""
    address, _domain = _checked_address(session, email)
    if aliases.sources_at(session, address):
        raise _is_an_alias(address)
    return address


def _checked_address(session: Session, email: str) -> tuple[str, Domain]:
    if not email.strip():
        raise Invalid("The email address was not specified", field="email")
    address = addresses.mailbox(email)
    lengths.check(address, User.email, "email")
    domain = aliases.domain_of(session, address, field="email")
    if session.scalar(select(User.id).where(User.email == address).limit(1)) is not None:
        raise _is_taken(address)
    return address, domain


def _is_taken(address: str) -> Invalid:
    return Invalid('"%(email)s" already exists', field="email", email=address)


def _is_an_alias(address: str) -> Invalid:
    return Invalid(
        '"%(email)s" already exists as an alias, which would take the mailbox\'s mail; '
        "remove the alias, or let it keep a copy for the mailbox",
        field="email",
        email=address,
    )


def version(session: Session, actor: Actor, user: User) -> str:
    """The version of a row, for a form that changes it."""
    return versions.of(session, history.Kind.USER, user.id, as_recorded(user))


def change(
    session: Session,
    actor: Actor,
    user_id: int,
    *,
    password: str | None = None,
    seen: str | None = None,
) -> User:
    """Give a mailbox another password."""
    turns.take(session, turns.Queue.MAIL)
    user = get(session, actor, user_id)
    versions.check(session, history.Kind.USER, user.id, as_recorded(user), seen)
    if password is None or not password.strip():
        raise Invalid("The password was not supplied", field="password")
    _change_passwords(session, actor, [user], password)
    return user


def change_several(
    session: Session, actor: Actor, user_ids: Sequence[int], *, password: str
) -> list[User]:
    """Give several mailboxes the same password, all or none."""
    turns.take(session, turns.Queue.MAIL)
    chosen = rows.by_ids(session, User, user_ids, "user")
    if not password.strip():
        raise Invalid("The password was not supplied", field="password")
    _change_passwords(session, actor, chosen, password)
    return chosen


def _change_passwords(
    session: Session, actor: Actor, chosen: Sequence[User], password: str
) -> None:
    changes = []
    for user in chosen:
        replaced = user.password
        user.password = _hashed(session, password)  # each with a salt of its own
        changes.append(as_reset(user, replaced))
    session.flush()
    history.record_all(session, actor, changes)


def goes_with(session: Session, actor: Actor, user_ids: Sequence[int]) -> GoesWith:
    """What is deleted with users: their own rows to keep a copy, and what leads to them."""
    chosen = rows.present(session, User, user_ids)
    emails = [user.email for user in chosen]
    leading = removals.leading_to(session, emails)
    copies = [alias for alias in leading if aliases.is_copy(alias)]
    elsewhere = [alias for alias in leading if not aliases.is_copy(alias)]
    return removals.of(session, [], copies, elsewhere, emails)


def remove(
    session: Session,
    actor: Actor,
    user_id: int,
    *,
    orphans: Orphans = Orphans.MAILBOX,
    seen: str | None = None,
    part_of: int | None = None,
) -> None:
    """Delete a mailbox and the aliases that lead to it. The mail on disk stays."""
    remove_several(session, actor, [user_id], orphans=orphans, seen=seen, part_of=part_of)


def remove_several(
    session: Session,
    actor: Actor,
    user_ids: Sequence[int],
    *,
    orphans: Orphans = Orphans.MAILBOX,
    seen: str | None = None,
    part_of: int | None = None,
) -> None:
    """Delete several mailboxes, all or none, as ``remove`` does with one."""
    turns.take(session, turns.Queue.MAIL)
    chosen = rows.by_ids(session, User, user_ids, "user")
    gone = goes_with(session, actor, user_ids)
    gone.check(seen)
    along = gone.aliases_gone(orphans)
    rows.remove(session, Alias, [alias.id for alias in along])
    rows.remove(session, User, [user.id for user in chosen])
    history.record_all(
        session,
        actor,
        [as_removed(user) for user in chosen],
        along=[aliases.as_removed(alias) for alias in along],
        part_of=part_of,
    )


def as_recorded(user: User) -> dict[str, object]:
    """The user as the history keeps it: without the password."""
    return {"domain_id": user.domain_id, "email": user.email}


def as_removed(user: User) -> history.Change:
    """A removed user, for the history."""
    return history.Change(
        *(history.Action.DELETE, history.Kind.USER, user.id, user.email),
        old=as_recorded(user),
        password=user.password,
    )


def as_reset(user: User, replaced: str) -> history.Change:
    """A user whose password was changed, for the history."""
    return history.Change(
        *(history.Action.CHANGE_PASSWORD, history.Kind.USER, user.id, user.email),
        password=replaced,
        new_password=user.password,
    )


def _hashed(session: Session, password: str) -> str:
    passwords.check(
        password,
        minimum=settings.value_of(session, settings.MINIMUM_PASSWORD_LENGTH),
        most_bytes=passwords.MAIL_PASSWORD_BYTES,
    )
    hashed = passwords.hash_for_mail(password)
    lengths.check(hashed, User.password, "password hash")
    return hashed
