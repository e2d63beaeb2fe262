"""Every field of every call, with everything that people and machines get wrong.

A refusal is a 4xx in the contract's shape and changes nothing; what is taken
reads back as it was sent. Nothing is a 5xx, and nothing is stored cut.
"""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from postmaster.db import db
from postmaster.models import Base
from tests.api.calls import create

MISSING = object()
BAD: dict[str, object] = {
    "missing": MISSING,
    "null": None,
    "a number": 7,
    "a fraction": 1.5,
    "a list": ["ana@example.com"],
    "an object": {"a": 1},
    "true": True,
    "empty": "",
    "blank": " \t ",
    "too long": "a" * 600,
    "far too long": "a" * 100_000,
    "NUL": "a\x00b@example.com",
    "a control character": "a\x07b@example.com",
    "a line end": "a\r\nb@example.com",
    "half a surrogate": "\ud800@example.com",
    "four bytes": "\U0001f600@example.com",
    "a quote": "a'b\"c@example.com",
    "a percent sign": "a%s@example.com",
    "an underscore": "_",
    "a backslash": "a\\b@example.com",
    "a hyphen first": "-rf@example.com",
    "a path": "../../etc/passwd",
    "a comma list": "ana@example.com,bob@example.com",
    "mixed case": "ANA@Example.COM",
    "an international name": "ana@b\u00fccher.example",
    "an A-label": "ana@xn--bcher-kva.example",
    "right to left": "\u202eana@example.com",
    "markup": "<script>alert(1)</script>",
}
# Each field of each call: the method, the path, the rest of the body, the field.
FIELDS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a new domain's name": ("POST", "domains", {}, "name"),
    "a domain's name": ("PATCH", "domains/{domain}", {}, "name"),
    "a new user's email": ("POST", "users", {"password": "password"}, "email"),
    "a new user's password": ("POST", "users", {"email": "new@example.com"}, "password"),
    "a new user's keep_copy": (
        "POST",
        "users",
        {"email": "new@example.com", "password": "password"},
        "keep_copy",
    ),
    "a user's password": ("PATCH", "users/{user}", {}, "password"),
    "a new alias's source": ("POST", "aliases", {"destination": "ana@example.com"}, "source"),
    "a new alias's destination": ("POST", "aliases", {"source": "a@example.com"}, "destination"),
    "an alias's source": ("PATCH", "aliases/{alias}", {}, "source"),
    "an alias's destination": ("PATCH", "aliases/{alias}", {}, "destination"),
    "a new admin's username": ("POST", "admins", {"password": "password", "name": "B"}, "username"),
    "a new admin's password": ("POST", "admins", {"username": "bob", "name": "B"}, "password"),
    "a new admin's name": ("POST", "admins", {"username": "bob", "password": "password"}, "name"),
    "an admin's username": ("PATCH", "admins/{admin}", {}, "username"),
    "an admin's password": ("PATCH", "admins/{admin}", {}, "password"),
    "an admin's name": ("PATCH", "admins/{admin}", {}, "name"),
    "a setting": ("PATCH", "configs/10", {}, "value"),
    "a number setting": ("PATCH", "configs/1", {}, "value"),
    "a switch": ("PATCH", "configs/12", {}, "value"),
    "the second factor": ("PATCH", "admins/1/twofactor", {}, "enabled"),
    "a code": ("POST", "admins/1/twofactor/verify", {}, "code"),
}
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"name=example.com",
    "half of JSON": b'{"name": "example.com"',
    "a list": b'[{"name": "example.com"}]',
    "a text": b'"example.com"',
    "null": b"null",
    "not a number": b'{"name": NaN}',
    "a deep list": b"[" * 100_000,
    "a deep object": b'{"name":' * 100_000,
    "a number of 5,000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "no UTF-8": b'{"name": "\xff\xfe"}',
}


@pytest.fixture
def numbers(client: FlaskClient) -> dict[str, int]:
    """One of each kind, to change."""
    create(client, "domains", name="example.com")
    return {
        "domain": create(client, "domains", name="empty.example")["id"],
        "user": create(client, "users", email="ana@example.com", password="password")["id"],
        "alias": create(
            client, "aliases", source="sales@example.com", destination="ana@example.com"
        )["id"],
        "admin": create(client, "admins", username="carl", password="password", name="C")["id"],
    }


