"""Suspending and renaming users by the API, and notes on users, domains and aliases."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.models import User
from postmaster.rules.suspensions import MARKER
from tests.api.calls import create, listed, refused

USERS = "/api/v1/users"


@pytest.fixture(autouse=True)
def ana(client: FlaskClient) -> dict[str, Any]:
    for name in ("example.com", "example.org"):
        create(client, "domains", name=name)
    ana = create(client, "users", email="ana@example.com", password="password")
    create(client, "users", email="bob@example.com", password="password")
    create(client, "aliases", source="team@example.com", destination="ana@example.com")
    return ana


def row(client: FlaskClient, user_id: int) -> tuple[str, str]:
    with client.application.app_context():
        user = db.session.get_one(User, user_id)
        return user.email, user.password


def patch(client: FlaskClient, item: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = client.patch(f"{USERS}/{item['id']}", json=fields)
    assert response.status_code == 200, response.text
    changed: dict[str, Any] = response.get_json()
    assert client.get(response.headers["Location"]).get_json() == changed
    return changed


@pytest.mark.parametrize(("mode", "stored"), [("sign-in", ""), ("all", "!")])
def test_a_user_is_suspended_and_resumed(
    client: FlaskClient, ana: dict[str, Any], mode: str, stored: str
) -> None:
    before = row(client, ana["id"])
    assert patch(client, ana, suspended=mode) == ana | {"suspended": mode}
    assert row(client, ana["id"]) == (f"{stored}ana@example.com", MARKER)
    assert [item["email"] for item in listed(client, "users", "suspended=true")] == [ana["email"]]
    assert [i["email"] for i in listed(client, "users", "suspended=0")] == ["bob@example.com"]
    assert listed(client, "users", "search=ana@ex") == [ana | {"suspended": mode}]
    assert patch(client, ana, suspended=None) == ana
    assert row(client, ana["id"]) == before


@pytest.mark.parametrize("value", ["ALL", "", True, 1, ["all"]])
def test_another_mode_is_refused(client: FlaskClient, ana: dict[str, Any], value: object) -> None:
    answer = client.patch(f"{USERS}/{ana['id']}", json={"suspended": value})
    refused(answer, 400, 'suspended must be "sign-in", "all" or null')
    refused(client.get(f"{USERS}?suspended=maybe"), 400, "suspended must be true or false")


def test_a_suspended_address_is_taken(client: FlaskClient, ana: dict[str, Any]) -> None:
    patch(client, ana, suspended="all")
    answer = client.post(USERS, json={"email": "ana@example.com", "password": "password"})
    refused(answer, 400, "is suspended; resume it first")
    answer = client.patch(f"{USERS}/{ana['id']}", json={"email": "anna@example.com"})
    refused(answer, 400, "is suspended; resume it first")


def test_an_address_taken_by_hand_is_a_conflict(client: FlaskClient, ana: dict[str, Any]) -> None:
    patch(client, ana, suspended="all")
    with client.application.app_context():
        db.session.add(User(domain_id=ana["domain_id"], email="ana@example.com", password="x"))
        db.session.commit()
    answer = client.patch(f"{USERS}/{ana['id']}", json={"suspended": None})
    refused(answer, 409, "another user")


def test_a_user_is_renamed_and_what_leads_to_it_follows(
    client: FlaskClient, ana: dict[str, Any]
) -> None:
    changed = patch(client, ana, email="Anna@example.org", keep_alias=True)
    assert changed["email"] == "anna@example.org"
    assert changed["domain_id"] != ana["domain_id"]
    pairs = [(item["source"], item["destination"]) for item in listed(client, "aliases")]
    assert pairs == [
        ("ana@example.com", "anna@example.org"),
        ("team@example.com", "anna@example.org"),
    ]


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("bob@example.com", "already exists"),
        ("team@example.com", "already exists as an alias"),
        ("ana@example.net", "not managed by this database"),
        ("ana", "not a valid email"),
        ("", "was not specified"),
        (5, "must be text"),
        (None, "was not specified"),
    ],
)
def test_a_wrong_new_address_is_refused(
    client: FlaskClient, ana: dict[str, Any], email: object, words: str
) -> None:
    refused(client.patch(f"{USERS}/{ana['id']}", json={"email": email}), 400, words)
    assert client.get(f"{USERS}/{ana['id']}").get_json() == ana


def test_all_at_once_or_nothing(client: FlaskClient, ana: dict[str, Any]) -> None:
    before = row(client, ana["id"])
    body = {"email": "anna@example.com", "note": "x", "password": "short"}
    refused(client.patch(f"{USERS}/{ana['id']}", json=body), 400, "at least 8 characters")
    body |= {"password": "long enough", "note": "x" * 1001}
    refused(client.patch(f"{USERS}/{ana['id']}", json=body), 400, "note is too long")
    assert row(client, ana["id"]) == before
    patch(client, ana, suspended="all")
    body |= {"suspended": None, "note": "moved"}
    changed = patch(client, ana, **body)
    assert changed == ana | {"email": "anna@example.com", "note": "moved"}
    assert row(client, ana["id"])[1] not in (before[1], MARKER)


@pytest.mark.parametrize("noun", ["domains", "users", "aliases"])
def test_a_note_is_on_the_item_and_in_the_list(client: FlaskClient, noun: str) -> None:
    (item, *_others) = listed(client, noun)
    path = f"/api/v1/{noun}/{item['id']}"
    for sent, kept in ((" Pays\r\nuntil May ", "Pays\nuntil May"), ("", ""), (None, "")):
        response = client.patch(path, json={"note": sent})
        assert response.get_json() == item | {"note": kept}
        found = [item["note"] for item in listed(client, noun, "search=UNTIL")]
        assert found == ([kept] if kept else [])
    for bad in (5, ["x"]):
        refused(client.patch(path, json={"note": bad}), 400, "note must be text")
    refused(client.patch(path, json={"note": "a\x00b"}), 400, "letters, signs and line ends")


def test_a_note_comes_with_what_is_new(client: FlaskClient) -> None:
    assert create(client, "domains", name="new.example", note="x")["note"] == "x"
    user = create(client, "users", email="a@new.example", password="password", note="y")
    assert user["note"] == "y"
    alias = create(client, "aliases", source="b@new.example", destination="a@new.example", note="z")
    assert alias["note"] == "z"
