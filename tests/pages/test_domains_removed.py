"""Domains that go: one, or several at once."""

import pytest

from postmaster.models import Alias, Domain, User
from tests.pages.browsing import Browser
from tests.pages.stored import (
    A_LABEL,
    ELSEWHERE,
    IDN,
    put,
    stored,
)

# --- deleting one ---------------------------------------------------------------


def test_what_goes_with_a_domain_is_listed_first(mail: Browser) -> None:
    before = stored(mail)
    page = mail.open("/domains/1/delete")
    assert page.headings[0] == "Delete the domain one.example?"
    assert "2 users with their passwords ana@one.example bob@one.example" in page.text
    assert "4 aliases" in page.text
    assert "team@one.example → dora@two.example" in page.text
    assert "4 aliases elsewhere would point nowhere" in page.text
    assert "sales@two.example → ana@one.example" in page.text
    assert "info@two.example → sales@two.example" in page.text
    assert "press@two.example → team@one.example" in page.text
    assert "all@two.example → eva@two.example" not in page.text
    assert page.form("/domains/1/delete").offered["orphans"] == ["all", "keep"]
    assert page.form("/domains/1/delete").values["orphans"] == ["all"]
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("orphans", "left"),
    [("all", [204]), ("keep", [201, 202, 203, 204, 205])],
)
def test_a_domain_with_users_is_deleted_by_its_name_and_that_is_undone(
    mail: Browser, orphans: str, left: list[int], into: str | None
) -> None:
    before = stored(mail)
    mail.open("/domains")
    question = mail.open("/domains/1/delete", into="dialog" if into else None)
    assert ("<h1" in question.html) is (into is None)
    page = mail.submit("/domains/1/delete", into=into, orphans=orphans, confirmation=" One.Example")
    assert (page.status, page.url) == (200, "/domains")
    assert 'The domain "one.example" was deleted' in page.text
    after = stored(mail)
    assert [row[0] for row in after["virtual_domains"]] == [2]
    assert [row[0] for row in after["virtual_users"]] == [21, 22]
    assert [row[0] for row in after["virtual_aliases"]] == left
    page = mail.undo()
    assert 'The domain "one.example" was brought back' in page.text
    assert stored(mail) == before


@pytest.mark.parametrize("typed", ["", "two.example", "one"])
@pytest.mark.parametrize("into", [None, "main"])
def test_without_its_name_a_domain_with_users_stays(
    mail: Browser, typed: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/domains")
    mail.open("/domains/1/delete", into="dialog" if into else None)
    page = mail.submit("/domains/1/delete", into=into, confirmation=typed, orphans="keep")
    assert page.status == 400
    assert 'type its name, "one.example"' in page.errors["confirmation"]
    form = page.form("/domains/1/delete")
    assert form.values.get("confirmation") == [typed]
    assert form.values["orphans"] == ["keep"]
    if into:
        assert page.response.headers["HX-Retarget"] == "#dialog"
    assert stored(mail) == before


@pytest.mark.parametrize("typed", [IDN, A_LABEL, IDN.upper()])
def test_the_name_may_be_typed_in_either_form(browser: Browser, typed: str) -> None:
    put(browser, Domain(id=1, name=A_LABEL), User(domain_id=1, email=f"a@{A_LABEL}", password="*"))
    page = browser.open("/domains/1/delete")
    assert page.headings[0] == f"Delete the domain {IDN}?"
    browser.submit("/domains/1/delete", confirmation=typed)
    assert browser.is_gone(Domain, 1)


def test_an_empty_domain_needs_no_name(empty: Browser) -> None:
    page = empty.open("/domains/3/delete")
    assert "It has no users and no aliases" in page.text
    form = page.form("/domains/3/delete")
    assert {"orphans", "confirmation"}.isdisjoint({*form.values, *form.offered})
    empty.submit("/domains/3/delete")
    assert empty.is_gone(Domain, 3)


def test_a_domain_that_somebody_joined_meanwhile_is_shown_again(empty: Browser) -> None:
    empty.open("/domains/3/delete")
    put(empty, Alias(domain_id=3, source="a@three.example", destination="ana@one.example"))
    page = empty.submit("/domains/3/delete")
    assert page.status == 409
    assert "is not what was shown any more" in page.alerts[-1]
    assert "a@three.example → ana@one.example" in page.text
    assert empty.row(Domain, 3)
    assert empty.submit("/domains/3/delete").status == 200
    assert empty.is_gone(Domain, 3)


def test_a_domain_that_is_gone_already_is_not_found(empty: Browser) -> None:
    empty.open("/domains/3/delete")
    empty.client.delete("/api/v1/domains/3")
    page = empty.submit("/domains/3/delete")
    assert page.status == 404
    assert "The domain was not found" in page.text


def test_a_deleted_domains_own_page_is_not_gone_back_to(empty: Browser) -> None:
    empty.open("/domains/3")
    question = empty.open("/domains/3/delete")
    assert "/domains/3" in question.links, "to cancel"
    assert empty.submit("/domains/3/delete").url == "/domains"


def test_a_question_leads_nowhere_else(empty: Browser) -> None:
    for number, back in enumerate(ELSEWHERE, start=10):
        put(empty, Domain(id=number, name=f"d{number}.example"))
        empty.open(f"/domains/{number}/delete")
        page = empty.send(f"/domains/{number}/delete", back=back)
        assert page.url == "/", back
        assert empty.is_gone(Domain, number)


def test_a_question_that_was_opened_from_another_site_leads_to_the_list(empty: Browser) -> None:
    headers = {"Referer": "https://evil.example//evil.example/x"}
    page = empty.client.get("/domains/3/delete", headers=headers).text
    assert "evil" not in page


# --- deleting several -----------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_several_empty_domains_are_deleted_and_that_is_undone(
    empty: Browser, into: str | None
) -> None:
    put(empty, Domain(id=4, name="four.example"))
    put(empty, Alias(id=401, domain_id=4, source="a@four.example", destination="eva@two.example"))
    put(empty, Alias(id=206, domain_id=2, source="b@two.example", destination="a@four.example"))
    before = stored(empty)
    empty.open("/domains")
    question = empty.submit("selected", into="dialog" if into else None, id=["3", "4"])
    assert question.headings[0] == "Delete 2 domains?"
    assert "four.example three.example" in question.text
    assert "a@four.example → eva@two.example" in question.text
    assert "1 alias elsewhere would point nowhere" in question.text
    page = empty.submit("/domains/selected", into=into, orphans="all")
    assert page.url == "/domains"
    assert "2 domains were deleted" in page.text
    left = stored(empty)
    assert [row[0] for row in left["virtual_domains"]] == [1, 2]
    assert {401, 206}.isdisjoint(row[0] for row in left["virtual_aliases"])
    empty.undo()
    assert stored(empty) == before


