"""Acts that check and then write take turns.

The guides' tables have no unique key on a domain's name, nor one over users and
aliases together, so no index can have the last word there. Instead such an act
first updates one row that all of them update: on one server the row's lock lets
one act at a time through, on a Galera cluster the later commit fails its
certification and runs again. An act takes its turn before it reads anything, so
that its snapshot is not older than its turn.
"""

from enum import StrEnum

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from ..models import Turn


class Queue(StrEnum):
    """What is written one at a time."""

    MAIL = "mail"
    ADMINS = "admins"
    SETTINGS = "settings"


_TURN = update(Turn).where(Turn.name == bindparam("queue")).values(taken=Turn.taken + 1)


def take(session: Session, queue: Queue) -> None:
    """Wait for the acts before this one; held until the transaction ends."""
    if session.connection().execute(_TURN, {"queue": queue}).rowcount == 0:
        session.execute(insert(Turn).values(name=queue, taken=1))
