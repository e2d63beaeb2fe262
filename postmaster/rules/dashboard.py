"""What the dashboard shows: how much there is of everything, and who is locked."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from ..models import Admin, Alias, Domain, SettingRow, User
from . import history
from .actor import Actor


@dataclass(frozen=True)
class Counts:
    """How many rows each area has."""

    users: int
    domains: int
    settings: int
    aliases: int
    admins: int


def counts(session: Session, actor: Actor) -> Counts:
    """How many rows each area has, in one query."""
    users, domains, settings, aliases, admins = session.execute(
        select(
            _count(User.id),
            _count(Domain.id),
            _count(SettingRow.id),
            _count(Alias.id),
            _count(Admin.id),
        )
    ).one()
    return Counts(users, domains, settings, aliases, admins)


def _count(column: Any) -> ScalarSelect[int]:
    return select(func.count(column)).scalar_subquery()


def count_locked_admins(session: Session, actor: Actor) -> int:
    """How many administrators' locks are still running."""
    return session.scalar(select(func.count()).where(Admin.unlock_date > history.now())) or 0


def locked_admins(session: Session, actor: Actor, most: int) -> list[Admin]:
    """The administrators whose lock is still running, who comes free last first."""
    locked = select(Admin).where(Admin.unlock_date > history.now())
    return list(session.scalars(locked.order_by(Admin.unlock_date.desc()).limit(most)))
