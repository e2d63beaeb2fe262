"""Run an import: batch by batch, each in a transaction of its own.

How far it came is kept with the rows, so that an import which was interrupted, at whatever
moment, goes on where it stopped when the same files are run again with the same options.
Passwords are hashed ahead, while rows are written.
"""

import contextlib
import gc
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db import transact
from ...models import HistoryEntry, Import
from .. import history, lengths, turns
from ..actor import Actor
from .hashing import Hasher, Pending, Task
from .order import Order
from .planning import BATCH, batches, judge
from .present import Planned, Present
from .verdicts import Options, Verdict
from .wanted import Wanted
from .writing import Hashes, Written, write

AHEAD = 4  # batches whose passwords are being hashed while another is written
LEAST = 20  # lines in one transaction, however often it has to begin anew


def hurry() -> None:
    """Set Python up for a process that does nothing but import.

    A thread keeps the other waiting only shortly, since the one that writes waits for the
    database after each of many short statements. And of the many small objects that live
    for a batch, few are looked at by the garbage collector, as none of them forms a cycle.
    """
    sys.setswitchinterval(0.0005)
    gc.set_threshold(50_000, 20, 100)


class Keeper(Protocol):
    """Makes the passwords that are generated, and keeps them for who will hand them out."""

    def password_for(self, address: str) -> str:
        """The password that this user is to get."""

    def keep(self, generated: Sequence[tuple[str, str]]) -> None:
        """Keep addresses with their passwords, for good, before the users are made."""

    def store(self, session: Session, generated: Sequence[tuple[str, str]]) -> None:
        """The same, or nothing, within the transaction that makes the users."""


# --- the record of an import ----------------------------------------------------


def start(
    session: Session, actor: Actor, *, name: str, digest: str, options: Options, total: int
) -> Import:
    """The record of an import: that of the same one if it was interrupted, else a new one."""
    turns.take(session, turns.Queue.MAIL)
    found = unfinished(session, digest, options, total)
    if found is not None:
        return found
    record = Import(
        started=history.now(),
        finished=None if total else history.now(),
        admin=actor.name[: lengths.of(Import.admin)],
        name=name[: lengths.of(Import.name)],
        digest=digest,
        options=options.stored(),
        counts={},
        total=total,
        done=0,
        head_id=None,
    )
    session.add(record)
    session.flush()
    return record


def unfinished(session: Session, digest: str, options: Options, total: int) -> Import | None:
    """The record of the same import that was interrupted, if there is one.

    One whose changes were undone since is not gone on with.
    """
    same = select(Import).where(Import.digest == digest, Import.finished.is_(None))
    for record in session.scalars(same.order_by(Import.id.desc())):
        is_same = record.options == options.stored() and record.total == total
        if is_same and not is_undone(session, record):
            return record
    return None


def is_undone(session: Session, record: Import) -> bool:
    """Whether what an import did was taken back."""
    if record.head_id is None:
        return False
    head = session.get(HistoryEntry, record.head_id)
    return head is None or head.undone_by is not None


# --- reading ahead --------------------------------------------------------------


def read_ahead(coming: Iterator[list[Wanted]]) -> Iterator[list[Wanted]]:
    """The batches, the next of which are read in a thread of their own.

    So they are ready by the time that the database has written the ones before.
    """
    ready: SimpleQueue[list[Wanted] | BaseException | None] = SimpleQueue()
    room = Semaphore(AHEAD)
    is_wanted = True

    def read() -> None:
        try:
            for batch in coming:
                ready.put(batch)
                room.acquire()
                if not is_wanted:
                    return
            ready.put(None)
        except BaseException as error:  # noqa: BLE001 -- it is raised again where it is waited for
            ready.put(error)

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        while (batch := ready.get()) is not None:
            if isinstance(batch, BaseException):
                raise batch
            yield batch
            room.release()
    finally:
        is_wanted = False
        room.release()
        reader.join()


# --- running it -----------------------------------------------------------------


