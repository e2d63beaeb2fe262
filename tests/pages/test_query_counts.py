"""How many statements a page takes, however many rows there are."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from postmaster.db import db
from postmaster.models import Admin, AdminSession, HistoryEntry
from postmaster.rules import history
from tests.api.test_query_counts import statements

ROWS = 120


@pytest.fixture
def filled(client: FlaskClient) -> FlaskClient:
    """Many administrators, some of them locked, many sessions, and a long history."""
    moment = history.now()
    with client.application.app_context(), db.engine.begin() as connection:
        connection.execute(
            insert(Admin),
            [
                {"username": f"a{n}", "name": f"A{n}", "unlock_date": moment + timedelta(hours=1)}
                for n in range(ROWS)
            ],
        )
        connection.execute(
            insert(AdminSession),
            [
                {
                    "token_hash": str(n),
                    "admin_id": 1,
                    "started": moment,
                    "expires": moment + timedelta(hours=1),
                    "ip": "192.0.2.1",
                    "agent": "A browser",
                }
                for n in range(ROWS)
            ],
        )
        common = {
            "moment": moment,
            "admin_id": 1,
            "via": "page",
            "ip": "192.0.2.1",
            "kind": "admin",
            "object_id": 1,
        }
        connection.execute(
            insert(HistoryEntry),
            [
                common
                | {"admin": f"a{n}", "action": "create", "object_name": f"a{n}", "part_of": None}
                for n in range(ROWS)
            ],
        )
    return client


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/", 4),  # the session, the counts, who is locked, the newest changes
        ("/admins?per_page=100", 3),  # the session, the total, the rows
        ("/admins?search=a1", 3),
        ("/admins/1", 4),  # the session, the row, its version, its newest changes
        ("/configs", 3),  # the session, the rows, their versions
        ("/logs", 1),
        # The session, the total, the rows, their parts, and who there is to choose.
        ("/history?per_page=100", 5),
        ("/account", 2),  # the session, and the sessions
    ],
)
def test_a_page_takes_few_queries(filled: FlaskClient, path: str, most: int) -> None:
    with statements(filled) as seen:
        assert filled.get(path).status_code == 200
    assert len(seen) <= most, seen
