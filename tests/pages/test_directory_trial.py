"""/configs/directory: trying the directory out, against a real OpenLDAP."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from postmaster.config import Config
from postmaster.db import db
from postmaster.models import Admin, HistoryEntry, SettingRow
from tests.conftest import set_setting
from tests.directory.openldap import BIND_ACCOUNT, BIND_PASSWORD, DOMAIN, OpenLdap
from tests.pages.browsing import Browser, Page

PATH = "/configs/directory"
GROUP = "postmasters"
PASSWORD = "what only alice knows"
WRONG = "what nobody knows"
SETTINGS = {
    "LDAP Directory Type": "OpenLDAP",
    "AD Domain": DOMAIN,
    "AD PostMaster Group": GROUP,
    "LDAP Bind Account": BIND_ACCOUNT,
}
STEP = re.compile(r'<li class="(passed|failed)">.*?<b>(\w[\w ]*)<.*?<div>(.*?)</div></li>', re.S)
VERDICT = re.compile(r'id="verdict".*?</span> <p>(.*?)</p>', re.S)


def put(values: dict[str, str]) -> None:
    """Change settings, all at once."""
    for name, value in values.items():
        where = SettingRow.setting == name
        db.session.execute(update(SettingRow).where(where).values(value=value))
    db.session.commit()


@pytest.fixture(scope="module")
def openldap() -> Iterator[OpenLdap]:
    """Alice is in the group, Bob is not."""
    with OpenLdap() as server:
        alice = server.user("alice", PASSWORD, cn="Alice Example")
        server.user("bob", PASSWORD, cn="Bob Example")
        server.group_of_names(GROUP, alice)
        yield server


@pytest.fixture
def trusting(browser: Browser, openldap: OpenLdap, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The configuration file has the bind account's password, and whom to believe."""
    extensions = browser.client.application.extensions
    present: Config = extensions["postmaster"]
    told = replace(present, ldap_ca_file=openldap.authority.file, ldap_bind_password=BIND_PASSWORD)
    monkeypatch.setitem(extensions, "postmaster", told)
    return browser


@pytest.fixture
def ready(trusting: Browser, openldap: OpenLdap) -> Browser:
    """The directory is set up, and the form is open."""
    with trusting.client.application.app_context():
        put(SETTINGS | {"AD Server LDAP String": openldap.tls_url})
    trusting.open(PATH)
    return trusting


def steps(page: Page) -> list[tuple[str, str]]:
    """How each step ended, and its title."""
    return [(state, title) for state, title, _said in STEP.findall(page.html)]


def said(page: Page, title: str) -> str:
    """What the last step of this title found, with the advice."""
    found = [words for _state, name, words in STEP.findall(page.html) if name == title]
    return re.sub(r"\s*<[^>]+>\s*", " ", found[-1])


def verdict(page: Page) -> str:
    found = VERDICT.search(page.html)
    assert found is not None, page.text
    return re.sub("[\u2066-\u2069]", "", found[1])  # what isolates a name from the sentence


def log_of(browser: Browser) -> list[dict[str, Any]]:
    path = browser.client.application.extensions["postmaster_log"].path
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


# --- before anything is asked ---------------------------------------------------


def test_the_settings_page_leads_there_and_back(browser: Browser) -> None:
    assert PATH in browser.open("/configs").links
    page = browser.open(PATH)
    assert page.headings[0] == "Test the directory"
    assert "/configs" in page.links
    assert set(page.form("trial").values) >= {"username", "password", "csrf_token"}
    assert "verdict" not in page.ids


@pytest.mark.parametrize("username", ["", "   "])
def test_nobody_is_not_tried(ready: Browser, username: str) -> None:
    page = ready.submit("trial", username=username, password=PASSWORD)
    assert page.status == 400
    assert page.errors == {"username": "The username was not specified."}
    assert steps(page) == []
    assert log_of(ready) == []


