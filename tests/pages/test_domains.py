"""The pages of domains: add, look for, rename."""

import pytest

from postmaster.models import Domain, User
from tests.pages.browsing import Browser
from tests.pages.stored import (
    A_LABEL,
    ELSEWHERE,
    IDN,
    put,
    row_of,
    rows_of,
    stored,
)

# --- adding ---------------------------------------------------------------------


def test_an_empty_list_says_what_to_do_first(browser: Browser) -> None:
    assert "No domain yet. Add the first one below" in browser.open("/domains").text


@pytest.mark.parametrize("into", [None, "main"])
def test_a_domain_is_added_and_that_is_undone(browser: Browser, into: str | None) -> None:
    browser.open("/domains")
    page = browser.submit("add", into=into, name=" New.Example ")
    assert (page.status, page.url) == (200, "/domains")
    assert 'The domain "new.example" was created' in page.text
    assert ("<html" in page.html) is (into is None)
    assert browser.id_of(Domain, name="new.example")
    page = browser.undo()
    assert (page.status, page.url) == (200, "/domains")
    assert 'The domain "new.example" was deleted (undo)' in page.text
    assert stored(browser)["virtual_domains"] == []


def test_a_name_in_other_letters_is_shown_as_people_read_it(browser: Browser) -> None:
    browser.open("/domains")
    page = browser.submit("add", name=IDN.upper())
    assert browser.id_of(Domain, name=A_LABEL)
    assert IDN in page.text
    assert f'title="{A_LABEL}"' in page.html


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "was not specified"),
        ("  ", "was not specified"),
        ("nodot", "is not a valid domain name"),
        ("two words.example", "is not a valid domain name"),
        ("192.0.2.1", "is not a valid domain name"),
        ("<b>\U0001f600</b>.example", "is not a valid domain name"),
        (f"{'a' * 45}.example", "at most 50 characters"),
        ("ONE.example", 'The domain "one.example" already exists'),
    ],
)
def test_a_refusal_stands_beside_the_name(
    mail: Browser, name: str, words: str, into: str | None
) -> None:
    mail.open("/domains")
    page = mail.submit("add", into=into, name=name)
    assert page.status == 400
    assert words in page.errors["name"]
    assert page.form("add").values["name"] == [name]
    assert 'aria-invalid="true"' in page.html
    assert "<b>" not in page.html.partition('id="add"')[2].partition("</form>")[0]
    assert rows_of(page) == ["1", "2"]
    if into:
        assert page.response.headers["HX-Retarget"] == "#main"
        assert page.response.headers["HX-Reswap"] == "innerHTML"
        assert page.response.headers["HX-Push-Url"] == "false"


def test_a_form_without_its_token_changes_nothing(browser: Browser) -> None:
    page = browser.client.post("/domains", data={"name": "new.example"})
    assert page.status_code == 400
    assert stored(browser)["virtual_domains"] == []


def test_a_form_leads_nowhere_else(browser: Browser) -> None:
    for number, back in enumerate(ELSEWHERE):
        browser.open("/domains")
        page = browser.submit("add", name=f"new{number}.example", back=back)
        assert (page.status, page.url) == (200, "/"), back
        assert browser.id_of(Domain, name=f"new{number}.example")


def test_one_stays_on_the_page_of_the_list_where_one_was(mail: Browser) -> None:
    mail.open("/domains?search=one&order=desc")
    page = mail.submit("add", name="new.example")
    assert page.url == "/domains?search=one&order=desc"


# --- the list -------------------------------------------------------------------


def test_a_row_leads_to_its_users_and_aliases(mail: Browser) -> None:
    page = mail.open("/domains")
    row = row_of(page, "one.example</bdi>")
    assert 'href="/users?domain=one.example" aria-label="Users of one.example: 2">2<' in row
    assert 'href="/aliases?domain=one.example" aria-label="Aliases of one.example: 4">4<' in row
    assert "2 domains" in page.text


def test_only_an_empty_domain_offers_to_be_renamed(empty: Browser) -> None:
    page = empty.open("/domains")
    assert [name for name in page.ids if name.startswith("rename-")] == ["rename-3"]


def test_odd_rows_have_a_mark(browser: Browser) -> None:
    put(browser, Domain(id=1, name="Example.ORG"), Domain(id=2, name="example.org"))
    put(browser, Domain(id=3, name="with blank.example"), Domain(id=4, name="plain.example"))
    page = browser.open("/domains")
    for text, marks in [
        ("Example.ORG</bdi>", ["upper case", "twice"]),
        (">example.org</bdi>", ["twice"]),
        ("with blank.example</bdi>", ["unusable"]),
        ("plain.example</bdi>", []),
    ]:
        row = row_of(page, text)
        for mark in ("upper case", "twice", "unusable"):
            assert (f"</i> {mark}</span>" in row) is (mark in marks), (text, mark)
    one = browser.open("/domains/1")
    assert "Another row has the same name" in one.text
    assert "It has capital letters" in one.text


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["1", "3", "2"]),
        ("order=desc", ["2", "3", "1"]),
        ("sort=name", ["1", "3", "2"]),
        ("sort=id&order=desc", ["3", "2", "1"]),
        ("search=ONE", ["1"]),
        ("search=%25", []),
        ("search=%F0%9F%98%80", []),
        ("page=x&per_page=-3", ["1"]),
    ],
)
def test_the_list_is_searched_and_sorted(empty: Browser, query: str, ids: list[str]) -> None:
    whole = empty.open(f"/domains?{query}")
    assert (whole.status, rows_of(whole)) == (200, ids)
    part = empty.open(f"/domains?{query}", into="list")
    assert rows_of(part) == ids
    assert "<h1" not in part.html
    if not ids:
        assert "Nothing matches this search" in part.text


