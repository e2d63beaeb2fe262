"""Deleted rows come back as they were: same ids, same hashes, same spelling.

Rows that came by hand may have been odd when they were deleted: two domains of one name,
a circle of aliases, an alias over a mailbox. So what stands in the way is judged only by
what is newer than the deletion, and by what holds an id or a unique name.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, exists, insert, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from ..db import Base
from ..errors import Conflict, Invalid, Phrase
from ..models import Admin, Alias, Domain, HistoryEntry, HistorySecret, Note, User
from . import addresses, alias_rules, aliases, notes, rows, suspensions
from .history import Action, Change, Kind

# In this order they are put back: users and aliases need their domain.
MODELS: Mapping[str, type[Base]] = {
    Kind.DOMAIN: Domain,
    Kind.USER: User,
    Kind.ALIAS: Alias,
    Kind.ADMIN: Admin,
    Kind.NOTE: Note,
}
ID_IS_TAKEN: Mapping[str, Phrase] = {
    Kind.DOMAIN: Phrase('The domain "%(name)s" cannot come back: its id %(id)s is taken now'),
    Kind.USER: Phrase('The user "%(name)s" cannot come back: its id %(id)s is taken now'),
    Kind.ALIAS: Phrase('The alias "%(name)s" cannot come back: its id %(id)s is taken now'),
    Kind.ADMIN: Phrase('The administrator "%(name)s" cannot come back: its id %(id)s is taken now'),
    Kind.NOTE: Phrase('The note on "%(name)s" cannot come back: its id %(id)s is taken now'),
}
NAME_IS_TAKEN: Mapping[str, Phrase] = {
    Kind.USER: Phrase('The user "%(name)s" cannot come back: there is a user of this address now'),
    Kind.ADMIN: Phrase(
        'The administrator "%(name)s" cannot come back: there is one of this username now'
    ),
}


class Recorded(NamedTuple):
    """What an undo needs to know of an entry of the history; there may be very many."""

    action: str
    kind: str
    object_id: int
    object_name: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded change of one row, with what was kept apart for undo."""

    entry: Recorded
    secret: HistorySecret | None

    @property
    def id(self) -> int:
        """The row's id."""
        return self.entry.object_id

    @property
    def old(self) -> dict[str, Any]:
        """The row's values before."""
        return self.entry.old or {}


def bring_back(session: Session, steps: Sequence[Step], after: int) -> list[Change]:
    """Put deleted rows back. Raises Conflict, which names the first obstacle."""
    by_kind = {kind: [s for s in steps if s.entry.kind == kind] for kind in MODELS}
    for kind, some in by_kind.items():
        _check_ids_are_free(session, kind, some)
    _check_names_are_free(session, Kind.USER, User.email, by_kind[Kind.USER], "email")
    _check_names_are_free(session, Kind.ADMIN, Admin.username, by_kind[Kind.ADMIN], "username")
    _check_accounts_are_free(session, by_kind[Kind.ADMIN])
    for step in by_kind[Kind.NOTE]:
        notes.check_is_free(session, step.old["kind"], step.old["name"])
    back = {step.id for step in by_kind[Kind.DOMAIN]}
    in_domains = [*by_kind[Kind.USER], *by_kind[Kind.ALIAS]]
    check_domains(session, in_domains, after, back=back)
    for kind, some in by_kind.items():
        if some:
            session.execute(insert(MODELS[kind]), [_values(kind, step) for step in some])
    _keep_hashes(session, by_kind[Kind.USER])
    check_newer(session, [s for s in steps if s.entry.kind != Kind.ADMIN], after)
    return [_as_restored(step) for kind in MODELS for step in by_kind[kind]]


def _values(kind: str, step: Step) -> dict[str, Any]:
    values = {"id": step.id, **step.old}
    mode = values.pop("suspended", None)
    hashed = step.secret.password if step.secret is not None else None
    if kind == Kind.USER:
        if hashed is None:
            raise Conflict(
                'The user "%(name)s" cannot come back: its password was not kept',
                name=step.entry.object_name,
            )
        values["email"] = suspensions.stored_address(values["email"], mode)
        values["password"] = suspensions.MARKER if mode else hashed
    if kind == Kind.ADMIN:
        otp_secret = step.secret.otp_secret if step.secret is not None else None
        values |= {
            "password": hashed or None,
            "active": values.get("active", True),
            "failed_attempts": 0,
            "otp_active": otp_secret is not None,
            "otp_secret": otp_secret,
        }
    return values


