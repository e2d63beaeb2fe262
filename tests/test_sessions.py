"""Sessions: when one begins, when it changes, and when it ends, on the server too."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from postmaster import security, signing_in
from postmaster.db import db, transact
from postmaster.errors import Invalid
from postmaster.models import Admin, AdminSession
from postmaster.rules import admins, history, twofactor
from postmaster.rules.actor import Actor
from tests.api.calls import create
from tests.api.test_admins import BOB, turn_on
from tests.conftest import SECRET_KEY, Prepared, dispose, make_app, sign_in

FORM = {"username": "admin", "password": "PostMaster"}
OPERATOR = Actor(None, "operator", "command")


def works(browser: FlaskClient) -> bool:
    """Whether somebody is signed in here, for the API and for the pages alike."""
    api = browser.get("/api/v1/domains").status_code
    page = browser.get("/domains").status_code
    assert (api, page) in ((200, 200), (401, 302))
    return api == 200


def cookie(browser: FlaskClient) -> str:
    found = browser.get_cookie("postmaster")
    assert found is not None
    return found.value


def copy_of(browser: FlaskClient) -> FlaskClient:
    """Another browser with the cookie as it is now: a thief's."""
    thief = browser.application.test_client()
    thief.set_cookie("postmaster", cookie(browser))
    return thief


def alter_sessions(app: Flask, **columns: Any) -> None:
    """Change the rows of all sessions by hand, for instance their dates."""
    with app.app_context():
        db.session.execute(update(AdminSession).values(**columns))
        db.session.commit()


def count_sessions(app: Flask) -> int:
    with app.app_context():
        return db.session.query(AdminSession).count()


@pytest.fixture
def bob(client: FlaskClient) -> int:
    """The id of another administrator."""
    return int(create(client, "admins", **BOB)["id"])


# --- beginning ------------------------------------------------------------------


def test_a_copied_cookie_works_while_the_session_does(client: FlaskClient) -> None:
    """Without this the tests below would show nothing."""
    assert works(copy_of(client))


def test_a_cookie_from_before_the_sign_in_is_not_the_session(stranger: FlaskClient) -> None:
    stranger.get("/login")
    stranger.get("/logout", follow_redirects=True)
    before = stranger.application.test_client()
    old = stranger.get_cookie("postmaster")
    if old is not None:
        before.set_cookie("postmaster", old.value)
    assert stranger.post("/login", data=FORM).status_code == 302
    assert works(stranger)
    assert not works(before)


def test_signing_in_again_ends_the_session_before(app: Flask, client: FlaskClient) -> None:
    elsewhere = sign_in(app)
    thief = copy_of(client)
    client.post("/login", data=FORM)
    assert works(client)
    assert not works(thief)
    assert works(elsewhere)


def test_a_refused_sign_in_leaves_the_session(client: FlaskClient) -> None:
    client.post("/login", data=FORM | {"password": "wrong"})
    assert works(client)


def test_the_database_does_not_hold_the_token(app: Flask, client: FlaskClient) -> None:
    with client.session_transaction() as session:
        token = session["_user_id"]
    assert len(token) >= 43, "32 random bytes"
    with app.app_context():
        row = db.session.query(AdminSession).one()
        assert token not in [getattr(row, column.key) for column in row.__table__.columns]


def test_the_row_says_from_where_and_with_what(app: Flask, stranger: FlaskClient) -> None:
    stranger.post("/login", data=FORM, headers={"User-Agent": "agent \U0001f600" * 100})
    with app.app_context():
        row = db.session.query(AdminSession).one()
        assert (row.admin_id, row.ip) == (1, "127.0.0.1")
        assert row.agent.startswith("agent")
        assert len(row.agent) == 200


