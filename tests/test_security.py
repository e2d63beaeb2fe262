"""Requests from other sites, headers, where a sign-in leads, proxies, sessions."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from postmaster import config
from postmaster.db import db
from postmaster.models import Admin, AdminSession
from tests.api.calls import create, listed, refused
from tests.api.test_admins import BOB
from tests.conftest import SECRET_KEY, Prepared, make_app, sign_in

ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "http://localhost.elsewhere.example"},
    {"Origin": "http://localhost:8082"},
    {"Origin": "null"},
]
HERE: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
]
FORM = {"username": "admin", "password": "PostMaster"}


# --- other sites ----------------------------------------------------------------


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_another_site_changes_nothing(client: FlaskClient, headers: dict[str, str]) -> None:
    for method, path in (
        ("POST", "/api/v1/domains"),
        ("PATCH", "/api/v1/configs/1"),
        ("DELETE", "/api/v1/admins/1"),
        ("GET", "/api/v1/admins/1/twofactor/qrcode"),
    ):
        body = {"name": "example.com", "value": "9"}
        refused(client.open(path, method=method, json=body, headers=headers), 403, "another site")
    assert client.get("/logout", headers=headers).status_code == 403
    assert client.post("/logout", headers=headers).status_code == 403
    assert listed(client, "domains") == []


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_another_site_signs_nobody_in(stranger: FlaskClient, headers: dict[str, str]) -> None:
    response = stranger.post("/login", data=FORM, headers=headers)
    assert response.status_code == 403
    assert "another site" in response.text


@pytest.mark.parametrize("headers", HERE)
def test_this_site_and_scripts_may_write(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.post("/api/v1/domains", json={"name": "example.com"}, headers=headers)
    assert response.status_code == 201
    assert client.get("/logout", headers=headers).status_code == 302


def test_a_form_of_a_page_needs_its_token(client: FlaskClient) -> None:
    refusal = client.post("/logout")
    assert refusal.status_code == 400
    assert refusal.mimetype == "text/html"
    assert client.get("/api/v1/domains").status_code == 200


# --- headers --------------------------------------------------------------------

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@pytest.mark.parametrize(
    "path", ["/", "/login", "/nowhere", "/api/v1/domains", "/api/v1/nowhere", "/healthz"]
)
def test_every_answer_has_the_strict_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


def test_the_cookie_is_strict(app: Flask) -> None:
    for base, secure in (("http://localhost", False), ("https://localhost", True)):
        response = app.test_client().post("/login", data=FORM, base_url=base)
        cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("postmaster=")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is secure


# --- where a sign-in leads ------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/users?page=2", "/users?page=2"),
        ("/", "/"),
        ("", "/"),
        ("//elsewhere.example", "/"),
        ("///elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("\\\\elsewhere.example", "/"),
        ("https://elsewhere.example/", "/"),
        ("https:elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("users", "/"),
        ("/\t/elsewhere.example", "/"),
        ("/\n/elsewhere.example", "/"),
        (" //elsewhere.example", "/"),
        ("http://[", "/"),
    ],
)
def test_a_sign_in_leads_only_into_this_site(
    stranger: FlaskClient, target: str, leads_to: str
) -> None:
    response = stranger.post("/login", data=FORM | {"next": target})
    assert response.headers["Location"] == leads_to
    assert stranger.get("/login", query_string={"next": target}).headers["Location"] == leads_to


# --- proxies and hosts ----------------------------------------------------------

FORWARDED = {
    "X-Forwarded-For": "192.0.2.50",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "panel.example",
}


@pytest.fixture
def behind_proxy(prepared_sqlite: Prepared, tmp_path: Path) -> Flask:
    prepared_sqlite.reset()
    uri = prepared_sqlite.app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(False)
    return make_app(uri, tmp_path, proxies=["127.0.0.0/8"], hosts=["panel.example", "localhost"])


@pytest.mark.parametrize(
    ("peer", "first", "ip"),
    [
        ("127.0.0.1", "https://panel.example/api/v1/domains?page=1", "192.0.2.50"),
        ("192.0.2.9", "http://localhost/api/v1/domains?page=1", "192.0.2.9"),
    ],
)
def test_only_a_listed_proxy_is_believed(
    behind_proxy: Flask, peer: str, first: str, ip: str
) -> None:
    browser = behind_proxy.test_client()
    known: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": peer}, "headers": FORWARDED}
    signed_in = browser.post("/login", data=FORM, **known)
    assert ("Secure" in signed_in.headers["Set-Cookie"]) is (peer == "127.0.0.1")
    if peer == "127.0.0.1":  # the cookie is Secure, and the test's browser speaks http
        known["base_url"] = "https://localhost"
    assert browser.get("/api/v1/domains", **known).get_json()["meta"]["first"] == first
    with behind_proxy.app_context():
        assert db.session.query(AdminSession.ip).scalar() == ip
        db.session.remove()
        db.engine.dispose()


def test_other_hosts_are_refused_where_hosts_are_listed(behind_proxy: Flask) -> None:
    browser = behind_proxy.test_client()
    assert browser.get("/login").status_code == 200
    assert browser.get("/login", base_url="http://elsewhere.example").status_code == 400


def test_without_a_secret_key_nothing_is_served(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(config.ConfigError, match="generatekey"):
        make_app(f"sqlite:///{tmp_path}/x", tmp_path, secret_key="")
    with pytest.raises(config.ConfigError, match="secret_key: it must be at least"):
        make_app(f"sqlite:///{tmp_path}/x", tmp_path, secret_key=SECRET_KEY[:15])


# --- sessions -------------------------------------------------------------------


def works(browser: FlaskClient) -> bool:
    return browser.get("/api/v1/domains").status_code == 200


def test_a_sign_in_begins_a_new_session(client: FlaskClient) -> None:
    before = client.get_cookie("postmaster")
    client.post("/login", data=FORM)
    after = client.get_cookie("postmaster")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_a_new_password_ends_the_other_sessions(app: Flask, client: FlaskClient) -> None:
    other = sign_in(app)
    client.patch("/api/v1/admins/1", json={"password": "another one"})
    assert works(client)
    assert not works(other)


def test_another_admins_password_ends_that_admins_sessions(app: Flask, client: FlaskClient) -> None:
    number = create(client, "admins", **BOB)["id"]
    bob = sign_in(app, "bob", "password")
    client.patch(f"/api/v1/admins/{number}", json={"name": "Bobby"})
    assert works(bob)
    client.patch(f"/api/v1/admins/{number}", json={"password": "another one"})
    assert not works(bob)
    assert works(client)


def test_a_deleted_admin_is_signed_out(app: Flask, client: FlaskClient) -> None:
    number = create(client, "admins", **BOB)["id"]
    bob = sign_in(app, "bob", "password")
    client.delete(f"/api/v1/admins/{number}")
    assert not works(bob)


def test_a_deactivated_admin_is_signed_out_and_stays_out(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        db.session.get_one(Admin, 1).active = False
        db.session.commit()
    assert not works(client)
    response = app.test_client().post("/login", data=FORM)
    assert "incorrect" in response.text


def test_an_expired_session_is_over(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        row = db.session.query(AdminSession).one()
        assert (row.expires - row.started).total_seconds() == 12 * 3600
        row.expires = row.started
        db.session.commit()
    assert not works(client)
