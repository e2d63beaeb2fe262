"""One row by its id, or the refusal that it is not there."""

from typing import TypeVar

from sqlalchemy.orm import Session

from ..db import Base
from ..errors import NotFound

LARGEST_ID = 2**31 - 1  # an INT column's; SQLite's driver breaks at much larger numbers

Row = TypeVar("Row", bound=Base)


def by_id(session: Session, model: type[Row], row_id: int, noun: str) -> Row:
    """The row with this id. Raises NotFound, which calls it by its noun."""
    row = session.get(model, row_id) if row_id <= LARGEST_ID else None
    if row is None:
        raise NotFound("The %(noun)s was not found", noun=noun)
    return row
