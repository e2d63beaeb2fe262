"""What is asked of the database, and how many rows it reads for that: the same on a large server.

The small form of ops/bench, on two servers that differ in nothing but how many rows they have.
No time is measured. The database itself says which index it would use, for each statement that
was really sent, and how many rows it read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from postmaster.db import db
from postmaster.rules import totals
from tests.conftest import Prepared, dispose, sign_in
from tests.mariadb import MariaDB
from tests.scale.filling import fill

DOMAINS = 50
SIZES = {"few": 3_000, "many": 30_000}
MANY = SIZES["many"]
ALIASES = 3  # for ten users
# A domain with as many users as the others of the large server, who come last in every order.
LATE, LATE_ID, LATE_USERS = "late.example", 1_001, MANY // DOMAINS
SMALL, SMALL_ID, SMALL_ROWS = "small.example", 1_002, 5
BY_HAND = f"""
INSERT INTO virtual_domains (id, name) VALUES ({LATE_ID}, '{LATE}');
INSERT INTO virtual_users (domain_id, email, password)
  SELECT {LATE_ID}, CONCAT('zz', seq, '@{LATE}'), '*' FROM seq_1_to_{LATE_USERS};
INSERT INTO postmaster_history
  (moment, admin_id, admin, via, ip, action, kind, object_id, object_name)
  SELECT NOW(6), 1, 'admin', 'page', '192.0.2.1', 'create', 'user', id, email FROM virtual_users;
ANALYZE TABLE virtual_domains, virtual_users, virtual_aliases, postmaster_history;
"""
SMALL_DOMAIN = f"""
INSERT INTO virtual_domains (id, name) VALUES ({SMALL_ID}, '{SMALL}');
INSERT INTO virtual_users (domain_id, email, password)
  SELECT {SMALL_ID}, CONCAT('u', seq, '@{SMALL}'), '*' FROM seq_1_to_{SMALL_ROWS};
INSERT INTO virtual_aliases (domain_id, source, destination)
  SELECT {SMALL_ID}, CONCAT('a', seq, '@{SMALL}'), CONCAT('u', seq, '@{SMALL}')
  FROM seq_1_to_{SMALL_ROWS};
INSERT INTO virtual_aliases (domain_id, source, destination)
  SELECT 1, CONCAT('small', seq, '@domain1.example'), CONCAT('u', seq, '@{SMALL}')
  FROM seq_1_to_{SMALL_ROWS};
