"""The acts on aliases: create, change, rename, lead elsewhere, delete, search.

An alias belongs to the domain of its source. Several destinations of one source
are several rows. What an alias may be is in ``alias_rules``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from ..errors import Invalid, NotFound
from ..models import Alias, AnyAlias, Domain, User
from . import (
    addresses,
    alias_rules,
    history,
    matches,
    notes,
    paging,
    removals,
    rows,
    turns,
    versions,
)
from .actor import Actor

LISTING = paging.Listing(
    model=Alias,
    searched=(Alias.source,),
    sortable={
        "id": Alias.id,
        "domain_id": Alias.domain_id,
        "source": Alias.source,
        "destination": Alias.destination,
    },
    sorted_by="source",
    also=notes.holding(history.Kind.ALIAS),
    first=matches.of_aliases,
)
Orphans = removals.Orphans
GoesWith = removals.GoesWith
sources_at = alias_rules.sources_at
domain_of = alias_rules.domain_of


@dataclass(frozen=True)
class AboutSource:
    """What a source that is typed would mean.

    ``is_mailbox``: a mailbox that keeps no copy yet; ``destinations``: how many it has
    already; ``swallowed``: how many mailboxes a catch-all would take the mail of.
    """

    source: str
    is_mailbox: bool
    destinations: int
    swallowed: int


# --- search ---------------------------------------------------------------------


def get(session: Session, actor: Actor, alias_id: int) -> Alias:
    """One alias by its id. Raises NotFound."""
    return rows.by_id(session, Alias, alias_id, "alias")


def get_several(session: Session, actor: Actor, alias_ids: Sequence[int]) -> list[Alias]:
    """Those of the aliases with these ids that are there, by source."""
    return removals.in_order(rows.present(session, Alias, alias_ids))


def ids_beside(session: Session, actor: Actor, alias_ids: Sequence[int]) -> list[int]:
    """The ids of all rows of the sources that these rows belong to."""
    sources = {alias.source for alias in rows.present(session, Alias, alias_ids)}
    beside = rows.where_in(session, Alias, Alias.source, sources)
    return [alias.id for alias in removals.in_order(beside)]


def matching(
    session: Session, actor: Actor, source: str, destination: str | None = None
) -> list[Alias]:
    """The rows of a source, or of one pair, as typed by the operator. Raises NotFound."""
    conditions: list[ColumnElement[bool]] = [Alias.source == addresses.trim(source)]
    if destination is not None:
        conditions.append(Alias.destination == addresses.trim(destination))
    found = list(session.scalars(select(Alias).where(*conditions).order_by(Alias.id)))
    if not found:
        raise NotFound('The alias "%(source)s" was not found', source=addresses.shown(source))
    return found


def about_source(session: Session, actor: Actor, typed: str) -> AboutSource:
    """What a new alias with this source would mean. Raises Invalid as ``create`` would."""
    source = alias_rules.checked_source(typed)
    domain_of(session, source, field="source")
    counted = select(func.count()).select_from(Alias).where(Alias.source == source)
    return AboutSource(
        source=source,
        is_mailbox=_needs_copy(session, source),
        destinations=session.scalar(counted) or 0,
        swallowed=swallowed(session, actor, source),
    )


def swallowed(session: Session, actor: Actor, source: str) -> int:
    """How many mailboxes would lose their mail to this source, if it is a catch-all."""
    return len(alias_rules.swallowed(session, source))


def _needs_copy(session: Session, source: str) -> bool:
    is_mailbox = alias_rules.is_mailbox(session, source)
    return is_mailbox and not alias_rules.keeps_copy(session, source)


# --- create ---------------------------------------------------------------------


def create(
    session: Session,
    actor: Actor,
    *,
    source: str,
    destination: str,
    keep_copy: bool = False,
    keep_mailboxes: bool = False,
) -> Alias:
    """Add one destination to a source.

    A source that is a mailbox is refused; with ``keep_copy`` the mailbox gets its own
    mail too. With ``keep_mailboxes`` a catch-all leaves the domain's mailboxes theirs.
    """
    turns.take(session, turns.Queue.MAIL)
    checked_source = alias_rules.checked_source(source)
    checked_destination = alias_rules.checked_destination(destination)
    domain = domain_of(session, checked_source, field="source")
    alias_rules.check_destination_exists(session, checked_source, checked_destination)
    copies: list[Alias] = []
    if keep_copy and checked_source != checked_destination and _needs_copy(session, checked_source):
        copies = [_copy(checked_source, domain.id)]
    elif keep_mailboxes:
        mailboxes = alias_rules.swallowed(session, checked_source)
        copies = [_copy(mailbox.email, mailbox.domain_id) for mailbox in mailboxes]
    session.add_all(copies)
    session.flush()
    alias_rules.check_mailbox_keeps_its_mail(session, checked_source, checked_destination)
    alias_rules.check_is_new(session, checked_source, checked_destination)
    alias_rules.check_closes_no_circle(session, [checked_source], checked_destination)
    alias = Alias(domain_id=domain.id, source=checked_source, destination=checked_destination)
    session.add(alias)
    session.flush()
    along = [as_created(copy) for copy in copies]
    history.record_all(session, actor, [as_created(alias)], along=along)
    return alias


def _copy(address: str, domain_id: int, alias_id: int | None = None) -> Alias:
    return Alias(id=alias_id, domain_id=domain_id, source=address, destination=address)


# --- change ---------------------------------------------------------------------


def version(session: Session, actor: Actor, alias: Alias) -> str:
    """The version of a row, for a form that changes it."""
    return versions.of(session, history.Kind.ALIAS, alias.id, as_recorded(alias))


def versions_of(session: Session, actor: Actor, group: Sequence[Alias]) -> dict[int, str]:
    """The version of each of these rows, by its id."""
    recorded = {alias.id: as_recorded(alias) for alias in group}
    return versions.of_all(session, history.Kind.ALIAS, recorded)


def change(
    session: Session,
    actor: Actor,
    alias_id: int,
    *,
    source: str | None = None,
    destination: str | None = None,
    seen: str | None = None,
) -> Alias:
    """Give an alias another source, destination, or both.

    What is not changed is not checked, so that a row made by hand stays editable.
    """
    turns.take(session, turns.Queue.MAIL)
    alias = get(session, actor, alias_id)
    versions.check(session, history.Kind.ALIAS, alias.id, as_recorded(alias), seen)
    if source is None and destination is None:
        raise Invalid("The source or destination was not supplied")
    old, old_words = as_recorded(alias), in_words(alias)
    new_source, new_domain_id = alias.source, alias.domain_id
    new_destination, besides = alias.destination, [alias.id]
    if source is not None and addresses.trim(source) != alias.source:
        new_source = alias_rules.checked_source(source)
        new_domain_id = domain_of(session, new_source, field="source").id
    if destination is not None and addresses.trim(destination) != alias.destination:
        new_destination = alias_rules.checked_destination(destination)
        alias_rules.check_destination_exists(session, new_source, new_destination, besides)
    if (new_source, new_destination) == (alias.source, alias.destination):
        return alias
    if new_source != alias.source or alias.destination == alias.source:
        alias_rules.check_mailbox_keeps_its_mail(session, new_source, new_destination, besides)
    alias_rules.check_is_new(session, new_source, new_destination, besides)
    alias_rules.check_closes_no_circle(session, [new_source], new_destination, besides)
    alias.source, alias.domain_id = new_source, new_domain_id
    alias.destination = new_destination
    session.flush()
    along = notes.move(session, history.Kind.ALIAS, str(old["source"]), new_source)
    history.record_all(session, actor, [as_changed(alias, old, old_words)], along=along)
    return alias


def rename(
    session: Session, actor: Actor, alias_id: int, *, source: str, seen: str | None = None
) -> Alias:
    """Give all destinations of an alias another source, all or none."""
    turns.take(session, turns.Queue.MAIL)
    alias = get(session, actor, alias_id)
    group = sorted(
        rows.where_in(session, Alias, Alias.source, [alias.source]), key=lambda row: row.id
    )
    if len(group) == 1:
        return change(session, actor, alias_id, source=source, seen=seen)
    versions.check(session, history.Kind.ALIAS, alias.id, as_recorded(alias), seen)
    if addresses.trim(source) == alias.source:
        return alias
    new_source = alias_rules.checked_source(source)
    domain_id = domain_of(session, new_source, field="source").id
    before = [(row, as_recorded(row), in_words(row)) for row in group]
    for row in group:
        row.source, row.domain_id = new_source, domain_id
    session.flush()
    for row in group:
        alias_rules.check_is_new(session, new_source, row.destination, [row.id])
        alias_rules.check_mailbox_keeps_its_mail(session, new_source, row.destination)
        alias_rules.check_closes_no_circle(session, [new_source], row.destination, [row.id])
    along = notes.move(session, history.Kind.ALIAS, str(before[0][1]["source"]), new_source)
    history.record_all(session, actor, [as_changed(*one) for one in before], along=along)
    return alias


def repoint(
    session: Session,
    actor: Actor,
    alias_ids: Sequence[int],
    *,
    replaced: str | None,
    destination: str,
) -> list[Alias]:
    """Lead aliases elsewhere, all or none; returns the rows that were changed.

    With ``replaced``, of each source only the rows to that address, else the rows given.
    A row is deleted where its source leads to the new destination already.
    """
    turns.take(session, turns.Queue.MAIL)
    chosen = rows.by_ids(session, Alias, alias_ids, "alias")
    target = alias_rules.checked_destination(destination)
    sources = {alias.source for alias in chosen}
    if replaced is not None:
        wanted = addresses.trim(replaced)
        leading = paging.comparable(Alias.destination, wanted) == wanted
        chosen = removals.in_order(rows.where_in(session, Alias, Alias.source, sources, leading))
        if not chosen:
            raise Invalid(
                'None of these aliases leads to "%(replaced)s"',
                field="replaced",
                replaced=addresses.shown(replaced),
            )
    chosen = [alias for alias in chosen if alias.destination.lower() != target]
    if not chosen:
        return []
    ids = [alias.id for alias in chosen]
    for source in {alias.source.lower() for alias in chosen} & {target} or {""}:
        alias_rules.check_destination_exists(session, source, target, ids)
    leading = Alias.destination == target
    there = rows.where_in(session, Alias, Alias.source, sources, leading)
    served = {alias.source.lower() for alias in there}
    changed: list[Alias] = []
    doubles: list[Alias] = []
    for alias in chosen:
        (doubles if alias.source.lower() in served else changed).append(alias)
        served.add(alias.source.lower())
    _check_copies_stay(session, chosen)
    alias_rules.check_closes_no_circle(session, {a.source for a in chosen}, target, ids)
    changes = [
        as_changed(alias, as_recorded(alias), in_words(alias), destination=target)
        for alias in changed
    ]
    changes += [as_removed(alias) for alias in doubles]
    for some in rows.chunks([alias.id for alias in changed]):
        session.execute(update(Alias).where(Alias.id.in_(some)).values(destination=target))
    rows.remove(session, Alias, [alias.id for alias in doubles])
    history.record_all(session, actor, changes)
    return changed


def _check_copies_stay(session: Session, chosen: Collection[Alias]) -> None:
    """A row mailbox -> mailbox is not led away from its mailbox."""
    copies = [alias.source for alias in chosen if is_copy(alias)]
    for mailbox in rows.where_in(session, User, User.email, copies):
        raise Invalid(
            'The alias "%(name)s" -> "%(name)s" keeps the mailbox its own mail: say which other '
            "destination is replaced",
            field="replaced",
            name=mailbox.email,
        )


# --- delete ---------------------------------------------------------------------


def goes_with(session: Session, actor: Actor, alias_ids: Sequence[int]) -> GoesWith:
    """Which aliases would point nowhere without these."""
    chosen = rows.present(session, Alias, alias_ids)
    return GoesWith([], [], [], removals.pointing_nowhere(session, chosen))


def remove(
    session: Session,
    actor: Actor,
    alias_id: int,
    *,
    orphans: Orphans = Orphans.MAILBOX,
    seen: str | None = None,
    part_of: int | None = None,
) -> None:
    """Delete one row: one destination of one source."""
    remove_several(session, actor, [alias_id], orphans=orphans, seen=seen, part_of=part_of)


def remove_several(
    session: Session,
    actor: Actor,
    alias_ids: Sequence[int],
    *,
    orphans: Orphans = Orphans.MAILBOX,
    seen: str | None = None,
    part_of: int | None = None,
) -> None:
    """Delete several rows, all or none."""
    turns.take(session, turns.Queue.MAIL)
    chosen = rows.by_ids(session, Alias, alias_ids, "alias")
    gone = goes_with(session, actor, alias_ids)
    gone.check(seen)
    along = gone.aliases_gone(orphans)
    _check_mailboxes_keep_their_mail(session, [*chosen, *along])
    changes = removal(session, [*chosen, *along])
    history.record_all(
        *(session, actor, changes[: len(chosen)]),
        along=changes[len(chosen) :],
        part_of=part_of,
    )


def removal(session: Session, gone: Sequence[AnyAlias]) -> list[history.Change]:
    """Delete rows and the notes on what is no alias any more.

    The changes are for the caller to record: the rows in their order, then the notes.
    """
    changes = [as_removed(alias) for alias in gone]
    rows.remove(session, Alias, [alias.id for alias in gone])
    return changes + notes.remove_with(session, sources={alias.source for alias in gone})


def _check_mailboxes_keep_their_mail(session: Session, gone: Collection[AnyAlias]) -> None:
    """A row mailbox -> mailbox stays while others take the mailbox's mail."""
    gone_ids = {alias.id for alias in gone}
    copies = [alias.source for alias in gone if is_copy(alias)]
    mailboxes = {user.email.lower() for user in rows.where_in(session, User, User.email, copies)}
    staying = [
        alias
        for alias in rows.where_in(session, Alias, Alias.source, sorted(mailboxes))
        if alias.id not in gone_ids
    ]
    kept = {alias.source.lower() for alias in staying if is_copy(alias)}
    for alias in staying:
        if alias.source.lower() not in kept:
            raise Invalid(
                'Without the alias "%(name)s" -> "%(name)s", the alias "%(alias)s" would take '
                "all mail of the mailbox: delete the other destinations of it first, or all "
                "together",
                name=alias.source,
                alias=in_words(alias),
            )