@pytest.mark.parametrize(
    "value",
    ["", "x", "a.b.c", "\x7f", "x" * 4000, ".eJwBAAD__w", "eyJfdXNlcl9pZCI6IjEifQ.aaaaaa.bbbbbb"],
)
def test_a_cookie_that_is_none_of_ours_is_a_strangers(stranger: FlaskClient, value: str) -> None:
    stranger.set_cookie("postmaster", value)
    assert not works(stranger)
    assert stranger.post("/login", data=FORM).status_code == 302


def forged(app: Flask, **content: Any) -> FlaskClient:
    """A browser with a cookie signed with the right key, for what it is worth."""
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    thief = app.test_client()
    thief.set_cookie("postmaster", serializer.dumps(content))
    return thief


@pytest.mark.parametrize("user_id", ["1", "", None, "x" * 43, "\ud800"])
def test_the_key_alone_opens_nothing(app: Flask, client: FlaskClient, user_id: str | None) -> None:
    assert works(client)
    assert not works(forged(app, _user_id=user_id, _fresh=True))


def test_a_cookie_signed_with_another_key_opens_nothing(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    uri = app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(hide_password=False)
    other = make_app(uri, tmp_path, secret_key=SECRET_KEY[::-1])
    thief = other.test_client()
    thief.set_cookie("postmaster", cookie(client))
    assert not works(thief)
    dispose(other)


# --- changes that end sessions --------------------------------------------------


def own_password(client: FlaskClient) -> None:
    assert client.patch("/api/v1/admins/1", json={"password": "another one"}).status_code == 200


def same_password(client: FlaskClient) -> None:
    assert client.patch("/api/v1/admins/1", json={"password": "PostMaster"}).status_code == 200


def second_factor_on(client: FlaskClient) -> None:
    turn_on(client)


def second_factor_off(client: FlaskClient) -> None:
    path = "/api/v1/admins/1/twofactor"
    assert client.patch(path, json={"enabled": False}).status_code == 200


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (None, own_password),
        (None, same_password),
        (None, second_factor_on),
        (second_factor_on, second_factor_off),
    ],
)
def test_a_change_of_ones_own_renews_this_session_and_ends_the_others(
    app: Flask,
    client: FlaskClient,
    bob: int,
    before: Callable[[FlaskClient], None] | None,
    change: Callable[[FlaskClient], None],
) -> None:
    other = sign_in(app)
    third = sign_in(app, "bob", "password")
    if before is not None:
        before(client)
        assert not works(other)
    thief = copy_of(client)
    change(client)
    assert works(client)
    assert not works(thief)
    assert not works(other)
    assert works(third), "another administrator's session is not touched"
    assert count_sessions(app) == 2


def test_another_admins_change_ends_all_sessions_of_whom_it_is_about(
    app: Flask, client: FlaskClient, bob: int
) -> None:
    browser = sign_in(app, "bob", "password")
    client.patch(f"/api/v1/admins/{bob}", json={"name": "Bobby", "username": "bobby"})
    assert works(browser)
    client.patch(f"/api/v1/admins/{bob}", json={"password": "another one"})
    assert not works(browser)
    browser = sign_in(app, "bobby", "another one")
    turn_on(browser, bob)
    assert works(browser)
    client.patch(f"/api/v1/admins/{bob}/twofactor", json={"enabled": False})
    assert not works(browser)
    assert works(client)


def test_a_refused_change_ends_nothing(app: Flask, client: FlaskClient) -> None:
    other = sign_in(app)
    thief = copy_of(client)
    assert client.patch("/api/v1/admins/1", json={"password": "short"}).status_code == 400
    assert client.patch("/api/v1/admins/1/twofactor", json={"enabled": True}).status_code == 400
    assert works(client)
    assert works(other)
    assert works(thief)


