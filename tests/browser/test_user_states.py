"""Suspending, renaming and a note, as an admin does it, with JavaScript and without."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.looks import BOTH_WIDTHS, DESKTOP, PLAIN_PHONE
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
        expect(page.get_by_text("it is taken and then sent back")).to_be_visible()
        page.get_by_role("button", name="Suspend", exact=True).click()
        said(page, 'The user "anna@example.com" was suspended')
    assert served.rows("SELECT password FROM virtual_users WHERE email = '!anna@example.com'") == [
        ("!suspended",)
    ]


@pytest.mark.parametrize("signed_in", BOTH_WIDTHS, indirect=True)
def test_the_consequences_stand_above_the_button(served: Served, signed_in: Page) -> None:
    page = signed_in
    served.load_guide_rows()
    served.run(
        "INSERT INTO virtual_aliases (domain_id, source, destination)"
        " SELECT id, '@example.org', 'bob@example.com' FROM virtual_domains"
        " WHERE name = 'example.org'"
    )
    page.goto("/users?search=ana@")
    form = page.locator("#add")
    form.get_by_label("Email address").fill("new@example.org")
    expect(form).to_contain_text("The mailbox new@example.org will get no mail")
    is_above(form, "Add")
    box = form.get_by_label("Let the mailbox get its mail all the same")
    box.check()
    expect(form).not_to_contain_text("no mail")
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    page.goto("/aliases")
    form = page.locator("#add")
    form.get_by_role("textbox", name="Source").fill("new@example.com")
    form.get_by_role("combobox", name="Destination").fill(ANA)
    is_above(form, "Add")


def is_above(form: Locator, button: str) -> None:
    """The consequences are shown, and the button is below them."""
    consequences = form.locator(".consequences")
    expect(consequences).to_be_visible()
    above = consequences.bounding_box()
    below = form.get_by_role("button", name=button, exact=True).bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]
