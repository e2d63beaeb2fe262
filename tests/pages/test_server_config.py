"""/checkup/server: pasted or sent as files, judged, and emptied."""

from io import BytesIO

import pytest
from flask import Flask

from postmaster.db import db
from postmaster.models import HistoryEntry
from postmaster.rules import settings
from tests.pages.browsing import Browser
from tests.rules.server_texts import GUIDE, MAIN, MAPS, MARKER

PATH = "/checkup/server"
MAP_TEXTS = "".join(f"==> /etc/postfix/{name} <==\n{GUIDE[name]}\n" for name in MAPS)


def test_the_form_says_where_each_text_comes_from(browser: Browser) -> None:
    page = browser.open(PATH)
    for command in ("postconf -n", "doveconf -n", "tail -n +1 /etc/postfix/mysql-*.cf"):
        assert command in page.text
    assert set(page.form("texts").values) >= {"postfix", "maps", "dovecot", "dovecot_sql", "files"}


def test_what_is_wrong_stands_first_and_the_fields_are_empty(browser: Browser) -> None:
    browser.open(PATH)
    maps = MAP_TEXTS.replace("WHERE email='%s'", "WHERE email=%s")
    page = browser.submit("texts", postfix=MAIN, maps=maps, dovecot=GUIDE["dovecot.conf"])
    assert page.status == 200
    assert any("things are wrong" in heading for heading in page.headings)
    assert page.text.index("There are no quotes around %s") < page.text.index("As it should be")
    assert "query = SELECT 1 FROM virtual_users WHERE email='%s'" in page.text
    assert "mysql-virtual-mailbox-maps.cf" in page.text
    assert "holds passwords" in page.text
    assert MARKER not in page.html
    assert "smtpd_banner" not in page.html
    assert all(
        not any(values) for name, values in page.form("texts").values.items() if name == "postfix"
    )


def test_a_setting_of_the_panel_is_a_link_to_it(browser: Browser) -> None:
    browser.open(PATH)
    page = browser.submit("texts", postfix=MAIN, maps=MAP_TEXTS)
    assert "This is a setting of PostMaster itself." in page.text
    assert "In PostMaster" not in page.text
    with browser.client.application.app_context():
        row = settings.ids_of(db.session(), settings.EMAIL2EMAIL_MAP)["Email2Email Map"]
    assert f'href="/configs#setting-{row}"' in page.html
    assert f'id="setting-{row}"' in browser.open("/configs").html


def test_a_field_takes_any_text(browser: Browser) -> None:
    browser.open(PATH)
    page = browser.submit("texts", dovecot=MAIN, postfix=GUIDE["dovecot.conf"], into="main")
    assert "<html" not in page.html
    assert "Postfix's main.cf" in page.text
    assert "Dovecot's configuration" in page.text


def test_files_are_taken(browser: Browser) -> None:
    page = browser.open(PATH)
    form = page.form("texts")
    data = {
        "csrf_token": form.values["csrf_token"][0],
        "files": [(BytesIO(text.encode()), name) for name, text in GUIDE.items()],
    }
    response = browser.client.post(PATH, data=data, content_type="multipart/form-data")
    assert response.status_code == 200
    assert '<bdi translate="no">mysql-virtual-email2email.cf</bdi>' in response.text
    assert MARKER not in response.text


def test_nothing_given(browser: Browser) -> None:
    browser.open(PATH)
    page = browser.submit("texts")
    assert "Nothing was given" in page.headings


def test_it_needs_the_form_s_token(browser: Browser) -> None:
    response = browser.client.post(PATH, data={"postfix": MAIN})
    assert response.status_code == 400
    assert MARKER not in response.text


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> = '%s'", "\u202e\u05e9 = x\x00", "a" * 9000]
)
def test_odd_texts_are_text(browser: Browser, text: str) -> None:
    browser.open(PATH)
    page = browser.submit("texts", maps=f"query = SELECT {text}\ndbname = {text}")
    assert page.status == 200
    assert "<script>alert" not in page.html
    assert "\u202e" not in page.html


def test_nothing_is_written_down(browser: Browser, app: Flask) -> None:
    browser.open(PATH)
    browser.submit("texts", postfix=MAIN, maps=MAP_TEXTS)
    assert not app.extensions["postmaster_log"].path.exists()
    assert browser.is_gone(HistoryEntry, 1)
