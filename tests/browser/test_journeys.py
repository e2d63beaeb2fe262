"""The whole of an admin's work in a real browser, with JavaScript and without.

With JavaScript none of it loads a page as a whole.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.browser.focus import focus_is_visible
from tests.browser.looks import DESKTOP, PHONE, PLAIN, PLAIN_PHONE, Look
from tests.browser.served import Served
from tests.browser.traffic import without_page_load

MAIL_TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")
LOOKS = [pytest.param(DESKTOP, id="javascript"), pytest.param(PLAIN_PHONE, id="plain-320px")]


@contextmanager
def change(page: Page) -> Iterator[None]:
    """What a test does in this block: with JavaScript without a page load, and with the
    focus on something afterwards. (Whoever uses the mouse does not see it.)
    """
    if not page.evaluate("() => Boolean(window.htmx)"):
        yield
        return
    with without_page_load(page):
        yield
    page.wait_for_function("() => document.activeElement !== document.body")


def sign_in(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("PostMaster")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", level=1).wait_for()


def said(page: Page, words: str) -> None:
    expect(page.locator("#messages")).to_contain_text(words)


@pytest.mark.parametrize(
    "page", [*LOOKS, pytest.param(PHONE, id="javascript-320px")], indirect=True
)
def test_from_the_sign_in_to_the_undo(served: Served, page: Page) -> None:
    sign_in(page)
    add(served, page)
    change_a_password(served, page)
    delete_and_undo(served, page)


def add(served: Served, page: Page) -> None:
    """A domain, two users, an alias with two destinations."""
    page.goto("/domains")
    page.locator("#add [name=name]").fill("Example.com")
    with change(page):
        page.locator("#add-button").click()
        said(page, 'The domain "example.com" was created')

    page.goto("/users?domain=example.com")
    for name in ("ana", "bob"):
        page.locator("#add [name=email]").fill(name)
        page.locator("#add [name=password]").fill(f"the password of {name}")
        with change(page):
            page.locator("#add-button").click()
            said(page, f'The user "{name}@example.com" was created')

    page.goto("/aliases")
    page.locator("#add [name=source]").fill("team@example.com")
    page.locator("#add [name=destination]").fill("ana@example.com")
    with change(page):
        page.locator("#add-button").click()
        said(page, "was created")
    page.get_by_role("link", name="Add", exact=False).first.click()
    second = page.locator("form[action$=destinations] [name=destination]")
    second.fill("bob@example.com")
    with change(page):
        second.press("Enter")
        said(page, "team@example.com → bob@example.com")
    assert served.rows("SELECT destination FROM virtual_aliases ORDER BY id") == [
        ("ana@example.com",),
        ("bob@example.com",),
    ]


def change_a_password(served: Served, page: Page) -> None:
    """And take it back."""
    page.goto("/users")
    before = served.rows("SELECT password FROM virtual_users ORDER BY id")
    page.locator("#list tbody a.editable").first.click()
    password = page.locator("form[action$=password] [name=password]")
    password.fill("another password")
    with change(page):
        password.press("Enter")
        said(page, 'The user "ana@example.com" had its password changed')
    assert served.rows("SELECT password FROM virtual_users ORDER BY id") != before
    with change(page):
        page.get_by_role("button", name="Undo").click()
        said(page, "(undo)")
    assert served.rows("SELECT password FROM virtual_users ORDER BY id") == before


def delete_and_undo(served: Served, page: Page) -> None:
    """The domain with all that is in it."""
    page.goto("/domains")
    before = [served.rows(f"SELECT * FROM {table} ORDER BY id") for table in MAIL_TABLES]
    page.locator("#list tbody a.delete").first.click()
    expect(page.get_by_text("2 users with their passwords")).to_be_visible()
    page.locator("[name=confirmation]").fill("example.org")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("type its name")).to_be_visible()
    page.locator("[name=confirmation]").fill("example.com")
    with change(page):
        page.get_by_role("button", name="Delete", exact=True).click()
        said(page, 'The domain "example.com" was deleted')
    assert served.rows("SELECT * FROM virtual_users") == []
    with change(page):
        page.get_by_role("button", name="Undo").click()
        said(page, 'The domain "example.com" was brought back')
    after = [served.rows(f"SELECT * FROM {table} ORDER BY id") for table in MAIL_TABLES]
    assert after == before


@pytest.mark.parametrize("signed_in", LOOKS, indirect=True)
def test_searching_sorting_and_paging(
    served: Served, signed_in: Page, many_users: Callable[[int], None]
) -> None:
    many_users(35)
    page = signed_in
    page.goto("/users")
    rows = page.locator("#list tbody tr")
    expect(rows).to_have_count(10)
    with change(page):
        page.get_by_role("link", name="Next").click()
        expect(page).to_have_url(f"{served.url}/users?page=2")
        expect(rows.first).to_contain_text("user010@example.com")
    with change(page):
        page.get_by_role("searchbox").fill("user00")
        page.get_by_role("searchbox").press("Enter")
        expect(page).to_have_url(f"{served.url}/users?search=user00")
        expect(page.locator("#total")).to_have_text("10 users")
    page.goto("/users?search=user0&order=desc&per_page=25")
    expect(rows.first).to_contain_text("user034@example.com")
    expect(rows).to_have_count(25)
    expect(page.get_by_role("searchbox")).to_have_value("user0")


def test_a_column_is_sorted_by_its_heading(
    served: Served, signed_in: Page, many_users: Callable[[int], None]
) -> None:
    many_users(35)
    signed_in.goto("/users")
    with change(signed_in):
        signed_in.get_by_role("link", name="Email address").click()
        expect(signed_in.locator("#list tbody tr").first).to_contain_text("user034@example.com")
    expect(signed_in.get_by_role("columnheader", name="Email address")).to_have_attribute(
        "aria-sort", "descending"
    )


def test_back_and_forward_restore_what_was_seen(
    served: Served, signed_in: Page, many_users: Callable[[int], None]
) -> None:
    many_users(35)
    page = signed_in
    page.goto("/users")
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(f"{served.url}/users?page=2")
    page.get_by_role("searchbox").press_sequentially("user01", delay=20)
    expect(page).to_have_url(f"{served.url}/users?search=user01")
    page.locator("#list tbody a[id^=row-]").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("user010@example.com")
    page.go_back()
    expect(page).to_have_url(f"{served.url}/users?search=user01")
    expect(page.locator("#total")).to_have_text("10 users")
    expect(page.get_by_role("searchbox")).to_have_value("user01")
    page.go_back()
    expect(page).to_have_url(f"{served.url}/users?page=2")
    expect(page.locator("#list tbody tr").first).to_contain_text("user010@example.com")
    page.go_back()
    expect(page).to_have_url(f"{served.url}/users")
    expect(page.locator("#list tbody tr").first).to_contain_text("user000@example.com")
    page.go_forward()
    expect(page.locator("#list tbody tr").first).to_contain_text("user010@example.com")
    page.go_forward()
    expect(page.locator("#total")).to_have_text("10 users")


@pytest.mark.parametrize(
    "look", [pytest.param(DESKTOP, id="javascript"), pytest.param(PLAIN, id="plain")]
)
def test_two_tabs_do_not_overwrite_each_other(
    served: Served, browse: Callable[..., Page], look: Look
) -> None:
    served.load_guide_rows()
    first = browse(look, admin="admin")
    second = first.context.new_page()
    for page in (first, second):
        page.goto("/aliases?search=sales")
        page.locator("#list tbody a.editable").first.click()
    field = "form[action*='/aliases/'] [name=destination]"
    first.locator(field).first.fill("bob@example.com")
    first.locator(field).first.press("Enter")
    said(first, "bob@example.com")
    second.locator(field).first.fill("dmitri@example.org")
    second.locator(field).first.press("Enter")
    expect(second.get_by_text("Somebody changed this since you opened it")).to_be_visible()
    stored = "SELECT destination FROM virtual_aliases WHERE source='sales@example.com'"
    assert served.rows(stored) == [("bob@example.com",)]
    # Who has been told may do it all the same.
    second.locator(field).first.press("Enter")
    said(second, "dmitri@example.org")
    assert served.rows(stored) == [("dmitri@example.org",)]


@pytest.mark.parametrize(
    "signed_in",
    [pytest.param(DESKTOP, id="javascript"), pytest.param(PLAIN, id="plain")],
    indirect=True,
)
def test_several_rows_at_once(
    served: Served, signed_in: Page, many_users: Callable[[int], None]
) -> None:
    many_users(3)
    page = signed_in
    page.goto("/users")
    for box in page.locator("#list tbody input[type=checkbox]").all():
        box.check()
    page.locator("#delete-selected").click()
    expect(page.get_by_text("Delete 3 users?")).to_be_visible()
    with change(page):
        page.get_by_role("button", name="Delete", exact=True).click()
        said(page, "3 users were deleted")
    assert served.rows("SELECT * FROM virtual_users") == []
    with change(page):
        page.get_by_role("button", name="Undo").click()
        said(page, "brought back")
    assert len(served.rows("SELECT * FROM virtual_users")) == 3


def test_a_dialog_gives_the_focus_back(served: Served, signed_in: Page) -> None:
    served.load_guide_rows()
    signed_in.goto("/users")
    opener = signed_in.locator("#list tbody a.delete").first
    opener.click()
    expect(signed_in.locator("#dialog")).to_be_visible()
    signed_in.keyboard.press("Escape")
    expect(signed_in.locator("#dialog")).to_be_hidden()
    expect(opener).to_be_focused()
    focus_is_visible(signed_in)


def test_keys_lead_through_the_panel(served: Served, signed_in: Page) -> None:
    page = signed_in
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("u")
    expect(page).to_have_url(f"{served.url}/users")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("n")
    expect(page.locator("#add [name=email]")).to_be_focused()
    page.keyboard.type("?")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()


def test_what_is_typed_is_answered_at_once(served: Served, signed_in: Page) -> None:
    served.load_guide_rows()
    page = signed_in
    page.goto("/users")
    page.locator("#add [name=email]").press_sequentially("Eva@Bücher.example")
    expect(page.locator("#address-preview")).to_contain_text("already exists")
    page.locator("#add [name=email]").fill("Neu@Bücher.example")
    expect(page.locator("#address-preview")).to_contain_text("neu@xn--bcher-kva.example")
    page.locator("#add [name=password]").press_sequentially("abc")
    expect(page.locator("#form-password-strength")).to_contain_text("at least 8 characters")
    page.get_by_text("Suggest a password").click()
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#form-password-strength")).to_contain_text("Strong")
