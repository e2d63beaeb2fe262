"""A file is planned, applied and undone, with JavaScript and without."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import axe
from tests.browser.layout import no_sideways_scroll
from tests.browser.looks import DESKTOP, PHONE, PLAIN_PHONE
from tests.browser.served import Served
from tests.browser.traffic import watch_of

FILE = """\
governs: [example.com, new.example]
domains:
  example.com:
    users: [ana, {address: bob, suspended: sign-in}]
    aliases: {"a-source-as-long-as-people-make-them-here": [ana]}
  new.example:
    users: [new]
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
def test_from_the_file_to_the_undo(served: Served, signed_in: Page, tmp_path: Path) -> None:
    served.load_guide_rows()
    path = tmp_path / "mail.yaml"
    path.write_text(FILE, encoding="utf-8")
    page = signed_in
    watch_of(page).expect_status(409)
    page.goto("/import")
    page.locator("#declare").click()
    page.locator("#declared-file").set_input_files(path)
    page.get_by_label("Generate passwords").check()
    page.locator("#send").click()
    expect(page.locator("#counts")).to_contain_text("To create: 3")
    expect(page.locator("main")).to_contain_text("bob@example.com · suspended: sign-in")
    no_sideways_scroll(page)
    if page.evaluate("() => Boolean(window.htmx)"):  # axe waits by timers
        assert axe(page) == []
    # Somebody was faster.
    served.run("UPDATE virtual_users SET password='$6$other$other' WHERE email='ana@example.com'")
    page.locator("#carry-out").click()
    expect(page.locator("main [role=alert]")).to_contain_text("The tables were changed")
    page.locator("#carry-out").click()
    expect(page.locator("#messages")).to_contain_text('were made to match "mail.yaml"')
    with page.expect_download() as download:
        page.locator("#fetch-passwords").click()
    assert "new@new.example," in Path(download.value.path()).read_text(encoding="utf-8")
    assert served.rows("SELECT COUNT(*) FROM virtual_domains WHERE name='new.example'") == [(1,)]
    page.locator("#undo").click()
    expect(page.locator("main")).to_contain_text("This was undone.")
    assert served.rows("SELECT COUNT(*) FROM virtual_domains WHERE name='new.example'") == [(0,)]