def _keep_hashes(session: Session, steps: Sequence[Step]) -> None:
    """Who was suspended comes back so, with its hash kept as it was."""
    kept = {
        step.id: (step.old["email"], step.secret.password)
        for step in steps
        if step.old.get("suspended") and step.secret is not None
    }
    suspensions.keep(session, kept)


def _as_restored(step: Step) -> Change:
    entry = step.entry
    kind = Kind(entry.kind)
    return Change(Action.RESTORE, kind, entry.object_id, entry.object_name, new=step.old)


# --- what holds the place -------------------------------------------------------


def _check_ids_are_free(session: Session, kind: str, steps: Sequence[Step]) -> None:
    key = rows.key_of(MODELS[kind])
    names = {step.id: step.entry.object_name for step in steps}
    for some in rows.chunks(names):
        taken = session.scalar(select(key).where(key.in_(some)).limit(1))
        if taken is not None:
            raise Conflict(ID_IS_TAKEN[kind], name=names[taken], id=taken)


def _check_names_are_free(
    session: Session,
    kind: str,
    column: InstrumentedAttribute[Any],
    steps: Sequence[Step],
    field: str,
) -> None:
    names = [step.old[field] for step in steps]
    for some in rows.chunks(suspensions.spellings(names) if kind == Kind.USER else names):
        taken = session.scalar(select(column).where(column.in_(some)).limit(1))
        if taken is not None:
            raise Conflict(NAME_IS_TAKEN[kind], name=taken.removeprefix(suspensions.SIGN))


def _check_accounts_are_free(session: Session, steps: Sequence[Step]) -> None:
    """Refuse administrators whose account elsewhere has another row by now."""
    for step in steps:
        external_id = step.old.get("external_id")
        same = (Admin.source == step.old.get("source"), Admin.external_id == external_id)
        taken = session.scalar(select(Admin.username).where(*same)) if external_id else None
        if taken is not None:
            raise Conflict(
                'The administrator "%(name)s" cannot come back: that account is %(username)s now',
                name=step.entry.object_name,
                username=taken,
            )


def check_domains(
    session: Session, steps: Sequence[Step], after: int, *, back: Collection[int] = ()
) -> None:
    """Refuse rows whose domain is gone, or is another one by now."""
    needed = {step.old["domain_id"]: step.entry.object_name for step in steps}
    wanted = [domain_id for domain_id in needed if domain_id not in back]
    there = {domain.id: domain.name for domain in rows.present(session, Domain, wanted)}
    for domain_id in wanted:
        if domain_id not in there:
            raise Conflict('The domain of "%(name)s" is gone', name=needed[domain_id])
    changed = rows.where_in(
        session,
        HistoryEntry,
        HistoryEntry.object_id,
        there,
        HistoryEntry.kind == Kind.DOMAIN,
        HistoryEntry.id > after,
        _counts(after),
        HistoryEntry.action.in_((Action.CHANGE, Action.CREATE)),
    )
    firsts = {entry.object_id: entry for entry in sorted(changed, key=lambda e: -e.id)}
    for domain_id, entry in firsts.items():
        if (entry.old or {}).get("name") != there[domain_id]:
            raise Conflict(
                'The domain of "%(name)s" has another name since %(moment)s UTC: "%(domain)s"',
                name=needed[domain_id],
                moment=entry.moment.strftime("%Y-%m-%d %H:%M:%S"),
                domain=there[domain_id],
            )


# --- what is newer --------------------------------------------------------------


def check_newer(session: Session, steps: Sequence[Step], after: int) -> None:
    """Refuse what newer rows do not bear; the rows of these steps are back already."""
    domains = {s.id: s.old["name"] for s in steps if s.entry.kind == Kind.DOMAIN}
    users = {s.id: s.old["email"] for s in steps if s.entry.kind == Kind.USER}
    back = {
        s.id: (s.old["source"].lower(), s.old["destination"].lower())
        for s in steps
        if s.entry.kind == Kind.ALIAS
    }
    _check_domain_names(session, domains, after)
    _check_pairs(session, back, after)
    _check_mail_of_users(session, users, set(back), after)
    _check_mail_of_newer_users(session, back, after)
    _check_copies(session, back, after)
    _check_circles(session, back, after)


