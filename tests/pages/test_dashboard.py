"""The dashboard: tiles with counts, and what needs attention."""

from datetime import timedelta

from flask.testing import FlaskClient

from postmaster.models import Admin, HistoryEntry
from postmaster.rules import history
from tests.pages.browsing import Browser


def add(client: FlaskClient, noun: str, **values: str) -> None:
    assert client.post(f"/api/v1/{noun}", json=values).status_code == 201


def test_the_tiles_stand_in_order_with_their_counts(browser: Browser) -> None:
    add(browser.client, "domains", name="example.com")
    add(browser.client, "users", email="ana@example.com", password="a good password")
    add(browser.client, "users", email="bob@example.com", password="a good password")
    page = browser.open("/")
    tiles = [name for name in page.ids if name.startswith("tile-")]
    assert tiles == [
        "tile-users",
        "tile-domains",
        "tile-configs",
        "tile-aliases",
        "tile-logs",
        "tile-admins",
    ]
    assert "2 Users 1 Domains 29 Configurations 0 Aliases 0 Logs 1 Administrators" in page.text


def test_a_tile_leads_to_its_area(browser: Browser) -> None:
    page = browser.open("/")
    for path in ("/users", "/domains", "/configs", "/aliases", "/logs", "/admins"):
        assert page.links.count(path) >= 2, "once in the menu, once as a tile"


def test_a_new_installation_is_told_the_first_steps(browser: Browser) -> None:
    assert "The first steps" in browser.open("/").headings


def test_the_first_steps_go_when_they_are_taken(browser: Browser) -> None:
    add(browser.client, "domains", name="example.com")
    add(browser.client, "users", email="ana@example.com", password="a good password")
    assert "The first steps" not in browser.open("/").headings


def test_the_default_password_needs_attention(browser: Browser) -> None:
    page = browser.open("/")
    assert "Needs attention" in page.headings
    assert "password that everybody knows" in page.text
    browser.open("/account")
    browser.submit("/account/password", present="PostMaster", new="another password")
    assert "Needs attention" not in browser.open("/").headings


def test_a_locked_administrator_is_unlocked_from_here(browser: Browser) -> None:
    add(browser.client, "admins", username="zoe", name="Zoë", password="another password")
    zoe = browser.id_of(Admin, username="zoe")
    browser.alter(Admin, zoe, unlock_date=history.now() + timedelta(minutes=10))
    page = browser.open("/")
    assert "is locked out until" in page.text
    page = browser.submit(f"/admins/{zoe}/unlock")
    assert page.url == "/"
    assert "is locked out until" not in page.text


def test_the_newest_changes_stand_here(browser: Browser) -> None:
    add(browser.client, "domains", name="example.com")
    page = browser.open("/")
    assert 'The domain "example.com" was created' in page.text
    entry = browser.id_of(HistoryEntry, object_name="example.com")
    assert f"/history/{entry}" in page.links


def test_a_part_of_the_page(browser: Browser) -> None:
    browser.open("/admins")
    part = browser.open("/", into="main")
    assert "<html" not in part.html
    assert "tile-users" in part.ids
