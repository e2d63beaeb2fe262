"""Suspending, resuming and renaming users on the pages, with the questions before."""

import pytest

from postmaster.models import Alias, User
from postmaster.rules.suspensions import MARKER
from tests.pages.browsing import Browser
from tests.pages.stored import put, stored

ANA = "ana@one.example"


@pytest.mark.parametrize("into", [None, "dialog"])
@pytest.mark.parametrize(("mode", "address"), [("sign-in", ANA), ("all", f"!{ANA}")])
def test_a_user_is_suspended_resumed_and_each_undone(
    mail: Browser, into: str | None, mode: str, address: str
) -> None:
    before = stored(mail)
    page = mail.open("/users/11")
    assert "/users/suspend?id=11" in page.links
    page = mail.open("/users/suspend?id=11", into=into)
    assert "Suspend the user ana@one.example?" in page.html
    assert "Nobody will receive mail to 2 addresses: it is taken and then sent back" in page.text
    assert "doveadm kick ana@one.example" in page.text
    page = mail.submit("/users/suspend", into="main" if into else None, mode=mode)
    assert page.url == "/users/11"
    assert 'The user "ana@one.example" was suspended' in page.text
    row = mail.row(User, 11)
    assert (row.email, row.password) == (address, MARKER)
    assert "/users/resume?id=11" in page.links
    assert page.headings[0].startswith("ana@one.example suspended")
    mail.undo()
    assert stored(mail) == before
    mail.open("/users/suspend?id=11")
    mail.submit("/users/suspend", mode=mode)
    page = mail.open("/users/resume?id=11", into=into)
    assert "Resume the user ana@one.example?" in page.html
    page = mail.submit("/users/resume", into="main" if into else None)
    assert 'The user "ana@one.example" is not suspended any more' in page.text
    assert stored(mail) == before


def test_the_list_marks_and_finds_who_is_suspended(mail: Browser) -> None:
    mail.open("/users/suspend?id=11")
    mail.submit("/users/suspend", mode="all")
    page = mail.open("/users?search=ana@one")
    assert f"{ANA} suspended, no mail" in page.text
    assert "!" not in page.text
    assert "unusable" not in page.text
    page = mail.open("/users?suspended=1")
    assert (ANA in page.text, "bob@one.example" in page.text) == (True, False)
    assert "/users" in page.links
    page = mail.open("/users?suspended=1&search=nothing-like-it")
    assert "Nothing matches this search" in page.text
    page = mail.open("/aliases?destination=ana@one.example")
    assert f"{ANA} suspended" in page.text


def test_the_history_says_how_a_user_was_suspended(mail: Browser) -> None:
    mail.open("/users/suspend?id=11")
    mail.submit("/users/suspend", mode="all")
    links = mail.open("/users/11").links
    path = next(link for link in links if link.startswith("/history/"))
    assert "suspended no sign-in, no mail" in mail.open(path).text


def test_several_are_suspended_and_resumed(mail: Browser) -> None:
    before = stored(mail)
    mail.open("/users")
    page = mail.open("/users/selected?action=suspend&id=11&id=12")
    assert "Suspend 2 users?" in page.html
    assert "Mail is forwarded to 1 address; that goes on" in page.text
    page = mail.submit("/users/suspend", mode="all")
    assert "2 users were suspended" in page.text
    page = mail.open("/users/selected?action=resume&id=11&id=12&id=21")
    assert "Resume 2 users?" in page.html
    page = mail.submit("/users/resume")
    assert "2 users are not suspended any more" in page.text
    assert stored(mail) == before


@pytest.mark.parametrize("action", ["suspend", "resume"])
def test_a_question_without_anybody_says_so(mail: Browser, action: str) -> None:
    page = mail.open(f"/users/selected?action={action}")
    assert (page.status, "Tick the rows first" in page.text) == (200, True)
    page = mail.open(f"/users/{action}?id=77")
    assert (page.status, "The user was not found" in page.text) == (404, True)
    page = mail.open("/users/resume?id=11")
    assert "Nobody of these is suspended" in page.text


