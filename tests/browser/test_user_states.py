"""Suspending, renaming and a note, as an admin does it, with JavaScript and without."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import DESKTOP, PLAIN_PHONE
from tests.browser.served import Served
from tests.browser.test_journeys import change, said

LOOKS = [pytest.param(DESKTOP, id="javascript"), pytest.param(PLAIN_PHONE, id="plain-320px")]
ANA = "ana@example.com"


@pytest.mark.parametrize("signed_in", LOOKS, indirect=True)
def test_a_user_is_noted_renamed_suspended_and_resumed(served: Served, signed_in: Page) -> None:
    page = signed_in
    served.load_guide_rows()
    before = served.rows("SELECT password FROM virtual_users WHERE email = 'ana@example.com'")
    page.goto("/users?search=ana@")
    with change(page):
        page.get_by_role("link", name=ANA, exact=True).click()
        page.get_by_role("textbox", name="Note").fill("Pays until May")
        page.get_by_role("button", name="Save").click()
        said(page, f'The note on "{ANA}" was written')
    rename(page)
    suspend(served, page)
    page.goto("/users?search=until may")
    expect(page.locator("#list")).to_contain_text("anna@example.com suspended, no mail")
    expect(page.locator("#list .note")).to_contain_text("Pays until May")
    page.goto("/users?suspended=1")
    with change(page):
        page.locator("#list tbody input[type=checkbox]").check()
        page.locator("#resume-selected").click()
        page.get_by_role("button", name="Resume", exact=True).click()
        said(page, 'The user "anna@example.com" is not suspended any more')
    found = served.rows("SELECT password FROM virtual_users WHERE email = 'anna@example.com'")
    assert found == before


def rename(page: Page) -> None:
    """The aliases follow, and the page says how to move the folder."""
    with change(page):
        page.get_by_label("New address").fill("Anna@example.com")
        if page.evaluate("() => Boolean(window.htmx)"):
            expect(page.locator("#address-preview")).to_contain_text("anna@example.com")
        page.get_by_label("Leave an alias").check()
        address = page.get_by_role("region", name="Address")
        address.get_by_role("button", name="Change").click()
        said(page, "anna@example.com")
    command = "mv -T /var/mail/vhosts/example.com/ana /var/mail/vhosts/example.com/anna"
    expect(page.locator(".folders .commands").first).to_have_text(command)
    expect(page.locator("section[aria-labelledby=leading]")).to_contain_text(ANA)


def suspend(served: Served, page: Page) -> None:
    """The question says what it means; the choice without mail is made."""
    with change(page):
        page.locator("#suspend-this").click()
        page.get_by_label("No sign-in and no mail").check()
        expect(page.get_by_text("aliases lead there")).to_be_visible()
        page.get_by_role("button", name="Suspend", exact=True).click()
        said(page, 'The user "anna@example.com" was suspended')
    assert served.rows("SELECT password FROM virtual_users WHERE email = '!anna@example.com'") == [
        ("!suspended",)
    ]
