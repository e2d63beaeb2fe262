"""The settings' page: a small form for each."""

import pytest

from postmaster.models import SettingRow
from postmaster.rules import settings
from tests.conftest import set_setting
from tests.pages.browsing import Browser, Page


def stored(browser: Browser, setting_id: int) -> str | None:
    return browser.row(SettingRow, setting_id).value


def id_of(setting: settings.Setting[object]) -> int:
    return settings.ALL.index(setting) + 1


def error_of(page: Page) -> str:
    return page.errors["value"]


def test_every_setting_has_a_form_and_help(browser: Browser) -> None:
    page = browser.open("/configs")
    for setting in settings.ALL:
        assert page.has_form(f"/configs/{id_of(setting)}"), setting.name
        assert setting.name in page.text
        assert f"setting-{id_of(setting)}-value-help" in page.ids
    assert "Default: 8" in page.text
    assert "Default: Off" in page.text
    assert "Default: empty" in page.text


def test_the_controls_fit_the_values(browser: Browser) -> None:
    page = browser.open("/configs")
    assert 'min="1"' in page.html
    assert 'max="99"' in page.html
    switch = page.form(f"/configs/{id_of(settings.LOGIN_AUDITING)}")
    assert switch.offered["value"] == ["True", "False"]
    method = page.form(f"/configs/{id_of(settings.LDAP_METHOD)}")
    assert method.offered["value"] == ["NTLM", "SIMPLE"]


@pytest.mark.parametrize(
    ("setting", "value", "kept"),
    [
        (settings.MINIMUM_PASSWORD_LENGTH, "12", "12"),
        (settings.LOGIN_AUDITING, "True", "True"),
        (settings.LDAP_SERVER, " ldaps://dc.example.com:636 ", "ldaps://dc.example.com:636"),
        (settings.LDAP_METHOD, "SIMPLE", "SIMPLE"),
    ],
)
def test_a_setting_is_saved(
    browser: Browser, setting: settings.Setting[object], value: str, kept: str
) -> None:
    browser.open("/configs")
    page = browser.submit(f"/configs/{id_of(setting)}", value=value)
    assert page.url == "/configs"
    assert f'The setting "{setting.name}" was changed' in page.text
    assert stored(browser, id_of(setting)) == kept


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        (settings.MINIMUM_PASSWORD_LENGTH, "26", "between 0-25"),
        (settings.LOCKOUT_MINUTES, "0", "between 1-99"),
        (settings.LOCKOUT_MINUTES, "", "may not be empty"),
        (settings.LDAP_ENABLED, "True", "must be configured before"),
        (settings.LDAP_SERVER, "dc.example.com", "Invalid setting value"),
    ],
)
def test_a_refusal_stands_beside_its_field(
    browser: Browser, setting: settings.Setting[object], value: str, words: str
) -> None:
    browser.open("/configs")
    before = stored(browser, id_of(setting))
    page = browser.submit(f"/configs/{id_of(setting)}", value=value)
    assert page.status == 400
    assert words in error_of(page)
    assert f"setting-{id_of(setting)}-value-error" in page.ids
    assert page.form(f"/configs/{id_of(setting)}").values["value"] == [value]
    assert stored(browser, id_of(setting)) == before


def test_what_somebody_changed_meanwhile_is_not_overwritten(browser: Browser) -> None:
    browser.open("/configs")
    set_setting(browser.client, "Account Lockout Threshold", "7")
    page = browser.submit(f"/configs/{id_of(settings.LOCKOUT_THRESHOLD)}", value="9")
    assert page.status == 409
    assert page.alerts
    assert stored(browser, id_of(settings.LOCKOUT_THRESHOLD)) == "7"


def test_a_setting_that_is_not_there_is_not_found(browser: Browser) -> None:
    page = browser.open("/configs")
    page.form("/configs/1").action = "/configs/77"
    assert browser.submit("/configs/77", value="1").status == 404


def test_a_part_of_the_page(browser: Browser) -> None:
    browser.open("/")
    assert "<h1>" in browser.open("/configs", into="main").html
    assert "<html" not in browser.open("/configs", into="main").html