def test_the_operators_command_ends_the_sessions(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        transact(admins.change, OPERATOR, 1, password="another one")
    assert not works(client)
    client = sign_in(app, "admin", "another one")
    turn_on(client)
    with app.app_context():
        transact(twofactor.disable, OPERATOR, 1)
    assert not works(client)


def test_a_deleted_admin_is_out(app: Flask, client: FlaskClient, bob: int) -> None:
    browser = sign_in(app, "bob", "password")
    assert client.delete(f"/api/v1/admins/{bob}").status_code == 204
    assert not works(browser)
    assert works(client)


def test_who_deletes_the_own_account_is_out(app: Flask, client: FlaskClient, bob: int) -> None:
    assert client.delete("/api/v1/admins/1").status_code == 204
    assert not works(client)
    assert works(sign_in(app, "bob", "password"))


def test_an_admin_deleted_by_hand_is_out(app: Flask, client: FlaskClient, bob: int) -> None:
    browser = sign_in(app, "bob", "password")
    with app.app_context():
        db.session.delete(db.session.get_one(Admin, bob))
        db.session.commit()
    assert not works(browser)


def test_a_deactivated_admin_is_out_and_stays_out(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        db.session.get_one(Admin, 1).active = False
        db.session.commit()
    assert not works(client)
    assert "incorrect" in app.test_client().post("/login", data=FORM).text


# --- the end --------------------------------------------------------------------


@pytest.mark.parametrize("hours", [1, 12, 8760])
def test_a_session_lasts_the_configured_hours(
    prepared_sqlite: Prepared, tmp_path: Path, hours: int
) -> None:
    prepared_sqlite.reset()
    uri = prepared_sqlite.app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(False)
    app = make_app(uri, tmp_path, session_hours=hours)
    client = sign_in(app)
    client.patch("/api/v1/admins/1", json={"password": "another one"})
    with app.app_context():
        row = db.session.query(AdminSession).one()
        assert row.expires - row.started == timedelta(hours=hours)
    dispose(app)


def test_an_expired_session_is_over_and_its_row_goes_at_the_next_sign_in(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        moment = history.now()
    alter_sessions(app, expires=moment + timedelta(minutes=1))
    assert works(client)
    alter_sessions(app, expires=moment)
    assert not works(client)
    assert works(sign_in(app))
    assert count_sessions(app) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_signing_out_makes_a_copied_cookie_worthless(
    app: Flask, client: FlaskClient, method: str
) -> None:
    other = sign_in(app)
    thief = copy_of(client)
    assert client.open("/logout", method=method).status_code == 302
    assert not works(client)
    assert not works(thief)
    assert works(other)


def test_the_cookie_is_for_this_browser_session_only(stranger: FlaskClient) -> None:
    """No date: a browser that is closed forgets it."""
    header = stranger.post("/login", data=FORM).headers["Set-Cookie"]
    assert "Expires" not in header
    assert "Max-Age" not in header
    assert "Path=/" in header
    assert "Domain" not in header


# --- with the present password --------------------------------------------------


def test_an_own_new_password_ends_all_sessions_and_renews_this_one(
    app: Flask, client: FlaskClient
) -> None:
    other = sign_in(app)
    with client:
        client.get("/api/v1/domains")
        before = security.signed_in()
        signing_in.change_own_password(present="PostMaster", new="another password")
        after = security.signed_in()
    assert before is not None
    assert after is not None
    assert before.token != after.token
    assert count_sessions(app) == 1
    assert other.get("/api/v1/domains").status_code == 401
    sign_in(app, password="another password")


def test_a_wrong_present_password_is_raised_after_it_was_counted(
    app: Flask, client: FlaskClient
) -> None:
    with client:
        client.get("/api/v1/domains")
        for act in (
            lambda: signing_in.change_own_password(present="wrong", new="another password"),
            lambda: signing_in.turn_off_own_second_factor(present="wrong"),
        ):
            with pytest.raises(Invalid, match="present password is incorrect") as refused:
                act()
            assert refused.value.field == "present"
        assert db.session.get_one(Admin, 1).failed_attempts == 2
        assert security.signed_in() is not None
    assert client.get("/api/v1/domains").status_code == 200
