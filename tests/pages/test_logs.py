"""The log's page: newest first, by kind and text, more, and as a file."""

from pathlib import Path

import pytest
from flask import Flask

from postmaster.logfile import LogFile
from tests.pages.browsing import Browser


@pytest.fixture
def log(app: Flask) -> LogFile:
    """A log with 60 changes, a sign-in and an error."""
    file: LogFile = app.extensions["postmaster_log"]
    for number in range(60):
        file.write("audit", "Ana", f"Change {number} of a row")
    file.write("auth", "Bob", "The administrator signed in")
    file.write("error", None, "Something <b>broke</b>")
    return file


def rows(html: str) -> int:
    table = html.partition('<div id="list">')[2] or html
    table = table.partition("<table")[2].partition("</table>")[0]
    return table.count("<tr") - 1


def test_the_newest_lines_stand_first(browser: Browser, log: LogFile) -> None:
    page = browser.open("/logs")
    assert rows(page.html) == 50
    assert page.text.index("broke") < page.text.index("signed in") < page.text.index("Change 59")
    assert "Change 11 " not in page.text
    assert "&lt;b&gt;" in page.html


def test_more_are_loaded(browser: Browser, log: LogFile) -> None:
    assert "/logs?lines=100" in browser.open("/logs").links
    more = browser.open("/logs?lines=100", into="list")
    assert rows(more.html) == 62
    assert "<h1>" not in more.html
    assert not any("lines=150" in link for link in more.links)


@pytest.mark.parametrize("lines", ["0", "-5", "many", "99999999999999999999"])
def test_a_number_of_lines_that_makes_no_sense(browser: Browser, log: LogFile, lines: str) -> None:
    assert browser.open(f"/logs?lines={lines}").status == 200


def test_the_kind_is_chosen(browser: Browser, log: LogFile) -> None:
    browser.open("/logs")
    page = browser.submit("filters", kind="auth")
    assert rows(page.html) == 1
    assert "signed in" in page.text


@pytest.mark.parametrize("text", ["change 59", "BROKE", "bob"])
def test_a_text_is_found_in_message_and_name(browser: Browser, log: LogFile, text: str) -> None:
    browser.open("/logs")
    assert rows(browser.submit("filters", search=text).html) == 1


def test_nothing_found(browser: Browser, log: LogFile) -> None:
    assert "Nothing matches" in browser.open("/logs?search=nowhere").text


def test_an_empty_log_says_what_fills_it(browser: Browser) -> None:
    page = browser.open("/logs")
    assert "Login Auditing" in page.text
    assert "/configs#auditing" in page.links


def test_the_log_is_downloaded(browser: Browser, log: LogFile) -> None:
    answer = browser.client.get("/logs/download")
    assert answer.data == log.path.read_bytes()
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Disposition"] == "attachment; filename=postmaster.log"


def test_what_is_found_is_downloaded(browser: Browser, log: LogFile) -> None:
    page = browser.open("/logs?kind=auth&search=bob")
    (link,) = [link for link in page.links if "download" in link]
    lines = browser.client.get(link).text.splitlines()
    assert len(lines) == 1
    assert "signed in" in lines[0]


def test_a_log_that_is_not_there_is_an_empty_file(browser: Browser) -> None:
    assert browser.client.get("/logs/download").data == b""


def test_a_log_that_cannot_be_read(browser: Browser, app: Flask, tmp_path: Path) -> None:
    app.extensions["postmaster_log"] = LogFile(tmp_path)
    page = browser.open("/logs")
    assert page.status == 200
    assert str(tmp_path) in page.alerts[-1]


def test_a_line_without_a_moment_is_shown(browser: Browser, app: Flask) -> None:
    file: LogFile = app.extensions["postmaster_log"]
    file.path.write_text('{"timestamp": "yesterday", "category": "other", "message": "By hand"}\n')
    page = browser.open("/logs")
    assert "yesterday" in page.text
    assert "By hand" in page.text
