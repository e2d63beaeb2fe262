"""What a page answers to what nobody meant to send: too much, too late, or unreadable."""

import sqlite3
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from postmaster.db import db
from postmaster.models import Admin, Alias, Domain, HistoryEntry
from tests.conftest import sign_in
from tests.pages.browsing import Browser
from tests.pages.stored import put

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
HTMX = {"HX-Request": "true", "HX-Target": "main"}
ENDED = "Your session has ended. Sign in again: what you sent last was not saved."


@pytest.fixture
def no_tables(client: FlaskClient) -> Iterator[FlaskClient]:
    """A database that cannot be asked anything."""

    def fail(*_arguments: object) -> None:
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("disk"))

    with client.application.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", fail)
    yield client
    event.remove(engine, "before_cursor_execute", fail)


# --- too much -------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_too_large_is_refused_in_words(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    answer = client.post("/domains", data={"name": "x" * 2**21}, headers=headers)
    assert answer.status_code == 413
    assert "at most 1 MB" in answer.text


def test_too_many_rows_are_refused_and_not_cut(browser: Browser) -> None:
    query = "&".join(f"id={number}" for number in range(1, 1002))
    page = browser.open(f"/users/selected?{query}")
    assert page.status == 400
    assert "at most 1000" in page.text


@pytest.mark.parametrize("wrong", ["9" * 5000, "1" * 30, "-1", "x"])
def test_an_id_that_is_none_is_no_row(mail: Browser, wrong: str) -> None:
    assert mail.open(f"/users/selected?id={wrong}").status in (200, 404)
    assert mail.open(f"/history?object={wrong}").status == 200


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_the_last_day_there_is_ends_nothing(mail: Browser, day: str) -> None:
    assert mail.open(f"/history?until={day}").status == 200


# --- unreadable -----------------------------------------------------------------


def test_a_referer_that_is_no_address_is_not_gone_back_to(client: FlaskClient) -> None:
    odd = {"Referer": "http://[", "HX-Current-URL": "http://["}
    assert client.get("/domains", headers=HTMX | odd).status_code == 200
    assert client.get("/users/selected?id=1", headers=odd).status_code == 404


def test_addresses_in_headers_are_ascii(client: FlaskClient) -> None:
    answer = client.get("/domains?search=ü", headers=HTMX)
    assert answer.headers["HX-Push-Url"] == "/domains?search=%C3%BC"


# --- too late -------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_whose_session_has_ended_is_told(browser: Browser, headers: dict[str, str]) -> None:
    page = browser.open("/domains")
    token = page.form("add").values["csrf_token"][0]
    browser.client.delete_cookie("postmaster")
    answer = browser.client.post(
        "/domains", data={"csrf_token": token, "name": "a.example"}, headers=headers
    )
    way = answer.headers.get("HX-Redirect") or answer.headers["Location"]
    sign_in_page = browser.client.get(way)
    assert ENDED in sign_in_page.text
    assert "alert-warning" in sign_in_page.text


def test_a_tab_of_an_earlier_sign_in_is_to_be_loaded_again(browser: Browser) -> None:
    token = browser.open("/domains").form("add").values["csrf_token"][0]
    late = sign_in(browser.client.application)
    answer = late.post("/domains", data={"csrf_token": token, "name": "a.example"})
    assert answer.status_code == 400
    assert "load it again, nothing was changed" in answer.text
    assert "correct what was sent" not in answer.text


def test_who_takes_ones_own_creation_back_is_out(app: Flask, browser: Browser) -> None:
    browser.open("/admins")
    browser.submit("add", username="zoe", name="Zoë", password="a good password")
    forms = browser.open("/history").forms
    undo = next(form.action for form in forms if form.action.endswith("/undo"))
    zoe = Browser(sign_in(app, "zoe", "a good password"))
    zoe.open("/history")
    page = zoe.submit(undo)
    assert page.status == 200
    assert page.url.startswith("/login")
    # Nobody who is not signed in is offered to undo.
    assert not any(form.action.endswith("/undo") for form in page.forms)


def test_who_deletes_oneself_is_offered_no_undo(app: Flask, browser: Browser) -> None:
    browser.open("/admins")
    browser.submit("add", username="zoe", name="Zoë", password="a good password")
    number = browser.id_of(Admin, username="zoe")
    zoe = Browser(sign_in(app, "zoe", "a good password"))
    zoe.open(f"/admins/{number}/delete")
    page = zoe.submit(f"/admins/{number}/delete")
    assert page.url.startswith("/login")
    assert "was deleted" in page.text
    assert not any(form.action.endswith("/undo") for form in page.forms)


