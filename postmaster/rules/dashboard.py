"""What the dashboard shows: how much there is of everything, and who is locked."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..models import Admin, Alias, Domain, SettingRow, User
from . import history, totals
from .actor import Actor

COUNTINGS = tuple(
    totals.Counting(select(func.count()).select_from(table))
    for table in (User, Domain, SettingRow, Alias, Admin)
)


@dataclass(frozen=True)
class Counts:
    """How many rows each area has. None: that is not known yet, and they are many."""

    users: int | None
    domains: int | None
    settings: int | None
    aliases: int | None
    admins: int | None


def counts(session: Session, actor: Actor, *, waits: bool = True) -> Counts:
    """How many rows each area has; see ``totals`` for ``waits``."""
    return Counts(*totals.of_all(session, COUNTINGS, waits=waits))


def count_locked_admins(session: Session, actor: Actor) -> int:
    """How many administrators' locks are still running."""
    return session.scalar(select(func.count()).where(Admin.unlock_date > history.now())) or 0


def locked_admins(session: Session, actor: Actor, most: int) -> list[Admin]:
    """The administrators whose lock is still running, who comes free last first."""
    locked = select(Admin).where(Admin.unlock_date > history.now())
    return list(session.scalars(locked.order_by(Admin.unlock_date.desc()).limit(most)))
