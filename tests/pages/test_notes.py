"""Notes on the pages of domains, users and aliases, and in their lists."""

import pytest

from tests.pages.browsing import Browser

OBJECTS = [
    pytest.param("/domains", 1, "one.example", id="domain"),
    pytest.param("/users", 11, "ana@one.example", id="user"),
    pytest.param("/aliases", 101, "team@one.example", id="alias"),
]
LONG = "Pays <b>until</b> May. " + "Call before the office closes. " * 5


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(("area", "row_id", "name"), OBJECTS)
def test_a_note_is_written_shown_found_and_undone(
    mail: Browser, area: str, row_id: int, name: str, into: str | None
) -> None:
    where = f"{area}/{row_id}"
    mail.open(where)
    page = mail.submit(f"{where}/note", into=into, note=LONG)
    assert page.url == where
    assert f'The note on "{name}" was written' in page.text
    assert LONG.strip() in page.text
    listed = mail.open(f"{area}?search=UNTIL</b>")
    assert name in listed.text
    assert "Pays <b>until</b> May. Call before" in listed.text
    assert "Nothing matches" in mail.open(f"{area}?search=until_").text
    mail.open(where)
    page = mail.submit(f"{where}/note", into=into, note="")
    assert f'The note on "{name}" was deleted' in page.text
    mail.undo()
    assert LONG.strip() in mail.open(where).text


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(("area", "row_id", "name"), OBJECTS)
def test_a_refused_note_stands_in_its_form(
    mail: Browser, area: str, row_id: int, name: str, into: str | None
) -> None:
    where = f"{area}/{row_id}"
    mail.open(where)
    page = mail.submit(f"{where}/note", into=into, note="x" * 1001)
    assert page.status == 400
    assert "at most 1000 characters" in page.errors["note"]
    assert "x" * 1001 in page.text
    assert name in page.text


def test_somebody_elses_note_is_not_overwritten(mail: Browser) -> None:
    mail.open("/users/11")
    mail.client.patch("/api/v1/users/11", json={"note": "theirs"})
    page = mail.submit("/users/11/note", note="ours")
    assert page.status == 409
    assert 'it is now "theirs"' in page.alerts[-1]
    assert mail.submit("/users/11/note", note="both").status == 200


def test_what_is_gone_meanwhile_gets_no_note(mail: Browser) -> None:
    mail.open("/users/11")
    mail.client.delete("/api/v1/users/11")
    page = mail.submit("/users/11/note", note="x")
    assert (page.status, "The user was not found" in page.text) == (404, True)