"""
# Not the domains: the guides' table has no index of their names, and all are read to find one.
LARGE = ("virtual_users", "virtual_aliases", "postmaster_history")
# Of a row that an index is asked about without reading the row itself, the server says so apart.
ROWS_READ = {"Rows_read": 1, "Handler_icp_attempts": 1, "Handler_icp_match": -1}
COUNTED = "'" + "', '".join(ROWS_READ) + "'"

# --- what is asked for ----------------------------------------------------------

DOZENS = 60  # rows: the session, those of a page of ten, what is beside each, one domain
# Beside each alias: whether its destination's domain is here.
PAGE_OF_ALIASES = DOZENS + 11 * (DOMAINS + 1)
PER_DOMAIN = MANY // DOMAINS * (10 + ALIASES) // 10
DEEP = 2_000  # rows before the page
DEEP_ALIASES = 800

LIST, SEARCH = 3, 4  # the session, the rows, whether the total is known; the notes
IN_DOMAIN = SEARCH + 1  # which domains are meant

# What walks along an index until the page is full, and what lies in a range of one: the path,
# its statements, its rows.
WALKS = [
    ("/api/v1/users", LIST, DOZENS),
    ("/api/v1/users?order=desc", LIST, DOZENS),
    ("/api/v1/users?sort=id&order=desc", LIST, DOZENS),
    ("/api/v1/users?sort=domain_id", LIST, DOZENS),
    (f"/api/v1/users?page={DEEP // 10 + 1}", LIST, DEEP + DOZENS),
    ("/users", LIST, DOZENS),
    (f"/users?page={DEEP // 10 + 1}", LIST, DEEP + DOZENS),
    ("/api/v1/aliases", LIST, DOZENS),
    (f"/api/v1/aliases?page={DEEP_ALIASES // 10 + 1}", LIST, DEEP_ALIASES + DOZENS),
    ("/aliases", LIST, PAGE_OF_ALIASES),
    (f"/aliases?page={DEEP_ALIASES // 10 + 1}", LIST, DEEP_ALIASES + PAGE_OF_ALIASES),
    ("/api/v1/history", LIST + 1, DOZENS),  # also what each change brought along
    ("/history", LIST + 2, DOZENS),  # and who there is to choose
]
RANGES = [
    ("/api/v1/users?counted=false&search=user77", SEARCH, DOZENS),
    ("/users?search=user77", SEARCH, DOZENS),
    ("/users?search=user77@domain28.example", SEARCH, DOZENS),
    ("/api/v1/aliases?counted=false&search=alias77", SEARCH, DOZENS),
    ("/aliases?search=alias77", SEARCH, PAGE_OF_ALIASES),
    ("/aliases?search=alias77@domain28.example", SEARCH, PAGE_OF_ALIASES),
    ("/aliases?destination=user77@domain28.example", LIST, PAGE_OF_ALIASES),
    ("/aliases/77", 5, PAGE_OF_ALIASES),  # the session, the row, its source, version, changes
    ("/api/v1/aliases/77", 2, DOZENS),
    ("/users/77", 7, DOZENS),  # see tests/pages/test_query_counts.py
    ("/api/v1/users/77", 2, DOZENS),
    ("/history?kind=user&object=77", LIST + 2, DOZENS),
    ("/", 5, DOZENS),  # the session, what is known of the totals, who is locked, the changes
]
# What is in one domain, or counted for each of a page of domains.
OF_DOMAINS = [
    ("/aliases?search=@domain7.example", IN_DOMAIN, 2 * PER_DOMAIN + PAGE_OF_ALIASES),
    ("/aliases?domain=domain7.example", LIST + 1, 2 * PER_DOMAIN + PAGE_OF_ALIASES),
    ("/domains/7", 5, PER_DOMAIN + 2 * DOMAINS),
    ("/domains", LIST, 12 * (PER_DOMAIN + DOMAINS)),
    ("/domains?search=domain4", SEARCH, 12 * (PER_DOMAIN + DOMAINS)),
]
# The users of one domain. Where they are as many as in others and spread evenly over the order,
# it may be walked along; if they all come last, nearly all others would be looked at as well.
OF_ANY = [
    ("/users?search=@domain7.example", IN_DOMAIN, 2 * PER_DOMAIN),
    ("/users?search=domain7.example", IN_DOMAIN, 2 * PER_DOMAIN),
    ("/users?domain=domain7.example", LIST + 1, 2 * PER_DOMAIN),
    ("/api/v1/users?counted=false&domain_id=7", LIST, 2 * PER_DOMAIN),
]
# MariaDB chooses by how many a domain has, and cannot know that they all come last: then it walks
# along all of the index, as a search of inner text does, and no further.
A_WALK = MANY + 2 * PER_DOMAIN
OF_LATE = [
    (f"/users?search=@{LATE}", IN_DOMAIN, A_WALK),
    (f"/users?search={LATE}", IN_DOMAIN, A_WALK),
    (f"/users?domain={LATE}", LIST + 1, A_WALK),
    (f"/api/v1/users?counted=false&domain_id={LATE_ID}", LIST, A_WALK),
]
SCANS = [
    ("/users?search=ser77", SEARCH + 1),
    ("/users?search=nowhere", SEARCH + 1),
    ("/api/v1/users?counted=false&search=ser77", SEARCH + 1),
    ("/aliases?search=nowhere", SEARCH + 1),
]


# --- a panel, and what it asks --------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A statement as it was sent, and the rows that were read for it."""

    statement: str
    parameters: Any
    rows: int


@dataclass(frozen=True)
class Access:
    """How one table of a statement is read, as EXPLAIN says it."""

    table: str
    type: str
    key: str | None
    rows: int
    extra: str

    @property
    def is_of_a_large_table(self) -> bool:
        return self.table.startswith(LARGE)  # or another name of it, with a number

    @property
    def is_whole(self) -> bool:
        """All of the table, or of an index."""
        return self.type in ("ALL", "index")

    @property
    def is_sorted(self) -> bool:
        return "filesort" in self.extra