def _is_newer(model: type[Base], kind: Kind, after: int) -> ColumnElement[bool]:
    """Whether a row was made or changed after the change that is undone, by the history."""
    return exists().where(
        HistoryEntry.kind == kind,
        HistoryEntry.object_id == rows.key_of(model),
        HistoryEntry.id > after,
        _counts(after),
        HistoryEntry.action.in_((Action.CREATE, Action.CHANGE, Action.RESTORE)),
    )


def _counts(after: int) -> ColumnElement[bool]:
    """Whether a newer entry is no part of the change itself, and was not taken back.

    Nor did it only take back what is newer; what was taken back and made again counts.
    """
    undoing = aliased(HistoryEntry)
    was_made_again = exists().where(
        undoing.id == HistoryEntry.undone_by, undoing.undone_by.is_not(None)
    )
    return and_(
        or_(HistoryEntry.part_of.is_(None), HistoryEntry.part_of != after),
        or_(HistoryEntry.undone_by.is_(None), was_made_again),
        or_(HistoryEntry.undoes.is_(None), HistoryEntry.undoes <= after),
    )


def _check_domain_names(session: Session, domains: Mapping[int, str], after: int) -> None:
    newer = _is_newer(Domain, Kind.DOMAIN, after)
    for domain in rows.where_in(session, Domain, Domain.name, domains.values(), newer):
        if domain.id not in domains:
            raise Conflict(
                'The domain "%(name)s" cannot come back: a newer one has this name',
                name=domain.name,
            )


def newer_aliases(session: Session, sources: Collection[str], after: int) -> list[Alias]:
    """The rows of these sources that were made or changed after a change, by the history."""
    return rows.where_in(session, Alias, Alias.source, sources, _is_newer(Alias, Kind.ALIAS, after))


def _check_pairs(session: Session, back: Mapping[int, tuple[str, str]], after: int) -> None:
    pairs = set(back.values())
    for alias in newer_aliases(session, {source for source, _ in pairs}, after):
        pair = (alias.source.lower(), alias.destination.lower())
        if alias.id not in back and pair in pairs:
            raise Conflict(
                'The alias "%(name)s" cannot come back: it was made anew since',
                name=aliases.in_words(alias),
            )


def _check_mail_of_users(
    session: Session, users: Mapping[int, str], back: set[int], after: int
) -> None:
    for alias in newer_aliases(session, users.values(), after):
        if alias.id not in back and not alias_rules.keeps_copy(session, alias.source):
            raise Conflict(
                'The user "%(email)s" cannot come back: the newer alias "%(alias)s" would take '
                "its mail",
                email=alias.source,
                alias=aliases.in_words(alias),
            )


def _check_mail_of_newer_users(
    session: Session, back: Mapping[int, tuple[str, str]], after: int
) -> None:
    sources = {source for source, destination in back.values() if source != destination}
    newer = _is_newer(User, Kind.USER, after)
    for user in rows.where_in(session, User, User.email, sources, newer):
        if not alias_rules.keeps_copy(session, user.email):
            raise Conflict(
                'The alias "%(email)s" cannot come back: it would take the mail of the newer '
                "user of this address",
                email=user.email,
            )


def _check_copies(session: Session, back: Mapping[int, tuple[str, str]], after: int) -> None:
    """An alias beside a copy does not come back to a mailbox that lost its copy since."""
    sources = {source for source, destination in back.values() if source != destination}
    mailboxes = rows.where_in(session, User, User.email, sources)
    bare = [user for user in mailboxes if not alias_rules.keeps_copy(session, user.email)]
    lost = _gone_since(session, after, back) if bare else set()
    for user in bare:
        copy = f"{user.email} -> {user.email}".lower()
        if (Kind.ALIAS, copy) in lost:
            raise Conflict(
                'The alias "%(email)s" cannot come back: it would take the mail of the mailbox, '
                "which lost the row that kept its copy",
                email=user.email,
            )


