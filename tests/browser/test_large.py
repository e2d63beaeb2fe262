"""A list of very many rows: the rows at once, then their total and what else a search finds."""

import pytest
from playwright.sync_api import Page, expect

from postmaster.rules.totals import FEW_ROWS
from tests.browser.everybody import faults_in_any_look
from tests.browser.looks import BOTH_WIDTHS
from tests.browser.served import Served

USERS = FEW_ROWS + 10_000
SHOWN = f"{USERS + 1:,} users"


@pytest.fixture
def large(served: Served) -> Served:
    """So many users that the page does not wait for their count; one of them is ``ana``."""
    served.run("INSERT INTO virtual_domains (id, name) VALUES (1, 'example.com')")
    served.run(
        "INSERT INTO virtual_users (domain_id, password, email)"
        f" SELECT 1, '*', CONCAT('user', seq, '@example.com') FROM seq_1_to_{USERS}"
    )
    served.run(
        "INSERT INTO virtual_users (domain_id, password, email)"
        " VALUES (1, '*', 'ana.user7@example.com')"
    )
    served.run("ANALYZE TABLE virtual_users")
    return served


@pytest.mark.parametrize("signed_in", BOTH_WIDTHS, indirect=True)
def test_the_total_comes_after_the_rows(large: Served, signed_in: Page) -> None:
    page = signed_in
    page.goto("/users")
    expect(page.locator("#total")).to_have_text(SHOWN)
    expect(page.get_by_role("link", name=f"{(USERS + 10) // 10:,}")).to_be_visible()
    assert "counted" not in page.url
    page.locator("#page-next").click()
    expect(page).to_have_url(f"{large.url}/users?page=2")
    expect(page.locator("#total")).to_have_text(SHOWN)
    assert faults_in_any_look(page) == []


def test_a_search_shows_what_begins_so_and_then_the_rest(large: Served, signed_in: Page) -> None:
    page = signed_in
    page.goto("/users")
    page.get_by_role("searchbox").fill("user7@example.com")
    rows = page.locator("#list tbody tr")
    expect(rows.first).to_contain_text("user7@example.com")
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("ana.user7@example.com")
    expect(page.locator("#rest")).to_have_count(0)
    expect(page.locator("#total")).to_have_text("2 users")
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert page.url == f"{large.url}/users?search=user7%40example.com"


def test_the_dashboard_counts_after_it_is_there(large: Served, signed_in: Page) -> None:
    signed_in.goto("/")
    expect(signed_in.locator("#tile-users .count")).to_have_text(f"{USERS + 1:,}")
    expect(signed_in.locator("#tile-domains .count")).to_have_text("1")


def test_without_javascript_links_lead_to_the_rest(large: Served, signed_in_plain: Page) -> None:
    page = signed_in_plain
    page.goto("/users")
    expect(page.locator("#total")).to_contain_text("Counting")
    page.goto(f"{large.url}{page.locator('#total a').get_attribute('href')}")
    expect(page.locator("#total")).to_have_text(SHOWN)
    page.goto("/users?search=user7@example.com")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.goto(f"{large.url}{page.locator('#rest a').get_attribute('href')}")
    expect(page.locator("#list tbody tr")).to_have_count(2)
    expect(page.locator("#page-next")).to_have_count(0)
