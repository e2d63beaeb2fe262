"""A large server's rows, put into the database by a few statements."""

from datetime import timedelta
from functools import reduce
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    cast,
    insert,
    literal,
    literal_column,
    select,
    union_all,
)

from postmaster.models import Admin, AdminSession, Alias, Domain, HistoryEntry, User
from postmaster.rules import history

DOMAINS = 200
USERS = 20_000
ALIASES = 4_000
SOURCES = 2_000  # each leads to two users
CHANGES = 2_000
ADMINS = 120
# One user that many aliases lead to, and one alias that leads to many users.
WANTED = 200
WANTED_USER, TEAM = 1, ALIASES + WANTED + 1

_tens = [
    union_all(*(select(literal_column(str(digit)).label("digit")) for digit in range(10))).subquery(
        f"tens_{power}"
    )
    for power in range(5)
]
# The condition is always true; without one SQLAlchemy warns of a product.
_places: Any = reduce(
    lambda joined, pair: joined.join(pair[1], pair[0].c.digit < pair[1].c.digit + 10),
    pairwise(_tens),
    _tens[0],
)
number: ColumnElement[int] = reduce(
    lambda left, right: left + right,
    (tens.c.digit * 10**power for power, tens in enumerate(_tens)),
)


def _words(*parts: str | ColumnElement[int]) -> ColumnElement[str]:
    texts = [literal(p) if isinstance(p, str) else cast(p, String) for p in parts]
    return reduce(lambda left, right: left + right, texts)


def _fill(connection: Connection, model: Any, count: int, **columns: Any) -> None:
    values = [
        value if isinstance(value, ColumnElement) else literal(value) for value in columns.values()
    ]
    numbered = select(*values).select_from(_places).where(number < count)
    connection.execute(insert(model).from_select(list(columns), numbered))


def fill(connection: Connection) -> None:
    """Two hundred domains of a hundred users each, aliases, a history, administrators."""
    moment = history.now()
    domain = number % DOMAINS
    _fill(connection, Domain, DOMAINS, id=number + 1, name=_words("d", number, ".example"))
    _fill(
        *(connection, User, USERS),
        id=number + 1,
        domain_id=domain + 1,
        password="*",
        email=_words("u", number, "@d", domain, ".example"),
    )
    _fill(
        *(connection, Alias, ALIASES),
        id=number + 1,
        domain_id=domain + 1,
        source=_words("a", number % SOURCES, "@d", domain, ".example"),
        destination=_words("u", number, "@d", domain, ".example"),
    )
    _fill(
        *(connection, Alias, WANTED),
        id=number + ALIASES + 1,
        domain_id=2,
        source=_words("w", number, "@d1.example"),
        destination="u0@d0.example",
    )
    _fill(
        *(connection, Alias, WANTED),
        id=number + TEAM,
        domain_id=3,
        source="team@d2.example",
        destination=_words("u", number * DOMAINS, "@d0.example"),
    )
    change = {"moment": moment, "admin_id": 1, "via": "page", "ip": "192.0.2.1"}
    for kind in ("domain", "user", "alias"):
        _fill(
            *(connection, HistoryEntry, CHANGES),
            **change,
            admin=_words("a", number % ADMINS),
            action="create",
            kind=kind,
            object_id=number % 500 + 1,
            object_name=_words("n", number),
        )
    locked = moment + timedelta(hours=1)
    _fill(
        *(connection, Admin, ADMINS),
        username=_words("a", number),
        name=_words("A", number),
        unlock_date=locked,
    )
    _fill(
        *(connection, AdminSession, ADMINS),
        token_hash=cast(number, String),
        admin_id=1,
        started=moment,
        expires=locked,
        ip="192.0.2.1",
        agent="A browser",
    )
