"""/trace, and the ways to it."""

from urllib.parse import quote

import pytest

from postmaster.models import Alias, User
from tests.pages.browsing import Browser
from tests.pages.stored import ANA, BOB, EVA, put
from tests.rules.mail import HASH


def test_the_page_asks_for_an_address(mail: Browser) -> None:
    page = mail.open("/trace")
    assert page.status == 200
    assert page.headings[0] == "Trace"
    assert "Type an address" in page.text
    page = mail.submit("trace", address="press@two.example")
    assert page.url == "/trace?address=press%40two.example"
    assert page.headings[:3] == ["Trace press@two.example", "Where it goes", "Step by step"]


def test_the_verdict_comes_first_then_the_tree_then_the_steps(mail: Browser) -> None:
    page = mail.open("/trace?address=press@two.example")
    sentence = "Mail to press@two.example is delivered to 2 mailboxes here"
    assert f"Delivered {sentence}" in page.text
    assert page.text.index(sentence) < page.text.index("Where it goes")
    assert "team@one.example is an alias and leads to ana@one.example" in page.text
    assert "SELECT destination FROM virtual_aliases WHERE source='team@one.example'" in (
        page.html.replace("&#39;", "'")
    )
    for link in ("/users/11", "/users/21", "/aliases/205", "/aliases/101"):
        assert link in page.links
    assert f"/trace?address={ANA}" in page.links
    assert HASH not in page.html


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("gone@one.example", "Refused Mail to gone@one.example is refused"),
        ("ring@one.example", "Put off Mail to ring@one.example goes round in a circle"),
        ("old@one.example", "Sent back Mail to old@one.example is taken and then sent back"),
        ("half@one.example", "Delivered in part Mail to half@one.example arrives in part"),
        ("@one.example", "every address of the domain that has no row of its own"),
        (" Ana@ONE.example ", "is delivered to the mailbox ana@one.example"),
        ("off@one.example", "suspended: nobody signs in"),
        ("plain@one.example", "its password is not hashed, and Dovecot cannot read it"),
    ],
)
def test_every_verdict_is_worded(mail: Browser, address: str, words: str) -> None:
    pairs = [
        ("ring", "rang@one.example"),
        ("rang", "ring@one.example"),
        ("old", "gone@one.example"),
        ("half", "gone@one.example"),
        ("half", ANA),
    ]
    put(
        mail,
        User(id=90, domain_id=1, email="off@one.example", password="!suspended"),
        User(id=91, domain_id=1, email="plain@one.example", password="a secret in plain"),
        *(Alias(domain_id=1, source=f"{name}@one.example", destination=to) for name, to in pairs),
    )
    page = mail.open(f"/trace?address={quote(address)}")
    assert page.status == 200
    assert words in page.text
    assert "a secret" not in page.html


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ana", "is not a valid email address: it must have one @"),
        ("a!b@one.example", "takes it for a route and refuses it, with 554"),
        ("-a@one.example", "The mail server refuses it, with 501"),
        ("<b>@one.example", "a character that mail servers refuse"),
    ],
)
def test_what_is_no_address_is_refused_beside_the_field(
    mail: Browser, address: str, words: str
) -> None:
    page = mail.open(f"/trace?address={quote(address)}")
    assert page.status == 400
    assert words in page.text
    assert 'aria-invalid="true"' in page.html
    assert page.form("trace").values["address"] == [address]
    assert "<b>@" not in page.html
    # While one types, an address is not whole yet: it is no error of the request.
    assert mail.open(f"/trace?address={quote(address)}", into="list").status == 200


def test_while_one_types_only_the_answer_is_fetched(mail: Browser) -> None:
    page = mail.open(f"/trace?address={ANA}", into="list")
    assert "<html" not in page.html
    assert "is delivered to the mailbox" in page.text
    assert not page.forms


@pytest.mark.parametrize(
    ("path", "addresses"),
    [
        ("/users", [ANA, BOB, EVA]),
        ("/users/12", [BOB, EVA]),
        ("/aliases", ["all@two.example", "team@one.example"]),
        ("/aliases/101", ["team@one.example", ANA, "dora@two.example"]),
        ("/domains/1", ["@one.example"]),
    ],
)
def test_it_is_reached_from_every_address(mail: Browser, path: str, addresses: list[str]) -> None:
    page = mail.open(path)
    for address in addresses:
        assert f"/trace?address={address}" in page.links
    assert "/trace" in page.links


def test_it_is_reached_from_a_change_of_the_history(mail: Browser) -> None:
    mail.open("/users/11/delete")
    mail.submit("/users/11/delete")
    page = mail.open("/history")
    entry = next(link for link in page.links if link.startswith("/history/"))
    assert f"/trace?address={ANA}" in mail.open(entry).links
