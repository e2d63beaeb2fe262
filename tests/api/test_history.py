"""/api/v1/history: what was changed, and taking it back."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.models import HistoryEntry
from tests.api.calls import create, refused
from tests.api.test_query_counts import statements

HISTORY = "/api/v1/history"
FIELDS = {
    *("id", "moment", "admin", "via", "ip", "action", "kind", "object_id", "object_name"),
    *("old", "new", "part_of", "undoes", "undone_by", "parts"),
}


@pytest.fixture
def changed(client: FlaskClient) -> FlaskClient:
    """A domain with a mailbox and an alias, that has been deleted."""
    domain = create(client, "domains", name="example.com")
    create(client, "users", email="ana@example.com", password="password")
    create(client, "aliases", source="a@example.com", destination="ana@example.com")
    assert client.delete(f"/api/v1/domains/{domain['id']}").status_code == 204
    return client


def items(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"{HISTORY}?{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.get_json()["items"]
    return found


def test_changes_are_listed_the_newest_first(changed: FlaskClient) -> None:
    listed = items(changed)
    assert [(item["action"], item["object_name"], item["parts"]) for item in listed] == [
        ("delete", "example.com", 2),
        ("create", "a@example.com -> ana@example.com", 0),
        ("create", "ana@example.com", 0),
        ("create", "example.com", 0),
    ]
    assert set(listed[0]) == FIELDS
    assert (listed[0]["admin"], listed[0]["via"], listed[0]["ip"]) == ("admin", "api", "127.0.0.1")
    assert (listed[0]["old"], listed[0]["new"]) == ({"name": "example.com"}, None)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", listed[0]["moment"])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("search=ANA", 2),
        ("kind=domain", 2),
        ("admin=admin", 4),
        ("admin=nobody", 0),
        ("per_page=3&page=2", 1),
        ("sort=id&order=asc&per_page=1", 1),
    ],
)
def test_changes_are_filtered(changed: FlaskClient, query: str, count: int) -> None:
    assert len(items(changed, query)) == count


def test_one_objects_history_has_its_parts(changed: FlaskClient) -> None:
    user_id = items(changed, "kind=user")[0]["object_id"]
    found = items(changed, f"kind=user&object_id={user_id}")
    assert [(item["action"], item["part_of"]) for item in found] == [
        ("delete", items(changed, "kind=domain")[0]["id"]),
        ("create", None),
    ]


@pytest.mark.parametrize(
    ("query", "status", "key_words"),
    [
        ("kind=x", 400, "kind must be one of: domain, user"),
        ("object_id=x", 400, "object_id must be a whole number"),
        ("sort=old", 400, "sort column"),
        ("order=x", 400, "order"),
        ("page=0", 400, "page"),
        ("page=9", 404, "not found"),
    ],
)
def test_a_bad_query_is_refused(
    changed: FlaskClient, query: str, status: int, key_words: str
) -> None:
    refused(changed.get(f"{HISTORY}?{query}"), status, key_words)


def test_one_change_is_shown(changed: FlaskClient) -> None:
    first = items(changed)[0]
    assert changed.get(f"{HISTORY}/{first['id']}").get_json() == first
    refused(changed.get(f"{HISTORY}/{2**40}"), 404, "change was not found")


def test_a_change_is_undone(changed: FlaskClient) -> None:
    deletion = items(changed)[0]
    response = changed.post(f"{HISTORY}/{deletion['id']}/undo")
    assert response.status_code == 200
    undone = response.get_json()
    assert (undone["action"], undone["undoes"], undone["parts"]) == ("restore", deletion["id"], 2)
    assert items(changed)[0] == undone
    assert changed.get(f"{HISTORY}/{deletion['id']}").get_json()["undone_by"] == undone["id"]
    assert changed.get("/api/v1/users").get_json()["meta"]["total"] == 1


def test_a_change_that_cannot_be_undone_is_refused(changed: FlaskClient) -> None:
    deletion = items(changed)[0]["id"]
    refused(changed.post(f"{HISTORY}/{2**40}/undo"), 404, "change was not found")
    with changed.application.app_context():
        part = db.session.query(HistoryEntry).filter_by(part_of=deletion).first()
        assert part is not None
        part_id = part.id
    refused(changed.post(f"{HISTORY}/{part_id}/undo"), 400, "part of change")
    assert changed.post(f"{HISTORY}/{deletion}/undo").status_code == 200
    refused(changed.post(f"{HISTORY}/{deletion}/undo"), 409, "undone already")


def test_a_setting_is_undone_by_its_own_rules(client: FlaskClient) -> None:
    client.patch("/api/v1/configs/1", json={"value": 9})
    assert client.post(f"{HISTORY}/{items(client)[0]['id']}/undo").status_code == 200
    assert client.get("/api/v1/configs/1").get_json()["value"] == "8"


def test_a_list_takes_three_queries(changed: FlaskClient) -> None:
    """The session, the rows, how many parts each has; all are on the page."""
    with statements(changed) as seen:
        items(changed)
    assert len(seen) == 3, seen


def test_nothing_secret_is_shown(changed: FlaskClient) -> None:
    user = items(changed, "kind=user")[0]
    text = changed.get(f"{HISTORY}?kind=user&object_id={user['object_id']}").text
    assert "$6$" not in text
    assert "password" not in text.replace("change password", "")


def test_an_alias_keeps_a_copy_when_asked(client: FlaskClient) -> None:
    create(client, "domains", name="example.com")
    for name in ("ana", "bob"):
        create(client, "users", email=f"{name}@example.com", password="password")
    pair = {"source": "ana@example.com", "destination": "bob@example.com"}
    create(client, "aliases", **pair, keep_copy=True)
    create(
        client, "aliases", source="@example.com", destination="bob@example.com", keep_mailboxes=True
    )
    sources = [item["source"] for item in client.get("/api/v1/aliases").get_json()["items"]]
    assert sources == ["@example.com", "ana@example.com", "ana@example.com", "bob@example.com"]
    refused(client.post("/api/v1/aliases", json={**pair, "keep_copy": "x"}), 400, "keep_copy")
