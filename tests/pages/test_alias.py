"""One alias: its destinations, its source."""

import pytest

from postmaster.models import Alias
from tests.pages.browsing import Browser
from tests.pages.stored import (
    ANA,
    BOB,
    DORA,
    EVA,
    leads_to,
    put,
    stored,
)

# --- one alias: its destinations ------------------------------------------------


def test_an_aliases_page_shows_all_its_destinations(mail: Browser) -> None:
    page = mail.open("/aliases/102")
    assert page.headings[0] == "team@one.example"
    assert page.form("/aliases/101").values["destination"] == [ANA]
    assert page.form("/aliases/102").values["destination"] == [DORA]
    assert page.form("/aliases/101/destinations").values["destination"] == [""]
    assert page.form("/aliases/101/source").values["source"] == ["team@one.example"]
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("path", ["/aliases/77", "/aliases/99999999999", "/aliases/77/delete"])
def test_what_is_not_there_is_not_found(mail: Browser, path: str) -> None:
    for into in (None, "main", "dialog", "edit-77", "edit-add-77"):
        page = mail.open(path, into=into)
        assert page.status == 404, into
        assert "The alias was not found" in page.text


@pytest.mark.parametrize("into", [None, "main"])
def test_a_destination_is_changed_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?search=team" if into else "/aliases/102")
    if into:
        cell = mail.open("/aliases/102", into="edit-102")
        assert "<h1" not in cell.html
        assert [form.action for form in cell.forms] == ["/aliases/102"]
    page = mail.submit("/aliases/102", into=into, destination="EVA@two.example")
    assert page.url == ("/aliases?search=team" if into else "/aliases/102")
    assert 'destination: "dora@two.example" → "eva@two.example"' in page.text
    assert leads_to(mail, "team@one.example") == [ANA, EVA]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("", "was not specified"),
        ("dora", "it must have one @"),
        ("no@two.example", "is not a current email address"),
        ("no@else.example", "is not managed by this database"),
        (ANA, "already exists"),
        ("press@two.example", "would close a circle"),
    ],
)
def test_a_refused_destination_comes_back_where_it_was(
    mail: Browser, destination: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/aliases" if into else "/aliases/102")
    if into:
        mail.open("/aliases/102", into="edit-102")
    page = mail.submit("/aliases/102", into=into, destination=destination)
    assert page.status == 400
    assert words in page.errors["destination"]
    assert page.form("/aliases/102").values["destination"] == [destination]
    if into:
        assert page.response.headers["HX-Retarget"] == "#edit-102"
        assert "<h1" not in page.html
    else:
        assert page.form("/aliases/101").values["destination"] == [ANA]
        assert page.form("/aliases/101/destinations").values["destination"] == [""]
        assert list(page.errors) == ["destination"]
    assert stored(mail) == before


def test_a_destination_that_somebody_changed_meanwhile_is_not_overwritten(mail: Browser) -> None:
    mail.open("/aliases/102")
    mail.client.patch("/api/v1/aliases/102", json={"destination": EVA})
    page = mail.submit("/aliases/102", destination=BOB)
    assert page.status == 409
    assert "Somebody changed this since you opened it" in page.alerts[-1]
    assert page.form("/aliases/102").values["destination"] == [BOB]
    assert leads_to(mail, "team@one.example") == [ANA, EVA]
    assert mail.submit("/aliases/102").status == 200
    assert leads_to(mail, "team@one.example") == [ANA, BOB]


def test_the_other_destinations_may_change_meanwhile(mail: Browser) -> None:
    mail.open("/aliases/102")
    mail.client.patch("/api/v1/aliases/101", json={"destination": BOB})
    assert mail.submit("/aliases/102", destination=EVA).status == 200
    assert leads_to(mail, "team@one.example") == [BOB, EVA]


def test_a_row_changed_by_hand_meanwhile_is_not_overwritten(mail: Browser) -> None:
    mail.open("/aliases/102")
    mail.alter(Alias, 102, destination=EVA)
    page = mail.submit("/aliases/102", destination=BOB)
    assert (page.status, EVA in page.alerts[-1]) == (409, True)


@pytest.mark.parametrize("into", [None, "main"])
def test_a_destination_is_added_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?search=team" if into else "/aliases/102")
    if into:
        cell = mail.open("/aliases/101", into="edit-add-101")
        assert [form.action for form in cell.forms] == ["/aliases/101/destinations"]
    page = mail.submit("/aliases/101/destinations", into=into, destination=EVA)
    assert page.url == ("/aliases?search=team" if into else "/aliases/102")
    assert leads_to(mail, "team@one.example") == [ANA, DORA, EVA]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("destination", "words"),
    [("", "was not specified"), (DORA, "already exists"), ("no@two.example", "is not a current")],
)
def test_a_refused_further_destination_comes_back_where_it_was(
    mail: Browser, destination: str, words: str, into: str | None
) -> None:
    mail.open("/aliases" if into else "/aliases/101")
    if into:
        mail.open("/aliases/101", into="edit-add-101")
    page = mail.submit("/aliases/101/destinations", into=into, destination=destination)
    assert page.status == 400
    assert words in page.errors["destination"]
    assert page.form("/aliases/101/destinations").values["destination"] == [destination]
    if into:
        assert page.response.headers["HX-Retarget"] == "#edit-add-101"
    else:
        assert page.form("/aliases/101").values["destination"] == [ANA]


def test_a_destination_is_not_added_to_what_is_gone(mail: Browser) -> None:
    mail.open("/aliases/201")
    mail.client.delete("/api/v1/aliases/201")
    for path in ("/aliases/201/destinations", "/aliases/201", "/aliases/201/source"):
        page = mail.send(path, destination=EVA, source="new@two.example")
        assert (page.status, "The alias was not found" in page.text) == (404, True)


# --- one alias: its source ------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_all_destinations_get_another_source_and_that_is_undone(
    mail: Browser, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/aliases/102")
    page = mail.submit("/aliases/101/source", into=into, source="Crew@two.example")
    assert (page.status, page.url) == (200, "/aliases/102")
    assert page.headings[0] == "crew@two.example"
    assert "2 aliases were changed" in page.text
    assert leads_to(mail, "crew@two.example") == [ANA, DORA]
    assert mail.row(Alias, 101).domain_id == 2
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "was not specified"),
        ("crew", "it must have one @"),
        (BOB, "already exists"),
        ("crew@three.example", "is not managed by this database"),
        (EVA, "is an existing email address"),
    ],
)
def test_a_refused_source_stands_beside_its_field(mail: Browser, source: str, words: str) -> None:
    put(mail, Alias(id=301, domain_id=1, source=BOB, destination=ANA))
    before = stored(mail)
    mail.open("/aliases/101")
    page = mail.submit("/aliases/101/source", into="main", source=source)
    assert page.status == 400
    assert words in (page.errors.get("source") or page.alerts[-1])
    assert page.form("/aliases/101/source").values["source"] == [source]
    assert page.response.headers["HX-Retarget"] == "#main"
    assert stored(mail) == before


def test_a_source_that_somebody_changed_meanwhile_is_not_overwritten(mail: Browser) -> None:
    mail.open("/aliases/201")
    mail.client.patch("/api/v1/aliases/201", json={"source": "market@two.example"})
    page = mail.submit("/aliases/201/source", source="shop@two.example")
    assert page.status == 409
    assert "Somebody changed this since you opened it" in page.alerts[-1]
    assert mail.row(Alias, 201).source == "market@two.example"
    assert mail.submit("/aliases/201/source").status == 200
    assert mail.row(Alias, 201).source == "shop@two.example"
