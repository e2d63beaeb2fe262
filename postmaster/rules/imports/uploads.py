"""Imports that are sent to the panel: kept, shown as a plan, and run in steps.

A step takes a second or two, so that whoever waits sees how far it is. Between steps nothing
runs: an import can be left, and gone on with later, by anybody.
"""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from ...db import db, transact
from ...errors import Conflict, Invalid, NotFound
from ...models import HistoryEntry, Import, ImportPart
from .. import history, passwords, rows, turns
from ..actor import Actor
from . import formats, planning, running
from .hashing import OneByOne
from .items import Source
from .order import Order
from .parts import ABOUT, PASSWORDS, Parts, of_several
from .sealing import Seal
from .verdicts import Line, Options, Verdict

MOST_BYTES = 32 * 1024 * 1024
MOST_LINES = 100_000  # a command takes any number
MOST_FILES = 10
LINES_PER_PAGE = 50
MOST_PAGES = 200  # of the lines of one verdict
STEP_SECONDS = 2.0
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Prepared:
    """A file that was read and planned, and is about to be kept."""

    name: str
    files: Sequence[tuple[str, bytes]] = field(repr=False)
    format: str
    options: Options
    digest: str
    total: int
    counts: dict[str, int]
    pages: dict[Verdict, list[list[Line]]] = field(repr=False)


@dataclass(frozen=True)
class Upload:
    """An import, and whether its files and the passwords that it generated are kept here."""

    record: Import
    is_kept: bool
    has_passwords: bool

    @property
    def is_finished(self) -> bool:
        """Whether all is done."""
        return self.record.finished is not None

    @property
    def is_begun(self) -> bool:
        """Whether some of it is done."""
        return self.record.done > 0


# --- sending --------------------------------------------------------------------


def prepare(
    session: Session,
    actor: Actor,
    *,
    files: Sequence[tuple[str, bytes]],
    format_name: str | None,
    options: Options,
) -> Prepared:
    """Read the files and plan what they would do. Raises Invalid where that cannot be."""
    if not files or not any(content.strip() for _name, content in files):
        raise Invalid("There is no file: choose one, or paste its text", field="files")
    if len(files) > MOST_FILES:
        raise Invalid("At most %(most)s files at once", field="files", most=MOST_FILES)
    sources = _sources(files)
    chosen = formats.detect(sources) if not format_name else formats.named(format_name)
    order = planning.order_of(session, actor, sources, chosen, options, most=MOST_LINES)
    if not order.total:
        raise Invalid("There is nothing in the file", field="files")
    counts: dict[str, int] = {}
    pages: dict[Verdict, list[list[Line]]] = {}
    for line in planning.plan(session, actor, order, options):
        counts[line.verdict] = counts.get(line.verdict, 0) + 1
        kept = pages.setdefault(line.verdict, [[]])
        if len(kept[-1]) == LINES_PER_PAGE:
            kept.append([])
        if len(kept) <= MOST_PAGES:
            kept[-1].append(line)
    return Prepared(
        name=", ".join(name for name, _content in files),
        files=files,
        format=chosen.name,
        options=options,
        digest=order.digest(),
        total=order.total,
        counts=counts,
        pages={verdict: some[:MOST_PAGES] for verdict, some in pages.items()},
    )


def _sources(files: Sequence[tuple[str, bytes]]) -> list[Source]:
    return [Source(name, io.BytesIO(content)) for name, content in files]


def keep(session: Session, actor: Actor, seal: Seal, prepared: Prepared) -> Import:
    """Keep a prepared import until it is run, for a day after it was sent or gone on with.

    The same file with the same options, begun before, is gone on with.
    """
    clear(session)
    record = running.start(
        session,
        actor,
        name=prepared.name,
        digest=prepared.digest,
        options=prepared.options,
        total=prepared.total,
    )
    record.started = history.now()  # it is sent now, also where it is gone on with
    parts = Parts(session, seal, record.id)
    parts.remove(besides=[PASSWORDS])
    for number, (_name, content) in enumerate(prepared.files):
        parts.put_file(number, content)
    parts.put_about(
        {
            "format": prepared.format,
            "names": [name for name, _content in prepared.files],
            "counts": prepared.counts,
        }
    )
    for verdict, pages in prepared.pages.items():
        parts.put_plan(verdict, pages)
    return record


def clear(session: Session) -> None:
    """Remove what nobody asked for within a day, and imports that were never begun.

    The day begins with the end of the import, or with its last step. While it may be gone on
    with, the passwords of the users that it made stay: they are kept nowhere else.
    """
    turns.take(session, turns.Queue.MAIL)
    before = history.now() - KEPT
    kept = exists().where(ImportPart.import_id == Import.id)
    for record in session.scalars(select(Import).where(Import.started < before, kept)).all():
        if _last_touched(session, record) >= before:
            continue
        gone = delete(ImportPart).where(ImportPart.import_id == record.id)
        if record.finished is None and not running.is_undone(session, record):
            gone = gone.where(ImportPart.role != PASSWORDS)
        session.execute(gone)
        if record.done == 0 and record.finished is None:
            session.delete(record)
    session.flush()


def _last_touched(session: Session, record: Import) -> datetime:
    """When it ended, or else when it was sent or last changed anything."""
    if record.finished is not None:
        return record.finished
    of_it = select(HistoryEntry.moment).where(HistoryEntry.part_of == record.head_id)
    last = session.scalar(of_it.order_by(HistoryEntry.id.desc()).limit(1))
    return record.started if last is None else max(record.started, last)


