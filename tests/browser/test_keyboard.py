"""An admin's work by keyboard alone: the focus is visible at every stop, and never lost."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.focus import focus_is_visible, tab_to
from tests.browser.served import Served
from tests.browser.test_journeys import said


def focus_stays(page: Page) -> None:
    """After the answer is in its place something has the focus, and is seen to have it."""
    page.wait_for_function("() => document.activeElement !== document.body")
    focus_is_visible(page)


def test_adding_changing_deleting_and_undoing(served: Served, signed_in: Page) -> None:
    page = signed_in
    page.goto("/domains")
    tab_to(page, page.locator("#add [name=name]"))
    page.keyboard.type("example.com")
    tab_to(page, page.locator("#add-button"))
    page.keyboard.press("Enter")
    said(page, "was created")
    focus_stays(page)

    page.goto("/users?domain=example.com")
    page.keyboard.press("n")
    expect(page.locator("#add [name=email]")).to_be_focused()
    page.keyboard.type("ana")
    tab_to(page, page.locator("#add [name=password]"))
    page.keyboard.type("a good password")
    page.keyboard.press("Enter")
    said(page, 'The user "ana@example.com" was created')
    focus_stays(page)

    tab_to(page, page.locator("#list tbody a.editable").first)
    page.keyboard.press("Enter")
    field = page.locator("#list tbody form [name=password]")
    expect(field).to_be_focused()
    focus_is_visible(page)
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    expect(page.locator("#list tbody a.editable").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type("another password")
    page.keyboard.press("Enter")
    said(page, "had its password changed")
    focus_stays(page)
    expect(page.locator("#list tbody a.editable").first).to_be_focused()

    tab_to(page, page.locator("#list tbody a.delete").first)
    page.keyboard.press("Enter")
    button = page.locator("#dialog button.btn-danger")
    expect(button).to_be_focused()
    focus_is_visible(page)
    page.keyboard.press("Enter")
    said(page, "was deleted")
    focus_stays(page)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")
    said(page, "was brought back")
    focus_stays(page)
    assert served.rows("SELECT email FROM virtual_users") == [("ana@example.com",)]


def test_an_alias_with_two_destinations(served: Served, signed_in: Page) -> None:
    served.load_guide_rows()
    page = signed_in
    page.goto("/aliases?domain=example.com")
    page.keyboard.press("n")
    page.keyboard.type("crew@example.com")
    tab_to(page, page.locator("#add [name=destination]"))
    page.keyboard.type("ana@example.com")
    page.keyboard.press("Enter")
    said(page, "was created")
    focus_stays(page)
    crew = page.locator("#list tbody tr", has_text="crew@example.com")
    tab_to(page, crew.locator("a[id^=add-]"))
    page.keyboard.press("Enter")
    field = page.locator("#list tbody form [name=destination]")
    expect(field).to_be_focused()
    page.keyboard.type("bob@example.com")
    page.keyboard.press("Enter")
    said(page, "crew@example.com \u2192 bob@example.com")
    focus_stays(page)
    tab_to(page, crew.locator("a.remove").first)
    page.keyboard.press("Enter")
    expect(page.locator("#dialog button.btn-danger")).to_be_focused()
    page.keyboard.press("Enter")
    said(page, "was deleted")
    focus_stays(page)


def test_searching_and_paging(
    served: Served, signed_in: Page, many_users: Callable[[int], None]
) -> None:
    many_users(35)
    page = signed_in
    page.goto("/users")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("user0")
    expect(page).to_have_url(f"{served.url}/users?search=user0")
    expect(search).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Next"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.url}/users?search=user0&page=2")
    expect(page.get_by_role("link", name="Next")).to_be_focused()
    focus_is_visible(page)


def test_the_menu(served: Served, signed_in: Page) -> None:
    page = signed_in
    page.goto("/")
    menu = page.locator("details.menu summary").first
    tab_to(page, menu)
    page.keyboard.press("Enter")
    tab_to(page, page.locator("details.menu a", has_text="Aliases"))
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.locator("details.menu a", has_text="Aliases"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.url}/aliases")
