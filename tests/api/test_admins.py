"""/api/v1/admins and the second factor, as the contract has it."""

from collections.abc import Callable

import pyotp
import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.models import Admin
from tests.api.calls import create, listed, refused
from tests.conftest import set_setting, sign_in

ADMINS = "/api/v1/admins"
BOB = {"username": "bob", "password": "password", "name": "Bob \U0001f600"}
FIELDS = {
    "id",
    "name",
    "username",
    "source",
    "failed_attempts",
    "last_failed_date",
    "last_sign_in",
    "unlock_date",
    "locked",
    "two_factor",
}


def secret_of(client: FlaskClient, number: int) -> str:
    with client.application.app_context():
        return db.session.get_one(Admin, number).otp_secret or ""


def turn_on(client: FlaskClient, number: int = 1) -> list[str]:
    """Turn on one's own second factor; the recovery codes."""
    assert client.get(f"{ADMINS}/{number}/twofactor/qrcode").status_code == 200
    code = pyotp.TOTP(secret_of(client, number)).now()
    response = client.post(f"{ADMINS}/{number}/twofactor/verify", json={"code": code})
    assert response.status_code == 200, response.text
    codes: list[str] = response.get_json()["recovery_codes"]
    return codes


def test_an_admin_is_created_and_signs_in(client: FlaskClient) -> None:
    item = create(client, "admins", **BOB | {"username": " Bob "})
    assert set(item) == FIELDS
    assert (item["username"], item["name"], item["source"]) == ("bob", "Bob \U0001f600", "local")
    assert (item["locked"], item["two_factor"], item["failed_attempts"]) == (False, False, 0)
    sign_in(client.application, "BOB", "password")


@pytest.mark.parametrize(
    ("change", "key_words"),
    [
        ({"username": None}, "username was not specified"),
        ({"username": " "}, "username was not specified"),
        ({"username": "a\nb"}, "control characters"),
        ({"username": "u" * 121}, "too long"),
        ({"username": ["bob"]}, "must be text"),
        ({"username": "ADMIN"}, "already exists"),
        ({"password": None}, "password was not specified"),
        ({"password": "  "}, "password was not specified"),
        ({"password": "1234567"}, "at least 8 characters"),
        ({"password": "ü" * 37}, "too long"),
        ({"name": None}, "name was not specified"),
        ({"name": ""}, "name was not specified"),
        ({"name": "a\x00b"}, "control characters"),
        ({"name": "n" * 51}, "too long"),
    ],
)
def test_a_bad_admin_is_refused(
    client: FlaskClient, change: dict[str, object], key_words: str
) -> None:
    refused(client.post(ADMINS, json=BOB | change), 400, key_words)
    assert [item["username"] for item in listed(client, "admins")] == ["admin"]


@pytest.mark.parametrize("field", ["username", "password", "name"])
def test_a_missing_field_is_refused(client: FlaskClient, field: str) -> None:
    body = {name: value for name, value in BOB.items() if name != field}
    refused(client.post(ADMINS, json=body), 400, f"{field} was not specified")


def test_several_fields_are_changed_at_once(client: FlaskClient) -> None:
    number = create(client, "admins", **BOB)["id"]
    body = {"username": "Robert", "name": "Robert", "password": "another one"}
    item = client.patch(f"{ADMINS}/{number}", json=body).get_json()
    assert (item["username"], item["name"]) == ("robert", "Robert")
    sign_in(client.application, "robert", "another one")


@pytest.mark.parametrize(
    ("body", "key_words"),
    [
        ({}, "username, password, or name was not supplied"),
        ({"username": "admin"}, "already exists"),
        ({"username": ""}, "username was not specified"),
        ({"name": " "}, "name was not specified"),
        ({"password": "short"}, "at least 8 characters"),
        ({"name": "fine", "password": "short"}, "at least 8 characters"),
    ],
)
def test_a_bad_change_changes_nothing(
    client: FlaskClient, body: dict[str, object], key_words: str
) -> None:
    item = create(client, "admins", **BOB)
    refused(client.patch(f"{ADMINS}/{item['id']}", json=body), 400, key_words)
    assert client.get(f"{ADMINS}/{item['id']}").get_json() == item
    sign_in(client.application, "bob", "password")


