"""The second factor in a real browser: set up, sign in by two steps, turn off; for everybody."""

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.everybody import faults_in_any_look
from tests.browser.layout import no_sideways_scroll
from tests.browser.looks import PHONE, PLAIN
from tests.browser.served import Served
from tests.browser.traffic import watch_of


def set_up(page: Page) -> str:
    """Turn the second factor on; one of the recovery codes."""
    page.goto("/account")
    page.get_by_role("button", name="Set up").click()
    secret = "".join(page.locator(".secret").inner_text().split())
    judge(page)
    page.get_by_role("textbox").fill(pyotp.TOTP(secret).now())
    page.locator("main form[action$=twofactor] button").click()
    codes = page.locator(".codes li")
    expect(codes).to_have_count(10)
    judge(page)
    return codes.first.inner_text()


def judge(page: Page) -> None:
    """For whoever looks with scripts; the others see the same page."""
    if page.evaluate("() => Boolean(window.htmx)"):
        assert faults_in_any_look(page) == []
    else:
        no_sideways_scroll(page)


@pytest.mark.parametrize(
    "signed_in",
    [pytest.param(PHONE, id="javascript-320px"), pytest.param(PLAIN, id="plain")],
    indirect=True,
)
def test_from_the_qr_code_to_the_recovery_code(served: Served, signed_in: Page) -> None:
    page = signed_in
    recovery = set_up(page)
    page.goto("/account")
    judge(page)
    page.goto("/logout")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("PostMaster")
    page.get_by_role("button", name="Sign in").click()
    code = page.locator("[name=two_factor]")
    expect(code).to_be_focused()
    judge(page)
    code.fill("000000")
    code.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("code is incorrect")
    judge(page)
    page.locator("[name=two_factor]").fill(recovery)
    page.locator("[name=two_factor]").press("Enter")
    expect(page).to_have_url(f"{served.url}/")


def test_another_admins_second_factor_is_turned_off(served: Served, signed_in: Page) -> None:
    page = signed_in
    served.run(
        "INSERT INTO postmaster_admins (id, username, name, source, active, otp_active, otp_secret)"
        " VALUES (7, 'bob', 'Bob', 'local', 1, 1, 'JBSWY3DPEHPK3PXP')"
    )
    page.goto("/admins/7")
    judge(page)
    page.get_by_role("link", name="Turn off").click()
    expect(page.locator("#dialog h2")).to_be_visible()
    judge(page)
    page.goto("/admins/7/twofactor/off")
    judge(page)
    page.locator("main button.btn-danger").click()
    expect(page.locator("#messages")).to_contain_text("second factor turned off")


def test_an_account_that_is_locked_is_told_so(page: Page) -> None:
    page.goto("/login")
    for _ in range(6):
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("locked out until")
    judge(page)


def test_refused_requests_have_pages(served: Served, signed_in: Page) -> None:
    page = signed_in
    watch_of(page).expect_status(400, 404, 405)
    for path in ("/nowhere", "/users/selected?id=99", "/domains?sort=nothing", "/users/99/delete"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        judge(page)