# --- looking --------------------------------------------------------------------


def get(session: Session, actor: Actor, import_id: int) -> Upload:
    """One import. Raises NotFound."""
    record = rows.by_id(session, Import, import_id, "import")
    return _uploads(session, [record])[0]


def unfinished(session: Session, actor: Actor, most: int = 20) -> list[Upload]:
    """The imports that are not finished, or whose passwords wait to be fetched."""
    waiting = select(ImportPart.import_id).where(ImportPart.role == PASSWORDS)
    found = (
        select(Import)
        .where(Import.finished.is_(None) | Import.id.in_(waiting))
        .order_by(Import.id.desc())
        .limit(most)
    )
    return _uploads(session, list(session.scalars(found)))


def _uploads(session: Session, records: Sequence[Import]) -> list[Upload]:
    ids = [record.id for record in records]
    kept = of_several(session, ids, ABOUT, PASSWORDS)
    return [
        Upload(each, (each.id, ABOUT) in kept, (each.id, PASSWORDS) in kept) for each in records
    ]


def planned_counts(session: Session, actor: Actor, seal: Seal, import_id: int) -> dict[str, int]:
    """How many lines would come to which verdict, as the tables were when it was sent."""
    about = Parts(session, seal, import_id).about()
    return {} if about is None else dict(about["counts"])


def plan_page(
    session: Session, actor: Actor, seal: Seal, import_id: int, verdict: Verdict, number: int
) -> list[Line]:
    """A page of the lines of one verdict, counted from 1."""
    return Parts(session, seal, import_id).plan_page(verdict, number)


def pages_of(count: int) -> int:
    """How many pages so many lines of one verdict have."""
    return min(-(-count // LINES_PER_PAGE), MOST_PAGES)


# --- running --------------------------------------------------------------------


class _Keeper:
    """Keeps generated passwords beside the import, in the transaction that makes the users."""

    def __init__(self, seal: Seal, import_id: int) -> None:
        self._seal = seal
        self._id = import_id

    def password_for(self, address: str) -> str:  # noqa: ARG002 -- the protocol's signature
        """A fresh one."""
        return passwords.suggestion()

    def keep(self, generated: Sequence[tuple[str, str]]) -> None:
        """Nothing before the transaction."""

    def store(self, session: Session, generated: Sequence[tuple[str, str]]) -> None:
        """Keep them with the users."""
        Parts(session, self._seal, self._id).add_passwords(generated)


def step(actor: Actor, seal: Seal, import_id: int) -> None:
    """Go on with an import for a moment, one batch at least, in transactions of its own.

    What somebody else does at the same time is not done twice. Raises NotFound, and Invalid
    where its files are not kept here.
    """
    record, order, options = transact(_as_kept, actor, seal, import_id)
    if order is None:
        return
    ends = time.monotonic() + STEP_SECONDS
    done: list[int] = []
    run = running.Run(actor, record, order, options, OneByOne(), _Keeper(seal, import_id))
    try:
        run.go(
            lambda written: done.append(written.done),
            lambda: bool(done) and time.monotonic() > ends,
        )
    except Conflict:
        if _is_elsewhere(import_id, record.done):
            return
        raise
    transact(_tidy, seal, import_id)


def _as_kept(
    session: Session, actor: Actor, seal: Seal, import_id: int
) -> tuple[Import, Order | None, Options]:
    record = rows.by_id(session, Import, import_id, "import")
    options = Options(**record.options)
    if record.finished is not None:
        return record, None, options
    parts = Parts(session, seal, import_id)
    about = parts.about()
    if about is None:
        raise Invalid("The file of this import is not here any more: send it again to go on")
    files = [(name, parts.file(number)) for number, name in enumerate(about["names"])]
    chosen = formats.named(about["format"])
    return record, planning.order_of(session, actor, _sources(files), chosen, options), options


def _is_elsewhere(import_id: int, done: int) -> bool:
    """Whether another window, or a command, has gone on with it meanwhile."""
    db.session.remove()
    record = db.session.get(Import, import_id)
    return record is not None and (record.done > done or record.finished is not None)


def _tidy(session: Session, seal: Seal, import_id: int) -> None:
    record = session.get(Import, import_id)
    if record is not None and record.finished is not None:
        Parts(session, seal, import_id).remove(besides=[PASSWORDS])


# --- afterwards -----------------------------------------------------------------


def generated(session: Session, actor: Actor, seal: Seal, import_id: int) -> list[tuple[str, str]]:
    """The passwords that an import generated, by address. Raises NotFound if none is kept."""
    found = list(Parts(session, seal, import_id).passwords())
    if not found:
        raise NotFound("The passwords of this import are not kept any more")
    return found


def forget_passwords(session: Session, actor: Actor, seal: Seal, import_id: int) -> None:
    """Remove the passwords that an import generated."""
    get(session, actor, import_id)
    Parts(session, seal, import_id).remove_role(PASSWORDS)


def discard(session: Session, actor: Actor, seal: Seal, import_id: int) -> None:
    """Leave an import as it is: its file is removed, and what is done stays done.

    It is not gone on with; one that was not begun is forgotten.
    """
    turns.take(session, turns.Queue.MAIL)
    record = rows.by_id(session, Import, import_id, "import")
    Parts(session, seal, import_id).remove()
    if record.done == 0:
        session.delete(record)
    elif record.finished is None:
        record.finished = history.now()
    session.flush()


def is_complete(record: Import) -> bool:
    """Whether every line was done: else it was discarded, or undone, before."""
    return record.done >= record.total
