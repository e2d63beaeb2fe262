"""/login and /logout: for browsers, and for scripts with curl."""

import base64
import datetime as dt
import hmac
import struct
import time

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from postmaster.db import db
from postmaster.models import Admin, SignInFailure
from tests.api.test_admins import secret_of, turn_on
from tests.conftest import set_setting, sign_in


def attempt(browser: FlaskClient, ip: str = "127.0.0.1", **fields: str) -> TestResponse:
    form = {"username": "admin", "password": "PostMaster"} | fields
    return browser.post("/login", data=form, environ_base={"REMOTE_ADDR": ip})


def code_now(secret: str) -> str:
    """RFC 6238 by the standard library alone; pyotp refuses secrets of 80 bits."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def earlier(app: Flask, **columns: dt.timedelta) -> None:
    """Move moments of the first admin into the past: time that a test does not wait for."""
    with app.app_context():
        admin = db.session.get_one(Admin, 1)
        for name, by in columns.items():
            setattr(admin, name, getattr(admin, name) - by)
        db.session.commit()


def test_an_admin_signs_in_and_goes_on(stranger: FlaskClient) -> None:
    response = stranger.get("/users?search=ana&page=1")
    assert response.headers["Location"] == "/login?next=/users?search%3Dana%26page%3D1"
    response = attempt(stranger, next="/users?search=ana&page=1")
    assert response.headers["Location"] == "/users?search=ana&page=1"
    assert stranger.get("/").status_code == 200


def test_the_source_may_be_said(stranger: FlaskClient) -> None:
    assert attempt(stranger, auth_source="PostMaster User").status_code == 302


@pytest.mark.parametrize(
    ("fields", "key_words"),
    [
        ({"username": ""}, "username was not provided"),
        ({"username": "  "}, "username was not provided"),
        ({"password": ""}, "password was not provided"),
        ({"password": "wrong"}, "username or password was incorrect"),
        ({"password": "postmaster"}, "username or password was incorrect"),
        ({"username": "nobody"}, "username or password was incorrect"),
        ({"username": "admin\x00"}, "username or password was incorrect"),
        ({"password": "PostMaster\x00"}, "username or password was incorrect"),
        ({"password": "x" * 5000}, "username or password was incorrect"),
        ({"auth_source": "example.com"}, "username or password was incorrect"),
    ],
)
def test_a_refused_sign_in_says_why(
    stranger: FlaskClient, fields: dict[str, str], key_words: str
) -> None:
    response = attempt(stranger, **fields)
    assert response.status_code == 200
    assert key_words in response.text
    assert stranger.get("/api/v1/domains").status_code == 401


def test_signing_out_ends_the_session_on_the_server(client: FlaskClient) -> None:
    copied = client.get_cookie("postmaster")
    assert copied is not None
    response = client.get("/logout", follow_redirects=True)
    assert "logged out" in response.text
    thief = client.application.test_client()
    thief.set_cookie("postmaster", copied.value)
    assert thief.get("/api/v1/domains").status_code == 401


# --- lockout --------------------------------------------------------------------


def test_too_many_wrong_passwords_lock_the_account(app: Flask, stranger: FlaskClient) -> None:
    for _ in range(5):
        assert "incorrect" in attempt(stranger, password="wrong").text
    assert "locked out" in attempt(stranger).text
    earlier(app, unlock_date=dt.timedelta(minutes=29))
    assert "locked out" in attempt(stranger).text
    earlier(app, unlock_date=dt.timedelta(minutes=1))
    assert attempt(stranger).status_code == 302


def test_after_a_lock_the_count_starts_anew(app: Flask, stranger: FlaskClient) -> None:
    for _ in range(5):
        attempt(stranger, password="wrong")
    earlier(app, unlock_date=dt.timedelta(minutes=31))
    assert "incorrect" in attempt(stranger, password="wrong").text
    assert attempt(stranger).status_code == 302


def test_old_failures_are_forgotten(app: Flask, stranger: FlaskClient) -> None:
    for _ in range(4):
        attempt(stranger, password="wrong")
    earlier(app, last_failed_date=dt.timedelta(minutes=30))
    attempt(stranger, password="wrong")
    assert attempt(stranger).status_code == 302


def test_a_threshold_of_zero_never_locks(client: FlaskClient, stranger: FlaskClient) -> None:
    set_setting(client, "Account Lockout Threshold", "0")
    for _ in range(30):
        attempt(stranger, password="wrong")
    assert attempt(stranger).status_code == 302


def test_a_success_clears_the_count(app: Flask, stranger: FlaskClient) -> None:
    for _ in range(3):
        for _ in range(4):
            attempt(stranger, password="wrong")
        sign_in(app)


# --- throttle -------------------------------------------------------------------


def test_an_address_is_throttled_and_others_are_spared(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    set_setting(client, "Account Lockout Threshold", "0")
    with app.app_context():
        moment = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        db.session.add_all(SignInFailure(network="192.0.2.7", moment=moment) for _ in range(99))
        db.session.commit()
    assert attempt(stranger, "192.0.2.7", password="wrong").status_code == 200
    throttled = attempt(stranger, "192.0.2.7")
    assert throttled.status_code == 429
    assert 3500 < int(throttled.headers["Retry-After"]) <= 3601
    assert "Too many" in throttled.text
    assert attempt(stranger, "192.0.2.8").status_code == 302


def test_a_network_of_ipv6_counts_as_one_address(app: Flask, stranger: FlaskClient) -> None:
    for number in range(3):
        attempt(stranger, f"2001:db8::{number}", username="nobody")
    attempt(stranger, "::ffff:192.0.2.9", username="nobody")
    with app.app_context():
        networks = {row.network for row in db.session.query(SignInFailure)}
    assert networks == {"2001:db8::/64", "192.0.2.9"}


def test_failures_are_forgotten_after_an_hour(app: Flask, stranger: FlaskClient) -> None:
    with app.app_context():
        moment = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        old = moment - dt.timedelta(minutes=61)
        db.session.add_all(SignInFailure(network="192.0.2.7", moment=old) for _ in range(100))
        db.session.commit()
    assert attempt(stranger, "192.0.2.7").status_code == 302
    with app.app_context():
        assert db.session.query(SignInFailure).count() == 0


# --- second factor --------------------------------------------------------------


def test_a_code_is_asked_for_and_works_once(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    browser = app.test_client()
    assert "two factor authentication code is incorrect" in attempt(browser).text
    used = pyotp.TOTP(secret_of(client, 1)).now()
    assert "code is incorrect" in attempt(browser, two_factor=used).text  # it turned it on
    with app.app_context():
        db.session.get_one(Admin, 1).otp_last_step = None
        db.session.commit()
    code = pyotp.TOTP(secret_of(client, 1)).now()
    assert attempt(browser, two_factor=code).status_code == 302
    assert "code is incorrect" in attempt(app.test_client(), two_factor=code).text
    typed = recovery[0].lower().replace("-", " ")
    assert attempt(app.test_client(), two_factor=typed).status_code == 302
    assert "code is incorrect" in attempt(app.test_client(), two_factor=recovery[0]).text


def test_wrong_codes_lock_like_wrong_passwords(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    for _ in range(5):
        assert "code is incorrect" in attempt(app.test_client(), two_factor="000000").text
    assert "locked out" in attempt(app.test_client(), two_factor=recovery[0]).text


def test_a_wrong_password_does_not_use_up_a_code(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    attempt(app.test_client(), password="wrong", two_factor=recovery[0])
    assert attempt(app.test_client(), two_factor=recovery[0]).status_code == 302


def test_an_old_secret_of_80_bits_works(app: Flask, stranger: FlaskClient) -> None:
    old = "JBSWY3DPEHPK3PXP"
    with app.app_context():
        admin = db.session.get_one(Admin, 1)
        admin.otp_secret, admin.otp_active = old, True
        db.session.commit()
    assert attempt(stranger, two_factor=code_now(old)).status_code == 302


# --- the code in a second step --------------------------------------------------


def first_step(browser: FlaskClient, **fields: str) -> TestResponse:
    return attempt(browser, steps="2", **fields)


def second_step(browser: FlaskClient, code: str, **fields: str) -> TestResponse:
    return browser.post("/login", data={"step": "code", "two_factor": code} | fields)


def is_first(page: TestResponse) -> bool:
    assert page.status_code == 200
    return 'name="password"' in page.text and 'name="two_factor"' not in page.text


def is_second(page: TestResponse) -> bool:
    assert page.status_code == 200
    return 'name="two_factor"' in page.text and 'name="password"' not in page.text


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/api/v1/domains").status_code == 200


def test_the_browsers_form_asks_in_steps(stranger: FlaskClient) -> None:
    page = stranger.get("/login?next=/users")
    assert is_first(page)
    assert 'name="steps" value="2"' in page.text
    assert 'name="next" value="/users"' in page.text


def test_without_a_second_factor_there_is_one_step(stranger: FlaskClient) -> None:
    assert first_step(stranger, next="/users").headers["Location"] == "/users"
    assert is_in(stranger)


def test_the_code_comes_in_a_second_step(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    browser = app.test_client()
    page = first_step(browser, next="/users?page=2")
    assert is_second(page)
    assert 'name="next" value="/users?page=2"' in page.text
    assert 'href="/login?next=/users?page%3D2"' in page.text, "start again"
    assert "PostMaster" not in {*page.text.split('"')}, "the password is not in the page"
    assert not is_in(browser)
    page = second_step(browser, "000000", next="/users?page=2")
    assert is_second(page)
    assert "two factor authentication code is incorrect" in page.text
    assert 'name="next" value="/users?page=2"' in page.text
    response = second_step(browser, recovery[0].lower(), next="/users?page=2")
    assert response.headers["Location"] == "/users?page=2"
    assert is_in(browser)
    with browser.session_transaction() as cookie:
        assert "sign_in" not in cookie


def test_the_digits_do_in_a_second_step(app: Flask, client: FlaskClient) -> None:
    turn_on(client)
    with app.app_context():
        db.session.get_one(Admin, 1).otp_last_step = None
        db.session.commit()
    browser = app.test_client()
    first_step(browser)
    code = pyotp.TOTP(secret_of(client, 1)).now()
    assert second_step(browser, code).status_code == 302
    assert is_in(browser)


def test_a_wrong_password_stays_in_the_first_step(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    browser = app.test_client()
    page = first_step(browser, password="wrong")
    assert is_first(page)
    assert "username or password was incorrect" in page.text
    assert is_first(second_step(browser, recovery[0]))
    assert not is_in(browser)


def test_starting_again_does_not_forget_wrong_codes(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    browser = app.test_client()
    for _ in range(5):
        assert is_second(first_step(browser))
        assert "code is incorrect" in second_step(browser, "000000").text
    page = second_step(browser, recovery[0])
    assert is_second(page)
    assert "locked out until" in page.text
    assert "locked out until" in first_step(browser).text
    assert not is_in(browser)


def test_the_second_step_is_throttled(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    browser = app.test_client()
    first_step(browser)
    with app.app_context():
        moment = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        db.session.add_all(SignInFailure(network="127.0.0.1", moment=moment) for _ in range(100))
        db.session.commit()
    throttled = second_step(browser, recovery[0])
    assert throttled.status_code == 429
    assert int(throttled.headers["Retry-After"]) > 0
    assert 'name="two_factor"' in throttled.text


def test_a_code_without_a_first_step_is_led_to_it(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    page = second_step(app.test_client(), recovery[0], next="/users")
    assert is_first(page)
    assert "enter the username and the password again" in page.text
    assert 'name="next" value="/users"' in page.text


@pytest.mark.parametrize(("seconds", "late"), [(290, False), (310, True), (-60, True)])
def test_the_first_step_waits_for_five_minutes(
    app: Flask, client: FlaskClient, seconds: int, late: bool
) -> None:
    recovery = turn_on(client)
    browser = app.test_client()
    first_step(browser)
    with browser.session_transaction() as cookie:
        cookie["sign_in"] = cookie["sign_in"] | {"at": cookie["sign_in"]["at"] - seconds}
    page = second_step(browser, recovery[0])
    assert is_in(browser) is not late
    if late:
        assert is_first(page)
        assert "too long after it" in page.text


def test_a_password_that_changed_between_the_steps(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    browser = app.test_client()
    first_step(browser)
    client.patch("/api/v1/admins/1", json={"password": "another password"})
    page = second_step(browser, recovery[0])
    assert is_first(page)
    assert "changed meanwhile" in page.text
    assert "too long after it" in second_step(browser, recovery[0]).text
    assert not is_in(browser)


def test_the_first_step_lets_nobody_in_and_keeps_no_password(
    app: Flask, client: FlaskClient
) -> None:
    turn_on(client)
    browser = app.test_client()
    first_step(browser)
    with browser.session_transaction() as cookie:
        assert set(cookie) == {"sign_in"}
        assert set(cookie["sign_in"]) == {"admin_id", "username", "proof", "at"}
    assert not is_in(browser)
    assert browser.get("/").headers["Location"].startswith("/login")


def test_signing_out_forgets_the_first_step(app: Flask, client: FlaskClient) -> None:
    """One who is signed in may begin to sign in once more, and then sign out."""
    recovery = turn_on(client)
    assert is_second(first_step(client))
    assert is_in(client)
    client.get("/logout")
    assert is_first(second_step(client, recovery[0]))
    assert not is_in(client)


def test_a_script_that_sends_no_code_is_refused_and_counted(
    app: Flask, client: FlaskClient
) -> None:
    turn_on(client)
    browser = app.test_client()
    for _ in range(5):
        page = attempt(browser)
        assert page.status_code == 200
        assert "two factor authentication code is incorrect" in page.text
    assert "locked out" in attempt(browser).text


def test_the_source_is_asked_for_while_a_directory_is_on(
    client: FlaskClient, stranger: FlaskClient
) -> None:
    assert "auth_source" not in stranger.get("/login").text
    set_setting(client, "AD Server LDAP String", "ldap://127.0.0.1:9")
    set_setting(client, "AD Domain", "ad.example.com")
    set_setting(client, "AD PostMaster Group", "PostMasters")
    assert "auth_source" not in stranger.get("/login").text
    set_setting(client, "Enable LDAP Authentication", "True")
    page = stranger.get("/login").text
    assert "<option selected>PostMaster User</option>" in page
    assert "<option>ad.example.com</option>" in page
    page = first_step(stranger, auth_source="ad.example.com").text
    assert "directory cannot be asked at the moment" in page
    assert "<option selected>ad.example.com</option>" in page


# --- log ------------------------------------------------------------------------


def test_the_log_tells_of_sign_ins_while_auditing_is_on(
    client: FlaskClient, stranger: FlaskClient
) -> None:
    attempt(stranger, username="unseen")
    set_setting(client, "Login Auditing", "True")
    for _ in range(5):
        attempt(stranger, password="wrong")
    client.patch("/api/v1/admins/1/unlock")
    attempt(stranger)
    stranger.get("/logout")
    items = client.get("/api/v1/logs").get_json()["items"]
    assert {item["category"] for item in items} == {"auth"}
    messages = " / ".join(item["message"] for item in items)
    assert "unseen" not in messages
    assert messages.count("was refused") == 5
    for words in ("30 minute", "signed in", "signed out"):
        assert words in messages


def test_the_log_tells_of_a_password_without_its_code(app: Flask, client: FlaskClient) -> None:
    recovery = turn_on(client)
    set_setting(client, "Login Auditing", "True")
    browser = app.test_client()
    first_step(browser)
    second_step(browser, recovery[0])
    messages = [item["message"] for item in client.get("/api/v1/logs").get_json()["items"]]
    assert messages == [
        'The administrator "admin" gave the password and was asked for the code',
        'The administrator "admin" signed in',
    ]
