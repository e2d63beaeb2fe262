"""The pages of the contract: each renders its rows, as text, for whoever is signed in."""

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.models import Admin, Alias, Domain, User
from postmaster.rules import settings as declared
from tests.api.calls import create, listed
from tests.conftest import set_setting, sign_in

PAGES = ["/", "/domains", "/users", "/aliases", "/admins", "/configs", "/logs"]
BANNER = "still has the password of a new installation"
ODD = "<b>&\"'\u202e\u0645"


@pytest.fixture
def odd_rows(client: FlaskClient) -> FlaskClient:
    """Rows that came by hand, with markup in every field."""
    with client.application.app_context():
        db.session.add(Domain(id=1, name=f"{ODD}.example"))
        db.session.flush()
        db.session.add(User(domain_id=1, email=f"{ODD}@example", password="*"))
        db.session.add(Alias(domain_id=1, source=f"{ODD}@example", destination=ODD))
        db.session.add(Admin(username=ODD, name=ODD, source="local", active=True))
        db.session.commit()
    client.application.extensions["postmaster_log"].write("error", ODD, ODD)
    return client


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_there_for_whoever_is_signed_in(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert "style=" not in page.text
    assert not re.search(r"<script(?! src=)", page.text)


@pytest.mark.parametrize("path", [*PAGES[1:], "/domains?search=a%26b&page=2"])
def test_a_stranger_is_led_to_the_sign_in_and_on(stranger: FlaskClient, path: str) -> None:
    response = stranger.get(path)
    assert response.status_code == 302
    way = response.headers["Location"]
    assert way.startswith("/login?next=/")
    found = re.search(r'name="next" value="([^"]*)"', stranger.get(way).text)
    assert found is not None
    form = {"username": "admin", "password": "PostMaster", "next": html.unescape(found[1])}
    assert stranger.post("/login", data=form).headers["Location"] == path


def test_the_dashboard_is_where_a_sign_in_leads_by_itself(stranger: FlaskClient) -> None:
    assert stranger.get("/").headers["Location"] == "/login"
    form = {"username": "admin", "password": "PostMaster", "next": ""}
    assert stranger.post("/login", data=form).headers["Location"] == "/"
    late = stranger.application.test_client().post("/logout")
    assert late.headers["Location"] == "/login", "what was sent cannot be sent again"


def test_a_page_shows_its_rows(client: FlaskClient) -> None:
    create(client, "domains", name="example.com")
    create(client, "users", email="ana@example.com", password="password")
    create(client, "aliases", source="info@example.com", destination="ana@example.com")
    assert "example.com" in client.get("/domains").text
    assert "ana@example.com" in client.get("/users").text
    assert "info@example.com" in client.get("/aliases").text
    assert "Default User" in client.get("/admins").text
    settings = [item["setting"] for item in listed(client, "configs", "per_page=100")]
    assert len(settings) == len(declared.ALL)
    page = client.get("/configs").text
    assert all(setting in page for setting in settings)


@pytest.mark.parametrize("path", ["/domains", "/users", "/aliases", "/admins"])
def test_markup_in_a_search_is_text(client: FlaskClient, path: str) -> None:
    page = client.get(path, query_string={"search": ODD, "page": 1}).text
    assert "<b>&" not in page
    assert 'value="&lt;b&gt;&amp;&#34;&#39;' in page


@pytest.mark.parametrize("path", ["/domains", "/users", "/aliases", "/admins", "/logs"])
def test_markup_in_a_row_is_text(odd_rows: FlaskClient, path: str) -> None:
    page = odd_rows.get(path).text
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;&#34;&#39;" in page


def test_a_list_is_searched_and_paged_from_the_address_bar(client: FlaskClient) -> None:
    for number in range(12):
        create(client, "domains", name=f"d{number:02}.example")
    first = client.get("/domains").text
    assert "d09.example" in first
    assert "d10.example" not in first
    assert "/domains?page=2" in first
    assert "d10.example" in client.get("/domains?page=2").text
    found = client.get("/domains?search=D11").text
    assert "d11.example" in found
    assert "d10.example" not in found
    assert client.get("/domains?page=3").headers["Location"] == "/domains?page=2"
    assert "Nothing matches" in client.get("/domains?search=nothing").text
    assert client.get("/domains?sort=password").status_code == 400
    assert client.get("/domains?page=x&per_page=-1").status_code == 200


def test_every_page_warns_until_the_default_password_is_changed(
    app: Flask, client: FlaskClient
) -> None:
    create(client, "admins", username="bob", password="password", name="Bob")
    bob = sign_in(app, "bob", "password")
    for path in PAGES:
        assert BANNER in bob.get(path).text
    client.patch("/api/v1/admins/1", json={"password": "another one"})
    for path in PAGES:
        assert BANNER not in bob.get(path).text


def test_the_log_is_shown_newest_first(client: FlaskClient) -> None:
    assert "The log is empty" in client.get("/logs").text
    set_setting(client, "Mail Database Auditing", "True")
    create(client, "domains", name="a.example")
    create(client, "domains", name="b.example")
    page = client.get("/logs").text
    assert page.index("b.example") < page.index("a.example")


def test_an_error_is_a_page_that_says_what_next(client: FlaskClient) -> None:
    page = client.get("/nowhere")
    assert page.status_code == 404
    assert "not found" in page.text.lower()
    assert "To the dashboard" in page.text
