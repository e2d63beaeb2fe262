"""Signing in to PostMaster with a real OpenID provider: pages, rows, sessions."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from postmaster.config import Config
from postmaster.db import db
from postmaster.models import Admin, AdminSession, SignInFailure
from postmaster.rules import history, settings
from tests.conftest import set_setting
from tests.openid.provider import CLIENT_ID, CLIENT_SECRET, GROUP, Provider
from tests.rules.conftest import alter_setting

CALLBACK = "http://localhost/login/openid/callback"
BEGIN = "/login/openid"
USERS = "/api/v1/users"
HOST = "127.0.0.1"


# The rows themselves are tested on SQLite too: tests/rules/test_elsewhere.py.
pytestmark = pytest.mark.parametrize("app", ["mariadb"], indirect=True)


@pytest.fixture(scope="session")
def panels_provider() -> Iterator[Provider]:
    """The provider, which knows where the panel of these tests is."""
    with Provider([CALLBACK]) as running:
        yield running


@pytest.fixture
def offered(app: Flask, panels_provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The provider, which the settings name."""
    config: Config = app.extensions["postmaster"]
    monkeypatch.setitem(
        app.extensions, "postmaster", replace(config, openid_client_secret=CLIENT_SECRET)
    )
    values = {
        settings.OPENID_ISSUER: panels_provider.issuer,
        settings.OPENID_CLIENT: CLIENT_ID,
        settings.OPENID_CLAIM_VALUE: GROUP,
        settings.OPENID_ENABLED: "True",
    }
    with app.app_context():
        for setting, value in values.items():
            alter_setting(setting, value)
    return panels_provider


def go(
    browser: FlaskClient, provider: Provider, account: str, target: str | None = None
) -> TestResponse:
    """Sign in as a browser does: to the provider and back."""
    begun = browser.get(BEGIN, query_string={"next": target} if target else None)
    assert begun.status_code == 302, begun.text
    return browser.get(provider.sign_in(begun.headers["Location"], account))


def is_in(browser: FlaskClient) -> bool:
    return browser.get(USERS).status_code == 200


def the_admin(app: Flask) -> Admin:
    with app.app_context():
        return db.session.scalars(select(Admin).where(Admin.source == "openid")).one()


def alter(app: Flask, **columns: object) -> None:
    with app.app_context():
        db.session.execute(update(Admin).where(Admin.source == "openid").values(**columns))
        db.session.commit()


def test_the_sign_in_page_offers_it_once_it_is_on(
    client: FlaskClient, stranger: FlaskClient, offered: Provider
) -> None:
    page = stranger.get("/login?next=/users").text
    assert f"Sign in with {urlsplit(offered.issuer).netloc}" in page
    assert 'href="/login/openid?next=/users"' in page
    set_setting(client, "Enable OpenID Connect", "False")
    assert "/login/openid" not in stranger.get("/login").text
    assert stranger.get(BEGIN).status_code == 404
    assert stranger.get("/login/openid/callback").status_code == 404


def test_the_first_sign_in_makes_the_row_and_the_next_finds_it(
    app: Flask, stranger: FlaskClient, offered: Provider
) -> None:
    answer = go(stranger, offered, "id-of-alice", "/users")
    assert answer.headers["Location"] == "/users"
    assert is_in(stranger)
    admin = the_admin(app)
    assert (admin.username, admin.name) == (f"alice@{HOST}", "Alice Adams")
    assert admin.password is None
    assert admin.external_id == f"{offered.issuer}#id-of-alice"
    again = app.test_client()
    go(again, offered, "id-of-alice")
    assert the_admin(app).id == admin.id
    assert is_in(again)


def test_the_browser_is_sent_with_pkce_state_and_nonce(
    stranger: FlaskClient, offered: Provider
) -> None:
    sent = parse_qs(urlsplit(stranger.get(BEGIN).headers["Location"]).query)
    assert sent["code_challenge_method"] == ["S256"]
    assert sent["redirect_uri"] == [CALLBACK]
    assert {"state", "nonce", "code_challenge"} <= set(sent)


