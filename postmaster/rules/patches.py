"""Several fields of one domain, user or alias, made or changed at once, all or none.

Each field has its act; here they are only put in an order that works. What is answered is the
item as the lists show it, read in the same transaction.
"""

from enum import Enum
from typing import Any, Literal

from sqlalchemy.orm import Session

from . import aliases, domains, notes, overviews, suspension_acts, user_moves, users
from .actions import Kind
from .actor import Actor
from .overviews import AliasRow, DomainRow, UserRow
from .suspensions import Mode


class Unset(Enum):
    """Tells a field that is not sent from one that is empty."""

    UNSET = "unset"


UNSET: Literal[Unset.UNSET] = Unset.UNSET
Note = str | Literal[Unset.UNSET] | None


def create_domain(session: Session, actor: Actor, *, name: str, note: Note = UNSET) -> DomainRow:
    """Add a domain, with a note."""
    domain = domains.create(session, actor, name=name)
    _set_note(session, actor, Kind.DOMAIN, domain.id, note)
    return overviews.get_domain(session, actor, domain.id)


def change_domain(
    session: Session,
    actor: Actor,
    domain_id: int,
    *,
    name: str | None = None,
    note: Note = UNSET,
) -> DomainRow:
    """Rename a domain, or change the note on it."""
    if note is UNSET:
        domains.check_is_specified(name)
    if name is not None:
        domains.change(session, actor, domain_id, name=name)
    _set_note(session, actor, Kind.DOMAIN, domain_id, note)
    return overviews.get_domain(session, actor, domain_id)


def create_user(session: Session, actor: Actor, /, *, note: Note = UNSET, **fields: Any) -> UserRow:
    """Add a user, with a note; for the other fields see ``users.create``."""
    user = users.create(session, actor, **fields)
    _set_note(session, actor, Kind.USER, user.id, note)
    return overviews.get_user(session, actor, user.id)


def change_user(
    session: Session,
    actor: Actor,
    user_id: int,
    *,
    password: str | None = None,
    email: str | None = None,
    keep_alias: bool = False,
    keep_copy: bool = False,
    suspended: Mode | Literal[Unset.UNSET] | None = UNSET,
    note: Note = UNSET,
) -> UserRow:
    """Change what is given. Who is to be resumed is so before the address changes."""
    if password is not None or (email is None and suspended is UNSET and note is UNSET):
        users.change(session, actor, user_id, password=password)
    if suspended is None:
        suspension_acts.resume(session, actor, user_id)
    if email is not None:
        user_moves.rename(
            *(session, actor, user_id),
            email=email,
            keep_alias=keep_alias,
            keep_copy=keep_copy,
        )
    if isinstance(suspended, Mode):
        suspension_acts.suspend(session, actor, user_id, mode=suspended)
    _set_note(session, actor, Kind.USER, user_id, note)
    return overviews.get_user(session, actor, user_id)


def create_alias(
    session: Session, actor: Actor, /, *, note: Note = UNSET, **fields: Any
) -> AliasRow:
    """Add an alias, with a note on its source; for the other fields see ``aliases.create``."""
    alias = aliases.create(session, actor, **fields)
    _set_note(session, actor, Kind.ALIAS, alias.id, note)
    return overviews.get_alias_row(session, actor, alias.id)


def change_alias(
    session: Session,
    actor: Actor,
    alias_id: int,
    *,
    source: str | None = None,
    destination: str | None = None,
    note: Note = UNSET,
) -> AliasRow:
    """Change what is given."""
    if note is UNSET or source is not None or destination is not None:
        aliases.change(session, actor, alias_id, source=source, destination=destination)
    _set_note(session, actor, Kind.ALIAS, alias_id, note)
    return overviews.get_alias_row(session, actor, alias_id)


def _set_note(session: Session, actor: Actor, kind: Kind, object_id: int, note: Note) -> None:
    if note is not UNSET:
        notes.set_note(session, actor, kind, object_id, text=note or "")
