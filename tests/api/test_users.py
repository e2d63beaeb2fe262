"""/api/v1/users, as the contract has it."""

import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.models import User
from postmaster.rules import passwords
from tests.api.calls import create, listed, refused
from tests.conftest import set_setting

USERS = "/api/v1/users"
ANA = {"email": "ana@example.com", "password": "password"}


@pytest.fixture(autouse=True)
def domain(client: FlaskClient) -> int:
    return int(create(client, "domains", name="example.com")["id"])


def hash_of(client: FlaskClient, email: str) -> str:
    with client.application.app_context():
        return db.session.query(User.password).filter_by(email=email).scalar() or ""


def test_a_user_is_created_with_a_hash_that_dovecot_reads(client: FlaskClient, domain: int) -> None:
    item = create(client, "users", email=" Ana@EXAMPLE.com", password="pass word ü")
    assert item == {
        "id": item["id"],
        "domain_id": domain,
        "email": "ana@example.com",
        "suspended": None,
        "note": "",
    }
    stored = hash_of(client, "ana@example.com")
    assert len(stored) == 106
    assert stored.startswith("$6$")
    assert passwords.MAIL_SCHEME.verify("pass word ü", stored)


@pytest.mark.parametrize(
    ("body", "key_words"),
    [
        ({"password": "password"}, "email address was not specified"),
        ({"email": None, "password": "password"}, "email address was not specified"),
        ({"email": "  ", "password": "password"}, "email address was not specified"),
        ({"email": 5, "password": "password"}, "must be text"),
        ({"email": "ana@example.com"}, "password was not specified"),
        ({"email": "ana@example.com", "password": ""}, "password was not specified"),
        ({"email": "ana@example.com", "password": " " * 9}, "password was not specified"),
        ({"email": "ana@example.com", "password": ["password"]}, "must be text"),
        ({"email": "ana@example.com", "password": "1234567"}, "at least 8 characters"),
        ({"email": "ana@example.com", "password": "pass\x00word"}, "control characters"),
        ({"email": "ana@example.com", "password": "x" * 512}, "too long"),
        ({"email": "ana", "password": "password"}, "not a valid email"),
        ({"email": "ana@", "password": "password"}, "not a valid email"),
        ({"email": "@example.com", "password": "password"}, "not a valid email"),
        ({"email": "a@b@example.com", "password": "password"}, "not a valid email"),
        ({"email": "a+b@example.com", "password": "password"}, "not a valid email"),
        ({"email": ".a@example.com", "password": "password"}, "not a valid email"),
        ({"email": "a..b@example.com", "password": "password"}, "not a valid email"),
        ({"email": "-a@example.com", "password": "password"}, "not a valid email"),
        ({"email": "jürgen@example.com", "password": "password"}, "not a valid email"),
        ({"email": "a, b@example.com", "password": "password"}, "not a valid email"),
        ({"email": "a\r\nb@example.com", "password": "password"}, "not a valid email"),
        ({"email": f"{'a' * 65}@example.com", "password": "password"}, "at most 64"),
        ({"email": "ana@example.net", "password": "password"}, "not managed by this database"),
    ],
)
def test_a_bad_user_is_refused(
    client: FlaskClient, body: dict[str, object], key_words: str
) -> None:
    refused(client.post(USERS, json=body), 400, key_words)
    assert listed(client, "users") == []


def test_an_address_is_one_user_in_any_case(client: FlaskClient) -> None:
    create(client, "users", **ANA)
    refused(client.post(USERS, json=ANA | {"email": "ANA@example.COM"}), 400, "already exists")


def test_the_setting_decides_how_short_a_password_may_be(client: FlaskClient) -> None:
    set_setting(client, "Minimum Password Length", "12")
    refused(client.post(USERS, json=ANA), 400, "at least 12 characters")
    set_setting(client, "Minimum Password Length", "0")
    create(client, "users", email="ana@example.com", password="x")


def test_an_alias_of_the_name_would_take_the_mail(client: FlaskClient) -> None:
    create(client, "users", email="bob@example.com", password="password")
    create(client, "aliases", source="ana@example.com", destination="bob@example.com")
    refused(client.post(USERS, json=ANA), 400, "already exists", "alias")
    create(client, "users", **ANA, keep_copy=True)
    assert [item["destination"] for item in listed(client, "aliases")] == [
        "bob@example.com",
        "ana@example.com",
    ]


def test_a_password_is_changed(client: FlaskClient) -> None:
    user = create(client, "users", **ANA)
    before = hash_of(client, "ana@example.com")
    response = client.patch(f"{USERS}/{user['id']}", json={"password": "another one"})
    assert (response.status_code, response.get_json()) == (200, user)
    after = hash_of(client, "ana@example.com")
    assert after != before
    assert passwords.MAIL_SCHEME.verify("another one", after)


@pytest.mark.parametrize(
    ("body", "key_words"),
    [
        ({}, "password was not supplied"),
        ({"password": None}, "password was not supplied"),
        ({"password": " "}, "password was not supplied"),
        ({"keep_alias": True}, "password was not supplied"),
        ({"password": "short"}, "at least 8 characters"),
        ({"password": 12345678}, "must be text"),
    ],
)
def test_a_bad_password_changes_nothing(
    client: FlaskClient, body: dict[str, object], key_words: str
) -> None:
    user = create(client, "users", **ANA)
    before = hash_of(client, "ana@example.com")
    refused(client.patch(f"{USERS}/{user['id']}", json=body), 400, key_words)
    assert hash_of(client, "ana@example.com") == before


def test_a_deleted_user_takes_along_the_aliases_that_lead_to_it(client: FlaskClient) -> None:
    ana = create(client, "users", **ANA)
    create(client, "users", email="bob@example.com", password="password")
    create(client, "aliases", source="team@example.com", destination="ana@example.com")
    kept = create(client, "aliases", source="team@example.com", destination="bob@example.com")
    assert client.delete(f"{USERS}/{ana['id']}").status_code == 204
    assert [item["email"] for item in listed(client, "users")] == ["bob@example.com"]
    assert listed(client, "aliases") == [kept]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_an_unknown_user_is_not_found(client: FlaskClient, method: str) -> None:
    refused(client.open(f"{USERS}/4711", method=method, json=ANA), 404, "not found")


def test_users_are_listed_by_domain(client: FlaskClient) -> None:
    other = create(client, "domains", name="example.org")["id"]
    create(client, "users", **ANA)
    create(client, "users", email="bob@example.org", password="password")
    assert [u["email"] for u in listed(client, "users", f"domain_id={other}")] == [
        "bob@example.org"
    ]
    refused(client.get(f"{USERS}?domain_id=x"), 400, "domain_id")
