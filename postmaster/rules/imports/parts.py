"""Pieces of an import that are kept in the database while they are needed, encrypted.

The files (role ``file N``), what is to be known of them (``about``), the lines of the plan by
their verdict (``plan VERDICT``, a page in each piece), and passwords that were generated.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from ...errors import Phrase
from ...models import ImportPart
from ..rows import MOST_IN_A_LIST
from .sealing import Seal
from .verdicts import Line, Reason, Verdict

PIECE = 192 * 1024  # bytes; encrypted and in base64 a third more
AT_ONCE = 8  # pieces in one statement, which has to fit into a packet of the database's
ABOUT = "about"
PASSWORDS = "passwords"
PHRASE = "phrase"


class Parts:
    """The pieces of one import."""

    def __init__(self, session: Session, seal: Seal, import_id: int) -> None:
        self._session = session
        self._seal = seal
        self._id = import_id

    # --- pieces -----------------------------------------------------------------

    def put(self, role: str, contents: Sequence[bytes], first: int = 0) -> None:
        """Keep these pieces, numbered from ``first``."""
        kept = [
            {
                "import_id": self._id,
                "role": role,
                "number": first + number,
                "content": self._seal.close(content),
            }
            for number, content in enumerate(contents)
        ]
        for start in range(0, len(kept), AT_ONCE):
            self._session.execute(insert(ImportPart), kept[start : start + AT_ONCE])

    def all_of(self, role: str) -> list[bytes]:
        """All pieces of a role, in their order."""
        found = (
            select(ImportPart.content)
            .where(ImportPart.import_id == self._id, ImportPart.role == role)
            .order_by(ImportPart.number)
        )
        return [self._seal.open(content) for content in self._session.scalars(found)]

    def one(self, role: str, number: int) -> bytes | None:
        """One piece."""
        part = self._session.get(ImportPart, (self._id, role, number))
        return None if part is None else self._seal.open(part.content)

    def count(self, role: str) -> int:
        """How many pieces a role has."""
        counted = select(func.count()).where(
            ImportPart.import_id == self._id, ImportPart.role == role
        )
        return self._session.scalar(counted) or 0

    def remove(self, *, besides: Sequence[str] = ()) -> None:
        """Remove all pieces but those of some roles."""
        gone = delete(ImportPart).where(
            ImportPart.import_id == self._id, ImportPart.role.not_in(besides)
        )
        self._session.execute(gone)

    def remove_role(self, role: str) -> None:
        """Remove the pieces of a role."""
        gone = delete(ImportPart).where(ImportPart.import_id == self._id, ImportPart.role == role)
        self._session.execute(gone)

    # --- files ------------------------------------------------------------------

    def put_file(self, number: int, content: bytes) -> None:
        """Keep a file."""
        pieces = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
        self.put(_file(number), pieces)

    def file(self, number: int) -> bytes:
        """A file's content."""
        return b"".join(self.all_of(_file(number)))

    # --- what is known ----------------------------------------------------------

    def put_about(self, about: Mapping[str, Any]) -> None:
        """Keep what is to be known of the files."""
        self.put(ABOUT, [json.dumps(about).encode()])

    def about(self) -> dict[str, Any] | None:
        """What is known of the files; None if they are not kept."""
        found = self.one(ABOUT, 0)
        return None if found is None else dict(json.loads(found))

    def put_plan(self, verdict: Verdict, pages: Sequence[Sequence[Line]]) -> None:
        """Keep the plan's lines of one verdict."""
        self.put(_plan(verdict), [json.dumps([*map(_as_json, page)]).encode() for page in pages])

    def plan_page(self, verdict: Verdict, number: int) -> list[Line]:
        """A page of the plan's lines of one verdict, counted from 1."""
        found = self.one(_plan(verdict), number - 1)
        return [] if found is None else [_from_json(line) for line in json.loads(found)]

    # --- passwords --------------------------------------------------------------

    def add_passwords(self, generated: Sequence[tuple[str, str]]) -> None:
        """Keep further generated passwords, each with its address."""
        self.put(PASSWORDS, [json.dumps(generated).encode()], self.count(PASSWORDS))

    def passwords(self) -> Iterator[tuple[str, str]]:
        """All generated passwords, each with its address."""
        for piece in self.all_of(PASSWORDS):
            yield from json.loads(piece)


def _file(number: int) -> str:
    return f"file {number}"


def _plan(verdict: Verdict) -> str:
    return f"plan {verdict}"


def _as_json(line: Line) -> list[Any]:
    reason = None
    if line.reason is not None:
        values = {name: _packed(value) for name, value in line.reason.values.items()}
        reason = [str(line.reason.template), values]
    return [line.file, line.line, line.kind, line.name, line.verdict, reason]


def _packed(value: Any) -> Any:
    if isinstance(value, Phrase):
        return {PHRASE: str(value)}
    return [_packed(each) for each in value] if isinstance(value, list | tuple) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        return Phrase(value[PHRASE])
    return [_unpacked(each) for each in value] if isinstance(value, list) else value


def _from_json(packed: list[Any]) -> Line:
    file, line, kind, name, verdict, reason = packed
    if reason is not None:
        template, values = reason
        unpacked = {name: _unpacked(value) for name, value in values.items()}
        reason = Reason(Phrase(template), unpacked)
    return Line(file, line, kind, name, Verdict(verdict), reason)


def of_several(session: Session, import_ids: Sequence[int], *roles: str) -> set[tuple[int, str]]:
    """Which of these imports have pieces of which of the roles."""
    if not import_ids:
        return set()
    found = select(ImportPart.import_id, ImportPart.role).where(
        ImportPart.import_id.in_(import_ids[:MOST_IN_A_LIST]), ImportPart.role.in_(roles)
    )
    return {(import_id, role) for import_id, role in session.execute(found.distinct())}
