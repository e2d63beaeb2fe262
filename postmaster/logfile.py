"""The log: one JSON object a line, appended whole by any number of processes.

Each line is one ``write`` to a file opened for appending, which the kernel does
in one piece. The file is opened anew for each line, so a rotation from outside
is noticed at once.

What cannot be written goes to the error output. Where the disk is full, a part of a
line may be written; the next line then begins with a line end, so that it is whole.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from .appending import open_for_appending

CATEGORIES = ("audit", "auth", "error")
BLOCK = 64 * 1024  # bytes read at a time, from the end
LONGEST_MESSAGE = 8000  # characters


@dataclass(frozen=True)
class Line:
    """One line of the log, as it is read and shown."""

    timestamp: str
    category: str
    admin: str | None
    message: str


@dataclass
class Losses:
    """The lines that this process could not write since the last one that it could."""

    count: int = 0
    reason: str = ""


@dataclass(frozen=True)
class LogFile:
    """The log at one path, which need not exist yet."""

    path: Path
    losses: Losses = field(default_factory=Losses, compare=False)

    def write(self, category: str, admin: str | None, message: str, **more: str) -> None:
        """Append one line. A log that cannot be written must not stop the mail's panel:
        the line then goes to the error output, with the reason.
        """
        encoded = _encoded(category, admin, message, more)
        reason = self._append(encoded)
        if reason:
            with contextlib.suppress(OSError, ValueError):  # that may be full or closed too
                sys.stderr.write(f"{self.path}: cannot be written: {reason}: {encoded.decode()}")

    def problem(self) -> str:
        """Why no line can be written now, in the system's words; empty if it can.

        Makes no file. After a failure a line that tells of it is tried; otherwise it goes by
        the rights and by the room on the disk.
        """
        if self.losses.count:
            return self._append(b"", lost=0)
        try:
            if self.path.exists():
                os.close(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK))
            folder = next(folder for folder in self.path.parents if folder.exists())
            if not folder.is_dir():
                return os.strerror(errno.ENOTDIR)
            if not self.path.exists() and not _may_make_files(folder):
                return os.strerror(errno.EACCES)
            if self.path.is_file() or not self.path.exists():
                return _no_room(folder)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _append(self, encoded: bytes, *, lost: int = 1) -> str:
        """Append what it is given, or say why not: then so many lines more are lost."""
        if self.losses.count:
            encoded = _encoded("error", None, told(self.losses), {}) + encoded
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = open_for_appending(self.path)
            try:
                self._write_whole(descriptor, encoded)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.losses.reason = error.strerror or str(error)
            self.losses.count += lost
            return self.losses.reason
        self.losses.count = 0
        return ""

    def _write_whole(self, descriptor: int, encoded: bytes) -> None:
        """In one piece, or raise OSError. Half a line that is there is ended first.

        Others write at the same time, all under a shared lock: where the end looks like half a
        line, an exclusive one waits for those that are just being written.
        """
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if self._ends_within_a_line(descriptor):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if self._ends_within_a_line(descriptor):
                encoded = b"\n" + encoded
        if os.write(descriptor, encoded) < len(encoded):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _ends_within_a_line(self, descriptor: int) -> bool:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or not state.st_size:
            return False
        return os.pread(descriptor, 1, state.st_size - 1) != b"\n"

    def is_writable(self) -> bool:
        """Whether a line could be appended now. Makes the file if it can."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(open_for_appending(self.path))
        except OSError:
            return False
        return True

    def _reading(self) -> BinaryIO:
        """The file, to read it. What is a pipe or a device keeps no lines, and may never end."""
        mode = self.path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))
        return self.path.open("rb")

    def newest(
        self,
        most: int,
        wanted: Callable[[Line], bool] | None = None,
        *,
        among: int | None = None,
    ) -> list[Line]:
        """The last lines, newest first, read from the end; none if there is no log.

        ``wanted`` chooses some of them, ``among`` that many of the newest.
        """
        lines: list[Line] = []
        try:
            for text in islice(self._backwards(), among):
                if len(lines) == most:
                    break
                line = _parsed(text)
                if line is not None and (wanted is None or wanted(line)):
                    lines.append(line)
        except FileNotFoundError:
            return []
        return lines

    def count(self, most: int) -> int:
        """How many lines there are; ``most`` if there are more, or if it takes long to know."""
        lines = 0
        try:
            with self._reading() as file:
                while lines < most and (block := file.read(BLOCK)):
                    lines += block.count(b"\n")
        except OSError:  # the dashboard stands without it
            return 0
        return min(lines, most)

    def content(self, wanted: Callable[[Line], bool] | None = None) -> Iterator[bytes]:
        """The whole file in pieces, oldest first; or only the lines that are wanted."""
        try:
            with self._reading() as file:
                if wanted is None:
                    while block := file.read(BLOCK):
                        yield block
                    return
                for text in file:
                    line = _parsed(text)
                    if line is not None and wanted(line):
                        yield text
        except FileNotFoundError:
            return

    def _backwards(self) -> Iterator[bytes]:
        with self._reading() as file:
            position = file.seek(0, os.SEEK_END)
            rest = b""
            while position > 0:
                length = min(BLOCK, position)
                position -= length
                file.seek(position)
                first, *whole = (file.read(length) + rest).split(b"\n")
                yield from reversed(whole)
                rest = first
            yield rest


def _encoded(category: str, admin: str | None, message: str, more: dict[str, str]) -> bytes:
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = asdict(Line(moment, category, admin, message[:LONGEST_MESSAGE])) | more
    return (json.dumps(line) + "\n").encode()


def told(losses: Losses) -> str:
    """The sentence that says that lines are missing."""
    return (
        f"Before this line, {losses.count} could not be written ({losses.reason}): "
        "the server's error output has what is missing"
    )


def _may_make_files(folder: Path) -> bool:
    return os.access(
        folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids
    )


def _no_room(folder: Path) -> str:
    """The system's words where the disk is full. Some blocks of it may be root's alone."""
    disk = os.statvfs(folder)
    free = disk.f_bavail if os.geteuid() else disk.f_bfree
    # Some file systems do not count at all, and say 0 of 0.
    return os.strerror(errno.ENOSPC) if disk.f_blocks and not free else ""


def _parsed(text: bytes) -> Line | None:
    """The line, or None for what is no line of ours (a half line after a full disk)."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    admin = found.get("admin")
    return Line(
        timestamp=str(found.get("timestamp", "")),
        category=str(found.get("category", "")),
        admin=None if admin is None else str(admin),
        message=str(found.get("message", "")),
    )
