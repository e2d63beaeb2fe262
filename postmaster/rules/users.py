"""The acts on users, who are mailboxes: create, change the password, delete, search."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..db import flush_unique
from ..errors import Invalid, NotFound
from ..models import Alias, User
from . import addresses, aliases, history, lengths, paging, passwords, rows, settings, turns
from .actor import Actor

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
    domain_id: int | None = None,
) -> paging.Page[User]:
    """A page of users, of one domain if asked."""
    conditions = [] if domain_id is None else [User.domain_id == domain_id]
    return LISTING.find(session, criteria, *conditions)


def get(session: Session, actor: Actor, user_id: int) -> User:
    """One user by its id. Raises NotFound."""
    return rows.by_id(session, User, user_id, "user")


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
    if not email.strip():
        raise Invalid("The email address was not specified", field="email")
    address = addresses.mailbox(email)
    lengths.check(address, User.email, "email")
    hashed = _hashed(session, password)
    domain = aliases.domain_of(session, address)
    taken = Invalid('"%(email)s" already exists', field="email", email=address)
    if session.scalar(select(User.id).where(User.email == address).limit(1)) is not None:
        raise taken
    is_alias = aliases.sources_at(session, address)
    if is_alias and not keep_copy:
        raise Invalid(
            '"%(email)s" already exists as an alias, which would take the mailbox\'s mail; '
            "remove the alias, or let it keep a copy for the mailbox",
            field="email",
            email=address,
        )
    user = User(domain_id=domain.id, email=address, password=hashed)
    session.add(user)
    flush_unique(session, taken)
    history.record(
        session,
        actor,
        history.Action.CREATE,
        history.Kind.USER,
        user.id,
        address,
        new=as_recorded(user),
    )
    if is_alias:
        aliases.add(session, actor, domain, address, address)
    return user


def change(session: Session, actor: Actor, user_id: int, *, password: str | None = None) -> User:
    """Give a mailbox another password."""
    turns.take(session, turns.Queue.MAIL)
    user = get(session, actor, user_id)
    if password is None or not password.strip():
        raise Invalid("The password was not supplied", field="password")
    replaced = user.password
    user.password = _hashed(session, password)
    session.flush()
    history.record(
        session,
        actor,
        history.Action.CHANGE_PASSWORD,
        history.Kind.USER,
        user.id,
        user.email,
        replaced_password=replaced,
    )
    return user


def goes_with(session: Session, actor: Actor, user_id: int) -> list[Alias]:
    """The aliases that are deleted with a user: those whose destination it is."""
    user = get(session, actor, user_id)
    return list(
        session.scalars(
            select(Alias).where(Alias.destination == user.email).order_by(Alias.source, Alias.id)
        )
    )


def remove(session: Session, actor: Actor, user_id: int) -> None:
    """Delete a mailbox and the aliases that lead to it. The mail on disk stays."""
    turns.take(session, turns.Queue.MAIL)
    user = get(session, actor, user_id)
    gone = goes_with(session, actor, user_id)
    session.execute(delete(Alias).where(Alias.id.in_([alias.id for alias in gone])))
    session.execute(delete(User).where(User.id == user.id))
    history.record(
        session,
        actor,
        history.Action.DELETE,
        history.Kind.USER,
        user.id,
        user.email,
        old=as_recorded(user),
        replaced_password=user.password,
        along=[aliases.as_removed(alias) for alias in gone],
    )


def as_recorded(user: User) -> dict[str, object]:
    """The user as the history keeps it: without the password."""
    return {"domain_id": user.domain_id, "email": user.email}


def as_removed(user: User) -> history.Removed:
    """The user as the history keeps it when it goes along with its domain."""
    return history.Removed(history.Kind.USER, user.id, user.email, as_recorded(user), user.password)


def _hashed(session: Session, password: str) -> str:
    passwords.check(
        password,
        minimum=settings.value_of(session, settings.MINIMUM_PASSWORD_LENGTH),
        most_bytes=passwords.MAIL_PASSWORD_BYTES,
    )
    hashed = passwords.hash_for_mail(password)
    lengths.check(hashed, User.password, "password hash")
    return hashed
