"""A deleted domain of 500 users and 300 aliases comes back byte for byte, the next ids included."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert

from postmaster.db import db
from postmaster.models import Alias, Domain, User
from postmaster.rules import aliases, domains, undo, users
from postmaster.rules.aliases import Orphans
from tests.mariadb import MariaDB
from tests.rules.mail import by_hand, newest, rows_now
from tests.rules.statements import counted

Do = Callable[..., Any]
USERS, ALIASES = 500, 300


@pytest.fixture
def big(context: None) -> int:
    """A domain of that size between two others; its id."""
    domain_ids = []
    for name in ("before.example", "big.example", "after.example"):
        by_hand(domain := Domain(name=name))
        domain_ids.append(domain.id)
    before, big, after = domain_ids
    db.session.execute(
        insert(User),
        [
            {
                "domain_id": (before, big, after)[n % 3 if n < 30 else 1],
                "email": f"User{n}@{'big' if n % 3 == 1 or n >= 30 else 'other'}.example",
                "password": f"$6$salt{n:04}$" + "x" * 86,
            }
            for n in range(USERS + 20)
        ],
    )
    db.session.execute(
        insert(Alias),
        [
            {
                "domain_id": (before, big)[n % 10 > 0],
                "source": f"a{n}@{'big' if n % 10 else 'before'}.example",
                "destination": f"user{40 + n}@big.example",
            }
            for n in range(ALIASES + 30)
        ],
    )
    db.session.commit()
    return big


MAIL_TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")


@pytest.mark.parametrize("orphans", list(Orphans))
def test_a_big_domain_comes_back_byte_for_byte(
    mariadb: MariaDB, do: Do, big: int, orphans: Orphans
) -> None:
    is_mariadb = db.engine.dialect.name != "sqlite"
    database = db.engine.url.database or ""

    def everything() -> object:
        return mariadb.dump(database, *MAIL_TABLES) if is_mariadb else rows_now()

    before = everything()
    with counted() as statements:
        do(domains.remove, big, orphans=orphans)
    assert len(statements) < 40, len(statements)
    assert everything() != before
    with counted() as statements:
        do(undo.undo, newest().id, log_is_writable=lambda: True)
    assert len(statements) < 60, len(statements)
    assert everything() == before
    if is_mariadb:
        assert mariadb.dump(database, *MAIL_TABLES).count("AUTO_INCREMENT=") == 3, (
            "the next ids are compared too"
        )


def test_thousands_of_rows_come_back(do: Do, big: int) -> None:
    db.session.execute(
        insert(User),
        [{"domain_id": big, "email": f"more{n}@big.example", "password": "*"} for n in range(3000)],
    )
    db.session.commit()
    before = rows_now()
    do(domains.remove, big)
    do(undo.undo, newest().id, log_is_writable=lambda: True)
    assert rows_now() == before


def test_bulk_acts_on_hundreds_of_rows_take_a_few_statements(do: Do, big: int) -> None:
    before = rows_now()
    user_ids = [row[0] for row in before["virtual_users"]][:400]
    alias_ids = [row[0] for row in before["virtual_aliases"]]
    for act, arguments, fields in (
        (users.remove_several, (user_ids,), {"orphans": Orphans.ALL}),
        (aliases.remove_several, (alias_ids,), {"orphans": Orphans.ALL}),
        (aliases.repoint, (alias_ids,), {"replaced": None, "destination": "user1@big.example"}),
    ):
        with counted() as statements:
            do(act, *arguments, **fields)
        assert len(statements) < 40, (act, len(statements))
        do(undo.undo, newest().id, log_is_writable=lambda: True)
        assert rows_now() == before