def test_a_change_answers_the_item_and_its_place(client: FlaskClient) -> None:
    path = f"{ADMINS}/{create(client, 'admins', **BOB)['id']}"
    for response in (
        client.patch(path, json={"name": "Robert"}),
        client.patch(path, json={"password": "another one"}),
        client.patch(path, json={"username": "bob"}),
        client.patch(f"{path}/unlock"),
    ):
        assert response.status_code == 200
        # Not a path: mod_wsgi takes that for a redirect of its own.
        assert response.headers["Location"] == f"http://localhost{path}"
        assert response.get_json() == client.get(path).get_json()
    assert client.get(path).get_json()["name"] == "Robert"


def test_the_least_length_is_that_of_the_setting(client: FlaskClient) -> None:
    set_setting(client, "Minimum Password Length", "12")
    refused(client.post(ADMINS, json=BOB | {"password": "x" * 11}), 400, "at least 12 characters")
    refused(client.patch(f"{ADMINS}/1", json={"password": "x" * 11}), 400, "at least 12 characters")
    create(client, "admins", **BOB | {"password": "x" * 12})


def test_admins_are_listed_by_username_and_searched(client: FlaskClient) -> None:
    for username in ("zoe", "bob", "aa_b"):
        create(client, "admins", **BOB | {"username": username})
    usernames = [item["username"] for item in listed(client, "admins")]
    assert usernames == ["aa_b", "admin", "bob", "zoe"]
    found = [item["username"] for item in listed(client, "admins", "search=B")]
    assert found == ["aa_b", "bob"]
    assert [item["username"] for item in listed(client, "admins", "search=_")] == ["aa_b"]
    assert all(set(item) == FIELDS for item in listed(client, "admins"))


def test_an_admin_is_unlocked(client: FlaskClient) -> None:
    number = create(client, "admins", **BOB)["id"]
    stranger = client.application.test_client()
    for _ in range(5):
        stranger.post("/login", data={"username": "bob", "password": "wrong"})
    locked = client.get(f"{ADMINS}/{number}").get_json()
    assert (locked["locked"], locked["failed_attempts"]) == (True, 5)
    assert locked["unlock_date"].endswith(" GMT")
    unlocked = client.patch(f"{ADMINS}/{number}/unlock").get_json()
    assert (unlocked["locked"], unlocked["failed_attempts"]) == (False, 0)
    assert (unlocked["unlock_date"], unlocked["last_failed_date"]) == (None, None)
    sign_in(client.application, "bob", "password")


def test_the_last_admin_stays(client: FlaskClient) -> None:
    refused(client.delete(f"{ADMINS}/1"), 400, "at least one")
    number = create(client, "admins", **BOB)["id"]
    assert client.delete(f"{ADMINS}/{number}").status_code == 204
    refused(client.get(f"{ADMINS}/{number}"), 404, "not found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("PATCH", "/unlock"),
        ("GET", "/twofactor"),
        ("PATCH", "/twofactor"),
        ("GET", "/twofactor/qrcode"),
        ("POST", "/twofactor/verify"),
        ("POST", "/twofactor/recoverycodes"),
    ],
)
def test_an_unknown_admin_is_not_found(client: FlaskClient, method: str, path: str) -> None:
    body = {"name": "x", "enabled": False, "code": "123456"}
    refused(client.open(f"{ADMINS}/4711{path}", method=method, json=body), 404, "not found")


# --- second factor --------------------------------------------------------------


def test_the_qr_code_is_fresh_and_never_cached(client: FlaskClient) -> None:
    response = client.get(f"{ADMINS}/1/twofactor/qrcode")
    assert response.mimetype == "image/svg+xml"
    assert b"<svg" in response.data
    assert response.headers["Cache-Control"] == "no-store"
    first = secret_of(client, 1)
    assert len(first) == 32
    client.get(f"{ADMINS}/1/twofactor/qrcode")
    assert secret_of(client, 1) != first


def test_only_ones_own_qr_code_is_shown(client: FlaskClient) -> None:
    number = create(client, "admins", **BOB)["id"]
    refused(client.get(f"{ADMINS}/{number}/twofactor/qrcode"), 400, "may not view")
    assert secret_of(client, number) == ""


