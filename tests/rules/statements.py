"""The statements that something takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from postmaster.db import db


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements of what happens inside, one for each that the driver is given."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
