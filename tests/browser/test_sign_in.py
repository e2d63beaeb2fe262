"""Signing in with a real browser, with JavaScript and without."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.everybody import faults_in_any_look
from tests.browser.focus import focus_is_visible, tab_to
from tests.browser.looks import WITH_AND_WITHOUT_JAVASCRIPT
from tests.browser.served import Served


@pytest.mark.parametrize("served", ["sqlite", "mariadb"], indirect=True)
@pytest.mark.parametrize("page", WITH_AND_WITHOUT_JAVASCRIPT, indirect=True)
def test_an_admin_signs_in_and_goes_on(served: Served, page: Page) -> None:
    page.goto("/users?search=ana")
    expect(page).to_have_url(f"{served.url}/login?next=/users?search%3Dana")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("PostMaster")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{served.url}/users?search=ana")


@pytest.mark.parametrize("page", WITH_AND_WITHOUT_JAVASCRIPT, indirect=True)
def test_a_wrong_password_is_said(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("password")
    expect(page.get_by_label("Username")).to_have_value("admin")


def test_signing_in_by_keyboard_alone(served: Served, page: Page) -> None:
    page.goto("/login")
    expect(page.get_by_label("Username")).to_be_focused()
    focus_is_visible(page)
    page.keyboard.type("admin")
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type("PostMaster")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.url}/")


def test_the_sign_in_page_and_its_refusal_are_for_everybody(page: Page) -> None:
    page.goto("/login")
    assert faults_in_any_look(page) == []
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    assert faults_in_any_look(page) == []