def test_a_directory_that_is_not_set_up_is_not_tried(browser: Browser) -> None:
    browser.open(PATH)
    page = browser.submit("trial", username="alice", password=PASSWORD)
    assert page.status == 400
    missing = "AD Server LDAP String, AD Domain, AD PostMaster Group"
    assert f"{missing} must be configured first." in page.alerts
    assert page.form("trial").values["username"] == ["alice"]
    set_setting(browser.client, "AD Domain", DOMAIN)
    page = browser.submit("trial", username="alice")
    assert "AD Server LDAP String, AD PostMaster Group must be configured first." in page.alerts
    assert steps(page) == []


# --- what each step found -------------------------------------------------------


def test_an_account_that_can_sign_in(ready: Browser, openldap: OpenLdap) -> None:
    page = ready.submit("trial", username="alice", password=PASSWORD)
    assert page.status == 200
    assert verdict(page) == "alice (Alice Example) can sign in to PostMaster."
    titles = ["Connection", "Bind account", "User", "Password", "Account", "Group"]
    assert steps(page) == [("passed", title) for title in titles]
    assert openldap.tls_url in said(page, "Connection")
    assert "uid=alice,ou=people,dc=example,dc=org" in said(page, "User")
    assert page.form("trial").values["username"] == ["alice"]


def test_it_need_not_be_enabled_and_makes_no_administrator(ready: Browser) -> None:
    ready.submit("trial", username="alice", password=PASSWORD)
    with ready.client.application.app_context():
        assert db.session.scalar(select(func.count()).select_from(Admin)) == 1
        kinds = db.session.scalars(select(HistoryEntry.kind).distinct()).all()
    assert kinds == []


def test_one_outside_the_group_and_what_to_do(ready: Browser) -> None:
    page = ready.submit("trial", username="bob", password=PASSWORD)
    assert page.status == 200
    assert verdict(page) == "This account cannot sign in to PostMaster."
    assert steps(page)[-1] == ("failed", "Group")
    assert "Add the account to the group" in said(page, "Group")


def test_a_wrong_password(ready: Browser) -> None:
    page = ready.submit("trial", username="alice", password=WRONG)
    assert steps(page)[-1] == ("failed", "Password")
    assert "incorrect" in said(page, "Password")
    assert "invalidCredentials" in said(page, "Password")  # the server's own words
    assert verdict(page) == "This account cannot sign in to PostMaster."


def test_without_a_password_the_account_is_looked_up(ready: Browser) -> None:
    page = ready.submit("trial", username="alice")
    assert verdict(page) == "alice (Alice Example) can sign in to PostMaster."
    assert ("passed", "User") in steps(page)
    assert "Password" not in [title for _state, title in steps(page)]
    page = ready.submit("trial", username="nobody")
    assert steps(page)[-1] == ("failed", "User")


def test_a_server_that_is_away_and_the_next_one(ready: Browser, openldap: OpenLdap) -> None:
    away = "ldaps://127.0.0.1:1"
    set_setting(ready.client, "AD Server LDAP String", f"{away} {openldap.tls_url}")
    page = ready.submit("trial", username="alice", password=PASSWORD)
    assert steps(page)[:2] == [("failed", "Connection"), ("passed", "Connection")]
    assert "Check the address and the port" in page.text
    assert verdict(page).endswith("can sign in to PostMaster.")


def test_a_certificate_that_nobody_vouches_for(
    ready: Browser, openldap: OpenLdap, monkeypatch: pytest.MonkeyPatch
) -> None:
    extensions = ready.client.application.extensions
    monkeypatch.setitem(
        extensions, "postmaster", replace(extensions["postmaster"], ldap_ca_file=None)
    )
    page = ready.submit("trial", username="alice", password=PASSWORD)
    assert steps(page) == [("failed", "Connection")]
    assert "ldap_ca_file" in said(page, "Connection")
    assert openldap.tls_url in said(page, "Connection")


def test_a_refused_bind_account(ready: Browser, openldap: OpenLdap) -> None:
    openldap.modify(BIND_ACCOUNT, userPassword="changed there")
    try:
        page = ready.submit("trial", username="alice", password=PASSWORD)
    finally:
        openldap.modify(BIND_ACCOUNT, userPassword=BIND_PASSWORD)
    assert steps(page) == [("passed", "Connection"), ("failed", "Bind account")]
    assert "manage.py setldappassword" in said(page, "Bind account")
    assert BIND_PASSWORD not in page.html


