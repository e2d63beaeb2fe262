"""The log: one JSON object a line, appended whole by any number of processes.

Each line is one ``write`` to a file opened for appending, which the kernel does
in one piece. The file is opened anew for each line, so a rotation from outside
is noticed at once.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

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


@dataclass(frozen=True)
class LogFile:
    """The log at one path, which need not exist yet."""

    path: Path

    def write(self, category: str, admin: str | None, message: str, **more: str) -> None:
        """Append one line. A log that cannot be written must not stop the mail's panel:
        the line then goes to the error output, with the reason.
        """
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = asdict(Line(moment, category, admin, message[:LONGEST_MESSAGE])) | more
        encoded = (json.dumps(line) + "\n").encode()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = self._open()
            try:
                os.write(descriptor, encoded)
            finally:
                os.close(descriptor)
        except OSError as error:
            sys.stderr.write(
                f"{self.path}: cannot be written: {error.strerror}: {encoded.decode()}"
            )

    def is_writable(self) -> bool:
        """Whether a line could be appended now. Makes the file if it can."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(self._open())
        except OSError:
            return False
        return True

    def _open(self) -> int:
        """For appending; a new file is for its owner and group only."""
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

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
            with self.path.open("rb") as file:
                while lines < most and (block := file.read(BLOCK)):
                    lines += block.count(b"\n")
        except OSError:  # the dashboard stands without it
            return 0
        return min(lines, most)

    def content(self, wanted: Callable[[Line], bool] | None = None) -> Iterator[bytes]:
        """The whole file in pieces, oldest first; or only the lines that are wanted."""
        try:
            with self.path.open("rb") as file:
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
        with self.path.open("rb") as file:
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
