"""The lists and searches: PostMaster's answer beside the queries of plain SQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pymysql

from ops.measuring.browsing import Client, median, medians
from ops.measuring.figures import Figure, beside
from ops.measuring.plain import CHANGED, ROWS
from tests.resilience.server import Server

# Over a range query, by HTTP: the session, the sentences, a page of rows.
MOST_OVER_RANGE = 5.0
_numbers = count(77)


@dataclass(frozen=True)
class Panel:
    """A panel that is served, one client of it, and a connection to its database."""

    server: Server
    client: Client
    plain: "pymysql.Connection[Any]"
    uri: str

    def sql(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        """What plain SQL finds."""
        with self.plain.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return list(cursor.fetchall())


def figures(few: Panel, many: Panel, bare: Server, users: int) -> Iterator[Figure]:
    """The figures, one after the other; ``bare`` serves the same two queries and no more."""
    first = "/api/v1/users?page=1"
    plainest = Client(bare, cookies={})
    for panel in (few, many):
        panel.client.get(first)  # counts, and remembers

    def two_queries() -> None:
        many.sql(ROWS.format(offset=0))
        many.sql(CHANGED)

    small, ours, least, plain = medians(
        [
            lambda: few.client.get(first),
            lambda: many.client.get(first),
            lambda: plainest.get("/users"),
            two_queries,
        ]
    )
    yield beside("GET /api/v1/users?page=1", ours, plain, "plain + 3 ms", lambda a, b: a <= b + 3)
    yield Figure("a bare view of the same queries", least, plain)
    yield beside(
        "the same, beside that with 10,000 users",
        *(ours, small, "1.3 x", lambda a, b: a <= 1.3 * b),
    )
    rows, page, api = medians(
        [
            lambda: many.client.rows("/users"),
            lambda: many.client.ask("GET", "/users"),
            lambda: many.client.get(first),
        ]
    )
    for name, took in (("its rows", rows), ("the whole page", page)):
        yield beside(
            f"GET /users (HTML), {name}, beside the API's",
            *(took, api, "1.5 x", lambda a, b: a <= 1.5 * b),
        )
    total_counted = median(lambda: many.sql("SELECT COUNT(*) FROM virtual_users"), 5)
    yield Figure("the exact total by plain SQL (an index scan)", total_counted)
    deep = users // 20
    ours, plain = medians(
        [
            lambda: many.client.get(f"/api/v1/users?page={deep}"),
            lambda: many.sql(ROWS.format(offset=(deep - 1) * 10)),
        ],
        9,
    )
    yield beside(f"page {deep:,}", ours, plain, "1.3 x", lambda a, b: a <= 1.3 * b)
    yield from searches(many)


def searches(many: Panel) -> Iterator[Figure]:
    """Searches; each time for another text, so that nothing is remembered."""
    ranges: list[tuple[str, Callable[[int], str], str]] = [
        ("search=user77 (prefix)", lambda n: f"user{n % 900 + 10}", "email LIKE CONCAT(%s, '%%')"),
        (
            "search=@domain77.example",
            lambda n: f"@domain{n % 900 + 10}.example",
            "domain_id = (SELECT id FROM virtual_domains WHERE name = SUBSTR(%s, 2))",
        ),
        (
            "search=a whole address",
            lambda n: f"user{n}@domain{1 + n % 1000}.example",
            "email = %s",
        ),
    ]
    surfaces: list[tuple[str, Callable[[str], object]]] = [
        ("page's rows", lambda text: many.client.rows(f"/users?search={text}")),
        ("whole page", lambda text: many.client.ask("GET", f"/users?search={text}")),
        (
            "API, counted=false",
            lambda text: many.client.get(f"/api/v1/users?counted=false&search={text}"),
        ),
    ]
    for name, text, condition in ranges:
        statement = (
            f"SELECT id, domain_id, email FROM virtual_users WHERE {condition}"
            " ORDER BY email LIMIT 10"
        )

        def plainly(statement: str = statement, text: Callable[[int], str] = text) -> None:
            many.sql(statement, text(next(_numbers)))

        for surface, search in surfaces:
            if "API" in surface and "whole address" in name:
                continue  # the API looks everywhere before it says that there is no other
            ours, plain = medians([lambda s=search, t=text: s(t(next(_numbers))), plainly])
            yield beside(
                f"{name}: {surface}",
                *(ours, plain, "plain + 5 ms", lambda a, b: a <= b + MOST_OVER_RANGE),
            )
    inner = "SELECT id FROM virtual_users WHERE email LIKE %s ORDER BY email LIMIT 11"
    for name, text, target, holds in (
        ("near the front", "ser10", "60 ms", lambda a, _b: a <= 60),
        ("far from it", "ser77", "plain + 60 ms", lambda a, b: a <= b + 60),
        ("nowhere", "ser77x", "plain + 60 ms", lambda a, b: a <= b + 60),
    ):
        ours, plain = medians(
            [
                lambda text=text: many.client.rows(f"/users?search={text}"),
                lambda text=text: many.sql(inner, f"%{text}%"),
            ],
            9,
        )
        yield beside(f"search of inner text, {name}: page's rows", ours, plain, target, holds)
    scans = (
        lambda: many.client.get(f"/api/v1/users?search=ser{next(_numbers)}"),
        lambda: many.sql(
            "SELECT COUNT(*) FROM virtual_users WHERE email LIKE %s", f"%ser{next(_numbers)}%"
        ),
    )
    ours, plain = medians(scans, 9)
    yield Figure("search in the API with its exact total, not remembered", ours, plain)
