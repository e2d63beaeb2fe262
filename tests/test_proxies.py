"""What is believed of proxies, and which host names are answered."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from postmaster.db import db
from postmaster.models import AdminSession, SignInFailure
from tests.api.calls import refused
from tests.conftest import Prepared, dispose, make_app

FORM = {"username": "admin", "password": "PostMaster"}
FORWARDED = {
    "X-Forwarded-For": "198.51.100.7, 192.0.2.50",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "panel.example",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/mail",
}
PROXIES = ["10.1.2.3", "192.168.0.0/16", "2001:db8:1::/48"]

MakeApp = Callable[..., Flask]


@pytest.fixture
def make(prepared_sqlite: Prepared, tmp_path: Path) -> Iterator[MakeApp]:
    """Applications with these keys of the configuration, on one new database."""
    prepared_sqlite.reset()
    uri = prepared_sqlite.app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(False)
    made = []

    def make(**keys: Any) -> Flask:
        made.append(make_app(uri, tmp_path, **keys))
        return made[-1]

    yield make
    for app in made:
        dispose(app)


def sign_in_from(app: Flask, peer: str, **headers: str) -> TestResponse:
    """Sign in over a connection that this address made."""
    return app.test_client().post(
        "/login",
        data=FORM,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        environ_base={"REMOTE_ADDR": peer},
    )


def ip_of_session(app: Flask) -> str:
    with app.app_context():
        return str(db.session.query(AdminSession.ip).scalar())


@pytest.mark.parametrize(
    "peer", ["10.1.2.3", "192.168.7.8", "2001:db8:1::8", "::ffff:10.1.2.3", "::ffff:192.168.7.8"]
)
def test_a_listed_proxy_is_believed(make: MakeApp, peer: str) -> None:
    app = make(proxies=PROXIES)
    browser = app.test_client()
    known: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": peer}, "headers": FORWARDED}
    signed_in = browser.post("/login", data=FORM, **known)
    assert signed_in.headers["Location"] == "/mail/"
    assert "; Secure" in signed_in.headers["Set-Cookie"]
    assert ip_of_session(app) == "192.0.2.50"
    known["base_url"] = "https://localhost"  # the cookie is Secure, the test's browser speaks http
    meta = browser.get("/api/v1/domains", **known).get_json()["meta"]
    assert meta["first"] == "https://panel.example/mail/api/v1/domains?page=1"


@pytest.mark.parametrize(("peer", "is_believed"), [("", True), ("127.0.0.1", False)])
def test_on_a_unix_socket_nobody_has_an_address(
    make: MakeApp, peer: str, *, is_believed: bool
) -> None:
    app = make(proxies=["unix"])
    assert sign_in_from(app, peer, X_Forwarded_For="192.0.2.50").status_code == 302
    assert ip_of_session(app) == ("192.0.2.50" if is_believed else peer)


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "10.1.2.4", "192.0.2.9", "2001:db8:2::1", "::ffff:10.1.2.4", ""]
)
@pytest.mark.parametrize("proxies", [[], PROXIES])
def test_a_stranger_is_not_believed(make: MakeApp, peer: str, proxies: list[str]) -> None:
    app = make(proxies=proxies)
    browser = app.test_client()
    known: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": peer}, "headers": FORWARDED}
    signed_in = browser.post("/login", data=FORM, **known)
    assert signed_in.headers["Location"] == "/"
    assert "; Secure" not in signed_in.headers["Set-Cookie"]
    assert ip_of_session(app) == peer
    meta = browser.get("/api/v1/domains", **known).get_json()["meta"]
    assert meta["first"] == "http://localhost/api/v1/domains?page=1"


def test_a_stranger_does_not_pass_the_throttle_by_a_header(make: MakeApp) -> None:
    app = make(sign_in_failures_per_hour=2)
    form = FORM | {"password": "wrong"}
    statuses = [
        app.test_client().post("/login", data=form, headers={"X-Forwarded-For": f"192.0.2.{n}"})
        for n in range(3)
    ]
    assert [response.status_code for response in statuses] == [200, 200, 429]


@pytest.mark.parametrize(
    "named", ["unknown", "", "198.51.100.7:4711", "[2001:db8::1]:4711", "x" * 300, "_hidden"]
)
def test_whatever_a_proxy_names_does_not_break_the_sign_in(
    app: Flask, make: MakeApp, named: str
) -> None:
    uri = app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(hide_password=False)
    behind = make(proxies=PROXIES, database_uri=uri)
    assert sign_in_from(behind, "10.1.2.3", X_Forwarded_For=named).status_code == 302
    wrong = behind.test_client().post(
        "/login",
        data=FORM | {"password": "wrong"},
        headers={"X-Forwarded-For": named},
        environ_base={"REMOTE_ADDR": "10.1.2.3"},
    )
    assert "username or password was incorrect" in wrong.text
    with behind.app_context():
        assert db.session.query(SignInFailure).count() == 1


def test_the_host_that_a_listed_proxy_names_is_this_site(make: MakeApp) -> None:
    """A browser's Origin is compared with what the browser sees."""
    app = make(proxies=PROXIES)
    behind = {"X_Forwarded_Host": "panel.example", "Origin": "https://panel.example"}
    assert sign_in_from(app, "10.1.2.3", **behind).status_code == 302
    assert sign_in_from(app, "192.0.2.9", **behind).status_code == 403


