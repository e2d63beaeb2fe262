"""Moving and renaming users: the address changes, and what leads to it follows.

The mail on the disk does not: its folder is named by the address. What has to be done on the
server is put together here, as commands to copy.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy.orm import Session

from ..db import flush_unique
from ..errors import Invalid
from ..models import Alias, HistoryEntry, User
from . import (
    addresses,
    alias_rules,
    aliases,
    history,
    lengths,
    notes,
    rows,
    settings,
    suspensions,
    turns,
    users,
    versions,
)
from .actor import Actor

VARIABLE = re.compile(r"%([dnu])")


@dataclass(frozen=True)
class Folders:
    """Where a user's mail is on the server's disk, and where it has to be after a move.

    ``commands`` move it; ``importing`` does so where there is new mail in the new one already.
    """

    old: str
    new: str
    commands: list[str]
    importing: str


def checked_address(session: Session, actor: Actor, user_id: int, email: str) -> str:
    """The address that a user would get. Raises Invalid as ``rename`` would."""
    return _checked(session, users.get(session, actor, user_id), email)[0]


def rename(
    session: Session,
    actor: Actor,
    user_id: int,
    *,
    email: str,
    keep_alias: bool = False,
    keep_copy: bool = False,
    seen: str | None = None,
) -> User:
    """Give a user another address, in any domain here; what leads to it, leads on to it.

    Its forwarding goes along. With ``keep_alias`` an alias leads from the old address to the
    new one; with ``keep_copy`` the new one gets an alias to itself where a catch-all would take
    its mail. The mail folder is for the operator to move; see ``folders``.
    """
    turns.take(session, turns.Queue.MAIL)
    user = users.get(session, actor, user_id)
    versions.check(session, history.Kind.USER, user.id, users.as_recorded(user), seen)
    address, domain_id = _checked(session, user, email)
    if address == user.email:
        return user
    before, old = users.as_recorded(user), user.email
    is_other = address != old.lower()
    user.email, user.domain_id = address, domain_id
    flush_unique(session, users.is_taken(address))
    ids = rows.fresh_ids(session, Alias)
    along = _move_aliases(session, old, address, domain_id) if is_other else []
    if keep_copy and is_other and alias_rules.is_swept(session, address):
        domain = alias_rules.domain_of(session, address, field="email")
        along.append(aliases.add_copy(session, domain, address, next(ids)))
    if keep_alias and is_other:
        along.append(_add_alias(session, next(ids), old, address))
    along += notes.move(session, history.Kind.USER, old, address)
    history.record(
        *(session, actor, history.Action.CHANGE, history.Kind.USER, user.id, old),
        old=before,
        new=users.as_recorded(user),
        along=along,
    )
    return user


def _checked(session: Session, user: User, email: str) -> tuple[str, int]:
    """The new address and its domain's id."""
    if suspensions.mode_of(user) is not None:
        raise Invalid(suspensions.IS_SUSPENDED, field="email", email=suspensions.address_of(user))
    if addresses.trim(email) == user.email:
        return user.email, user.domain_id
    address, domain = users.checked(session, email, besides=user)
    if address == user.email.lower():
        return address, domain.id
    if aliases.sources_at(session, address):
        raise users.is_an_alias(address)
    if aliases.sources_at(session, user.email):
        lengths.check(address, Alias.source, "email")
    if rows.where_in(session, Alias, Alias.destination, [user.email]):
        lengths.check(address, Alias.destination, "email")
    return address, domain.id


def _move_aliases(session: Session, old: str, new: str, domain_id: int) -> list[history.Change]:
    """Lead on to the new address what led to the old one, and move its forwarding."""
    own = rows.where_in(session, Alias, Alias.source, [old])
    leading = rows.where_in(session, Alias, Alias.destination, [old])
    there = {
        alias.source.lower() for alias in rows.where_in(session, Alias, Alias.destination, [new])
    }
    doubles = [alias for alias in leading if alias.source.lower() in there]
    double_ids = {alias.id for alias in doubles}
    moved = {alias.id: alias for alias in (*own, *leading) if alias.id not in double_ids}
    changes = []
    for _id, alias in sorted(moved.items()):
        before, words = aliases.as_recorded(alias), aliases.in_words(alias)
        if alias.source.lower() == old.lower():
            alias.source, alias.domain_id = new, domain_id
        if alias.destination.lower() == old.lower():
            alias.destination = new
        changes.append(aliases.as_changed(alias, before, words))
    session.flush()
    led = notes.follow(session, changes)
    return [*changes, *led, *aliases.removal(session, doubles)]


def _add_alias(session: Session, alias_id: int | None, old: str, new: str) -> history.Change:
    source = alias_rules.checked_source(old)
    destination = alias_rules.checked_destination(new)
    domain = alias_rules.domain_of(session, source, field="email")
    alias = Alias(id=alias_id, domain_id=domain.id, source=source, destination=destination)
    alias_rules.check_closes_no_circle(session, [source], destination)
    session.add(alias)
    session.flush()
    return aliases.as_created(alias)


# --- the mail folder ------------------------------------------------------------


def last_move(timeline: Sequence[HistoryEntry]) -> tuple[str, str] | None:
    """The old and the new address of the newest move among a user's changes."""
    for entry in timeline:
        old, new = (entry.old or {}).get("email"), (entry.new or {}).get("email")
        if entry.action == history.Action.CHANGE and old and new and old != new:
            return old, new
    return None


def folders(session: Session, old: str, new: str) -> Folders:
    """What has to be done on the mail server after a move; for a shell there, as root."""
    pattern = settings.value_of(session, settings.MAIL_FOLDER)
    from_folder, to_folder = _folder(str(pattern), old), _folder(str(pattern), new)
    parent = PurePosixPath(to_folder).parent
    commands = []
    if parent != PurePosixPath(from_folder).parent:
        like = shlex.quote(f"--reference={PurePosixPath(from_folder).parent}")
        commands = [
            f"mkdir -p {shlex.quote(str(parent))}",
            f"chown {like} {shlex.quote(str(parent))}",
        ]
    quoted = shlex.quote(from_folder)
    return Folders(
        old=from_folder,
        new=to_folder,
        commands=[*commands, f"mv -T {quoted} {shlex.quote(to_folder)}"],
        importing=(
            f"doveadm import -u {shlex.quote(new)} {shlex.quote(f'maildir:{from_folder}')} '' all"
        ),
    )


def _folder(pattern: str, address: str) -> str:
    local_part, domain = addresses.split(address)
    values = {"d": domain, "n": local_part, "u": address}
    return VARIABLE.sub(lambda found: values[found[1]], pattern)
