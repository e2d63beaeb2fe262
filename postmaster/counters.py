"""Counts that all processes of one server add to, each in a file of its own.

A process takes a file that no living process holds, and goes on from what it says; the
kernel gives a file free when its process dies. So the sums stay while processes come and
go, and there are never more files than there were processes at once. The first process of
a server finds no file held: it removes them, and begins at nothing.

Records are written by ``pwrite``. A file mapped into memory would save the call, but the
system kills a process that writes to one while the disk is full.
"""

import fcntl
import json
import os
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# What is counted: the name of the count, then what it is told apart by.
Key = tuple[str, ...]

# A record is a number, and its key as JSON, filled up with blanks.
NUMBER = struct.Struct("<d")
RECORD_BYTES = 160
KEY_BYTES = RECORD_BYTES - NUMBER.size
ENDING = ".counts"


class Counters:
    """The counts in one folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own: _OwnFile | None = None
        self._one_thread = threading.Lock()

    def add(self, amounts: Mapping[Key, float]) -> None:
        """Add to counts of this process.

        Raises OSError if they cannot be written. If only the disk was full, they are kept,
        and written with the next ones of the same key.
        """
        with self._one_thread:
            self._opened().add(amounts)

    def sums(self) -> dict[Key, float]:
        """Each count, over all processes. Raises OSError if the folder cannot be used."""
        with self._one_thread:
            if self._own is not None and self._own.is_removed():
                self._close()
            self._opened()
        total: dict[Key, float] = defaultdict(float)
        for path in self.folder.glob(f"*{ENDING}"):
            for _position, key, number in _records(path.read_bytes()):
                total[key] += number
        return total

    def _opened(self) -> "_OwnFile":
        # A process that was forked after the file was opened needs one of its own.
        if self._own is not None and self._own.pid != os.getpid():
            self._close()
        if self._own is None:
            self._own = _OwnFile(_take(self.folder))
        return self._own

    def _close(self) -> None:
        if self._own is not None:
            os.close(self._own.descriptor)
            self._own = None


class _OwnFile:
    """The file that this process holds and nobody else writes."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.pid = os.getpid()
        self.numbers: dict[Key, float] = {}
        self.positions: dict[Key, int] = {}
        content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        for position, key, number in _records(content):
            self.numbers[key] = number
            self.positions[key] = position
        self.end = -(-len(content) // RECORD_BYTES) * RECORD_BYTES

    def add(self, amounts: Mapping[Key, float]) -> None:
        for key, amount in amounts.items():
            if key not in self.positions:
                self.positions[key] = self.end
                self.numbers[key] = 0.0
                self.end += RECORD_BYTES
            self.numbers[key] += amount
        for key in amounts:
            os.pwrite(self.descriptor, _record(key, self.numbers[key]), self.positions[key])

    def is_removed(self) -> bool:
        """Whether somebody deleted the file, so that what is written to it is lost."""
        return not os.fstat(self.descriptor).st_nlink


def _record(key: Key, number: float) -> bytes:
    return NUMBER.pack(number) + json.dumps(key).encode().ljust(KEY_BYTES)[:KEY_BYTES]


def _records(content: bytes) -> Iterator[tuple[int, Key, float]]:
    """Position, key and number of each whole record. A full disk can leave gaps and halves."""
    for position in range(0, len(content) - RECORD_BYTES + 1, RECORD_BYTES):
        record = content[position : position + RECORD_BYTES]
        try:
            key = json.loads(record[NUMBER.size :])
        except ValueError:
            continue
        if isinstance(key, list):
            yield position, tuple(key), NUMBER.unpack_from(record)[0]


# --- whose file -----------------------------------------------------------------


def _take(folder: Path) -> int:
    """A file that this process alone holds from now on, as a descriptor."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    with _alone(folder):
        locked = {path: _locked(path) for path in folder.glob(f"*{ENDING}")}
        free = [descriptor for descriptor in locked.values() if descriptor is not None]
        if len(free) == len(locked):  # nobody counts: what is there is of an earlier server
            for path in locked:
                path.unlink()
        elif free:
            for descriptor in free[1:]:
                os.close(descriptor)
            return free[0]
        for descriptor in free:
            os.close(descriptor)
        return _made(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process after the other: two that start at once must not take the same file."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """The file, held by this process; None if another one holds it."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _made(folder: Path) -> int:
    path = folder / f"{os.getpid()}-{os.urandom(4).hex()}{ENDING}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
