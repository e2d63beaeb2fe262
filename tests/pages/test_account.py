"""My account: name, language, password, second factor, sessions."""

import re

import pyotp

from postmaster.models import Admin, RecoveryCode
from tests.conftest import PASSWORD, sign_in
from tests.pages.browsing import Browser, Page

NEW = "another password"


def oneself(browser: Browser) -> Admin:
    return browser.row(Admin, 1)


def set_up(browser: Browser) -> Page:
    """Turn the second factor on; the page with the recovery codes."""
    browser.open("/account")
    page = browser.submit("/account/twofactor/begin")
    assert page.url == "/account/twofactor"
    code = pyotp.TOTP(oneself(browser).otp_secret or "").now()
    return browser.submit("code-form", code=code)


# --- name and language ----------------------------------------------------------


def test_ones_name_is_changed(browser: Browser) -> None:
    browser.open("/account")
    page = browser.submit("name-form", name="Ana Müller")
    assert page.url == "/account"
    assert page.form("name-form").values["name"] == ["Ana Müller"]
    assert oneself(browser).name == "Ana Müller"


def test_an_empty_name_is_refused(browser: Browser) -> None:
    browser.open("/account")
    page = browser.submit("name-form", name=" ")
    assert page.status == 400
    assert "was not specified" in page.errors["name"]


def test_the_language_is_chosen(browser: Browser) -> None:
    page = browser.open("/account")
    assert page.form("language-form").offered["language"] == ["", "en", "de", "fr", "es", "nl"]
    page = browser.submit("language-form", language="de")
    assert page.url == "/account"
    assert '<html lang="de">' in page.html
    assert page.form("language-form").values["language"] == ["de"]
    page = browser.submit("language-form", language="")
    assert '<html lang="en">' in page.html


def test_an_unknown_language_is_refused(browser: Browser) -> None:
    browser.open("/account")
    page = browser.submit("language-form", language="xx")
    assert page.status == 400
    assert "no such language" in page.errors["language"]


# --- password -------------------------------------------------------------------


def test_ones_password_is_changed_and_one_stays(browser: Browser) -> None:
    app = browser.client.application
    elsewhere = sign_in(app)
    browser.open("/account")
    page = browser.submit("password-form", present=PASSWORD, new=NEW)
    assert page.status == 200
    assert page.url == "/account"
    assert elsewhere.get("/").status_code == 302
    assert sign_in(app, "admin", NEW)


def test_a_wrong_present_password_is_refused(browser: Browser) -> None:
    browser.open("/account")
    page = browser.submit("password-form", present="wrong", new=NEW)
    assert page.status == 400
    assert "incorrect" in page.errors["present"]
    assert NEW not in page.html


def test_a_short_new_password_is_refused(browser: Browser) -> None:
    browser.open("/account")
    page = browser.submit("password-form", present=PASSWORD, new="short")
    assert page.status == 400
    assert "at least 8" in page.errors["new"]


# --- second factor --------------------------------------------------------------


def test_the_secret_is_shown_as_code_and_as_text(browser: Browser) -> None:
    browser.open("/account")
    page = browser.submit("/account/twofactor/begin")
    assert "<svg" in page.html
    assert "style=" not in page.html
    (shown,) = re.findall(r'id="secret">([A-Z2-7 ]+)<', page.html)
    assert shown.replace(" ", "") == oneself(browser).otp_secret
    assert max(len(group) for group in shown.split()) == 4


def test_the_second_factor_is_turned_on_and_the_codes_shown_once(browser: Browser) -> None:
    page = set_up(browser)
    codes = re.findall(r"<li>([A-Z0-9-]+)</li>", page.html)
    assert len(codes) == 10
    page = browser.open("/account")
    assert "10 recovery codes are left" in page.text
    assert not any(code in page.html for code in codes)


def test_a_wrong_code_is_refused(browser: Browser) -> None:
    browser.open("/account")
    browser.submit("/account/twofactor/begin")
    secret = oneself(browser).otp_secret
    page = browser.submit("code-form", code="12345")
    assert page.status == 400
    assert "invalid code" in page.errors["code"]
    assert oneself(browser).otp_secret == secret


def test_without_a_secret_one_is_led_to_the_account(browser: Browser) -> None:
    assert browser.open("/account/twofactor").url == "/account"


def test_new_recovery_codes_replace_the_old(browser: Browser) -> None:
    old = set_up(browser).html
    browser.open("/account")
    page = browser.submit("/account/recoverycodes")
    codes = re.findall(r"<li>([A-Z0-9-]+)</li>", page.html)
    assert len(codes) == 10
    assert not any(code in old for code in codes)


def test_no_recovery_codes_without_a_second_factor(browser: Browser) -> None:
    page = browser.open("/account")
    page.form("/account/twofactor/begin").action = "/account/recoverycodes"
    page = browser.submit("/account/recoverycodes")
    assert page.status == 400
    assert "not turned on" in page.text


def test_the_second_factor_is_turned_off(browser: Browser) -> None:
    set_up(browser)
    browser.open("/account")
    page = browser.submit("off-form", present=PASSWORD)
    assert page.status == 200
    assert "It is off" in page.text
    assert not oneself(browser).otp_active
    assert browser.is_gone(RecoveryCode, 1)


def test_it_stays_on_with_a_wrong_password(browser: Browser) -> None:
    set_up(browser)
    browser.open("/account")
    page = browser.submit("off-form", present="wrong")
    assert page.status == 400
    assert "incorrect" in page.errors["present"]
    assert oneself(browser).otp_active


# --- sessions -------------------------------------------------------------------


def test_the_other_sessions_are_ended(browser: Browser) -> None:
    elsewhere = sign_in(browser.client.application)
    page = browser.open("/account")
    assert page.text.count("this one") == 1
    page = browser.submit("/account/sessions/end")
    assert "1 other session was ended" in page.text
    assert not page.has_form("/account/sessions/end")
    assert elsewhere.get("/").status_code == 302


def test_a_part_of_the_page(browser: Browser) -> None:
    browser.open("/")
    part = browser.open("/account", into="main")
    assert "<html" not in part.html
    assert "name-form" in part.ids
