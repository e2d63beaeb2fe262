"""What a suspended user is: how it is seen in the row, and where its hash is kept meanwhile.

The mail tables keep their form, so the state is in what the mail server reads. The password
becomes a text that no password matches; without mail, a sign stands before the address too,
which then is nobody's. The hash is kept in a table of PostMaster's own.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from ..collations import AsOwn
from ..errors import Phrase
from ..models import AnyUser, Suspension, User
from . import rows

# Neither a crypt(3) hash nor a {SCHEME}: Dovecot refuses every password for it.
MARKER = "!suspended"
# Postfix takes an address with it for a source route and refuses it.
SIGN = "!"
IS_SUSPENDED = Phrase('"%(email)s" is suspended; resume it first')


class Mode(StrEnum):
    """What a suspended user is without."""

    SIGN_IN = "sign-in"  # nobody signs in; mail still arrives
    ALL = "all"  # neither


def mode_of(user: User) -> Mode | None:
    """How a user is suspended, if it is."""
    return mode_of_row(user.email, user.password)


def mode_of_row(email: str, password: str) -> Mode | None:
    """How a user with these values in its row is suspended, if it is."""
    if email.startswith(SIGN):
        return Mode.ALL
    return Mode.SIGN_IN if password == MARKER else None


def address_of(user: AnyUser) -> str:
    """The address as people know it, also while no mail arrives for it."""
    return user.email.removeprefix(SIGN)


def stored_address(address: str, mode: Mode | None) -> str:
    """The address as the row holds it."""
    return f"{SIGN}{address}" if mode == Mode.ALL else address


def condition() -> ColumnElement[bool]:
    """Whether a user is suspended, in SQL."""
    return or_(gets_no_mail(), User.password == MARKER)


def gets_no_mail() -> ColumnElement[bool]:
    """Whether a user is suspended without mail, in SQL."""
    return User.email.startswith(SIGN)


def address() -> ColumnElement[str]:
    """A user's real address, in SQL."""
    return case(
        (gets_no_mail(), func.substr(User.email, len(SIGN) + 1)), else_=User.email.expression
    )


def is_kept() -> ColumnElement[bool]:
    """Whether a kept hash is a user's, in SQL, as ``hashes_of`` tells it."""
    return and_(Suspension.user_id == User.id, Suspension.email == AsOwn(address()))


def kept_hash() -> ColumnElement[str]:
    """A user's hash in SQL, as ``hashes_of`` has it."""
    kept = select(Suspension.password).where(is_kept()).scalar_subquery()
    is_marked = User.password == MARKER
    return case((is_marked, func.coalesce(kept, User.password)), else_=User.password.expression)


def spellings(emails: Collection[str]) -> list[str]:
    """The addresses as the rows may hold them, suspended or not."""
    return [*emails, *(f"{SIGN}{email}" for email in emails)]


def is_without_mail(session: Session, email: str) -> bool:
    """Whether a user of this address is there, but suspended without mail."""
    found = select(User.id).where(User.email == f"{SIGN}{email}")
    return session.scalar(found.limit(1)) is not None


# --- hashes ---------------------------------------------------------------------


def hashes_of(session: Session, users: Sequence[User]) -> dict[int, str]:
    """Each user's hash, by its id; the marker where a suspended user's was not kept.

    A kept hash belongs to an id and an address: SQLite gives ids away again.
    """
    marked = {user.id: user for user in users if user.password == MARKER}
    kept = {
        row.user_id: row.password
        for row in rows.where_in(session, Suspension, Suspension.user_id, marked)
        if row.email.lower() == address_of(marked[row.user_id]).lower()
    }
    return {user.id: kept.get(user.id, user.password) for user in users}


def change_hash(session: Session, user: User, hashed: str) -> None:
    """Give a user another hash; that of a suspended one is kept until it is resumed."""
    if mode_of(user) is None:
        user.password = hashed
    else:
        user.password = MARKER
        keep(session, {user.id: (address_of(user), hashed)})


def change_address(session: Session, user: User, address: str) -> None:
    """Give a user another address; it stays suspended as it is, and its kept hash its own."""
    hashed = hashes_of(session, [user])[user.id]
    user.email = stored_address(address, mode_of(user))
    if user.password == MARKER:
        keep(session, {user.id: (address, hashed)})


def put(session: Session, users: Sequence[User], modes: Mapping[int, Mode | None]) -> None:
    """Suspend users, or bring back their addresses and hashes; each by its id."""
    hashes = hashes_of(session, users)
    kept = {
        user.id: (address_of(user), hashes[user.id]) for user in users if modes[user.id] is not None
    }
    for user in users:
        mode = modes[user.id]
        user.email = stored_address(address_of(user), mode)
        user.password = hashes[user.id] if mode is None else MARKER
    session.flush()
    forget(session, [user.id for user in users])
    keep(session, kept)


def keep(session: Session, hashes: Mapping[int, tuple[str, str]]) -> None:
    """Keep hashes: by the user's id, the address and the hash. A marker is none to keep."""
    forget(session, hashes)
    kept = [
        {"user_id": user_id, "email": email, "password": hashed}
        for user_id, (email, hashed) in hashes.items()
        if hashed != MARKER
    ]
    if kept:
        session.execute(insert(Suspension), kept)


def forget_in(session: Session, *conditions: ColumnElement[bool]) -> None:
    """Keep the hashes of these users no longer; to be said while the users are there."""
    kept = select(Suspension.user_id).join(User, User.id == Suspension.user_id)
    forget(session, session.scalars(kept.where(*conditions)).all())


def forget(session: Session, user_ids: Collection[int]) -> None:
    """Keep these hashes no longer."""
    for some in rows.chunks(user_ids):
        session.execute(delete(Suspension).where(Suspension.user_id.in_(some)))