def test_under_a_prefix_every_link_and_every_way_stays_under_it(make: MakeApp) -> None:
    app = make(proxies=PROXIES)
    browser = app.test_client()
    known: dict[str, Any] = {
        "environ_base": {"REMOTE_ADDR": "10.1.2.3"},
        "headers": {"X-Forwarded-Prefix": "/mail"},
    }
    stranger = browser.get("/users?page=1", **known)
    assert stranger.headers["Location"] == "/mail/login?next=/mail/users?page%3D1"
    assert browser.get("/", **known).headers["Location"] == "/mail/login"
    form = FORM | {"next": "/mail/users?page=1"}
    assert browser.post("/login", data=form, **known).headers["Location"] == "/mail/users?page=1"
    for number in range(11):
        browser.post("/api/v1/domains", json={"name": f"d{number}.example"}, **known)
    for path in ("/", "/domains", "/configs", "/nowhere", "/api/v1/docs"):
        page = browser.get(path, **known).text
        links = re.findall(r'(?:href|src|action)="([^"#][^"]*)"', page)
        assert links
        outside = [link for link in links if not link.startswith("/mail/")]
        assert outside == [], path


# --- hosts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "panel.example.elsewhere.example", "xpanel.example", "[::1]"]
)
def test_a_host_that_is_not_listed_is_refused(make: MakeApp, host: str) -> None:
    browser = make(hosts=["panel.example", "localhost"]).test_client()
    refusal = browser.get("/login", headers={"Host": host})
    assert refusal.status_code == 400
    assert refusal.mimetype == "text/plain"
    assert "Content-Security-Policy" in refusal.headers
    refused(browser.get("/api/v1/domains", headers={"Host": host}), 400)
    signing_in = browser.post("/login", data=FORM, headers={"Host": host})
    assert signing_in.status_code == 400
    assert "Set-Cookie" not in signing_in.headers


@pytest.mark.parametrize("host", ["panel.example", "panel.example:8443", "localhost:8082"])
def test_a_listed_host_is_answered(make: MakeApp, host: str) -> None:
    browser = make(hosts=["Panel.Example", "localhost"]).test_client()
    assert browser.get("/login", headers={"Host": host}).status_code == 200


def test_a_host_is_refused_also_when_a_proxy_names_it(make: MakeApp) -> None:
    app = make(hosts=["panel.example"], proxies=PROXIES)
    assert sign_in_from(app, "10.1.2.3", X_Forwarded_Host="panel.example").status_code == 302
    assert sign_in_from(app, "10.1.2.3", X_Forwarded_Host="elsewhere.example").status_code == 400
    assert sign_in_from(app, "192.0.2.9", X_Forwarded_Host="panel.example").status_code == 400


def test_without_a_list_every_host_is_answered(stranger: FlaskClient) -> None:
    assert stranger.get("/login", headers={"Host": "any.example"}).status_code == 200


@pytest.mark.parametrize("host", ["", "a b", "<b>", "a/b", "a:99999", "a:b", "[::1", "\x7f"])
def test_a_host_that_is_none_breaks_nothing(stranger: FlaskClient, host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/login"), ("POST", "/login")):
        answer = stranger.open(path, method=method, data=FORM, headers={"Host": host})
        assert answer.status_code in (200, 302, 400), path
        assert "<b>" not in answer.text or answer.mimetype == "text/plain"
    assert stranger.get("/api/v1/domains", headers={"Host": host}).is_json