class Panel:
    """An administrator's browser, and a database of its own."""

    def __init__(self, mariadb: MariaDB, name: str, folder: Path) -> None:
        self.name = name
        self.mariadb = mariadb
        self.users = SIZES[name]
        self.again: dict[str, list[Sent]] = {}
        self.app = Prepared(mariadb.create_database(name), folder).app
        with mariadb.cursor(name) as cursor:
            aliases = self.users * ALIASES // 10
            fill(cursor, domains=DOMAINS, users=self.users, aliases=aliases)
        mariadb.run(name, BY_HAND)
        self.client: FlaskClient = sign_in(self.app)

    def ask(self, path: str, method: str = "GET", **options: Any) -> TestResponse:
        response = self.client.open(path, method=method, **options)
        assert response.status_code in (200, 201, 204), (path, response.text)
        return response

    def sent_for(self, path: str, method: str = "GET", **options: Any) -> list[Sent]:
        """The statements of one request."""
        with self.sent() as sent:
            self.ask(path, method, **options)
        return sent

    def sent_again_for(self, path: str) -> list[Sent]:
        """The statements of a request that was made before, so that its total is known."""
        if path not in self.again:
            totals._memories.clear()  # whatever else was asked for before
            for _ in range(2):
                self.ask(path)
            self.again[path] = self.sent_for(path)
        return self.again[path]

    @contextmanager
    def sent(self) -> Iterator[list[Sent]]:
        """The statements of what happens inside."""
        sent: list[Sent] = []
        before: list[int] = []

        def note_before(connection: Any, *_rest: object) -> None:
            before.append(_rows_read(connection))

        def note_after(
            connection: Any, _cursor: object, statement: str, parameters: Any, *_rest: object
        ) -> None:
            rows = _rows_read(connection) - before.pop()
            sent.append(Sent(statement, parameters, rows))

        with self.app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note_before)
        event.listen(engine, "after_cursor_execute", note_after)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note_before)
            event.remove(engine, "after_cursor_execute", note_after)

    def plan(self, sent: Sent) -> list[Access]:
        """How the database reads the large tables for a statement, with these very values."""
        if not sent.statement.startswith("SELECT") or "information_schema" in sent.statement:
            return []
        with self.app.app_context():
            connection = db.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(f"EXPLAIN {sent.statement}", sent.parameters)
            steps = [
                Access(table or "", type_ or "", key, int(rows or 0), extra or "")
                for _id, _kind, table, type_, _keys, key, _length, _ref, rows, extra in cursor
            ]
        finally:
            connection.close()
        return [step for step in steps if step.is_of_a_large_table]


def _rows_read(connection: Any) -> int:
    """The rows that this connection has read so far, but for those of temporary tables."""
    cursor = connection.connection.cursor()
    cursor.execute(f"SHOW SESSION STATUS WHERE Variable_name IN ({COUNTED})")
    return sum(ROWS_READ[name] * int(value) for name, value in cursor)


def rows_of(sent: list[Sent]) -> int:
    return sum(each.rows for each in sent)


@pytest.fixture(scope="module")
def panels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Panel]]:
    """A small and a large one. No table is small enough to be counted in between."""
    with MariaDB(hasty=True) as mariadb, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(totals, "FEW_ROWS", 0)
        monkeypatch.setattr(totals, "SETTLED_AFTER", timedelta(days=-1))
        made = {name: Panel(mariadb, name, tmp_path_factory.mktemp(name)) for name in SIZES}
        yield made
        for panel in made.values():
            dispose(panel.app)


@pytest.fixture(scope="module", params=[*SIZES])
def panel(request: pytest.FixtureRequest, panels: dict[str, Panel]) -> Panel:
    return panels[request.param]


@pytest.fixture(scope="module")
def many(panels: dict[str, Panel]) -> Panel:
    return panels["many"]


# --- reading --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "statements", "rows"), [*WALKS, *RANGES, *OF_DOMAINS, *OF_ANY, *OF_LATE]
)
def test_few_statements_read_few_rows_however_many_there_are(
    panel: Panel, path: str, statements: int, rows: int
) -> None:
    sent = panel.sent_again_for(path)
    assert len(sent) <= statements, sent
    assert rows_of(sent) <= rows, sent


