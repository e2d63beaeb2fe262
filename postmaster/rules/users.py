"""The acts on users, who are mailboxes: create, change the password, delete, search."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from ..db import flush_unique
from ..errors import Invalid, NotFound
from ..models import Domain, User
from . import (
    addresses,
    alias_rules,
    aliases,
    history,
    lengths,
    matches,
    notes,
    paging,
    passwords,
    recording,
    removals,
    rows,
    settings,
    suspensions,
    turns,
    versions,
)
from .actor import Actor
from .aliases import GoesWith, Orphans
from .conditions import Where
from .suspensions import address_of

LISTING = paging.Listing(
    model=User,
    searched=(User.email,),
    sortable={"id": User.id, "domain_id": User.domain_id, "email": User.email},
    sorted_by="email",
    also=notes.holding(history.Kind.USER),
    first=matches.of_users,
)


def conditions(domain_ids: Sequence[int] | None, suspended: bool | None) -> Where:
    """What limits a list of users."""
    asked = paging.EVERYTHING
    if domain_ids is not None:
        asked += Where((_IN_DOMAINS,), {"in_domains": domain_ids})
    if suspended is not None:
        asked += Where((_SUSPENDED if suspended else _OTHERS,))
    return asked


_IN_DOMAINS = User.domain_id.in_(bindparam("in_domains", expanding=True))
_SUSPENDED = suspensions.condition()
_OTHERS = ~_SUSPENDED


def get(session: Session, actor: Actor, user_id: int) -> User:
    """One user by its id. Raises NotFound."""
    return rows.by_id(session, User, user_id, "user")


def get_several(session: Session, actor: Actor, user_ids: Sequence[int]) -> list[User]:
    """Those of the users with these ids that are there, by address."""
    return sorted(rows.present(session, User, user_ids), key=lambda user: address_of(user).lower())


def by_email(session: Session, actor: Actor, email: str) -> User:
    """One user by the address, as typed by the operator. Raises NotFound."""
    typed = addresses.trim(email)
    spellings = suspensions.spellings([typed, addresses.as_stored(typed)])
    column = paging.comparable(User.email, *spellings)
    found = select(User).where(column.in_(spellings)).order_by(User.email.desc())
    user = session.scalar(found.limit(1))
    if user is None:
        raise NotFound('The user "%(email)s" was not found', email=addresses.shown(email))
    return user


def create(
    session: Session, actor: Actor, *, email: str, password: str, keep_copy: bool = False
) -> User:
    """Add a mailbox.

    Where an alias of that name stands, the mailbox would get no mail, so it is
    refused; with ``keep_copy`` it becomes one more destination of that alias, and where a
    catch-all would take its mail, it gets an alias to itself.
    """
    turns.take(session, turns.Queue.MAIL)
    address, domain = checked(session, email)
    hashed = _hashed(session, password)
    is_alias = aliases.sources_at(session, address)
    if is_alias and not keep_copy:
        raise is_an_alias(address)
    user = User(domain_id=domain.id, email=address, password=hashed)
    session.add(user)
    flush_unique(session, is_taken(address))
    is_copied = keep_copy and (is_alias or alias_rules.is_swept(session, address))
    along = [aliases.add_copy(session, domain, address)] if is_copied else []
    history.record_all(session, actor, [as_created(user)], along=along)
    return user


def checked_address(session: Session, actor: Actor, email: str) -> str:
    """The address that a new mailbox would get. Raises Invalid as ``create`` would."""
    address, _domain = checked(session, email)
    if aliases.sources_at(session, address):
        raise is_an_alias(address)
    return address


def normalised(email: str) -> str:
    """The address of a mailbox, normalised. Raises Invalid."""
    if not email.strip():
        raise Invalid("The email address was not specified", field="email")
    address = addresses.mailbox(email)
    lengths.check(address, User.email, "email")
    return address


_SPELLED = select(User).where(User.email.in_(bindparam("spellings", expanding=True)))


def checked(session: Session, email: str, besides: User | None = None) -> tuple[str, Domain]:
    """The address of a mailbox, normalised, and its domain; aliases are not looked at.

    Raises Invalid where it cannot be one, or is another user's than ``besides``.
    """
    address = normalised(email)
    domain = aliases.domain_of(session, address, field="email")
    spellings = suspensions.spellings([address])
    for other in session.scalars(_SPELLED, {"spellings": spellings}):
        if besides is not None and other.id == besides.id:
            continue
        if suspensions.mode_of(other) is suspensions.Mode.ALL:
            raise Invalid(suspensions.IS_SUSPENDED, field="email", email=address)
        raise is_taken(address)
    return address, domain


def is_taken(address: str) -> Invalid:
    """The refusal of an address that is a mailbox already."""
    return Invalid('"%(email)s" already exists', field="email", email=address)


def is_an_alias(address: str) -> Invalid:
    """The refusal of an address whose mail an alias would take."""
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
    replaced = suspensions.hashes_of(session, chosen)
    for user in chosen:
        hashed = _hashed(session, password)  # each with a salt of its own
        suspensions.change_hash(session, user, hashed)
        changes.append(as_reset(user, replaced[user.id], hashed))
    session.flush()
    history.record_all(session, actor, changes)


def goes_with(session: Session, actor: Actor, user_ids: Sequence[int]) -> GoesWith:
    """What is deleted with users: their own rows to keep a copy, and what leads to them."""
    chosen = rows.present(session, User, user_ids)
    emails = [address_of(user) for user in chosen]
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
    removed = removal(session, chosen)
    history.record_all(
        session,
        actor,
        removed,
        along=[
            *aliases.removal(session, along),
            *notes.remove_with(session, users=[change.name for change in removed]),
        ],
        part_of=part_of,
    )


def removal(session: Session, chosen: Sequence[User]) -> list[history.Change]:
    """Delete mailboxes and nothing else; their changes are for the caller to record."""
    hashes = suspensions.hashes_of(session, chosen)
    changes = [as_removed(user, hashes[user.id]) for user in chosen]
    suspensions.forget(session, hashes)
    rows.remove(session, User, hashes)
    return changes


def as_recorded(user: User) -> dict[str, object]:
    """The user as the history keeps it: without the password."""
    recorded: dict[str, object] = {"domain_id": user.domain_id, "email": address_of(user)}
    mode = suspensions.mode_of(user)
    return recorded if mode is None else recorded | {"suspended": mode}


def as_removed(user: User, hashed: str | None = None) -> history.Change:
    """A removed user, for the history; ``hashed`` None: its hash is in the row."""
    return history.Change(
        *(history.Action.DELETE, history.Kind.USER, user.id, address_of(user)),
        old=as_recorded(user),
        password=user.password if hashed is None else hashed,
    )


def as_created(user: User) -> history.Change:
    """A new user, for the history."""
    kind, new = history.Kind.USER, as_recorded(user)
    return history.Change(history.Action.CREATE, kind, user.id, address_of(user), new=new)


def record_created(session: Session, actor: Actor, head_id: int, emails: Collection[str]) -> None:
    """Record new users as parts of a head, as ``as_created`` would each."""
    recording.add_created(session, actor, head_id, recording.users(), User.email, emails)


def as_reset(user: User, replaced: str, hashed: str) -> history.Change:
    """A user whose password was changed, for the history: the hash before and the new one."""
    return history.Change(
        *(history.Action.CHANGE_PASSWORD, history.Kind.USER, user.id, address_of(user)),
        password=replaced,
        new_password=hashed,
    )


def _hashed(session: Session, password: str) -> str:
    check_password(password, settings.value_of(session, settings.MINIMUM_PASSWORD_LENGTH))
    hashed = passwords.hash_for_mail(password)
    lengths.check(hashed, User.password, "password hash")
    return hashed


def check_password(password: str, minimum: int) -> None:
    """Refuse a password that a mailbox cannot have; ``minimum`` is the setting's value."""
    passwords.check(password, minimum=minimum, most_bytes=passwords.MAIL_PASSWORD_BYTES)


def check_hash(hashed: str) -> None:
    """Refuse a ready hash that is none, that its column cannot hold, or that suspends a user."""
    passwords.check_hash(hashed)
    if hashed == suspensions.MARKER:
        raise Invalid(
            '"%(text)s" is no password hash but what a suspended user has instead of one',
            field="hash",
            text=hashed,
        )
    lengths.check(hashed, User.password, "password hash")