@pytest.mark.parametrize("query", ["sort=password", "order=sideways"])
def test_a_sort_that_there_is_not_is_refused(empty: Browser, query: str) -> None:
    assert empty.open(f"/domains?{query}").status == 400
    part = empty.open(f"/domains?{query}", into="list")
    assert (part.status, part.response.headers["HX-Retarget"]) == (400, "#messages")


def test_past_the_last_page_one_is_led_back_to_it(browser: Browser) -> None:
    put(browser, *(Domain(id=n, name=f"d{n:02}.example") for n in range(1, 13)))
    assert rows_of(browser.open("/domains?per_page=25")) == [str(n) for n in range(1, 13)]
    assert rows_of(browser.open("/domains?page=2")) == ["11", "12"]
    page = browser.open("/domains?page=9999&search=d&order=desc")
    assert page.url == "/domains?page=2&search=d&order=desc"
    assert rows_of(page) == ["2", "1"]
    assert browser.open("/domains?page=9999&search=none").url == "/domains?search=none"
    assert rows_of(browser.open("/domains?page=7", into="list")) == ["11", "12"]


def test_a_search_is_one_step_back_not_one_for_each_letter(mail: Browser) -> None:
    mail.open("/domains")
    first = mail.open("/domains?search=o", into="list").response.headers
    assert first["HX-Push-Url"] == "/domains?search=o"
    mail.open("/domains?search=o")
    again = mail.open("/domains?search=on", into="list").response.headers
    assert again["HX-Replace-Url"] == "/domains?search=on"
    assert "HX-Push-Url" not in again
    mail.open("/domains?search=on")
    same = mail.open("/domains?search=on", into="list").response.headers
    assert same["HX-Push-Url"] == "false"
    assert "HX-Replace-Url" not in same


# --- one domain, and its name ---------------------------------------------------


def test_a_domains_page_says_what_is_in_it(mail: Browser) -> None:
    page = mail.open("/domains/1")
    assert page.headings[0] == "one.example"
    assert "2 users 4 aliases" in page.text
    assert not page.has_form("/domains/1"), "what is in it would stay behind"
    assert "PostMaster has changed nothing here so far" in page.text


@pytest.mark.parametrize("path", ["/domains/77", "/domains/99999999999", "/domains/77/delete"])
@pytest.mark.parametrize("into", [None, "dialog"])
def test_what_is_not_there_is_not_found(mail: Browser, path: str, into: str | None) -> None:
    page = mail.open(path, into=into)
    assert page.status == 404
    assert "The domain was not found" in page.text
    if into:
        assert page.response.headers["HX-Retarget"] == "#dialog"


def test_an_empty_domain_is_renamed_on_its_page_and_that_is_undone(empty: Browser) -> None:
    empty.open("/domains/3")
    page = empty.submit("/domains/3", name="New.example")
    assert page.url == "/domains/3"
    assert 'was changed: name: "three.example" → "new.example"' in page.text
    assert empty.row(Domain, 3).name == "new.example"
    empty.undo()
    assert empty.row(Domain, 3).name == "three.example"


def test_it_is_renamed_in_its_row(empty: Browser) -> None:
    empty.open("/domains?search=three")
    cell = empty.open("/domains/3", into="edit-3")
    assert cell.form("/domains/3").values["name"] == ["three.example"]
    assert "<h1" not in cell.html
    assert cell.response.headers["HX-Push-Url"] == "false"
    page = empty.submit("/domains/3", into="main", name="thirty.example")
    assert page.url == "/domains?search=three"
    assert empty.row(Domain, 3).name == "thirty.example"


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "was not specified"),
        ("nodot", "is not a valid domain name"),
        ("TWO.example", "already exists"),
    ],
)
def test_a_refused_name_comes_back_where_it_was(
    empty: Browser, name: str, words: str, into: str | None
) -> None:
    empty.open("/domains" if into else "/domains/3")
    if into:
        empty.open("/domains/3", into="edit-3")
    page = empty.submit("/domains/3", into=into, name=name)
    assert page.status == 400
    assert words in page.errors["name"]
    assert page.form("/domains/3").values["name"] == [name]
    if into:
        assert page.response.headers["HX-Retarget"] == "#edit-3"
        assert "<h1" not in page.html


@pytest.mark.parametrize("into", [None, "main"])
def test_a_domain_that_is_not_empty_any_more_keeps_its_name(
    empty: Browser, into: str | None
) -> None:
    empty.open("/domains" if into else "/domains/3")
    if into:
        empty.open("/domains/3", into="edit-3")
    put(empty, User(domain_id=3, email="uma@three.example", password="*"))
    page = empty.submit("/domains/3", into=into, name="new.example")
    assert page.status == 400
    assert "has users or aliases and cannot be renamed" in page.alerts[-1]
    assert empty.row(Domain, 3).name == "three.example"


def test_what_somebody_renamed_meanwhile_is_not_overwritten(empty: Browser) -> None:
    empty.open("/domains/3")
    empty.client.patch("/api/v1/domains/3", json={"name": "meanwhile.example"})
    page = empty.submit("/domains/3", name="late.example")
    assert page.status == 409
    assert "Somebody changed this since you opened it" in page.alerts[-1]
    assert page.form("/domains/3").values["name"] == ["late.example"]
    assert empty.row(Domain, 3).name == "meanwhile.example"
    assert empty.submit("/domains/3").status == 200, "who was told may do it all the same"
    assert empty.row(Domain, 3).name == "late.example"


def test_a_domain_that_is_gone_meanwhile_is_not_renamed(empty: Browser) -> None:
    empty.open("/domains/3")
    empty.client.delete("/api/v1/domains/3")
    page = empty.submit("/domains/3", name="new.example")
    assert page.status == 404
    assert "The domain was not found" in page.text
