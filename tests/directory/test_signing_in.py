"""Signing in to PostMaster with accounts of a real domain: rows, sessions, second factor."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Select, select, update

from postmaster.config import Config
from postmaster.db import db
from postmaster.directory.plan import Directory
from postmaster.models import Admin, AdminSession, HistoryEntry
from postmaster.rules import history, settings
from tests.api.calls import create
from tests.conftest import PASSWORD as LOCAL_PASSWORD
from tests.conftest import set_setting, sign_in
from tests.directory import broken_servers
from tests.directory.conftest import GROUP, SERVICE, SERVICE_PASSWORD
from tests.directory.domain_accounts import PASSWORD, DomainAccounts
from tests.directory.domain_controller import REALM
from tests.rules.conftest import alter_setting

INCORRECT = "The username or password was incorrect"
AWAY = "The directory cannot be asked at the moment"
USERS = "/api/v1/users"

NUMBERS = itertools.count(1)
Row = TypeVar("Row")
# The rows themselves are tested on SQLite too: tests/rules/test_elsewhere.py.
pytestmark = pytest.mark.parametrize("app", ["mariadb"], indirect=True)

TellDirectory = Callable[..., None]


@pytest.fixture
def tell_directory(app: Flask, simple: Directory, monkeypatch: pytest.MonkeyPatch) -> TellDirectory:
    """Have the settings describe a directory: the domain, unless said otherwise."""
    config: Config = app.extensions["postmaster"]
    trusting = replace(config, ldap_ca_file=simple.ca_file, ldap_bind_password=SERVICE_PASSWORD)
    monkeypatch.setitem(app.extensions, "postmaster", trusting)

    def tell(url: str = simple.servers[0].url, *, service: bool = True) -> None:
        values = {
            settings.LDAP_SERVER: url,
            settings.LDAP_DOMAIN: REALM,
            settings.LDAP_GROUP: GROUP,
            settings.LDAP_METHOD: "SIMPLE",
            settings.LDAP_BIND_ACCOUNT: f"{SERVICE}@{REALM}" if service else "",
            settings.LDAP_ENABLED: "True",
        }
        with app.app_context():
            for setting, value in values.items():
                alter_setting(setting, value)

    return tell


@pytest.fixture
def directory_on(tell_directory: TellDirectory) -> None:
    """PostMaster asks the domain, and has an account of its own there."""
    tell_directory()


def attempt(app: Flask, username: str, password: str = PASSWORD, **fields: str) -> FlaskClient:
    """A new browser that has tried to sign in with the directory."""
    browser = app.test_client()
    data = {"username": username, "password": password, "auth_source": REALM, **fields}
    browser.post("/login", data=data)
    return browser


def new(accounts: DomainAccounts, stem: str) -> str:
    """A user in the group, of a name that no other test has."""
    name = f"{stem}{next(NUMBERS)}"
    accounts.add_user(name, GROUP)
    return name


def is_in(browser: FlaskClient) -> bool:
    return browser.get(USERS).status_code == 200


def said(app: Flask, username: str, password: str = PASSWORD) -> str:
    """What the page says to an attempt that is refused."""
    data = {"username": username, "password": password, "auth_source": REALM}
    response = app.test_client().post("/login", data=data)
    assert response.status_code == 200, response.headers
    return response.text


def sign_in_here(browser: FlaskClient) -> str:
    """Sign the default admin in, in this browser; where it leads to."""
    data = {"username": "admin", "password": LOCAL_PASSWORD}
    return browser.post("/login", data=data).headers["Location"]


def rows(app: Flask, query: Select[tuple[Row]]) -> list[Row]:
    """What the database holds now."""
    with app.app_context():
        return list(db.session.scalars(query))


def admin(app: Flask, username: str) -> Admin:
    [found] = rows(app, select(Admin).where(Admin.username == username))
    return found


def alter(app: Flask, username: str, **columns: object) -> None:
    with app.app_context():
        db.session.execute(update(Admin).where(Admin.username == username).values(**columns))
        db.session.commit()


def some_time_later(app: Flask, username: str, minutes: int = 16) -> None:
    """As if the directory had been asked so long ago."""
    alter(app, username, confirmed=history.now() - timedelta(minutes=minutes))


# --- rows -----------------------------------------------------------------------


@pytest.mark.usefixtures("directory_on")
def test_the_first_sign_in_makes_the_row_and_the_next_finds_it(app: Flask) -> None:
    assert is_in(attempt(app, "alice"))
    made = admin(app, f"alice@{REALM}")
    assert (made.source, made.password, made.name) == ("ldap", None, "Alice Liddell (Oxford)")
    assert made.active
    assert made.last_sign_in is not None
    entry = rows(app, select(HistoryEntry).order_by(HistoryEntry.id))[-1]
    assert (entry.action, entry.object_name) == ("create", f"alice@{REALM}")
    for spelling in ("ALICE", f"alice@{REALM}", r"CORP\alice", f"alice.liddell@{REALM}"):
        assert is_in(attempt(app, spelling)), spelling
    assert len(rows(app, select(Admin))) == 2


@pytest.mark.usefixtures("directory_on")
def test_a_local_administrator_of_the_same_name_is_somebody_else(
    app: Flask, client: FlaskClient
) -> None:
    create(client, "admins", username="alice", password="local secret", name="Another")
    assert is_in(attempt(app, "alice"))
    assert is_in(sign_in(app, "alice", "local secret"))
    sources = [one.source for one in rows(app, select(Admin).order_by(Admin.id))]
    assert sources == ["local", "local", "ldap"]
    assert INCORRECT in said(app, "alice", "local secret")


@pytest.mark.usefixtures("directory_on")
def test_also_where_the_local_one_has_the_whole_name(app: Flask, client: FlaskClient) -> None:
    create(client, "admins", username=f"alice@{REALM}", password="local secret", name="Another")
    assert is_in(attempt(app, "alice"))
    assert is_in(attempt(app, "alice"))
    assert admin(app, f"alice@{REALM}").source == "local"
    assert admin(app, f"alice@{REALM} (ldap)").name == "Alice Liddell (Oxford)"


@pytest.mark.usefixtures("directory_on")
def test_a_row_of_postmaster_1_is_taken_over(app: Flask) -> None:
    with app.app_context():
        db.session.add(Admin(username="alice", name="Old", source="ldap", active=True))
        db.session.commit()
    assert is_in(attempt(app, "alice"))
    assert is_in(attempt(app, "alice")), "and the second time too"
    assert admin(app, "alice").name == "Alice Liddell (Oxford)"
    assert len(rows(app, select(Admin))) == 2


@pytest.mark.usefixtures("directory_on")
def test_a_renamed_account_stays_the_same_administrator(
    app: Flask, accounts: DomainAccounts
) -> None:
    name = new(accounts, "maiden")
    assert is_in(attempt(app, name))
    before = admin(app, f"{name}@{REALM}").id
    accounts.rename(name, f"m{name}")
    assert is_in(attempt(app, f"m{name}"))
    assert admin(app, f"m{name}@{REALM}").id == before


@pytest.mark.usefixtures("directory_on")
def test_another_account_of_the_same_name_is_not_let_into_the_row(
    app: Flask, accounts: DomainAccounts
) -> None:
    name = new(accounts, "reborn")
    assert is_in(attempt(app, name))
    accounts.delete(name)
    accounts.add_user(name, GROUP)
    assert f"Another account was {name}@{REALM} before" in said(app, name)


@pytest.mark.usefixtures("directory_on")
def test_a_row_that_was_turned_off_here_is_refused(app: Flask) -> None:
    attempt(app, "alice")
    alter(app, f"alice@{REALM}", active=False)
    assert "turned off in PostMaster" in said(app, "alice")


# --- refusals -------------------------------------------------------------------


@pytest.mark.usefixtures("directory_on")
def test_who_may_not_makes_no_row(app: Flask) -> None:
    assert f"not in the group {GROUP}" in said(app, "outside")
    assert INCORRECT in said(app, "alice", "wrong")
    assert INCORRECT in said(app, "nobody")
    assert len(rows(app, select(Admin))) == 1


@pytest.mark.usefixtures("directory_on")
def test_refusals_of_the_directory_lock_its_row_and_no_local_administrator(
    app: Flask, client: FlaskClient, accounts: DomainAccounts
) -> None:
    name = new(accounts, "twin")
    create(client, "admins", username=name, password="local secret", name="Local")
    set_setting(client, "Account Lockout Threshold", "3")
    assert is_in(attempt(app, name))
    for _ in range(3):
        assert INCORRECT in said(app, name, "wrong")
    assert "locked out" in said(app, name)
    assert admin(app, f"{name}@{REALM}").failed_attempts == 3
    assert not admin(app, name).failed_attempts
    assert is_in(sign_in(app, name, "local secret"))
    assert accounts.bad_passwords(name) == 3  # the one while it was locked did not get there


@pytest.mark.usefixtures("directory_on")
def test_the_second_factor_is_asked_for(app: Flask) -> None:
    attempt(app, "alice")
    secret = pyotp.random_base32()
    alter(app, f"alice@{REALM}", otp_active=True, otp_secret=secret)
    assert not is_in(attempt(app, "alice"))
    assert not is_in(attempt(app, "alice", two_factor="000000"))
    assert is_in(attempt(app, "alice", two_factor=pyotp.TOTP(secret).now()))
    browser = attempt(app, "alice", steps="2")
    assert not is_in(browser)
    later = pyotp.TOTP(secret).at(history.now().timestamp() + 30)
    browser.post("/login", data={"step": "code", "two_factor": later})
    assert is_in(browser)


@pytest.mark.usefixtures("directory_on")
def test_the_log_says_more_than_the_page(app: Flask, client: FlaskClient) -> None:
    set_setting(client, "Login Auditing", "True")
    said(app, "alice", "wrong")
    lines = [item["message"] for item in client.get("/api/v1/logs").get_json()["items"]]
    assert any("A sign-in as" in line and "data 52e" in line for line in lines), lines
    assert PASSWORD not in str(lines)


# --- while a session lasts ------------------------------------------------------


@pytest.mark.usefixtures("directory_on")
def test_an_open_session_goes_on_while_the_directory_says_so(app: Flask) -> None:
    browser = attempt(app, "alice")
    some_time_later(app, f"alice@{REALM}")
    assert is_in(browser)
    confirmed = admin(app, f"alice@{REALM}").confirmed
    assert confirmed is not None
    assert history.now() - confirmed < timedelta(minutes=5)


@pytest.mark.usefixtures("directory_on")
def test_who_left_the_group_is_out_after_the_minutes(app: Flask, accounts: DomainAccounts) -> None:
    name = new(accounts, "leaving")
    browser = attempt(app, name)
    accounts.take_out_of(GROUP, name)
    assert is_in(browser)
    some_time_later(app, f"{name}@{REALM}", 14)
    assert is_in(browser)
    some_time_later(app, f"{name}@{REALM}", 15)
    refused = browser.get(USERS)
    assert refused.status_code == 401
    assert f"not in the group {GROUP}" in refused.get_json()["message"]
    accounts.put_into(GROUP, name)
    assert not is_in(browser), "the session has ended"
    assert is_in(attempt(app, name))


@pytest.mark.usefixtures("directory_on")
def test_when_directories_are_turned_off_their_sessions_end(
    app: Flask, client: FlaskClient
) -> None:
    browser = attempt(app, "alice")
    set_setting(client, "Enable LDAP Authentication", "False")
    assert not is_in(browser)
    assert len(rows(app, select(AdminSession))) == 1


def test_without_an_account_of_its_own_the_session_ends_by_itself(
    app: Flask, tell_directory: TellDirectory
) -> None:
    tell_directory(service=False)
    assert is_in(attempt(app, "alice"))
    ends = min(rows(app, select(AdminSession.expires)))
    assert timedelta(minutes=14) < ends - history.now() <= timedelta(minutes=15)


def test_while_the_directory_is_away_its_administrators_wait_and_local_ones_work(
    app: Flask, client: FlaskClient, tell_directory: TellDirectory
) -> None:
    tell_directory()
    browser = attempt(app, "alice")
    some_time_later(app, f"alice@{REALM}")
    with broken_servers.hanging_up() as server:
        address = server.ldaps
        tell_directory(address)
        refused = browser.get(USERS)
    page = browser.get("/users")
    assert page.status_code == 503
    assert "The directory cannot be asked now" in page.text
    assert 'action="/logout"' in page.text, "whoever wants to leave can"
    assert refused.status_code == 503
    assert AWAY in refused.get_json()["message"]
    assert AWAY in said(app, "alice")
    assert not admin(app, f"alice@{REALM}").failed_attempts, "nobody has refused anything"
    assert is_in(client)
    assert is_in(sign_in(app))
    errors = [i for i in client.get("/api/v1/logs").get_json()["items"] if i["category"] == "error"]
    assert "was not possible" in errors[-1]["message"]
    assert address in errors[-1]["message"]
    tell_directory()
    assert is_in(browser)
    some_time_later(app, f"alice@{REALM}")
    tell_directory(address)
    assert browser.get("/logout").headers["Location"] == "/login"
    assert sign_in_here(browser) == "/"


@pytest.mark.usefixtures("directory_on")
def test_the_page_says_why_a_session_has_ended(app: Flask, accounts: DomainAccounts) -> None:
    name = new(accounts, "told")
    browser = attempt(app, name)
    accounts.disable(name)
    some_time_later(app, f"{name}@{REALM}")
    page = browser.get("/users", follow_redirects=True).text
    assert "Your session has ended: Your account is disabled in the directory" in page


@pytest.mark.usefixtures("directory_on")
def test_a_session_that_cannot_be_looked_up_any_more_ends(app: Flask, client: FlaskClient) -> None:
    browser = attempt(app, "alice")
    set_setting(client, "LDAP Bind Account", "")
    assert is_in(browser)
    some_time_later(app, f"alice@{REALM}")
    refused = browser.get(USERS)
    assert refused.status_code == 401
    assert "Sign in again" in refused.get_json()["message"]


def test_while_the_directory_hangs_a_local_administrator_signs_in(
    app: Flask, tell_directory: TellDirectory
) -> None:
    with broken_servers.silent() as server:
        tell_directory(server.ldaps)
        answers: list[str] = []
        waiting = [
            threading.Thread(target=lambda: answers.append(said(app, "alice"))) for _ in range(6)
        ]
        for thread in waiting:
            thread.start()
        browser = sign_in(app, "admin", LOCAL_PASSWORD)
        assert is_in(browser)
        # Two found every place taken and were told so at once; four hang on.
        assert sum(thread.is_alive() for thread in waiting) >= 4
    for thread in waiting:
        thread.join()
    assert all(AWAY in answer for answer in answers)
    assert len(answers) == 6


# --- who is counted -------------------------------------------------------------


@pytest.mark.usefixtures("directory_on")
def test_whoever_signs_in_by_a_name_that_seems_anothers_locks_nobody(
    app: Flask, accounts: DomainAccounts
) -> None:
    """Eve's principal is what Bob's would be."""
    bob, eve = new(accounts, "bob"), new(accounts, "eve")
    assert is_in(attempt(app, bob))
    accounts.set_principal(eve, f"{bob}@{REALM}")
    for _ in range(6):
        assert is_in(attempt(app, f"{bob}@{REALM}"))
    assert not admin(app, f"{bob}@{REALM}").failed_attempts
    assert not admin(app, f"{eve}@{REALM}").failed_attempts
    assert is_in(attempt(app, rf"CORP\{bob}"))


@pytest.mark.usefixtures("directory_on")
def test_while_a_lock_runs_nobody_learns_that_the_password_was_right(
    app: Flask, accounts: DomainAccounts
) -> None:
    name = new(accounts, "shut")
    assert is_in(attempt(app, name))
    alter(app, f"{name}@{REALM}", unlock_date=history.now() + timedelta(minutes=9))
    assert INCORRECT in said(app, accounts.dn(name))
    assert INCORRECT in said(app, accounts.dn(name), "wrong")


@pytest.mark.usefixtures("directory_on")
def test_a_password_of_a_megabyte_is_a_wrong_one(app: Flask) -> None:
    assert INCORRECT in said(app, "alice", "x" * 300_000)
    assert is_in(attempt(app, "alice")), "no server rests"


@pytest.mark.usefixtures("directory_on")
def test_an_account_of_another_type_of_directory_is_gone(app: Flask) -> None:
    browser = attempt(app, "alice")
    alter(app, f"alice@{REALM}", external_id="autogenerate")
    some_time_later(app, f"alice@{REALM}")
    refused = browser.get(USERS)
    assert refused.status_code == 401
    assert "no such account" in refused.get_json()["message"]