@pytest.mark.parametrize("path", [path for path, _statements, _rows in WALKS])
def test_a_list_is_read_in_the_order_of_an_index(many: Panel, path: str) -> None:
    for sent in many.sent_again_for(path):
        for access in many.plan(sent):
            assert access.type != "ALL", (access, sent)
            assert not access.is_sorted, (access, sent)


@pytest.mark.parametrize("path", [path for path, *_rest in [*RANGES, *OF_DOMAINS]])
def test_what_an_index_finds_is_looked_up_in_it(many: Panel, path: str) -> None:
    for sent in many.sent_again_for(path):
        for access in many.plan(sent):
            if access.table == "postmaster_history" and not access.is_sorted:
                continue  # from its end until the few newest are found
            assert not access.is_whole, (access, sent)
            assert access.rows <= 2 * PER_DOMAIN, (access, sent)


@pytest.mark.parametrize(("path", "statements"), SCANS)
def test_a_search_of_inner_text_reads_an_index_once_and_no_rows_beside_it(
    panel: Panel, path: str, statements: int
) -> None:
    sent = panel.sent_for(path)
    assert len(sent) <= statements, sent
    assert rows_of(sent) <= panel.users + LATE_USERS + DOZENS, sent
    walked = [step for each in sent for step in panel.plan(each) if step.is_whole]
    assert walked, "it has to look everywhere"
    for access in walked:
        assert access.type == "index", access
        assert "Using index" in access.extra, access
        assert not access.is_sorted, access


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/users",
        "/api/v1/aliases",
        "/api/v1/users?search=ser7",
        "/api/v1/aliases?search=lias7",
        "/?counted=1",
        "/users?counted=1&search=user7",
    ],
)
def test_a_total_that_is_remembered_reads_nothing(panel: Panel, path: str) -> None:
    sent = panel.sent_again_for(path)
    assert not [each for each in sent if each.statement.startswith("SELECT (SELECT count(")]
    asked = [each for each in sent if "information_schema" in each.statement]
    assert [each.rows for each in asked] == [0]


def test_a_page_is_the_same_work_on_a_server_with_ten_times_the_rows(
    panels: dict[str, Panel],
) -> None:
    for path in ("/users", "/api/v1/users", "/aliases", "/history", "/", "/users?search=user7"):
        few, many = (panel.sent_again_for(path) for panel in panels.values())
        assert [each.statement for each in many] == [each.statement for each in few], path
        # Which destinations are whose, and in which domain, differs a little.
        assert rows_of(many) <= rows_of(few) + DOZENS, path


# --- writing --------------------------------------------------------------------


def test_adding_a_user_reads_as_few_rows_in_a_large_server(panel: Panel) -> None:
    fields = {"email": f"new@{quote(LATE)}", "password": "granite-harbour-violin-77"}
    sent = panel.sent_for("/api/v1/users", "POST", json=fields)
    try:
        assert rows_of(sent) <= DOZENS + 2 * DOMAINS, sent
        assert_no_table_is_whole(panel, sent)
    finally:
        panel.mariadb.run(panel.name, f"DELETE FROM virtual_users WHERE email = 'new@{LATE}'")


def test_deleting_a_small_domain_reads_as_few_rows_in_a_large_server(panel: Panel) -> None:
    panel.mariadb.run(panel.name, SMALL_DOMAIN)
    try:
        question = panel.sent_for(f"/domains/{SMALL_ID}/delete")
        deletion = panel.sent_for(f"/api/v1/domains/{SMALL_ID}", "DELETE")
        for sent in (question, deletion):
            assert rows_of(sent) <= 2 * DOMAINS + 40 * SMALL_ROWS, sent
            assert_no_table_is_whole(panel, sent)
    finally:
        panel.mariadb.run(panel.name, f"DELETE FROM virtual_domains WHERE id = {SMALL_ID}")


def assert_no_table_is_whole(panel: Panel, sent: list[Sent]) -> None:
    for each in sent:
        for access in panel.plan(each):
            assert not access.is_whole, (access, each)
