"""Mail tables of other character sets and collations than the guides': all works with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from postmaster.collations import COLLATION
from postmaster.db import MIXED_COLLATIONS, NOT_STORABLE, db, explain
from postmaster.models import Alias, Domain, Note, User
from postmaster.rules import history, notes
from tests.conftest import Prepared, dispose, sign_in
from tests.mariadb import MariaDB

DATABASE = "collated"
TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")
HASH = "$6$0123456789abcdef$" + "c" * 86
PATHS = (
    *("/", "/domains", "/domains?search=kept", "/domains/1", "/users", "/users?search=kept"),
    *("/users/1", "/users?suspended=1", "/aliases", "/aliases?search=kept", "/aliases/1"),
    *("/history", "/import", "/checkup", "/trace?address=sales@one.example"),
    *("/api/v1/domains/1", "/api/v1/users/1", "/api/v1/aliases/1", "/api/v1/checkup"),
    *("/api/v1/users?suspended=true", "/api/v1/trace/sales@one.example"),
)


@dataclass
class Server:
    """A server whose mail tables are converted, with an admin's browser."""

    mariadb: MariaDB
    prepared: Prepared
    client: FlaskClient

    def convert(self, collation: str, *tables: str) -> None:
        """As an operator would do it."""
        charset = collation.split("_", maxsplit=1)[0]
        for table in tables or TABLES:
            self.mariadb.run(
                DATABASE,
                f"ALTER TABLE {table} CONVERT TO CHARACTER SET {charset} COLLATE {collation}",
            )

    def call(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        """What the API answers."""
        # An answer that is not closed keeps its transaction, and no table could be altered.
        with self.client.open(f"/api/v1/{path}", method=method, json=body or None) as answer:
            assert answer.status_code == status, (path, answer.text)
            return answer.get_json(silent=True) or answer.text

    def fill(self) -> None:
        """A domain, a user and an alias, each with a note."""
        self.call("POST", "domains", 201, name="one.example", note="domain kept")
        ana = {"email": "ana@one.example", "password": "long secret 1", "note": "user kept"}
        self.call("POST", "users", 201, **ana)
        sales = {"source": "sales@one.example", "destination": "ana@one.example"}
        self.call("POST", "aliases", 201, **sales, note="alias kept")

    def finds_the_notes(self) -> None:
        """The lists show them, and are searched for them."""
        for noun in ("domains", "users", "aliases"):
            for query in ("", "?search=KEPT"):
                notes_of = [item["note"] for item in self.call("GET", noun + query)["items"]]
                assert [note.split()[1] for note in notes_of] == ["kept"], noun
            assert self.call("GET", f"{noun}?search=lost")["items"] == []

    def a_domain_goes_and_comes_back(self) -> None:
        """With its suspended user, the alias and the notes."""
        before = self.call("GET", "export?format=json")
        self.call("DELETE", "domains/1", 204)
        assert self.call("GET", "export?format=json") != before
        last = self.call("GET", "history?per_page=1")["items"][0]["id"]
        self.call("POST", f"history/{last}/undo")
        assert self.call("GET", "export?format=json") == before

    def problems(self) -> set[str]:
        """What the checkup finds in the form of the tables."""
        found = self.call("GET", "checkup")["findings"]
        return {one["code"] for one in found if one["code"].startswith("table-")}


@pytest.fixture(scope="module")
def adopted(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A database of its own, whose mail tables are changed."""
    uri = mariadb.create_database(DATABASE)
    prepared = Prepared(uri, tmp_path_factory.mktemp(DATABASE))
    yield prepared
    dispose(prepared.app)


@pytest.fixture
def server(mariadb: MariaDB, adopted: Prepared) -> Server:
    """Empty but for the first rows."""
    dispose(adopted.app)  # what a failed test left open would keep the tables from being altered
    adopted.reset()
    for table in (*TABLES, Note.__tablename__):  # ids from 1
        mariadb.run(DATABASE, f"ALTER TABLE {table} AUTO_INCREMENT = 1")
    return Server(mariadb, adopted, sign_in(adopted.app))


def test_what_is_compared_has_a_collation_of_its_own(mariadb: MariaDB, server: Server) -> None:
    """Also where the server's default is another one."""
    found = mariadb.rows(
        "information_schema",
        "SELECT table_name, column_name, collation_name FROM columns WHERE table_schema = %s"
        " AND (table_name, column_name) IN"
        " (('postmaster_notes', 'name'), ('postmaster_suspensions', 'email'))",
        DATABASE,
    )
    assert {collation for _table, _column, collation in found} == {COLLATION}
    assert len(found) == 2


def test_everything_works_with_mail_tables_in_unicode_ci(server: Server) -> None:
    server.convert("utf8mb4_unicode_ci")
    server.fill()
    server.finds_the_notes()
    bob = {"email": "bob@one.example", "password": "long secret 2", "note": "Bob"}
    bob_id = server.call("POST", "users", 201, **bob)["id"]
    assert server.call("PATCH", "users/1", suspended="sign-in")["suspended"] == "sign-in"
    assert server.call("PATCH", f"users/{bob_id}", suspended="all")["note"] == "Bob"
    assert server.call("GET", "users?search=bob")["items"][0]["suspended"] == "all"

    for path in PATHS:
        assert server.client.get(path).status_code == 200, path
    assert server.problems() == set()
    csv, json, yaml = (server.call("GET", f"export?format={f}") for f in ("csv", "json", "yaml"))
    assert '"bob@one.example"' in csv and '"Bob"' in csv
    assert [user["note"] for user in json["users"]] == ["Bob", "user kept"]
    assert "!suspended" not in csv, "their hashes were kept"
    assert '"sales": ["ana"]' in yaml

    text = f"kind,address,hash,suspended,note\nuser,eva@one.example,{HASH},all,Eva\n"
    sent = {"files": [{"name": "x.csv", "text": text}]}
    run = server.call("POST", "imports", 201, **sent)["id"]
    change = server.call("POST", f"imports/{run}/run")["change"]
    assert server.call("GET", "users?search=Eva")["meta"]["total"] == 1
    server.call("POST", f"history/{change}/undo")
    assert server.call("GET", "users?search=Eva")["meta"]["total"] == 0

    server.a_domain_goes_and_comes_back()


@pytest.mark.parametrize(
    ("collation", "found"),
    [
        ("utf8mb4_bin", {"table-charset"}),
        ("latin1_swedish_ci", {"table-charset"}),
        ("utf8_unicode_ci", set()),
    ],
)
def test_other_collations_work_too(server: Server, collation: str, found: set[str]) -> None:
    server.convert(collation)
    server.fill()
    server.call("PATCH", "users/1", suspended="all")
    server.finds_the_notes()
    assert server.call("GET", "export?format=json")["users"][0]["note"] == "user kept"
    server.a_domain_goes_and_comes_back()
    assert server.problems() == found


def test_mixed_collations_are_said_and_the_checkup_mends_them(server: Server) -> None:
    server.convert("utf8mb4_general_ci")
    server.fill()
    server.convert("utf8mb4_unicode_ci", "virtual_users")
    said = str(MIXED_COLLATIONS) % {"code": 1267}
    assert server.call("GET", "users", 503)["message"] == said
    server.a_domain_goes_and_comes_back()
    page = server.client.get("/users")
    assert (page.status_code, said in page.text) == (503, True)

    assert server.client.get("/checkup").status_code == 200
    mixed = next(
        one
        for one in server.call("GET", "checkup")["findings"]
        if one["code"] == "table-collations"
    )
    for statement in mixed["statements"]:
        server.mariadb.run(DATABASE, statement)
    server.finds_the_notes()
    assert server.problems() == set()


def test_a_value_that_a_column_cannot_hold_is_told_from_a_mix(server: Server) -> None:
    server.convert("utf8_general_ci")
    with server.prepared.app.app_context():
        for values in (["😀"], ["😀", "a"], ["😀", "a", "b"]):
            with pytest.raises(Exception, match="Illegal mix") as raised:
                db.session.scalars(select(User).where(User.email.in_(values))).all()
            refusal = explain(raised.value)
            assert refusal is not None
            assert refusal.template == NOT_STORABLE
    server.convert("utf8_unicode_ci", "virtual_users")
    with server.prepared.app.app_context():
        pairs = select(User.id).join(Alias, Alias.source == User.email)
        several = select(User.id, Alias.id).where(User.email.in_(["a", Alias.source, "b"]))
        for query in (pairs, several):
            with pytest.raises(Exception, match="Illegal mix") as raised:
                db.session.execute(query).all()
            refusal = explain(raised.value)
            assert refusal is not None
            assert refusal.template == MIXED_COLLATIONS


def test_notes_are_found_in_their_index(server: Server) -> None:
    server.convert("utf8mb4_unicode_ci")
    with server.prepared.app.app_context():
        add_users_with_notes()
        shown = select(User.email, notes.beside(history.Kind.USER)).where(User.id < 10)
        compiled = shown.compile(db.engine)
        explained = db.session.connection().exec_driver_sql(
            f"EXPLAIN {compiled}", dict(compiled.params)
        )
        plan = [(row.table, row.type, row.key) for row in explained]
    assert (Note.__tablename__, "eq_ref", "postmaster_notes_object") in plan


def test_a_search_finds_very_many_notes(server: Server) -> None:
    """More than a statement lists by their names."""
    server.convert("utf8mb4_unicode_ci")
    with server.prepared.app.app_context():
        add_users_with_notes()
    assert server.call("GET", "users?search=one+of+many")["meta"]["total"] > notes.MOST_NAMES


def add_users_with_notes() -> None:
    emails = [f"u{number}@one.example" for number in range(notes.MOST_NAMES + 1)]
    with db.engine.begin() as connection:
        connection.execute(insert(Domain), [{"id": 1, "name": "one.example"}])
        connection.execute(
            insert(User), [{"domain_id": 1, "email": email, "password": "*"} for email in emails]
        )
        connection.execute(
            insert(Note),
            [{"kind": "user", "name": email, "text": "one of many"} for email in emails],
        )