# --- the history ----------------------------------------------------------------


def in_words(alias: AnyAlias) -> str:
    """The alias as the history and the log name it."""
    return f"{alias.source} -> {alias.destination}"


def is_copy(alias: AnyAlias) -> bool:
    """Whether it is a row mailbox -> mailbox, which keeps a mailbox its own mail."""
    return alias.source.lower() == alias.destination.lower()


def as_recorded(alias: AnyAlias) -> dict[str, object]:
    """The alias as the history keeps it."""
    return {
        "domain_id": alias.domain_id,
        "source": alias.source,
        "destination": alias.destination,
    }


def as_created(alias: Alias) -> history.Change:
    """A new alias, for the history."""
    kind, new = history.Kind.ALIAS, as_recorded(alias)
    return history.Change(history.Action.CREATE, kind, alias.id, in_words(alias), new=new)


def as_changed(
    alias: Alias, old: dict[str, object], old_words: str, **new: object
) -> history.Change:
    """A changed alias, for the history; ``new`` is what is about to change."""
    kind, after = history.Kind.ALIAS, as_recorded(alias) | new
    return history.Change(history.Action.CHANGE, kind, alias.id, old_words, old, after)


def as_removed(alias: AnyAlias) -> history.Change:
    """A removed alias, for the history."""
    kind, old = history.Kind.ALIAS, as_recorded(alias)
    return history.Change(history.Action.DELETE, kind, alias.id, in_words(alias), old=old)


def add_copy(
    session: Session, domain: Domain, address: str, alias_id: int | None = None
) -> history.Change:
    """Write the row mailbox -> mailbox; its change is for the caller to record."""
    alias = _copy(address, domain.id, alias_id)
    session.add(alias)
    session.flush()
    return as_created(alias)
