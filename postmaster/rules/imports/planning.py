"""What would become of each line of an import, judged by the rules of the acts."""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy.orm import Session

from ...errors import Invalid, Phrase
from .. import alias_rules, alias_verdicts, settings, suspension_acts, suspensions, users
from ..actions import Kind
from ..actor import Actor
from .catch_alls import CatchAlls
from .items import Format, Source
from .order import Order
from .present import Mailbox, Planned, Present
from .verdicts import (
    ANOTHER_TOO,
    EXISTS,
    GENERATED,
    HAS_PASSWORD,
    KEEPS_PASSWORD,
    KEEPS_STATE,
    NEW_PASSWORD,
    NEW_PASSWORD_TOO,
    NO_PASSWORD,
    SUSPENDED,
    Line,
    Options,
    Reason,
    Verdict,
)
from .wanted import Normaliser, Wanted

BATCH = 5000  # lines that are judged at once
HASHING_BATCH = 200  # of which as many may need a password hashed, which takes a second

Judged = tuple[Verdict, Reason | None]
CREATED: Judged = (Verdict.CREATE, None)


def order_of(
    session: Session,
    actor: Actor,
    sources: list[Source],
    file_format: Format,
    options: Options,
    most: int | None = None,
) -> Order:
    """The lines of some files in the order in which they are done. Raises Invalid.

    ``most``: how many there may be, if that is limited.
    """
    minimum = settings.value_of(session, settings.MINIMUM_PASSWORD_LENGTH)
    return Order(sources, file_format, Normaliser(options, minimum), most)


def plan(session: Session, actor: Actor, order: Order, options: Options) -> Iterator[Line]:
    """What would become of each line, as the tables are now; nothing is written."""
    planned = Planned()
    catch_alls = CatchAlls(session, order, planned)
    for batch in batches(order.lines()):
        present = Present(session, planned)
        present.fetch(batch)
        catch_alls.fetch(batch)
        for wanted in batch:
            verdict, reason = judge(present, wanted, options)
            if order.has_aliases or wanted.kind == Kind.DOMAIN:
                note_planned(planned, wanted, verdict)
            catch_alls.note(wanted, verdict)
            reason = reason or catch_alls.reason(wanted, verdict)
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


def note_planned(planned: Planned, wanted: Wanted, verdict: Verdict) -> None:
    """Remember what a line makes or changes, for those after it."""
    is_new = verdict is Verdict.CREATE
    if not is_new and (verdict is not Verdict.CHANGE or wanted.kind != Kind.USER):
        return
    if wanted.kind == Kind.DOMAIN:
        planned.domains.add(wanted.name)
    elif wanted.kind == Kind.USER:
        if wanted.suspended == suspensions.Mode.ALL:
            planned.without_mail.add(wanted.name)
        elif wanted.suspended is not None or is_new:
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


def _there(
    present: Present, wanted: Wanted, options: Options, otherwise: Phrase = EXISTS
) -> Judged:
    if options.update and _has_new_note(present, wanted):
        return Verdict.CHANGE, None
    return Verdict.SKIP, Reason(otherwise)


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
    is_suspended = wanted.suspended is not None and wanted.suspended != mailbox.mode
    if not options.update:
        keeps = KEEPS_PASSWORD if wanted.gives_password else EXISTS
        return Verdict.SKIP, Reason(KEEPS_STATE if is_suspended else keeps)
    is_changed = wanted.gives_password and mailbox.hashed != (
        wanted.hashed if wanted.hashed is not None else (matches or {}).get(wanted.name)
    )
    is_open = wanted.password is not None and matches is None
    if is_suspended:
        return _suspended(present, wanted, mailbox, is_changed=is_changed, is_open=is_open)
    if is_changed:
        return Verdict.CHANGE, Reason(NEW_PASSWORD) if is_open else None
    return _there(present, wanted, options, HAS_PASSWORD if wanted.gives_password else EXISTS)


def _suspended(
    present: Present, wanted: Wanted, mailbox: Mailbox, *, is_changed: bool, is_open: bool
) -> Judged:
    """A user that is there is put into another mode, if it can be."""
    name = wanted.name
    if wanted.suspended == suspensions.Mode.ALL:
        suspension_acts.check_fits(name, present.most_of_an_address())
    elif mailbox.without_mail and present.is_source(name) and not present.has_pair(name, name):
        return Verdict.CONFLICT, Reason.of(suspension_acts.alias_takes_its_mail(name))
    values = {"mode": wanted.suspended}
    if is_changed:
        return Verdict.CHANGE, Reason(NEW_PASSWORD_TOO if is_open else ANOTHER_TOO, values)
    return Verdict.CHANGE, Reason(SUSPENDED, values)


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