def check_moves_back(
    session: Session, user: User, values: Mapping[str, Any], ours: Collection[int], after: int
) -> None:
    """Refuse to give a user its old values where newer rows do not bear its old address.

    ``ours`` are the alias rows that move back with it.
    """
    old = values["email"]
    if old.lower() == suspensions.address_of(user).lower():
        return
    if suspensions.mode_of(user) is not None and not values.get("suspended"):
        raise Conflict(suspensions.IS_SUSPENDED, email=suspensions.address_of(user))
    spellings = suspensions.spellings([old])
    if rows.where_in(session, User, User.email, spellings, User.id != user.id):
        raise Conflict('There is another user "%(email)s" now', email=old)
    if addresses.has_unusable_characters(old):
        return  # no mail ever looked it up, so no alias takes any
    others = Alias.id.not_in(ours)
    for alias in rows.where_in(session, Alias, Alias.source, [old], others):
        raise Conflict(
            'The alias "%(name)s" would take the mail of "%(email)s"',
            name=aliases.in_words(alias),
            email=old,
        )
    newer = others & _is_newer(Alias, Kind.ALIAS, after)
    for column in (Alias.source, Alias.destination):
        email = suspensions.address_of(user)
        for alias in rows.where_in(session, Alias, column, [email], newer):
            raise Conflict(
                'The newer alias "%(name)s" needs the address "%(email)s"',
                name=aliases.in_words(alias),
                email=email,
            )


def check_destinations(session: Session, steps: Sequence[Step], after: int) -> None:
    """Refuse old destinations that are gone since; one that was missing before may be so again."""
    back = {step.id: step.old["destination"] for step in steps}
    missing = {destination.lower() for destination in back.values()}
    for column in (User.email, Alias.source):
        for some in rows.chunks(sorted(missing)):
            missing -= {
                text.lower() for text in session.scalars(select(column).where(column.in_(some)))
            }
    if not missing:
        return
    gone = {name.split(" -> ")[0] for _kind, name in _gone_since(session, after, back)}
    for destination in back.values():
        if destination.lower() in missing & gone:
            raise Conflict(
                'The destination "%(destination)s" is not a current email address any more',
                destination=destination,
            )


def _gone_since(session: Session, after: int, back: Collection[int]) -> set[tuple[str, str]]:
    """What was deleted or changed after the change that is undone: kind and lower-case name.

    Without the alias rows that are back.
    """
    entries = select(HistoryEntry.kind, HistoryEntry.object_id, HistoryEntry.object_name).where(
        HistoryEntry.id > after,
        _counts(after),
        HistoryEntry.kind.in_((Kind.USER, Kind.ALIAS)),
        HistoryEntry.action.in_((Action.DELETE, Action.CHANGE)),
    )
    return {
        (kind, name.lower())
        for kind, object_id, name in session.execute(entries)
        if kind != Kind.ALIAS or object_id not in back
    }


def _check_circles(session: Session, back: Mapping[int, tuple[str, str]], after: int) -> None:
    """No newer alias may lie on a circle that the rows close.

    Only newer ones that the rows lead to can; circles of older rows were there before.
    """
    newest = select(HistoryEntry.id).where(
        HistoryEntry.kind == Kind.ALIAS, HistoryEntry.id > after, HistoryEntry.part_of.is_(None)
    )
    ahead = {destination for _, destination in back.values()}
    if not ahead or session.scalar(newest.limit(1)) is None:
        return
    seen: set[str] = set()
    while ahead:
        seen |= ahead
        keys = ahead | {f"@{addresses.split(address)[1]}" for address in ahead}
        for alias in newer_aliases(session, keys, after):
            if alias.id not in back:
                _check_is_on_no_circle(session, alias)
        leading = rows.where_in(session, Alias, Alias.source, keys)
        ahead = {alias.destination.lower() for alias in leading} - seen


def _check_is_on_no_circle(session: Session, alias: Alias) -> None:
    try:
        alias_rules.check_closes_no_circle(session, [alias.source], alias.destination, [alias.id])
    except Invalid:
        raise Conflict(
            'This cannot come back: with the newer alias "%(name)s" it would close a circle, '
            "and mail would go round for ever",
            name=aliases.in_words(alias),
        ) from None