# --- the database is away -------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("PUT", "/domains")])
def test_without_the_database_an_error_is_no_defect(
    no_tables: FlaskClient, method: str, path: str
) -> None:
    answer = no_tables.open(path, method=method)
    assert answer.status_code == 503
    assert "The database cannot be used now" in answer.text
    # Whatever is wrong with it does not pass by itself.
    assert "Wait a moment" not in answer.text


# --- where one goes on to -------------------------------------------------------


@pytest.mark.parametrize("way", ["/%6cogout", "/x/../logout", "/./logout", "/logout"])
def test_nobody_signs_in_to_be_signed_out(stranger: FlaskClient, way: str) -> None:
    form = {"username": "admin", "password": "PostMaster", "next": way}
    assert stranger.post("/login", data=form).headers["Location"] == "/"


def test_cancel_never_leads_elsewhere(mail: Browser) -> None:
    mail.open("/domains")
    page = mail.send(
        "/users/selected", id="11", action="password", password="x", back="https://evil.example/"
    )
    assert page.status == 400
    assert "evil.example" not in page.html


# --- a refused addition stands in its list --------------------------------------


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/domains?search=one&sort=name&order=desc", {"name": "wrong"}),
        ("/users?search=an&domain=one.example", {"email": "ana@nowhere.example", "password": "x"}),
        ("/aliases?search=team&domain=one.example", {"source": "x", "destination": "y"}),
        ("/admins?search=admin&sort=name", {"username": "", "name": "", "password": ""}),
    ],
)
@pytest.mark.parametrize("into", [None, "main"])
def test_a_refused_addition_keeps_the_list(
    mail: Browser, path: str, wrong: dict[str, str], into: str | None
) -> None:
    mail.open(path)
    page = mail.submit("add", into=into, **wrong)
    assert page.status == 400
    assert page.url.partition("?")[2] == path.partition("?")[2]
    search = path.partition("search=")[2].partition("&")[0]
    assert f'name="search" value="{search}"' in page.html
    assert page.response.headers.get("HX-Push-Url", "false") == "false"


def test_in_a_domains_list_its_name_may_be_left_off(mail: Browser) -> None:
    mail.open("/users?domain=one.example&search=new")
    page = mail.submit("add", email="newcomer", password="a good password")
    assert page.status == 200
    assert "newcomer@one.example" in page.text
    assert page.url == "/users?domain=one.example&search=new"


def test_aliases_are_sorted_by_what_there_is(mail: Browser) -> None:
    assert mail.open("/aliases?sort=password").status == 400
    assert mail.open("/aliases?order=sideways").status == 400
    assert mail.open("/aliases?sort=source&order=desc").status == 200


@pytest.mark.parametrize("path", ["/users", "/aliases"])
def test_a_domain_that_is_not_there_is_named(mail: Browser, path: str) -> None:
    assert "nosuch.example is not in the list" in mail.open(f"{path}?domain=nosuch.example").text


# --- what is said of a change ---------------------------------------------------


def test_a_message_says_how_many_rows_went_along(browser: Browser) -> None:
    domain = Domain(id=1, name="one.example")
    put(browser, domain)
    put(
        browser,
        *(Alias(domain_id=1, source=f"a{n}@one.example", destination="x@y.z") for n in range(2)),
    )
    browser.open("/domains/1/delete")
    page = browser.submit("/domains/1/delete")
    assert 'The domain "one.example" was deleted, with 2 more rows' in page.text


def test_of_several_only_the_others_went_along(mail: Browser) -> None:
    mail.open("/users/selected?id=11&id=12")
    page = mail.submit("/users/selected", button="action=delete")
    went = [entry for entry in recorded(mail) if entry.part_of is not None]
    others = [entry for entry in went if entry.kind != "user"]
    assert len(went) == len(others) + 2
    said = f"with {len(others)} more rows"
    assert f"2 users were deleted, {said}" in page.text
    listed = mail.open("/history")
    assert said in listed.text
    assert f"with {len(went)} more" not in listed.text
    (head,) = [entry.id for entry in recorded(mail) if entry.part_of is None]
    assert "All rows of this change" in mail.open(f"/history/{head}").headings


def recorded(browser: Browser) -> list[HistoryEntry]:
    with browser.client.application.app_context():
        return list(db.session.scalars(select(HistoryEntry)))


def test_names_are_shown_as_people_read_them(browser: Browser) -> None:
    browser.open("/domains")
    page = browser.submit("add", name="münchen.example")
    assert 'The domain "münchen.example" was created' in page.text