def test_the_aliases_elsewhere_of_several_may_be_kept(empty: Browser) -> None:
    put(empty, Alias(id=301, domain_id=3, source="a@three.example", destination="eva@two.example"))
    put(empty, Alias(id=206, domain_id=2, source="b@two.example", destination="a@three.example"))
    empty.open("/domains")
    empty.submit("selected", id=["3"])
    page = empty.submit("/domains/selected", orphans="keep")
    assert 'The domain "three.example" was deleted' in page.text
    assert empty.row(Alias, 206)


@pytest.mark.parametrize("into", [None, "main"])
def test_domains_with_users_are_not_deleted_together(empty: Browser, into: str | None) -> None:
    before = stored(empty)
    empty.open("/domains")
    empty.submit("selected", into="dialog" if into else None, id=["1", "3"])
    page = empty.submit("/domains/selected", into=into)
    assert page.status == 400
    assert 'Users are in these domains, such as "ana@one.example"' in page.alerts[-1]
    assert stored(empty) == before


def test_nothing_selected_is_said(empty: Browser) -> None:
    empty.open("/domains")
    page = empty.submit("selected")
    assert "Nothing was selected. Tick the rows first" in page.text
    before = stored(empty)
    empty.open("/domains")
    for ids in ([], ["x", "-1"]):
        page = empty.send("/domains/selected", id=ids)
        assert page.status == 400
        assert "Nothing was selected" in page.text
    assert stored(empty) == before


def test_ids_given_by_hand_delete_nothing(empty: Browser) -> None:
    empty.open("/domains")
    page = empty.send("/domains/selected", id=["3", "77"])
    assert page.status == 404
    assert "The domain was not found" in page.alerts[-1]
    assert empty.row(Domain, 3)
    empty.open("/domains")
    page = empty.send("/domains/selected", id=["77", "99999999999"])
    assert page.status == 404
    assert "The domain was not found" in page.text


def test_several_that_an_alias_joined_meanwhile_are_shown_again(empty: Browser) -> None:
    empty.open("/domains")
    empty.submit("selected", id=["3"])
    put(empty, Alias(domain_id=3, source="a@three.example", destination="ana@one.example"))
    page = empty.submit("/domains/selected")
    assert page.status == 409
    assert "is not what was shown any more" in page.alerts[-1]
    assert empty.submit("/domains/selected").status == 200
    assert empty.is_gone(Domain, 3)
