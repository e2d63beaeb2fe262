"""What would become of each line of an import, judged by the rules of the acts."""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy.orm import Session

from ...errors import Invalid
from .. import alias_rules, alias_verdicts, settings, suspensions, users
from ..actions import Kind
from ..actor import Actor
from .items import Format, Source
from .order import Order
from .present import Mailbox, Planned, Present
from .verdicts import (
    EXISTS,
    GENERATED,
    HAS_PASSWORD,
    KEEPS_PASSWORD,
    NEW_PASSWORD,
    NO_PASSWORD,
    Line,
    Options,
    Reason,
    Verdict,
)
from .wanted import Normaliser, Wanted

BATCH = 1000  # lines that are judged at once
HASHING_BATCH = 200  # of which as many may need a password hashed, which takes a second

Judged = tuple[Verdict, Reason | None]
CREATED: Judged = (Verdict.CREATE, None)


def order_of(
    session: Session,
    actor: Actor,
    sources: list[Source],
    file_format: Format,
    options: Options,
) -> Order:
    """The lines of some files in the order in which they are done. Raises Invalid."""
    minimum = settings.value_of(session, settings.MINIMUM_PASSWORD_LENGTH)
    return Order(sources, file_format, Normaliser(options, minimum))


def plan(session: Session, actor: Actor, order: Order, options: Options) -> Iterator[Line]:
    """What would become of each line, as the tables are now; nothing is written."""
    planned = Planned()
    for batch in batches(order.lines()):
        present = Present(session, planned)
        present.fetch(batch)
        for wanted in batch:
            verdict, reason = judge(present, wanted, options)
            if verdict is Verdict.CREATE and (order.has_aliases or wanted.kind == Kind.DOMAIN):
                note_planned(planned, wanted)
            if not wanted.derived or verdict is Verdict.CREATE:
                yield wanted.as_line(verdict, reason)


def batches(lines: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    """The lines in lists of one kind, none too long for one transaction."""
    batch: list[Wanted] = []
    hashing = 0
    for wanted in lines:
        is_other = bool(batch) and wanted.kind != batch[0].kind
        if is_other or len(batch) >= BATCH or hashing >= HASHING_BATCH:
            yield batch
            batch, hashing = [], 0
        batch.append(wanted)
        hashing += wanted.needs_hash
    if batch:
        yield batch


def note_planned(planned: Planned, wanted: Wanted) -> None:
    """Remember what a line makes, for those after it."""
    if wanted.kind == Kind.DOMAIN:
        planned.domains.add(wanted.name)
    elif wanted.kind == Kind.USER:
        if wanted.suspended != suspensions.Mode.ALL:
            planned.users.add(hash(wanted.name))
    else:
        planned.aliases.setdefault(wanted.name, []).append(wanted.destination)


def judge(
    present: Present,
    wanted: Wanted,
    options: Options,
    matches: Mapping[str, str] | None = None,
) -> Judged:
    """What becomes of a line. ``matches``: addresses whose stored hash is that of the password.

    Without it that is not known, since it takes as long as a hash.
    """
    if wanted.verdict is not None:
        return wanted.verdict, wanted.reason
    try:
        if wanted.kind == Kind.DOMAIN:
            return _domain(present, wanted, options)
        if wanted.kind == Kind.USER:
            return _user(present, wanted, options, matches)
        return _alias(present, wanted, options)
    except Invalid as error:
        return Verdict.ERROR, Reason.of(error)


def _domain(present: Present, wanted: Wanted, options: Options) -> Judged:
    if present.manages(wanted.name):
        return _there(present, wanted, options)
    return CREATED


def _there(present: Present, wanted: Wanted, options: Options) -> Judged:
    if options.update and _has_new_note(present, wanted):
        return Verdict.CHANGE, None
    return Verdict.SKIP, Reason(EXISTS)


def _has_new_note(present: Present, wanted: Wanted) -> bool:
    return wanted.note is not None and present.note(wanted.name) != wanted.note


def _user(
    present: Present, wanted: Wanted, options: Options, matches: Mapping[str, str] | None
) -> Judged:
    mailbox = present.mailbox(wanted.name)
    if mailbox is not None:
        return _user_there(present, wanted, options, mailbox, matches)
    if not present.manages(wanted.domain):
        raise alias_rules.not_managed(wanted.domain, "email")
    if present.is_source(wanted.name):
        return Verdict.CONFLICT, Reason.of(users.is_an_alias(wanted.name))
    if wanted.hashed is None and wanted.password is None:
        if not wanted.generate:
            return Verdict.ERROR, Reason(NO_PASSWORD)
        return Verdict.CREATE, Reason(GENERATED)
    return CREATED


def _user_there(
    present: Present,
    wanted: Wanted,
    options: Options,
    mailbox: Mailbox,
    matches: Mapping[str, str] | None,
) -> Judged:
    gives_password = wanted.hashed is not None or wanted.password is not None
    if not options.update or not gives_password:
        there = _there(present, wanted, options)
        if there[0] is Verdict.SKIP and gives_password:
            return Verdict.SKIP, Reason(KEEPS_PASSWORD)
        return there
    has_it = mailbox.hashed == (
        wanted.hashed if wanted.hashed is not None else (matches or {}).get(wanted.name)
    )
    if not has_it:
        is_open = wanted.password is not None and matches is None
        return Verdict.CHANGE, Reason(NEW_PASSWORD) if is_open else None
    if _has_new_note(present, wanted):
        return Verdict.CHANGE, None
    return Verdict.SKIP, Reason(HAS_PASSWORD)


def _alias(present: Present, wanted: Wanted, options: Options) -> Judged:
    source, destination = wanted.name, wanted.destination
    if not present.manages(wanted.domain):
        raise alias_rules.not_managed(wanted.domain, "source")
    if present.has_pair(source, destination):
        return _there(present, wanted, options)
    alias_verdicts.check_destination_exists(present, source, destination)
    try:
        alias_verdicts.check_mailbox_keeps_its_mail(present, source, destination)
        alias_verdicts.check_closes_no_circle(present, [source], destination)
    except Invalid as error:
        return Verdict.CONFLICT, Reason.of(error)
    return CREATED
