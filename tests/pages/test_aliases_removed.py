"""Aliases that go, or lead elsewhere: one, or several at once."""

import pytest

from postmaster.models import Alias
from tests.pages.browsing import Browser
from tests.pages.stored import (
    ANA,
    DORA,
    EMOJI,
    EVA,
    leads_to,
    put,
    stored,
)

# --- deleting -------------------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_a_destination_is_deleted_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?search=team")
    question = mail.open("/aliases/102/delete", into="dialog" if into else None)
    assert question.headings[0] == "Delete the alias team@one.example → dora@two.example?"
    assert "elsewhere" not in question.text, "the other destination is still there"
    page = mail.submit("/aliases/102/delete", into=into)
    assert page.url == "/aliases?search=team"
    assert leads_to(mail, "team@one.example") == [ANA]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize(
    ("orphans", "left"),
    [
        (None, [101, 102, 103, 104, 202, 203, 204, 205]),
        ("keep", [101, 102, 103, 104, 202, 203, 204, 205]),
        ("all", [101, 102, 103, 104, 204, 205]),
    ],
)
def test_what_leads_to_a_deleted_alias_may_go_too(
    mail: Browser, orphans: str | None, left: list[int]
) -> None:
    before = stored(mail)
    page = mail.open("/aliases/201/delete")
    assert "2 aliases elsewhere would point nowhere" in page.text
    assert "info@two.example → sales@two.example" in page.text
    assert "all@two.example → info@two.example" in page.text
    page = mail.submit("/aliases/201/delete", **({"orphans": orphans} if orphans else {}))
    assert page.url == "/aliases"
    assert [row[0] for row in stored(mail)["virtual_aliases"]] == left
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
def test_a_whole_alias_is_deleted_from_any_of_its_pages(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases/102")
    question = mail.open("/aliases/selected?id=101", into="dialog" if into else None)
    assert question.headings[0] == "Delete 2 aliases?"
    assert "press@two.example → team@one.example" in question.text
    page = mail.submit("/aliases/selected", into=into, orphans="all")
    assert (page.status, page.url) == (200, "/aliases")
    assert "2 aliases were deleted" in page.text
    assert mail.is_gone(Alias, 205)
    mail.undo()
    assert stored(mail) == before


def test_an_alias_that_another_came_to_lead_to_is_shown_again(mail: Browser) -> None:
    mail.open("/aliases/203/delete")
    put(mail, Alias(id=206, domain_id=2, source="x@two.example", destination="info@two.example"))
    mail.open("/aliases/202/delete")
    put(mail, Alias(id=207, domain_id=2, source="y@two.example", destination="info@two.example"))
    page = mail.submit("/aliases/202/delete", orphans="all")
    assert page.status == 409
    assert "is not what was shown any more" in page.alerts[-1]
    assert "y@two.example → info@two.example" in page.text
    assert page.form("/aliases/202/delete").values["orphans"] == ["all"]
    assert mail.row(Alias, 202)


def test_an_alias_that_is_gone_already_is_not_found(mail: Browser) -> None:
    mail.open("/aliases/201/delete")
    mail.client.delete("/api/v1/aliases/201")
    page = mail.submit("/aliases/201/delete")
    assert (page.status, "The alias was not found" in page.text) == (404, True)


# --- several --------------------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_a_tick_stands_for_all_destinations(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?order=desc")
    question = mail.submit(
        "selected", into="dialog" if into else None, id=["101", "201"], button="action=delete"
    )
    assert question.headings[0] == "Delete 3 aliases?"
    page = mail.submit("/aliases/selected", into=into, orphans="keep")
    assert page.url == "/aliases?order=desc"
    assert "3 aliases were deleted" in page.text
    left = [row[0] for row in stored(mail)["virtual_aliases"]]
    assert left == [103, 104, 202, 203, 204, 205]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
def test_several_are_led_elsewhere_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases")
    question = mail.submit(
        "selected", into="dialog" if into else None, id=["101", "201"], button="action=repoint"
    )
    assert question.headings[0] == "Lead aliases elsewhere"
    assert question.form("/aliases/selected").offered["replaced"] == ["", ANA, DORA]
    page = mail.submit("/aliases/selected", into=into, replaced=ANA, destination="EVA@two.example")
    assert page.url == "/aliases"
    assert "2 aliases were changed" in page.text
    assert leads_to(mail, "team@one.example") == [EVA, DORA]
    assert leads_to(mail, "sales@two.example") == [EVA]
    mail.undo()
    assert stored(mail) == before


def test_all_destinations_are_replaced_by_one(mail: Browser) -> None:
    mail.open("/aliases")
    mail.submit("selected", id=["101"], button="action=repoint")
    mail.submit("/aliases/selected", destination=EVA)
    assert leads_to(mail, "team@one.example") == [EVA]


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("replaced", "destination", "field", "words"),
    [
        (ANA, "", "destination", "was not specified"),
        (ANA, "no@two.example", "destination", "is not a current email address"),
        (ANA, "press@two.example", "destination", "would close a circle"),
        (f"no{EMOJI}", EVA, "replaced", "None of these aliases leads to"),
        ("no@two.example", EVA, "replaced", 'None of these aliases leads to "no@two.example"'),
    ],
)
def test_a_refused_leading_elsewhere_comes_back(
    mail: Browser, replaced: str, destination: str, field: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/aliases")
    mail.submit(
        "selected", into="dialog" if into else None, id=["101", "201"], button="action=repoint"
    )
    page = mail.submit("/aliases/selected", into=into, replaced=replaced, destination=destination)
    assert page.status == 400
    assert words in page.errors[field]
    form = page.form("/aliases/selected")
    assert form.values["destination"] == [destination]
    assert form.values["id"] == ["101", "201"]
    if replaced == ANA:
        assert form.values["replaced"] == [ANA]
    if into:
        assert page.response.headers["HX-Retarget"] == "#dialog"
    assert stored(mail) == before


def test_a_mailboxs_own_copy_is_not_led_away(mail: Browser) -> None:
    mail.open("/aliases")
    mail.submit("selected", id=["103"], button="action=repoint")
    page = mail.submit("/aliases/selected", destination=ANA)
    assert page.status == 400
    assert "keeps the mailbox its own mail" in page.errors["replaced"]


@pytest.mark.parametrize("action", ["delete", "repoint"])
def test_nothing_selected_is_said(mail: Browser, action: str) -> None:
    before = stored(mail)
    mail.open("/aliases")
    page = mail.submit("selected", button=f"action={action}")
    assert page.status == 200
    assert "Nothing was selected. Tick the rows first" in page.text
    for ids in ([], ["x", "-1"]):
        mail.open("/aliases")
        page = mail.send("/aliases/selected", action=action, id=ids, destination=EVA)
        assert page.status == 400
        assert "Nothing was selected" in page.text
    assert stored(mail) == before


@pytest.mark.parametrize("action", ["delete", "repoint"])
def test_ids_given_by_hand_change_nothing(mail: Browser, action: str) -> None:
    before = stored(mail)
    for ids in (["77"], ["77", "99999999999", "0"]):
        mail.open("/aliases")
        page = mail.send("/aliases/selected", action=action, id=ids, destination=EVA)
        assert page.status == 404
        assert "The alias was not found" in page.text
        query = "&".join(f"id={number}" for number in ids)
        asked = mail.open(f"/aliases/selected?action={action}&{query}")
        assert asked.status == 404
    mail.open("/aliases")
    assert mail.send("/aliases/selected", action="delete", id=["101", "77"]).status == 404
    assert stored(mail) == before
