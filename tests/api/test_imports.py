"""/api/v1/imports and /api/v1/export."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.rules import passwords
from postmaster.rules.users import by_email
from tests.conftest import ADMIN
from tests.rules.mail import HASH, fill

FILE = f"""\
kind,address,destination,hash
domain,new.example,,
user,ana@new.example,,{HASH}
user,x@missing.example,,{HASH}
"""
URL = "/api/v1/imports"


@pytest.fixture
def mail(client: FlaskClient) -> FlaskClient:
    with client.application.app_context():
        fill()
    return client


def send(client: FlaskClient, text: str = FILE, **choices: Any) -> dict[str, Any]:
    body = {"files": [{"name": "mail.csv", "text": text}], **choices}
    response = client.post(URL, json=body)
    assert response.status_code == 201, response.text
    item: dict[str, Any] = response.get_json()
    assert response.headers["Location"] == f"{URL}/{item['id']}"
    return item


def test_a_plan_a_run_and_what_it_was(mail: FlaskClient) -> None:
    item = send(mail)
    assert item["planned"] == {"create": 2, "error": 1}
    assert (item["done"], item["total"], item["finished"], item["change"]) == (0, 3, False, None)
    url = f"{URL}/{item['id']}"
    plan = mail.get(f"{url}/plan?verdict=error").get_json()
    assert (plan["total"], plan["pages"]) == (1, 1)
    assert plan["items"][0]["name"] == "x@missing.example"
    assert "not managed by this database" in plan["items"][0]["reason"]
    assert [one["id"] for one in mail.get(URL).get_json()["items"]] == [item["id"]]
    done = mail.post(f"{url}/run").get_json()
    assert done["finished"] is True
    assert done["counts"] == {"create": 2, "error": 1}
    assert mail.get(URL).get_json() == {"items": []}
    undone = mail.post(f"/api/v1/history/{done['change']}/undo")
    assert undone.status_code == 200
    assert mail.get("/api/v1/users?search=ana@new").get_json()["items"] == []


def test_half_of_a_character_is_refused_with_its_line(mail: FlaskClient) -> None:
    item = send(mail, r'{"users": [{"\ud800": "x"}, {"email": "new@one.example\ud800"}]}')
    assert item["planned"] == {"error": 2}
    (first, _second) = mail.get(f"{URL}/{item['id']}/plan?verdict=error").get_json()["items"]
    assert first["reason"] == "A text in it has half of a character (a lone surrogate)"


def test_passwords_are_generated_shown_and_removed(mail: FlaskClient) -> None:
    item = send(mail, "kind,address\nuser,new@one.example\n", generate=True)
    url = f"{URL}/{item['id']}"
    assert mail.get(f"{url}/passwords").status_code == 404
    assert mail.post(f"{url}/run").get_json()["has_passwords"] is True
    (secret,) = mail.get(f"{url}/passwords").get_json()["items"]
    with mail.application.app_context():
        stored = by_email(db.session(), ADMIN, "new@one.example").password
    assert passwords.matches_mail(secret["password"], stored)
    assert mail.delete(url).status_code == 204
    assert mail.get(f"{url}/passwords").status_code == 404


def test_an_import_that_is_not_wanted_is_gone(mail: FlaskClient) -> None:
    url = f"{URL}/{send(mail)['id']}"
    assert mail.delete(url).status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/plan"), ("POST", "/run")):
        assert mail.open(f"{url}{path}", method=method).status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "The files were not specified"),
        ({"files": []}, "Give 1 to 10 files"),
        ({"files": "x"}, "must be a list"),
        ({"files": [1]}, "The files must be a list of objects with name and text"),
        ({"files": [None]}, "The files must be a list of objects with name and text"),
        ({"files": [{"name": "a\ud800", "text": "x"}]}, "The name must be text"),
        ({"files": [{"name": "a", "text": "\ud800"}]}, "The text must be text"),
        ({"files": [{"name": "a", "text": '{["a"]: []}'}]}, "cannot be read"),
        ({"files": [{"name": "a"}]}, "The text was not specified"),
        ({"files": [{"name": "a", "text": "a,b"}]}, "not known"),
        ({"files": [{"name": "a", "text": "x"}], "format": "x"}, "must be one of: json, csv"),
        ({"files": [{"name": "a", "text": "x"}], "update": "x"}, "update must be true or false"),
        ({"files": [{"name": "a", "text": "x"}], "update": None}, "update must be true or false"),
        ({"files": [{"name": "a", "text": "x"}], "format": []}, "must be one of: json, csv"),
    ],
)
def test_what_is_wrong_is_refused(mail: FlaskClient, body: dict[str, Any], words: str) -> None:
    response = mail.post(URL, json=body)
    assert response.status_code == 400
    assert words in response.get_json()["message"]


def test_a_file_may_be_larger_than_other_bodies(mail: FlaskClient) -> None:
    assert send(mail, FILE + "\n" * (2 * 1024 * 1024))["total"] == 3
    response = mail.post("/api/v1/domains", json={"name": "x" * (2 * 1024 * 1024)})
    assert response.status_code == 413


def test_an_export_is_what_an_import_reads(mail: FlaskClient) -> None:
    response = mail.get("/api/v1/export")
    assert response.mimetype == "text/csv"
    assert send(mail, response.text)["planned"].keys() == {"skip"}
    assert mail.get("/api/v1/export?format=yaml&domain=two.example").text.startswith("governs:")
    assert mail.get("/api/v1/export?format=json").get_json()["domains"][0]["name"] == "one.example"


@pytest.mark.parametrize("name", ["csv", "json", "yaml"])
def test_an_export_gives_its_connection_back(mail: FlaskClient, name: str) -> None:
    """It is written after the request that asked for it."""
    with mail.get(f"/api/v1/export?format={name}") as response:
        assert "one.example" in response.text
    with mail.application.app_context():
        assert "Current Checked out connections: 0" in db.engine.pool.status()


@pytest.mark.parametrize(("query", "status"), [("format=x", 400), ("domain=unknown.example", 404)])
def test_an_export_that_cannot_be(mail: FlaskClient, query: str, status: int) -> None:
    assert mail.get(f"/api/v1/export?{query}").status_code == status


def test_another_site_gets_no_export(mail: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert mail.get("/api/v1/export", headers=headers).status_code == 403
