"""The ids of rows, by what the mail server knows them by."""

from sqlalchemy import select

from postmaster.db import db
from postmaster.models import Alias, Domain, HistoryEntry, User


def domain_id(name: str) -> int:
    return db.session.scalars(select(Domain.id).where(Domain.name == name)).one()


def user_id(email: str) -> int:
    return db.session.scalars(select(User.id).where(User.email == email)).one()


def alias_id(source: str, destination: str) -> int:
    wanted = (Alias.source == source, Alias.destination == destination)
    return db.session.scalars(select(Alias.id).where(*wanted)).one()


def newest_change() -> int:
    """The id of the newest entry of the history that is no part of another."""
    heads = select(HistoryEntry.id).where(HistoryEntry.part_of.is_(None))
    return db.session.scalars(heads.order_by(HistoryEntry.id.desc()).limit(1)).one()
