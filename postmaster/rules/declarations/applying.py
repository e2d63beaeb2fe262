"""The act that makes the tables equal to a declaration."""

from collections.abc import Iterator, Mapping

from sqlalchemy.orm import Session

from ...errors import Conflict, Invalid
from ...models import Alias, Domain, HistoryEntry, User
from .. import (
    addresses,
    aliases,
    domains,
    history,
    notes,
    rows,
    suspension_acts,
    suspensions,
    turns,
    users,
)
from ..actor import Actor
from .differences import Plan, managed, plan
from .document import NOT_SUSPENDED, Declaration

Change = history.Change


def apply(
    session: Session,
    actor: Actor,
    declaration: Declaration,
    *,
    name: str,
    seen: str,
    hashes: Mapping[str, str],
) -> HistoryEntry | None:
    """Do what ``plan`` says, all or nothing, as one change; None if there is nothing to do.

    ``name``: what the history calls it, the file's. ``seen``: the plan's, as it was shown;
    Conflict if the tables are others by now. ``hashes``: those of the generated passwords, by
    address. Raises Invalid where the plan has refusals.
    """
    turns.take(session, turns.Queue.MAIL)
    found = plan(session, actor, declaration)
    if found.seen != seen:
        raise Conflict("The tables were changed since the plan was made. Make it again")
    for refusal in found.refusals:
        raise refusal
    for address in found.generated:
        if address not in hashes:
            raise has_no_hash(address)
    if not found.steps:
        return None
    changes = _do(session, found, hashes)
    head = history.batch(
        *(session, actor, history.Action.APPLY, history.Kind.MAIL, len(found.steps)),
        name=name,
    )
    history.add_to(session, actor, head.id, changes)
    return head


def has_no_hash(address: str) -> Invalid:
    """The refusal of a new user for whom no password was generated."""
    return Invalid(
        'The user "%(email)s" is new and has no hash in the file: its password has to be generated',
        email=address,
    )


def _do(session: Session, found: Plan, hashes: Mapping[str, str]) -> list[Change]:
    # Counted before the deletions, which come first: a new user may have a freed address.
    ids = {model: rows.fresh_ids(session, model) for model in (Domain, User, Alias)}
    changes = _delete(session, found)
    new_domains = [Domain(id=next(ids[Domain]), name=name) for name in found.new_domains]
    session.add_all(new_domains)
    session.flush()
    changes += [domains.as_created(domain) for domain in new_domains]
    changes += _change_users(session, found)
    changes += _create_users(session, found, hashes, ids[User])
    changes += _create_aliases(session, found, ids[Alias])
    # At the end, since what was deleted may have come again in another form.
    return changes + notes.remove_with(
        session,
        domains=[domain.name for domain in found.gone_domains],
        users=[suspensions.address_of(user) for user in found.gone_users],
        sources={alias.source for alias in found.gone_aliases},
    )


def _delete(session: Session, found: Plan) -> list[Change]:
    changes = [aliases.as_removed(alias) for alias in found.gone_aliases]
    rows.remove(session, Alias, [alias.id for alias in found.gone_aliases])
    changes += users.removal(session, found.gone_users)
    changes += [domains.as_removed(domain) for domain in found.gone_domains]
    rows.remove(session, Domain, [domain.id for domain in found.gone_domains])
    return changes


def _change_users(session: Session, found: Plan) -> list[Change]:
    """Hashes first: one that was not kept may be among them, and is wanted to resume its user."""
    changes = []
    chosen = [user for user, _hashed in found.new_hashes]
    replaced = suspensions.hashes_of(session, chosen)
    for user, hashed in found.new_hashes:
        suspensions.change_hash(session, user, hashed)
        changes.append(users.as_reset(user, replaced[user.id], hashed))
    session.flush()
    modes = {user.id: mode for user, mode in found.new_modes}
    return changes + suspension_acts.put(session, [user for user, _mode in found.new_modes], modes)


def _create_users(
    session: Session, found: Plan, hashes: Mapping[str, str], ids: Iterator[int | None]
) -> list[Change]:
    domain_ids = managed(session, [addresses.split(each.address)[1] for each in found.new_users])
    created = []
    kept = []
    for declared in found.new_users:
        is_on = declared.suspended in (None, NOT_SUSPENDED)
        mode = None if is_on else suspensions.Mode(str(declared.suspended))
        hashed = declared.hashed if declared.hashed is not None else hashes[declared.address]
        user = User(
            id=next(ids),
            domain_id=domain_ids[addresses.split(declared.address)[1]],
            email=suspensions.stored_address(declared.address, mode),
            password=hashed if mode is None else suspensions.MARKER,
        )
        created.append(user)
        if mode is not None:
            kept.append((user, declared.address, hashed))
    session.add_all(created)
    session.flush()
    suspensions.keep(session, {user.id: (address, hashed) for user, address, hashed in kept})
    return [users.as_created(user) for user in created]


def _create_aliases(session: Session, found: Plan, ids: Iterator[int | None]) -> list[Change]:
    names = [addresses.split(declared.source)[1] for declared in found.new_aliases]
    domain_ids = managed(session, names)
    created = [
        Alias(
            id=next(ids),
            domain_id=domain_ids[addresses.split(declared.source)[1]],
            source=declared.source,
            destination=declared.destination,
        )
        for declared in found.new_aliases
    ]
    session.add_all(created)
    session.flush()
    return [aliases.as_created(alias) for alias in created]
