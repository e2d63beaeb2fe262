"""The checkup in a real browser: found, looked at, repaired, undone; with scripts and without."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import DESKTOP, PLAIN_PHONE
from tests.browser.served import Served

FINDING = "Aliases that lead nowhere"
LOOKS = [pytest.param(DESKTOP, id="javascript"), pytest.param(PLAIN_PHONE, id="plain-320px")]


@pytest.mark.parametrize("signed_in", LOOKS, indirect=True)
def test_a_finding_is_repaired_and_that_is_undone(served: Served, signed_in: Page) -> None:
    served.load_guide_rows()
    before = served.dump()["virtual_aliases"]
    page = signed_in
    page.goto("/checkup")
    page.locator("#repair-alias-dangling").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(FINDING)
    expect(page.locator("#repair tbody")).to_contain_text("old@example.com → gone@example.com")
    page.locator("#carry-out").click()
    expect(page.locator("#messages")).to_contain_text(f'1 changes repaired "{FINDING}"')
    expect(page.get_by_role("heading", level=1)).to_have_text("Checkup")
    expect(page.locator("#alias-dangling")).to_have_count(0)
    assert served.dump()["virtual_aliases"] == before[:-2] + before[-1:]
    undo = page.locator("#messages").get_by_role("button", name="Undo")
    if page.evaluate("() => Boolean(window.htmx)"):
        expect(undo).to_be_focused()
    undo.click()
    expect(page.locator("#alias-dangling")).to_have_count(1)
    assert served.dump()["virtual_aliases"] == before