@dataclass(frozen=True)
class _Prepared:
    """A batch whose passwords are being hashed; ``tasks`` belong to these ``addresses``."""

    start: int
    batch: list[Wanted]
    addresses: list[str]
    tasks: list[Task]
    pending: Pending

    def hashes(self) -> Hashes:
        fresh, same = {}, {}
        for address, task, hashed in zip(
            self.addresses, self.tasks, self.pending.result(), strict=True
        ):
            if hashed is not None:
                fresh[address] = hashed
            elif task.stored is not None:
                same[address] = task.stored
        return Hashes(fresh, same)

    def generated(self) -> list[tuple[str, str]]:
        """The addresses whose password was generated, with it."""
        wanted = {one.name for one in self.batch if one.generate}
        return [
            (address, task.password)
            for address, task in zip(self.addresses, self.tasks, strict=True)
            if address in wanted
        ]


class Run:
    """An import that is being run, from where it is."""

    def __init__(
        self,
        actor: Actor,
        record: Import,
        order: Order,
        options: Options,
        hasher: Hasher,
        keeper: Keeper | None = None,
    ) -> None:
        self._actor = actor
        self._id = record.id
        self._start = record.done
        self._order = order
        self._options = options
        self._hasher = hasher
        self._keeper = keeper
        self._most = BATCH  # lines in the next transaction
        self._tried = 0  # lines of this transaction's attempt before

    def go(self, tell: Callable[[Written], None], is_enough: Callable[[], bool]) -> None:
        """Do batch after batch, and tell of each, until all is done or it is enough."""
        ahead: deque[_Prepared] = deque()
        with contextlib.closing(self._prepared()) as coming:
            while not is_enough():
                while len(ahead) < AHEAD and (prepared := next(coming, None)) is not None:
                    ahead.append(prepared)
                if not ahead:
                    return
                for written in self._do(ahead.popleft()):
                    tell(written)

    def _prepared(self) -> Generator[_Prepared, None, None]:
        place = self._start
        for batch in read_ahead(batches(self._order.lines(place))):
            asking = [wanted for wanted in batch if wanted.needs_hash]
            tasks = transact(self._tasks, asking) if asking else {}
            doing = list(tasks.values())
            yield _Prepared(place, batch, list(tasks), doing, self._hasher.begin(doing))
            place += len(batch)

    def _tasks(self, session: Session, asking: Sequence[Wanted]) -> dict[str, Task]:
        """What there is to hash for these users, by address."""
        present = Present(session, Planned())
        present.fetch(asking)
        tasks = {}
        for wanted in asking:
            mailbox = present.mailbox(wanted.name)
            if mailbox is None:
                password = wanted.password
                if password is None and self._keeper is not None:
                    password = self._keeper.password_for(wanted.name)
                if password is not None:
                    tasks[wanted.name] = Task(password)
            elif self._options.update and wanted.password is not None:
                tasks[wanted.name] = Task(wanted.password, mailbox.hashed)
        return tasks

    def _do(self, prepared: _Prepared) -> Iterator[Written]:
        """Write a batch: at once, or in parts where other changes are always quicker.

        On a Galera cluster a transaction is lost if another node changes the mail tables
        meanwhile. A long one would be lost each time while somebody works there.
        """
        hashes = prepared.hashes()
        generated = prepared.generated()
        if generated and self._keeper is not None:
            made = transact(self._made, prepared.batch)
            generated = [one for one in generated if one[0] in made]
            self._keeper.keep(generated)
        done = 0
        while done < len(prepared.batch):
            self._tried = 0
            written = transact(self._write, prepared, done, hashes, generated)
            done = written.done - prepared.start
            self._most = min(2 * self._most, BATCH)
            yield written

    def _made(self, session: Session, batch: Sequence[Wanted]) -> set[str]:
        """The addresses that are going to be made."""
        present = Present(session, Planned())
        present.fetch(batch)
        return {
            wanted.name
            for wanted in batch
            if judge(present, wanted, self._options)[0] is Verdict.CREATE
        }

    def _write(
        self,
        session: Session,
        prepared: _Prepared,
        done: int,
        hashes: Hashes,
        generated: Sequence[tuple[str, str]],
    ) -> Written:
        """The batch from its line ``done`` on; half as many lines at each further attempt."""
        if self._tried:
            self._most = max(self._tried // 2, LEAST)
        part = prepared.batch[done : done + self._most]
        self._tried = len(part)
        start = prepared.start + done
        written = write(session, self._actor, self._id, start, part, hashes, self._options)
        if generated and self._keeper is not None:
            names = {wanted.name for wanted in part}
            self._keeper.store(session, [one for one in generated if one[0] in names])
        return written