def test_a_verified_code_turns_it_on_and_gives_recovery_codes_once(client: FlaskClient) -> None:
    codes = turn_on(client)
    assert len(set(codes)) == 10
    assert client.get(f"{ADMINS}/1/twofactor").get_json() == {"enabled": True}
    assert client.get(f"{ADMINS}/1/twofactor/qrcode").status_code == 204
    renewed = client.post(f"{ADMINS}/1/twofactor/recoverycodes").get_json()["recovery_codes"]
    assert len(renewed) == 10
    assert not set(codes) & set(renewed)


@pytest.mark.parametrize(
    ("body", "key_words"),
    [
        ({}, "code was not supplied"),
        ({"code": None}, "code was not supplied"),
        ({"code": " "}, "code was not supplied"),
        ({"code": "000000"}, "invalid code"),
        ({"code": "12345"}, "invalid code"),
        ({"code": "abcdef"}, "invalid code"),
        ({"code": -1}, "invalid code"),
        ({"code": 10**40}, "invalid code"),
        ({"code": True}, "must be"),
        ({"code": {}}, "must be"),
    ],
)
def test_a_bad_code_is_refused(
    client: FlaskClient, body: dict[str, object], key_words: str
) -> None:
    client.get(f"{ADMINS}/1/twofactor/qrcode")
    refused(client.post(f"{ADMINS}/1/twofactor/verify", json=body), 400, key_words)
    assert client.get(f"{ADMINS}/1/twofactor").get_json() == {"enabled": False}


def test_there_is_no_code_before_there_is_a_secret(client: FlaskClient) -> None:
    response = client.post(f"{ADMINS}/1/twofactor/verify", json={"code": "123456"})
    refused(response, 400, "not been generated")


@pytest.mark.parametrize("as_sent", [int, str])
def test_a_code_is_taken_as_a_number_or_as_text(
    client: FlaskClient, as_sent: Callable[[str], object]
) -> None:
    """A number has lost its leading zeros on the way, so a secret is sought that gives some."""
    code = "1"
    while not code.startswith("0"):
        client.get(f"{ADMINS}/1/twofactor/qrcode")
        code = pyotp.TOTP(secret_of(client, 1)).now()
    body = {"code": as_sent(code)}
    assert client.post(f"{ADMINS}/1/twofactor/verify", json=body).status_code == 200
    assert client.get(f"{ADMINS}/1").get_json()["two_factor"] is True
    refused(client.post(f"{ADMINS}/1/twofactor/verify", json=body), 400, "invalid code")


def test_another_admin_sees_and_turns_off_but_does_not_turn_on(client: FlaskClient) -> None:
    path = f"{ADMINS}/{create(client, 'admins', **BOB)['id']}"
    turn_on(sign_in(client.application, "bob", "password"), int(path.rpartition("/")[2]))
    assert client.get(f"{path}/twofactor").get_json() == {"enabled": True}
    refused(client.get(f"{path}/twofactor/qrcode"), 400, "may not view")
    response = client.patch(f"{path}/twofactor", json={"enabled": False})
    assert response.get_json() == {"enabled": False}
    sign_in(client.application, "bob", "password")


@pytest.mark.parametrize("enabled", [False, "False", "false"])
def test_it_is_turned_off(client: FlaskClient, enabled: object) -> None:
    turn_on(client)
    response = client.patch(f"{ADMINS}/1/twofactor", json={"enabled": enabled})
    assert (response.status_code, response.get_json()) == (200, {"enabled": False})
    assert secret_of(client, 1) == ""


@pytest.mark.parametrize(
    ("body", "key_words"),
    [
        ({"enabled": True}, "cannot enable"),
        ({"enabled": "True"}, "cannot enable"),
        ({}, "invalid parameter"),
        ({"enabled": "maybe"}, "invalid parameter"),
        ({"enabled": ""}, "invalid parameter"),
    ],
)
def test_it_cannot_be_turned_on_without_a_code(
    client: FlaskClient, body: dict[str, object], key_words: str
) -> None:
    refused(client.patch(f"{ADMINS}/1/twofactor", json=body), 400, key_words)


def test_recovery_codes_need_a_second_factor_of_ones_own(client: FlaskClient) -> None:
    number = create(client, "admins", **BOB)["id"]
    refused(client.post(f"{ADMINS}/1/twofactor/recoverycodes"), 400, "not turned on")
    refused(client.post(f"{ADMINS}/{number}/twofactor/recoverycodes"), 400, "may not view")
