"""What each act on the mail tables would change, before it is done.

Nothing is refused here but what cannot be read as an address: a change that the act would
refuse has consequences too, and they are the reason. Raises Invalid as the acts do for a
source or a destination that is none, and NotFound for rows that are not there.
"""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ..models import Alias, Domain, User
from . import addresses, alias_rules, aliases, rows, users
from .actor import Actor
from .consequences import Planned
from .removals import GoesWith, Orphans

# --- aliases --------------------------------------------------------------------


def creating_alias(
    session: Session,
    actor: Actor,
    *,
    source: str,
    destination: str,
    keep_copy: bool = False,
    keep_mailboxes: bool = False,
) -> Planned:
    """One more destination of a source."""
    checked_source = alias_rules.checked_source(source)
    checked_destination = alias_rules.checked_destination(destination)
    copies: list[str] = []
    if keep_copy and alias_rules.is_mailbox(session, checked_source):
        copies = [checked_source]
    elif keep_mailboxes:
        copies = [user.email for user in alias_rules.swallowed(session, checked_source)]
    pairs = [(checked_source, checked_destination), *((copy, copy) for copy in copies)]
    return Planned(new_aliases=list(dict.fromkeys(pairs)))


def changing_alias(session: Session, actor: Actor, alias_id: int, *, destination: str) -> Planned:
    """Another destination in place of one."""
    alias = aliases.get(session, actor, alias_id)
    if addresses.trim(destination) == alias.destination:
        return Planned()
    checked = alias_rules.checked_destination(destination)
    return Planned(gone_aliases=[alias], new_aliases=[(alias.source, checked)])


def renaming_alias(session: Session, actor: Actor, alias_id: int, *, source: str) -> Planned:
    """Another source for all destinations of an alias."""
    alias = aliases.get(session, actor, alias_id)
    if addresses.trim(source) == alias.source:
        return Planned()
    checked = alias_rules.checked_source(source)
    group = rows.where_in(session, Alias, Alias.source, [alias.source])
    return Planned(gone_aliases=group, new_aliases=[(checked, one.destination) for one in group])


def repointing_aliases(
    session: Session,
    actor: Actor,
    alias_ids: Sequence[int],
    *,
    replaced: str | None,
    destination: str,
) -> Planned:
    """Another destination for the chosen rows, or for those of them that lead to one."""
    checked = alias_rules.checked_destination(destination)
    wanted = addresses.trim(replaced or "").lower()
    led_away = [
        alias
        for alias in aliases.get_several(session, actor, alias_ids)
        if wanted in ("", alias.destination.lower())
    ]
    new = dict.fromkeys((alias.source, checked) for alias in led_away)
    return Planned(gone_aliases=led_away, new_aliases=list(new))


# --- users ----------------------------------------------------------------------


def creating_user(
    session: Session, actor: Actor, *, email: str, keep_copy: bool = False
) -> Planned:
    """One more mailbox; with a row of its own where an alias or a catch-all leaves it its mail."""
    address = addresses.mailbox(email)
    is_taken = alias_rules.sources_at(session, address) or alias_rules.is_swept(session, address)
    copy = [(address, address)] if is_taken and keep_copy else []
    return Planned(new_users=[address], new_aliases=copy, offers_copy=is_taken)


def forwarding_user(session: Session, actor: Actor, user_id: int, *, destination: str) -> Planned:
    """A copy of a mailbox's mail for another address; the mailbox keeps its own."""
    email = users.get(session, actor, user_id).email
    return creating_alias(session, actor, source=email, destination=destination, keep_copy=True)


def renaming_user(
    session: Session,
    actor: Actor,
    user_id: int,
    *,
    email: str,
    keep_alias: bool = False,
    keep_copy: bool = False,
) -> Planned:
    """Another address for a mailbox; the aliases that lead to it follow."""
    user = users.get(session, actor, user_id)
    address, old = addresses.mailbox(email), user.email.lower()
    if address == old:
        return Planned()
    condition = or_(Alias.source == user.email, Alias.destination == user.email)
    following = list(session.scalars(select(Alias).where(condition).order_by(Alias.id)))
    moved = [
        (_moved(row.source, old, address), _moved(row.destination, old, address))
        for row in following
    ]
    left = [(user.email, address)] if keep_alias else []
    is_swept = all(source != address for source, _destination in moved) and (
        alias_rules.is_swept(session, address)
    )
    copy = [(address, address)] if keep_copy and is_swept else []
    return Planned(
        gone_aliases=following,
        new_aliases=[*moved, *copy, *left],
        gone_users=[user],
        new_users=[address],
        offers_copy=is_swept,
    )


def _moved(name: str, old: str, new: str) -> str:
    return new if name.lower() == old else name


# --- what goes ------------------------------------------------------------------


def removing(
    gone: GoesWith,
    orphans: Orphans,
    *,
    domains: Sequence[Domain] = (),
    users: Sequence[User] = (),
    aliases: Sequence[Alias] = (),
) -> Planned:
    """Without these rows, and without what goes along by this choice."""
    return Planned(
        gone_aliases=[*aliases, *gone.aliases_gone(orphans)],
        gone_users=[*users, *gone.users],
        gone_domains=domains,
    )


def stopping_mail(users: Sequence[User]) -> Planned:
    """No mail for these mailboxes; nothing else goes."""
    return Planned(gone_users=users)
