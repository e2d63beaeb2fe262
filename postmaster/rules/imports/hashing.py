"""Hash passwords on all cores, in processes of their own.

Passwords go to them through pipes: they are in no argument list and no environment.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from ...errors import Unavailable
from .. import passwords

PIECE = 20  # passwords that a process is given at once: a part of a second
FEW = 60  # passwords that are hashed in less time than it takes to start processes


@dataclass(frozen=True, slots=True)
class Task:
    """A password to hash, unless ``stored`` is a hash of it already."""

    password: str = field(repr=False)
    stored: str | None = field(default=None, repr=False)


class Pending(Protocol):
    """Hashes that are being made."""

    def result(self) -> list[str | None]:
        """One for each task; None where the stored one is the password's."""


class Hasher(Protocol):
    """Who makes hashes."""

    def begin(self, tasks: Sequence[Task]) -> Pending:
        """Begin to do these tasks."""


def done(tasks: Sequence[Task]) -> list[str | None]:
    """Do these tasks, here."""
    return [_done(task) for task in tasks]


def _done(task: Task) -> str | None:
    if task.stored is not None and passwords.matches_mail(task.password, task.stored):
        return None
    return passwords.hash_for_mail(task.password)


class OneByOne:
    """Makes hashes in this process, when they are asked for."""

    def begin(self, tasks: Sequence[Task]) -> Pending:
        """Begin to do these tasks."""
        return _Later(tasks)


@dataclass(frozen=True)
class _Later:
    tasks: Sequence[Task]

    def result(self) -> list[str | None]:
        return done(self.tasks)


class AllCores:
    """Makes hashes in as many processes as there are cores; none before they are needed."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def begin(self, tasks: Sequence[Task]) -> Pending:
        """Begin to do these tasks."""
        self._asked += len(tasks)
        if not tasks or self._asked <= FEW:
            return _Later(tasks)
        if self._pool is None:
            # Fresh processes: a copy of this one would share its database connections.
            self._pool = ProcessPoolExecutor(
                cores(), multiprocessing.get_context("spawn"), initializer=_prepare
            )
        pieces = [tasks[start : start + PIECE] for start in range(0, len(tasks), PIECE)]
        return _Pieces([self._pool.submit(done, piece) for piece in pieces])


@dataclass(frozen=True)
class _Pieces:
    futures: list[Future[list[str | None]]]

    def result(self) -> list[str | None]:
        try:
            return [hashed for future in self.futures for hashed in future.result()]
        except BrokenProcessPool:
            raise Unavailable(
                "A process that hashed passwords was ended. Run the import again: it goes on "
                "where it stopped"
            ) from None


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))


def _prepare() -> None:
    """Ctrl-C is for the parent alone, and when that is gone there is nothing left to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