@pytest.mark.parametrize("account", ["id-of-bob", "id-of-grace"])
def test_who_lacks_the_claim_is_refused_and_makes_no_row(
    app: Flask, stranger: FlaskClient, offered: Provider, account: str
) -> None:
    page = go(stranger, offered, account).text
    assert "Your account may not use PostMaster" in page
    assert not is_in(stranger)
    with app.app_context():
        assert [admin.source for admin in db.session.scalars(select(Admin))] == ["local"]


def test_who_changes_their_mind_is_told_so(stranger: FlaskClient, offered: Provider) -> None:
    back = offered.cancel(stranger.get(BEGIN).headers["Location"])
    assert "The sign-in provider refused" in stranger.get(back).text


def test_the_answer_is_for_the_browser_that_asked_and_only_once(
    app: Flask, stranger: FlaskClient, offered: Provider
) -> None:
    back = offered.sign_in(stranger.get(BEGIN).headers["Location"], "id-of-alice")
    victim = app.test_client()
    assert "was not begun in this browser" in victim.get(back).text
    assert not is_in(victim)
    stranger.get(back)
    assert is_in(stranger)
    stranger.get("/logout")
    assert "was not begun in this browser" in stranger.get(back).text
    assert not is_in(stranger)


def test_a_token_for_another_sign_in_is_refused(stranger: FlaskClient, offered: Provider) -> None:
    with offered.wrong(id_token={"claims": {"nonce": "another"}}):
        page = go(stranger, offered, "id-of-alice").text
    assert "cannot be trusted" in page
    assert not is_in(stranger)


def test_after_it_the_way_leads_to_this_site_only(stranger: FlaskClient, offered: Provider) -> None:
    answer = go(stranger, offered, "id-of-alice", "https://elsewhere.example/")
    assert answer.headers["Location"] == "/"


def test_the_session_ends_after_the_minutes(
    app: Flask, client: FlaskClient, stranger: FlaskClient, offered: Provider
) -> None:
    set_setting(client, "Directory Check in Minutes", "30")
    go(stranger, offered, "id-of-alice")
    with app.app_context():
        query = select(AdminSession.expires).where(AdminSession.admin_id == the_admin(app).id)
        left = db.session.scalars(query).one() - history.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)


def test_the_second_factor_is_asked_for(
    app: Flask, stranger: FlaskClient, offered: Provider
) -> None:
    go(stranger, offered, "id-of-alice")
    secret = pyotp.random_base32()
    alter(app, otp_active=True, otp_secret=secret)
    browser = app.test_client()
    assert "two_factor" in go(browser, offered, "id-of-alice").text
    assert not is_in(browser)
    browser.post("/login", data={"step": "code", "two_factor": pyotp.TOTP(secret).now()})
    assert is_in(browser)


def test_while_the_provider_is_away_the_page_says_so_and_local_ones_sign_in(
    client: FlaskClient, stranger: FlaskClient, offered: Provider
) -> None:
    set_setting(client, "OpenID Issuer", "http://127.0.0.1:9")
    page = stranger.get(BEGIN)
    assert page.status_code == 200
    assert "sign-in provider cannot be asked at the moment" in page.text
    stranger.post("/login", data={"username": "admin", "password": "PostMaster"})
    assert is_in(stranger)
    lines = client.get("/api/v1/logs").get_json()["items"]
    assert "http://127.0.0.1:9" in lines[-1]["message"]
    assert lines[-1]["category"] == "error"


def test_other_sites_cannot_count_refusals_against_an_address(
    app: Flask, stranger: FlaskClient, offered: Provider
) -> None:
    for _ in range(3):
        stranger.get("/login/openid/callback?state=x&code=y")
    stranger.get(BEGIN)
    assert "was not begun" in stranger.get("/login/openid/callback?state=x&code=y").text
    with app.app_context():
        assert db.session.scalars(select(SignInFailure)).all() == []
