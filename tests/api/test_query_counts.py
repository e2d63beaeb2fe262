"""How many statements a request takes, however many rows there are."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from postmaster.db import db
from postmaster.models import Alias, Domain, User

ROWS = 250


@contextmanager
def statements(client: FlaskClient) -> Iterator[list[str]]:
    """The SELECTs and writes of what happens inside."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    with client.application.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
    seen[:] = [statement for statement in seen if statement != "BEGIN"]


@pytest.fixture
def filled(client: FlaskClient) -> FlaskClient:
    """Some hundred rows of each kind."""
    with client.application.app_context(), db.engine.begin() as connection:
        connection.execute(
            insert(Domain), [{"id": n, "name": f"d{n}.example"} for n in range(1, ROWS)]
        )
        users = [
            {"domain_id": n, "email": f"u@d{n}.example", "password": "*"} for n in range(1, ROWS)
        ]
        connection.execute(insert(User), users)
        aliases = [
            {"domain_id": n, "source": f"a@d{n}.example", "destination": f"u@d{n}.example"}
            for n in range(1, ROWS)
        ]
        connection.execute(insert(Alias), aliases)
    return client


def most_statements(client: FlaskClient, query: str = "") -> int:
    """The session, the rows, the total; on MariaDB before it, whether it is remembered.

    Before a search, which notes hold the text.
    """
    with client.application.app_context():
        is_mariadb = db.engine.dialect.name == "mysql"
    return 3 + is_mariadb + ("search" in query)


@pytest.mark.parametrize("noun", ["domains", "users", "aliases", "admins", "configs"])
@pytest.mark.parametrize("query", ["", "?per_page=100&page=1", "?search=d1&order=desc"])
def test_a_list_takes_few_queries(filled: FlaskClient, noun: str, query: str) -> None:
    with statements(filled) as seen:
        assert filled.get(f"/api/v1/{noun}{query}").status_code == 200
    assert len(seen) <= most_statements(filled, query), seen


@pytest.mark.parametrize("noun", ["domains", "users", "aliases", "admins", "configs"])
def test_a_page_takes_no_more_than_the_api(filled: FlaskClient, noun: str) -> None:
    with statements(filled) as seen:
        assert filled.get(f"/{noun}?page=1").status_code == 200
    assert len(seen) <= most_statements(filled), seen


def test_a_list_that_is_whole_is_not_counted(filled: FlaskClient) -> None:
    with statements(filled) as seen:
        assert filled.get("/api/v1/admins").get_json()["meta"]["total"] == 1
    assert len(seen) == 2, seen


def test_one_item_takes_two_queries(filled: FlaskClient) -> None:
    with statements(filled) as seen:
        assert filled.get("/api/v1/domains/7").status_code == 200
    assert len(seen) == 2, seen
