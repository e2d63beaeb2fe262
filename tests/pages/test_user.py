"""One user: its password, what it forwards, what leads to it."""

import pytest

from postmaster.models import Alias, User
from tests.pages.browsing import Browser
from tests.pages.stored import (
    EMOJI,
    stored,
)

PASSWORD = "granite-harbour-violin"


def test_a_users_page_says_what_leads_to_it(mail: Browser) -> None:
    page = mail.open("/users/11")
    assert page.headings[0] == "ana@one.example"
    assert "Nothing is forwarded" in page.text
    assert "Aliases that lead here sales@two.example team@one.example" in page.text
    assert "/aliases?destination=ana@one.example" in page.links
    assert "PostMaster has changed nothing here so far" in page.text


@pytest.mark.parametrize("path", ["/users/77", "/users/99999999999", "/users/77/delete"])
def test_what_is_not_there_is_not_found(mail: Browser, path: str) -> None:
    for into in (None, "main", "dialog", "edit-77"):
        page = mail.open(path, into=into)
        assert page.status == 404, into
        assert "The user was not found" in page.text


@pytest.mark.parametrize("into", [None, "main"])
def test_a_password_is_set_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    if into:
        mail.open("/users?search=ana")
        cell = mail.open("/users/11", into="edit-11")
        assert "<h1" not in cell.html
        assert not cell.has_form("/users/11/forward")
    else:
        mail.open("/users/11")
    page = mail.submit("/users/11/password", into=into, password=PASSWORD)
    assert page.url == ("/users?search=ana" if into else "/users/11")
    assert 'The user "ana@one.example" had its password changed' in page.text
    assert PASSWORD not in page.html
    assert mail.row(User, 11).password.startswith("$6$")
    assert mail.row(User, 11).password != before["virtual_users"][0][2]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("password", "words"),
    [("", "was not supplied"), ("qw7yz", "at least 8"), ("x" * 512, "at most 511 bytes")],
)
def test_a_refused_password_comes_back_where_it_was(
    mail: Browser, password: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users" if into else "/users/11")
    if into:
        mail.open("/users/11", into="edit-11")
    page = mail.submit("/users/11/password", into=into, password=password)
    assert page.status == 400
    assert words in page.errors["password"]
    assert page.form("/users/11/password").values["password"] == [""]
    if into:
        assert page.response.headers["HX-Retarget"] == "#edit-11"
        assert "<h1" not in page.html
    else:
        assert page.form("/users/11/forward").values["destination"] == [""]
    assert stored(mail) == before


def test_a_password_that_somebody_set_meanwhile_is_not_overwritten(mail: Browser) -> None:
    mail.open("/users/11")
    mail.client.patch("/api/v1/users/11", json={"password": "their password"})
    theirs = mail.row(User, 11).password
    page = mail.submit("/users/11/password", password=PASSWORD)
    assert page.status == 409
    assert "it is now as admin left it" in page.alerts[-1]
    assert mail.row(User, 11).password == theirs
    assert mail.submit("/users/11/password", password=PASSWORD).status == 200
    assert mail.row(User, 11).password != theirs


def test_a_user_that_is_gone_meanwhile_gets_no_password(mail: Browser) -> None:
    mail.open("/users/11")
    mail.client.delete("/api/v1/users/11")
    page = mail.submit("/users/11/password", password=PASSWORD)
    assert (page.status, "The user was not found" in page.text) == (404, True)


@pytest.mark.parametrize("into", [None, "main"])
def test_a_mailbox_forwards_keeps_a_copy_and_that_is_undone(
    mail: Browser, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users/11")
    page = mail.submit("/users/11/forward", into=into, destination="Dora@two.example")
    assert page.url == "/users/11"
    assert 'The alias "ana@one.example → dora@two.example" was created' in page.text
    assert "(the mailbox's own copy)" in page.text
    assert mail.id_of(Alias, source="ana@one.example", destination="ana@one.example")
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("", "was not specified"),
        ("dora", "it must have one @"),
        ("nobody@two.example", "is not a current email address"),
        ("a@else.example", "is not managed by this database"),
        (f"{EMOJI}@two.example", "a character that mail servers refuse"),
    ],
)
def test_a_refused_forwarding_stands_beside_its_field(
    mail: Browser, destination: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users/11")
    page = mail.submit("/users/11/forward", into=into, destination=destination)
    assert page.status == 400
    assert words in page.errors["destination"]
    assert page.form("/users/11/forward").values["destination"] == [destination]
    assert page.form("/users/11/password").values["seen"], "the other form still works"
    if into:
        assert page.response.headers["HX-Retarget"] == "#main"
    assert stored(mail) == before


def test_after_a_refusal_one_goes_on_to_a_page_that_there_is(mail: Browser) -> None:
    """Without scripts the refusal stands where only forms are sent to."""
    mail.open("/users/11")
    refused = mail.submit("/users/11/password", password="qw7yz")
    assert refused.url == "/users/11/password"
    mail.open("/users/11/delete")
    page = mail.submit("/users/11/delete")
    assert (page.status, page.url) == (200, "/users")


@pytest.mark.parametrize("place", ["a\r\nSet-Cookie: x=y", "<b>", '"', "\u202e", "edit-11 x"])
def test_a_place_that_is_none_is_the_page(mail: Browser, place: str) -> None:
    mail.open("/users/11")
    page = mail.send("/users/11/password", into="main", place=place, password="short")
    assert page.status == 400
    assert page.response.headers["HX-Retarget"] == "#main"
