"""Users that go, or get a password: one, or several at once."""

import pytest

from postmaster.models import Alias, User
from tests.pages.browsing import Browser
from tests.pages.stored import (
    put,
    stored,
)

PASSWORD = "granite-harbour-violin"


# --- deleting -------------------------------------------------------------------


def test_what_goes_with_a_user_is_listed_first(mail: Browser) -> None:
    before = stored(mail)
    page = mail.open("/users/12/delete")
    assert page.headings[0] == "Delete the user bob@one.example?"
    assert "These go with it: 1 alias bob@one.example → bob@one.example" in page.text
    assert "elsewhere" not in page.text
    page = mail.open("/users/11/delete")
    assert "4 aliases elsewhere would point nowhere" in page.text
    for alias in ("sales@two.example → ana@one.example", "info@two.example → sales@two.example"):
        assert alias in page.text
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("orphans", "left"),
    [
        ("all", [102, 103, 104, 204, 205]),
        ("keep", [101, 102, 103, 104, 201, 202, 203, 204, 205]),
    ],
)
def test_a_user_is_deleted_and_that_is_undone(
    mail: Browser, orphans: str, left: list[int], into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users?search=one")
    mail.open("/users/11/delete", into="dialog" if into else None)
    page = mail.submit("/users/11/delete", into=into, orphans=orphans)
    assert page.url == "/users?search=one"
    assert 'The user "ana@one.example" was deleted' in page.text
    assert mail.is_gone(User, 11)
    assert [row[0] for row in stored(mail)["virtual_aliases"]] == left
    mail.undo()
    assert stored(mail) == before


def test_a_deleted_users_own_page_is_not_gone_back_to(mail: Browser) -> None:
    mail.open("/users/11?x=y")
    mail.open("/users/11/delete")
    assert mail.submit("/users/11/delete").url == "/users"


@pytest.mark.parametrize("into", [None, "main"])
def test_a_user_that_an_alias_came_to_meanwhile_is_shown_again(
    mail: Browser, into: str | None
) -> None:
    mail.open("/users")
    mail.open("/users/22/delete", into="dialog" if into else None)
    put(mail, Alias(id=206, domain_id=2, source="new@two.example", destination="eva@two.example"))
    page = mail.submit("/users/22/delete", into=into, orphans="keep")
    assert page.status == 409
    assert "is not what was shown any more" in page.alerts[-1]
    assert "new@two.example → eva@two.example" in page.text
    assert page.form("/users/22/delete").values["orphans"] == ["keep"]
    if into:
        assert page.response.headers["HX-Retarget"] == "#dialog"
    assert mail.row(User, 22)


def test_a_user_that_is_gone_already_is_not_found(mail: Browser) -> None:
    mail.open("/users/11/delete")
    mail.client.delete("/api/v1/users/11")
    page = mail.submit("/users/11/delete")
    assert (page.status, "The user was not found" in page.text) == (404, True)


# --- several --------------------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_several_users_are_deleted_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/users?order=desc")
    question = mail.submit(
        "selected", into="dialog" if into else None, id=["11", "12"], button="action=delete"
    )
    assert question.headings[0] == "Delete 2 users?"
    assert "ana@one.example bob@one.example" in question.text
    assert ("<h1" in question.html) is (into is None)
    page = mail.submit("/users/selected", into=into, orphans="keep")
    assert page.url == "/users?order=desc"
    assert "2 users were deleted" in page.text
    assert [row[0] for row in stored(mail)["virtual_users"]] == [21, 22]
    assert mail.row(Alias, 101)
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
def test_several_users_get_one_password_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/users")
    question = mail.submit(
        "selected", into="dialog" if into else None, id=["11", "21"], button="action=password"
    )
    assert question.headings[0] == "Set one password for 2 users"
    refused = mail.submit("/users/selected", into=into, password="qw7yz")
    assert refused.status == 400
    assert "at least 8" in refused.errors["password"]
    assert "qw7yz" not in refused.html
    if into:
        assert refused.response.headers["HX-Retarget"] == "#dialog"
    assert stored(mail) == before
    page = mail.submit("/users/selected", into=into, password=PASSWORD)
    assert page.url == "/users"
    assert "2 users had their passwords changed" in page.text
    hashes = {row[0]: row[2] for row in stored(mail)["virtual_users"]}
    assert hashes[11].startswith("$6$")
    assert hashes[11] != hashes[21], "each has a salt of its own"
    assert hashes[12] == before["virtual_users"][1][2]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("action", ["delete", "password"])
def test_nothing_selected_is_said(mail: Browser, action: str) -> None:
    before = stored(mail)
    mail.open("/users")
    page = mail.submit("selected", button=f"action={action}")
    assert page.status == 200
    assert "Nothing was selected. Tick the rows first" in page.text
    for ids in ([], ["x", "-1"]):
        mail.open("/users")
        page = mail.send("/users/selected", action=action, id=ids, password=PASSWORD)
        assert page.status == 400
        assert "Nothing was selected" in page.text
    assert stored(mail) == before


@pytest.mark.parametrize("action", ["delete", "password"])
def test_ids_given_by_hand_change_nothing(mail: Browser, action: str) -> None:
    before = stored(mail)
    for ids in (["11", "77"], ["77"], ["77", "99999999999", "0"]):
        mail.open("/users")
        page = mail.send("/users/selected", action=action, id=ids, password=PASSWORD)
        assert page.status == 404
        assert "The user was not found" in page.text
        query = "&".join(f"id={number}" for number in ids)
        asked = mail.open(f"/users/selected?action={action}&{query}")
        assert asked.status == (200 if "11" in ids else 404)
    assert stored(mail) == before
