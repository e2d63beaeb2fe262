"""The file that generated passwords are written to, for those who hand them out."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from ...errors import Invalid
from .. import passwords
from . import csv_rows

HEADER = ("address", "password")


class PasswordFile:
    """A CSV that only its owner can read.

    A password is in the file, and on the disk, before its user is made. An import that goes
    on after an interruption adds to the file, and a user that was not made then gets the
    password that stands there already.
    """

    def __init__(self, path: Path, *, goes_on: bool) -> None:
        """Raises Invalid if the file is there, unless an import goes on."""
        self._path = path
        self._there: dict[str, str] = {}
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if not goes_on:
                raise Invalid(
                    'The file "%(path)s" is there already: name another one, no password may be '
                    "lost",
                    path=str(path),
                ) from None
            self._there = self._read()
        else:
            self._append([HEADER])

    def _read(self) -> dict[str, str]:
        with self._path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if len(row) == len(HEADER)]
        return {csv_rows.restored(address): password for address, password in rows}

    def password_for(self, address: str) -> str:
        """The password that this user is to get."""
        return self._there.get(address) or passwords.suggestion()

    def keep(self, generated: Sequence[tuple[str, str]]) -> None:
        """Write them to the disk, those that are not there yet."""
        new = [(address, word) for address, word in generated if address not in self._there]
        if new:
            self._append([(csv_rows.neutralised(address), word) for address, word in new])

    def store(self, session: Session, generated: Sequence[tuple[str, str]]) -> None:
        """Nothing: they are kept in the file."""

    def _append(self, rows: Sequence[Sequence[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