def test_what_was_changed_meanwhile_is_asked_again(mail: Browser) -> None:
    mail.open("/users/suspend?id=11")
    mail.client.patch("/api/v1/users/11", json={"suspended": "sign-in"})
    page = mail.submit("/users/suspend", mode="all")
    assert page.status == 409
    assert "look at it again" in page.alerts[-1]
    assert mail.submit("/users/suspend", mode="all").status == 200


def test_a_refusal_to_resume_stands_in_the_question(mail: Browser) -> None:
    put(mail, User(id=31, domain_id=1, email="!odd@one.example", password=MARKER))
    mail.open("/users/resume?id=31")
    page = mail.submit("/users/resume")
    assert page.status == 400
    assert 'The password of "odd@one.example" was not kept' in page.alerts[-1]


def test_a_suspended_user_is_shown_by_its_address_everywhere(mail: Browser) -> None:
    mail.open("/users/suspend?id=11")
    mail.submit("/users/suspend", mode="all")
    for path in (
        "/users/11",
        "/users/11/delete",
        "/users/selected?action=password&id=11&id=12",
        "/domains/1/delete",
        "/history",
    ):
        page = mail.open(path)
        assert ANA in page.html, path
        assert f"!{ANA}" not in page.html, path
    page = mail.open("/users/11")
    assert "Resume it first" in page.text
    page = mail.submit("/users/11/forward", destination="eva@two.example")
    assert "is suspended; resume it first" in page.text


# --- another address ------------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_a_user_gets_another_address_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    page = mail.open("/users/11")
    assert page.form("/users/11/email").values["email"] == [ANA]
    assert "mv -T" not in page.text
    page = mail.submit("/users/11/email", into=into, email="Anna@two.example", keep_alias=True)
    assert page.url == "/users/11"
    assert 'email address: "ana@one.example" → "anna@two.example"' in page.text
    assert "with 3 more rows" in page.text
    assert "mkdir -p /var/mail/vhosts/two.example" in page.text
    assert "mv -T /var/mail/vhosts/one.example/ana /var/mail/vhosts/two.example/anna" in page.text
    assert (
        "doveadm import -u anna@two.example maildir:/var/mail/vhosts/one.example/ana" in page.text
    )
    assert mail.id_of(Alias, source=ANA, destination="anna@two.example")
    mail.undo()
    assert stored(mail) == before
    page = mail.open("/users/11")
    assert "mv -T /var/mail/vhosts/two.example/anna /var/mail/vhosts/one.example/ana" in page.text


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("", "was not specified"),
        ("ana", "not a valid email"),
        ("bob@one.example", "already exists"),
        ("team@one.example", "already exists as an alias"),
        ("ana@three.example", "not managed by this database"),
    ],
)
def test_a_refused_address_stands_beside_its_field(
    mail: Browser, email: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users/11")
    page = mail.submit("/users/11/email", into=into, email=email)
    assert page.status == 400
    assert words in page.errors["email"]
    assert page.form("/users/11/email").values["email"] == [email]
    assert stored(mail) == before


def test_the_address_is_told_while_one_types(mail: Browser) -> None:
    for typed, words in (
        ("Anna@One.example", "The address will be anna@one.example"),
        (ANA, f"The address will be {ANA}"),
        ("bob@one.example", "already exists"),
    ):
        page = mail.open(f"/users/preview?user=11&email={typed}", into="address-preview")
        assert words in page.text
    assert "not found" in mail.open("/users/preview?user=77&email=a@one.example").text


def test_somebody_elses_change_is_not_overwritten(mail: Browser) -> None:
    mail.open("/users/11")
    mail.client.patch("/api/v1/users/11", json={"password": "their password"})
    page = mail.submit("/users/11/email", email="anna@one.example")
    assert page.status == 409
    assert mail.submit("/users/11/email", email="anna@one.example").status == 200
