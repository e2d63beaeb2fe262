"""A small mail server's rows, and all of them as they are, to compare before and after."""

from typing import Any

from sqlalchemy import select

from postmaster.db import db
from postmaster.models import Admin, Alias, Domain, HistoryEntry, User

HASH = "$6$salt$hash"
Row = tuple[Any, ...]
Rows = dict[str, list[Row]]


def by_hand(*rows: Any) -> None:
    """Rows as the operator inserts them."""
    db.session.remove()
    for row in rows:
        db.session.add(row)
        db.session.flush()
    db.session.commit()
    db.session.remove()


def fill() -> None:
    """Two domains, five mailboxes, seven aliases, each with the id that its name says."""
    by_hand(
        Domain(id=1, name="one.example"),
        Domain(id=2, name="two.example"),
        User(id=11, domain_id=1, email="ana@one.example", password=f"{HASH}11"),
        User(id=12, domain_id=1, email="bob@one.example", password=f"{HASH}12"),
        User(id=21, domain_id=2, email="dora@two.example", password=f"{HASH}21"),
        User(id=22, domain_id=2, email="eva@two.example", password=f"{HASH}22"),
        Alias(id=101, domain_id=1, source="team@one.example", destination="ana@one.example"),
        Alias(id=102, domain_id=1, source="team@one.example", destination="dora@two.example"),
        Alias(id=103, domain_id=1, source="bob@one.example", destination="bob@one.example"),
        Alias(id=104, domain_id=1, source="bob@one.example", destination="eva@two.example"),
        Alias(id=201, domain_id=2, source="sales@two.example", destination="ana@one.example"),
        Alias(id=202, domain_id=2, source="info@two.example", destination="sales@two.example"),
        Alias(id=203, domain_id=2, source="all@two.example", destination="info@two.example"),
        Alias(id=204, domain_id=2, source="all@two.example", destination="eva@two.example"),
        Alias(id=205, domain_id=2, source="press@two.example", destination="team@one.example"),
    )


def rows_now() -> Rows:
    """Every row of the mail tables, and of the administrators what an undo brings back."""
    db.session.remove()
    found = {
        model.__tablename__: [
            tuple(row) for row in db.session.execute(select(model.__table__).order_by(model.id))
        ]
        for model in (Domain, User, Alias)
    }
    columns = (Admin.id, Admin.username, Admin.name, Admin.source, Admin.active, Admin.language)
    secrets = (Admin.password, Admin.otp_active, Admin.otp_secret)
    admins = select(*columns, *secrets).order_by(Admin.id)
    found["admins"] = [tuple(row) for row in db.session.execute(admins)]
    db.session.remove()
    return found


def ids(model: Any) -> list[int]:
    """The ids that are there."""
    db.session.remove()
    return list(db.session.scalars(select(model.id).order_by(model.id)))


def newest() -> HistoryEntry:
    """The newest change that is no part of another."""
    db.session.remove()
    heads = select(HistoryEntry).where(HistoryEntry.part_of.is_(None))
    entry = db.session.scalar(heads.order_by(HistoryEntry.id.desc()).limit(1))
    assert entry is not None
    return entry


def parts_of(entry_id: int) -> list[tuple[str, str, str]]:
    """The parts of a change: what was done, to which kind, to what."""
    parts = select(HistoryEntry).where(HistoryEntry.part_of == entry_id).order_by(HistoryEntry.id)
    return [(part.action, part.kind, part.object_name) for part in db.session.scalars(parts)]
