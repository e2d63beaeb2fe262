"""Requests from other sites, the forms' token, headers, where a sign-in leads."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from postmaster import config
from postmaster.db import db
from postmaster.models import SignInFailure
from tests.api.calls import create, listed, refused
from tests.conftest import SECRET_KEY, make_app, set_setting

ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "http://localhost.elsewhere.example"},
    {"Origin": "http://localhost:8082"},
    {"Origin": "http://elsewhere.example/localhost"},
    {"Origin": "http://elsewhere.example#localhost"},
    {"Origin": "localhost"},
    {"Origin": "null"},
    {"Origin": ""},
]
HERE: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
]
FORM = {"username": "admin", "password": "PostMaster"}
SAFE = {"GET", "HEAD", "OPTIONS"}


# --- other sites ----------------------------------------------------------------


def writes(app: Flask) -> Iterator[tuple[str, str]]:
    """Every method and path of the API that changes something."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.rule.startswith("/api/v1/"):
                path = app.url_for(rule.endpoint, **dict.fromkeys(rule.arguments, 1))
                for method in sorted((rule.methods or set()) - SAFE):
                    yield method, path
    yield "GET", "/api/v1/admins/1/twofactor/qrcode"


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_another_site_changes_nothing_by_any_call(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    calls = list(writes(client.application))
    assert len(calls) >= 19
    for method, path in calls:
        body = {"name": "example.com", "value": "9", "enabled": False, "password": "another one"}
        refused(client.open(path, method=method, json=body, headers=headers), 403, "another site")
    assert listed(client, "domains") == []
    assert client.get("/api/v1/configs/1").get_json()["value"] == "8"


@pytest.mark.parametrize("headers", ELSEWHERE)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_another_site_signs_nobody_out(
    client: FlaskClient, method: str, headers: dict[str, str]
) -> None:
    response = client.open("/logout", method=method, headers=headers)
    assert response.status_code == 403
    assert response.mimetype == "text/html"
    assert client.get("/api/v1/domains").status_code == 200


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_another_site_signs_nobody_in_and_counts_as_no_attempt(
    app: Flask, stranger: FlaskClient, headers: dict[str, str]
) -> None:
    response = stranger.post("/login", data=FORM, headers=headers)
    assert response.status_code == 403
    assert "another site" in response.text
    assert stranger.get("/api/v1/domains").status_code == 401
    stranger.post("/login", data=FORM | {"password": "wrong"}, headers=headers)
    with app.app_context():
        assert db.session.query(SignInFailure).count() == 0


@pytest.mark.parametrize("headers", HERE)
def test_this_site_and_scripts_may_write(stranger: FlaskClient, headers: dict[str, str]) -> None:
    assert stranger.post("/login", data=FORM, headers=headers).status_code == 302
    response = stranger.post("/api/v1/domains", json={"name": "example.com"}, headers=headers)
    assert response.status_code == 201
    qr_code = stranger.get("/api/v1/admins/1/twofactor/qrcode", headers=headers)
    assert qr_code.status_code == 200
    assert stranger.get("/logout", headers=headers).status_code == 302
    assert stranger.get("/api/v1/domains").status_code == 401


def test_a_link_on_another_site_may_lead_to_a_page(client: FlaskClient) -> None:
    for path in ("/domains", "/api/v1/domains", "/healthz"):
        assert client.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
    stranger = client.application.test_client()
    assert stranger.get("/login", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


# --- the token of the pages' forms ----------------------------------------------


def token_of(browser: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/").text)
    assert found is not None
    return found[1]


def test_the_form_of_a_page_works_with_its_token(client: FlaskClient) -> None:
    response = client.post("/logout", data={"csrf_token": token_of(client)})
    assert response.headers["Location"] == "/login"
    assert client.get("/api/v1/domains").status_code == 401


@pytest.mark.parametrize("form", [{}, {"csrf_token": ""}, {"csrf_token": "x.y.z"}])
def test_the_form_of_a_page_is_refused_without_it(
    client: FlaskClient, form: dict[str, str]
) -> None:
    refusal = client.post("/logout", data=form)
    assert refusal.status_code == 400
    assert refusal.mimetype == "text/html"
    assert "To the dashboard" in refusal.text
    assert client.get("/api/v1/domains").status_code == 200


def test_the_token_of_another_session_is_refused(app: Flask, client: FlaskClient) -> None:
    other = app.test_client()
    other.post("/login", data=FORM)
    assert client.post("/logout", data={"csrf_token": token_of(other)}).status_code == 400
    before = token_of(client)
    client.post("/login", data=FORM)
    assert client.post("/logout", data={"csrf_token": before}).status_code == 400


# --- headers --------------------------------------------------------------------

STRICT = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/login", 302),
        ("/nowhere", 404),
        ("/api/v1/domains", 200),
        ("/api/v1/docs", 200),
        ("/api/v1/openapi.json", 200),
        ("/api/v1/nowhere", 404),
        ("/api/v1/domains?page=0", 400),
        ("/api/v1/admins/1/unlock", 405),
        ("/api/v1/admins/1/twofactor/qrcode", 200),
        ("/healthz", 200),
        ("/static/postmaster.css", 200),
        ("/static/nowhere.css", 404),
    ],
)
def test_every_answer_has_the_strict_headers(client: FlaskClient, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert {name: response.headers[name] for name in STRICT} == STRICT
    assert "Access-Control-Allow-Origin" not in response.headers
    is_static = path.startswith("/static/")
    assert (response.headers.get("Cache-Control") == "no-store") is not is_static
    response.close()


def test_an_answer_to_a_stranger_and_to_a_defect_has_them_too(
    mariadb: object, empty_database: str, tmp_path: Path, stranger: FlaskClient
) -> None:
    broken = make_app(empty_database, tmp_path).test_client()
    for response, status in (
        (stranger.get("/"), 302),
        (stranger.get("/api/v1/domains"), 401),
        (stranger.post("/login", data=FORM, headers={"Origin": "null"}), 403),
        (broken.post("/login", data=FORM), 503),
    ):
        assert response.status_code == status
        assert {name: response.headers[name] for name in STRICT} == STRICT


def test_pages_have_nothing_that_the_policy_forbids(client: FlaskClient) -> None:
    set_setting(client, "Mail Database Auditing", "True")
    create(client, "domains", name="example.com")
    pages = ["/", "/domains", "/users", "/aliases", "/admins", "/configs", "/logs", "/nowhere"]
    stranger = client.application.test_client()
    for page in (client.get("/api/v1/docs"), stranger.get("/login"), *map(client.get, pages)):
        assert page.mimetype == "text/html"
        assert "<style" not in page.text
        assert not re.search(r"<[^>]*\s(style|on[a-z]+)\s*=", page.text)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
        for target in re.findall(r'\s(?:src|href|action)="([^"]*)"', page.text):
            assert target.startswith(("/", "#", "?")), target
            assert not target.startswith("//"), target


def test_the_cookie_is_strict(app: Flask) -> None:
    for base, secure in (("http://localhost", False), ("https://localhost", True)):
        response = app.test_client().post("/login", data=FORM, base_url=base)
        cookie, *flags = response.headers["Set-Cookie"].split("; ")
        assert cookie.startswith("postmaster=")
        wanted = {"HttpOnly", "SameSite=Lax", "Path=/"} | ({"Secure"} if secure else set())
        assert set(flags) == wanted


# --- where a sign-in leads ------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/users?page=2", "/users?page=2"),
        ("/users?search=ana@example.com&page=2", "/users?search=ana@example.com&page=2"),
        ("/users?search=//x", "/users?search=//x"),
        ("/", "/"),
        ("", "/"),
        ("users", "/"),
        ("//elsewhere.example", "/"),
        ("///elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("\\/elsewhere.example", "/"),
        ("\\\\elsewhere.example", "/"),
        ("/users\\..\\..", "/"),
        ("https://elsewhere.example/", "/"),
        ("https:elsewhere.example", "/"),
        ("https:/elsewhere.example", "/"),
        ("http:///elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("data:text/html,x", "/"),
        ("@elsewhere.example", "/"),
        ("/\t/elsewhere.example", "/"),
        ("/\n/elsewhere.example", "/"),
        ("/\r\nSet-Cookie: x=y", "/"),
        ("/\x00/elsewhere.example", "/"),
        ("\x01//elsewhere.example", "/"),
        ("/\u2028/elsewhere.example", "/"),
        ("/\u200b/elsewhere.example", "/"),
        (" //elsewhere.example", "/"),
        ("http://[", "/"),
        ("/logout", "/"),
        ("/logout?x=1", "/"),
    ],
)
def test_a_sign_in_leads_only_into_this_site(
    stranger: FlaskClient, target: str, leads_to: str
) -> None:
    for response in (
        stranger.post("/login", data=FORM | {"next": target}),
        stranger.get("/login", query_string={"next": target}),
        stranger.post("/login", data=FORM, query_string={"next": target}),
    ):
        assert response.status_code == 302
        assert response.headers["Location"] == leads_to
        assert stranger.get("/api/v1/domains").status_code == 200


def test_the_sign_in_page_keeps_where_to_go_on_as_text(stranger: FlaskClient) -> None:
    target = '/users?search="><b>'
    page = stranger.get("/login", query_string={"next": target}).text
    assert 'name="next" value="/users?search=&#34;&gt;&lt;b&gt;"' in page
    page = stranger.post("/login", data={"username": '"><b>', "next": target}).text
    assert 'value="/users?search=&#34;&gt;&lt;b&gt;"' in page
    assert "<b>" not in page


def test_without_a_secret_key_nothing_is_served(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="generatekey"):
        make_app(f"sqlite:///{tmp_path}/x", tmp_path, secret_key="")
    with pytest.raises(config.ConfigError, match="secret_key: it must be at least"):
        make_app(f"sqlite:///{tmp_path}/x", tmp_path, secret_key=SECRET_KEY[:15])