def test_a_part_of_the_page(ready: Browser) -> None:
    page = ready.submit("trial", into="main", username="bob", password=PASSWORD)
    assert page.response.headers["HX-Retarget"] == "#main"
    assert "<html" not in page.html
    assert verdict(page) == "This account cannot sign in to PostMaster."
    assert page.response.headers["HX-Push-Url"] == "false"


def test_a_name_is_text(ready: Browser) -> None:
    odd = "<b>alice</b>*)(uid=*"
    page = ready.submit("trial", username=odd, password=PASSWORD)
    assert steps(page)[-1] == ("failed", "User")
    assert "<b>alice" not in page.html
    assert page.form("trial").values["username"] == [odd]


# --- secrets, and who may -------------------------------------------------------


@pytest.mark.parametrize("password", [PASSWORD, WRONG])
def test_a_password_is_in_no_answer_and_in_no_log(ready: Browser, password: str) -> None:
    set_setting(ready.client, "Login Auditing", "True")
    shown = [ready.submit("trial", username=name, password=password) for name in ("alice", "bob")]
    shown.append(ready.submit("trial", username="", password=password))
    assert [page.status for page in shown] == [200, 200, 400]
    told = json.dumps(log_of(ready))
    for secret in (password, BIND_PASSWORD):
        assert secret not in told
        assert not [page.status for page in shown if secret in page.html]


@pytest.mark.parametrize("auditing", ["False", "True"])
def test_the_log_tells_of_every_trial(ready: Browser, auditing: str) -> None:
    set_setting(ready.client, "Login Auditing", auditing)
    for password in (PASSWORD, WRONG, ""):
        ready.submit("trial", username=" alice ", password=password)
    trials = [line for line in log_of(ready) if "tried" in line["message"]]
    assert [line["message"] for line in trials] == [
        f"The directory was tried as alice: {verdict} sign in"
        for verdict in ("can", "cannot", "can")
    ]
    assert {(line["category"], line["admin"]) for line in trials} == {("auth", "admin")}
    assert {line["ip"] for line in trials} == {"127.0.0.1"}


def test_a_line_of_the_log_cannot_be_forged(ready: Browser) -> None:
    ready.submit("trial", username='alice\n{"message": "forged"}', password=PASSWORD)
    (line,) = log_of(ready)
    assert "\n" not in line["message"]


def test_strangers_are_sent_to_sign_in(ready: Browser, openldap: OpenLdap) -> None:
    stranger: FlaskClient = ready.client.application.test_client()
    mark = openldap.mark()
    seen = stranger.get(PATH)
    assert (seen.status_code, seen.headers["Location"]) == (302, f"/login?next={PATH}")
    sent = stranger.post(PATH, data={"username": "alice", "password": PASSWORD})
    assert (sent.status_code, sent.headers["Location"]) == (302, "/login")
    assert "ACCEPT" not in openldap.log_since(mark)
    assert log_of(ready) == []


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}]
)
def test_other_sites_are_refused(
    ready: Browser, openldap: OpenLdap, headers: dict[str, str]
) -> None:
    assert ready.page is not None
    token = ready.page.form("trial").values["csrf_token"][0]
    form = {"csrf_token": token, "username": "alice", "password": PASSWORD}
    mark = openldap.mark()
    assert ready.client.post(PATH, data=form, headers=headers).status_code == 403
    assert "ACCEPT" not in openldap.log_since(mark)


@pytest.mark.parametrize("token", [{}, {"csrf_token": "x.y.z"}])
def test_the_form_s_own_token_is_needed(
    ready: Browser, openldap: OpenLdap, token: dict[str, str]
) -> None:
    mark = openldap.mark()
    answer = ready.client.post(PATH, data={"username": "alice", "password": PASSWORD} | token)
    assert answer.status_code == 400
    assert PASSWORD not in answer.text
    assert "ACCEPT" not in openldap.log_since(mark)
    assert log_of(ready) == []