def everything(client: FlaskClient) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, but for the counters of turns."""
    with client.application.app_context():
        return {
            table.name: sorted((tuple(row) for row in db.session.execute(select(table))), key=str)
            for table in Base.metadata.sorted_tables
            if table.name != "postmaster_turns"
        }


def check_refusal(response: TestResponse) -> None:
    body = response.get_json()
    assert 400 <= response.status_code < 500, response.text
    assert body["status"] == response.status_code
    assert len(body["message"]) > 10
    assert len(body["message"]) < 500


@pytest.mark.parametrize(("method", "path", "rest", "field"), FIELDS.values(), ids=FIELDS.keys())
def test_a_bad_value_is_refused_and_changes_nothing(
    client: FlaskClient,
    numbers: dict[str, int],
    method: str,
    path: str,
    rest: dict[str, Any],
    field: str,
) -> None:
    url = f"/api/v1/{path.format(**numbers)}"
    for kind, value in BAD.items():
        body = rest if value is MISSING else rest | {field: value}
        before = everything(client)
        response = client.open(url, method=method, json=body)
        if response.status_code < 300:
            check_taken(client, response, field, value, kind)
            put_back(client, response, method, numbers)
        else:
            check_refusal(response)
            assert everything(client) == before, kind


def check_taken(
    client: FlaskClient, response: TestResponse, field: str, value: object, kind: str
) -> None:
    """What is taken is legal there, and is stored whole."""
    item = response.get_json()
    if field in ("keep_copy", "enabled", "password") or value is MISSING:
        return
    stored = item[field]
    expected = value.strip() if isinstance(value, str) else value
    if field == "value":
        assert (stored or "").lower() == str(expected or "").lower(), kind
    elif field == "name" and "username" in item:
        assert stored == expected, kind
    else:
        assert "xn--" in stored or stored == str(expected).lower(), kind
    if "Location" in response.headers:
        assert client.get(response.headers["Location"]).get_json() == item


def put_back(
    client: FlaskClient, response: TestResponse, method: str, numbers: dict[str, int]
) -> None:
    """Undo a legal change, so that the next value meets the same rows."""
    if method == "POST" and "Location" in response.headers:
        client.delete(response.headers["Location"])
    elif f"/admins/{numbers['admin']}" in response.headers.get("Location", ""):
        client.patch(response.headers["Location"], json={"username": "carl", "name": "C"})


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_no_object_is_an_invalid_request(client: FlaskClient, body: bytes) -> None:
    before = everything(client)
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        response = client.post("/api/v1/domains", data=body, content_type=content_type)
        check_refusal(response)
        assert "invalid request" in response.get_json()["message"].lower()
    assert everything(client) == before


def test_a_body_of_ten_megabytes_is_too_large(client: FlaskClient) -> None:
    body = b'{"name": "' + b"a" * 10_000_000 + b'"}'
    response = client.post("/api/v1/domains", data=body)
    check_refusal(response)
    assert response.status_code == 413


def test_json_is_read_without_its_content_type(client: FlaskClient) -> None:
    response = client.post(
        "/api/v1/domains",
        data='{"name": "example.com"}',
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 201


def test_what_is_not_known_is_not_looked_at(client: FlaskClient) -> None:
    body = {"name": "example.com", "id": 4711, "colour": "blue"}
    response = client.post("/api/v1/domains", json=body)
    assert response.status_code == 201
    assert response.get_json()["id"] != 4711


@pytest.mark.parametrize("noun", ["domains", "users", "aliases", "admins", "configs"])
@pytest.mark.parametrize("number", ["0", "-1", "2147483648", str(2**63), "9" * 40, "abc", "1.5"])
def test_an_id_that_is_none_is_not_found(client: FlaskClient, noun: str, number: str) -> None:
    response = client.get(f"/api/v1/{noun}/{number}")
    check_refusal(response)
    assert response.status_code == 404
