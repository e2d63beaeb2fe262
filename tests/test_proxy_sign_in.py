"""Signing in by a header: only of a listed proxy, and only while it sends it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from postmaster.db import db
from postmaster.models import Admin
from tests.conftest import Prepared, dispose, make_app

PROXY, OTHER = "192.0.2.1", "192.0.2.66"
USERS = "/api/v1/users"

Panel = Callable[..., Flask]


@pytest.fixture
def panel(prepared_sqlite: Prepared, tmp_path: Path, request: pytest.FixtureRequest) -> Panel:
    """The panel behind a proxy that signs people in, unless said otherwise."""

    def make(**overrides: Any) -> Flask:
        prepared_sqlite.reset()
        uri = prepared_sqlite.app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(False)
        settings = {"proxies": PROXY, "sign_in_header": "Remote-User"} | overrides
        app = make_app(uri, tmp_path, **settings)
        request.addfinalizer(lambda: dispose(app))
        return app

    return make


def visit(browser: FlaskClient, path: str, username: str | None = "Ana", ip: str = PROXY) -> Any:
    headers = {"Remote-User": username} if username is not None else {}
    return browser.get(path, headers=headers, environ_base={"REMOTE_ADDR": ip})


def is_in(browser: FlaskClient, username: str | None = "Ana", ip: str = PROXY) -> bool:
    return bool(visit(browser, USERS, username, ip).status_code == 200)


def admins(app: Flask) -> list[tuple[str | None, str | None]]:
    with app.app_context():
        found = db.session.scalars(select(Admin).order_by(Admin.id))
        return [(admin.username, admin.source) for admin in found]


def test_whom_a_listed_proxy_names_is_signed_in(panel: Panel) -> None:
    app = panel()
    browser = app.test_client()
    assert visit(browser, "/users").headers["Location"] == "/login?next=/users"
    assert visit(browser, "/login?next=/users").headers["Location"] == "/users"
    assert is_in(browser)
    assert admins(app) == [("admin", "local"), ("ana", "proxy")]
    again = app.test_client()
    visit(again, "/login", "ANA")
    assert is_in(again, "ANA")
    assert len(admins(app)) == 2


def test_a_local_administrator_of_that_name_is_somebody_else(panel: Panel) -> None:
    app = panel()
    browser = app.test_client()
    visit(browser, "/login", "admin")
    assert is_in(browser, "admin")
    assert admins(app) == [("admin", "local"), ("admin (proxy)", "proxy")]


def test_nobody_else_is_believed(panel: Panel) -> None:
    app = panel()
    browser = app.test_client()
    assert "password" in visit(browser, "/login", ip=OTHER).text
    assert not is_in(browser, ip=OTHER)
    assert admins(app) == [("admin", "local")]


@pytest.mark.parametrize("username", [None, "", "  "])
def test_without_a_name_the_page_asks_as_ever(panel: Panel, username: str | None) -> None:
    assert "password" in visit(panel().test_client(), "/login", username).text


def test_without_the_key_no_header_signs_in(panel: Panel) -> None:
    app = panel(sign_in_header="")
    assert "password" in visit(app.test_client(), "/login").text
    assert admins(app) == [("admin", "local")]


@pytest.mark.parametrize(("username", "ip"), [(None, PROXY), ("eve", PROXY), ("Ana", OTHER)])
def test_the_session_ends_when_the_proxy_names_another_or_nobody(
    panel: Panel, username: str | None, ip: str
) -> None:
    browser = panel().test_client()
    visit(browser, "/login")
    assert is_in(browser)
    assert not is_in(browser, username, ip)
    assert not is_in(browser), "it has ended"


def test_the_second_factor_is_asked_for(panel: Panel) -> None:
    app = panel()
    visit(app.test_client(), "/login")
    secret = pyotp.random_base32()
    with app.app_context():
        on = {"otp_active": True, "otp_secret": secret}
        db.session.execute(update(Admin).where(Admin.source == "proxy").values(**on))
        db.session.commit()
    browser = app.test_client()
    assert "two_factor" in visit(browser, "/login").text
    assert not is_in(browser)
    browser.post(
        "/login",
        data={"step": "code", "two_factor": pyotp.TOTP(secret).now()},
        headers={"Remote-User": "Ana"},
        environ_base={"REMOTE_ADDR": PROXY},
    )
    assert is_in(browser)


def test_a_local_session_needs_no_header(panel: Panel) -> None:
    app = panel()
    browser = app.test_client()
    browser.post(
        "/login",
        data={"username": "admin", "password": "PostMaster"},
        environ_base={"REMOTE_ADDR": OTHER},
    )
    assert is_in(browser, None, OTHER)


@pytest.mark.parametrize(
    ("octets", "username"),
    [
        ("Jürgen".encode(), "jürgen"),
        ("Joą".encode(), "joą"),  # ends in an octet that is a blank of Latin-1
        (b" Ana ", "ana"),
        ("Jürgen".encode("latin-1"), None),
        (b"ana,root", None),
        (b"ana\troot", None),
        ("\u00a0".encode(), None),
    ],
)
def test_names_are_utf_8_and_one(panel: Panel, octets: bytes, username: str | None) -> None:
    app = panel()
    browser = app.test_client()
    visit(browser, "/login", octets.decode("latin-1"))
    expected = [("admin", "local")] + ([(username, "proxy")] if username else [])
    assert admins(app) == expected
    assert is_in(browser, octets.decode("latin-1")) == bool(username)
