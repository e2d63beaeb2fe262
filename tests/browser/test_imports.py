"""A file is sent, planned, imported in steps and undone, with JavaScript and without."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from postmaster.rules.imports import uploads
from postmaster.rules.imports.sealing import Seal
from tests.browser.accessibility import axe
from tests.browser.layout import no_sideways_scroll
from tests.browser.looks import DESKTOP, PHONE, PLAIN_PHONE
from tests.browser.served import Served
from tests.conftest import ADMIN
from tests.resilience.server import SECRET_KEY

FILE = """\
kind,address,destination
domain,new.example,
user,ana@new.example,
user,x@missing.example,
alias,sales@new.example,ana@new.example
"""


@pytest.mark.parametrize(
    "signed_in",
    [
        pytest.param(DESKTOP, id="javascript"),
        pytest.param(PHONE, id="javascript-320px"),
        pytest.param(PLAIN_PHONE, id="plain-320px"),
    ],
    indirect=True,
)
def test_from_the_file_to_the_undo(
    served: Served, signed_in: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mail.csv"
    path.write_text(FILE, encoding="utf-8")
    page = signed_in
    page.goto("/import")
    page.locator("#import-files").set_input_files(path)
    page.get_by_label("Generate passwords").check()
    page.locator("#send").click()
    expect(page.locator("#verdict")).to_contain_text("3 things would be added or changed.")
    expect(page.locator("main table")).to_contain_text("x@missing.example")
    page.locator("#show-create").click()
    expect(page.locator("main table")).to_contain_text("sales@new.example")
    # Somebody has begun it, and left it.
    monkeypatch.setattr(uploads, "STEP_SECONDS", 0)
    with served.prepared.app.app_context():
        number = served.rows("SELECT id FROM postmaster_imports")[0][0]
        uploads.step(ADMIN, Seal(SECRET_KEY), number)
    page.reload()  # with scripts it goes on by itself
    if not page.evaluate("() => Boolean(window.htmx)"):
        expect(page.locator("#progress-words")).to_have_text("1 of 4 lines are done.")
        no_sideways_scroll(page)
        page.locator("#go-on").click()
    else:  # axe waits by timers, which a page without scripts does not have
        expect(page.locator("#outcome")).to_be_visible()
        assert axe(page) == []
    expect(page.locator("#outcome")).to_contain_text("Done: 4 lines.")
    with page.expect_download() as download:
        page.locator("#fetch-passwords").click()
    assert "ana@new.example," in Path(download.value.path()).read_text(encoding="utf-8")
    page.locator("#forget-passwords").click()
    expect(page.locator("#fetch-passwords")).to_have_count(0)
    assert served.rows("SELECT COUNT(*) FROM virtual_users")[0][0] == 1
    page.locator("#undo").click()
    expect(page.locator("main")).to_contain_text("This was undone.")
    assert served.rows("SELECT COUNT(*) FROM virtual_domains")[0][0] == 0


def test_an_export_is_a_download(signed_in: Page) -> None:
    signed_in.goto("/import")
    with signed_in.expect_download() as download:
        signed_in.locator("#fetch").click()
    assert download.value.suggested_filename == "mail.csv"
