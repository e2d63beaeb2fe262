"""The clock of this host beside the database server's, which all hosts have in common."""

from datetime import timedelta

from sqlalchemy.orm import Session

from . import history

# A second factor takes the code of one step of 30 seconds to either side.
MOST_OFF = timedelta(seconds=30)


def ahead(session: Session) -> timedelta:
    """How far this host's clock is ahead of the database server's; behind is negative.

    Nothing for SQLite, which has no clock of its own, and for what does no harm.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return timedelta(0)
    before = history.now()
    there = connection.exec_driver_sql("SELECT UTC_TIMESTAMP(6)").scalar_one()
    offset: timedelta = before + (history.now() - before) / 2 - there
    return offset if abs(offset) > MOST_OFF else timedelta(0)


def in_words(offset: timedelta) -> str:
    """Its size, such as ``1:00:00`` for an hour."""
    return str(timedelta(seconds=round(abs(offset).total_seconds())))
