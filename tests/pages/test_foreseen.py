"""What a change would mean for mail, on the pages: as one types, when asked for, and before
a deletion. What is said in which case is in tests/rules/test_foresight.py.
"""

from urllib.parse import urlencode

import pytest

from postmaster.models import Alias
from tests.pages.browsing import Browser
from tests.pages.stored import ANA, EVA, put, stored
from tests.rules.mail import HASH

MEANING = "What it means for mail:"


def foreseen(browser: Browser, path: str, **typed: str) -> str:
    """What is said below a form while this is typed."""
    return browser.open(f"{path}?{urlencode(typed)}", into="main").text


@pytest.mark.parametrize(
    ("path", "typed", "words"),
    [
        (
            "/aliases/foreseen",
            {"source": "new@one.example", "destination": EVA},
            "Mail to new@one.example will go to eva@two.example.",
        ),
        (
            "/aliases/foreseen",
            {"source": EVA, "destination": ANA},
            "The mailbox eva@two.example will get no mail any more: it goes to ana@one.example.",
        ),
        (
            "/aliases/foreseen",
            {"source": EVA, "destination": ANA, "keep_copy": "y"},
            "Mail to 2 addresses will also go to ana@one.example.",
        ),
        (
            "/aliases/foreseen",
            {"source": ANA, "destination": "team@one.example"},
            "would go round in a circle: senders try again for days, in vain.",
        ),
        (
            "/aliases/foreseen",
            {"source": "@one.example", "destination": EVA},
            "The catch-all takes the mail of the mailbox ana@one.example: it goes to eva@",
        ),
        (
            "/aliases/foreseen",
            {"source": "@one.example", "destination": EVA, "keep_mailboxes": "y"},
            "Mail to @one.example will go to eva@two.example.",
        ),
        (
            "/aliases/201/foreseen",
            {"destination": EVA},
            "Mail to 2 addresses will go to eva@two.example instead of ana@one.example.",
        ),
        (
            "/aliases/201/source/foreseen",
            {"source": "vente@two.example"},
            "Nobody will receive mail to sales@two.example any more: it is refused.",
        ),
        (
            "/aliases/selected/foreseen",
            {"id": "201", "replaced": ANA, "destination": "gone@two.example"},
            "it is taken and then sent back",
        ),
        (
            "/users/12/forward/foreseen",
            {"destination": ANA},
            "Mail to bob@one.example will also go to ana@one.example.",
        ),
        (
            "/users/11/email/foreseen",
            {"email": "anna@one.example"},
            "Nobody will receive mail to ana@one.example any more: it is refused.",
        ),
        ("/users/foreseen", {"email": "new@one.example"}, ""),
    ],
)
def test_as_one_types(mail: Browser, path: str, typed: dict[str, str], words: str) -> None:
    before = stored(mail)
    said = foreseen(mail, path, **typed)
    assert words in said
    assert bool(said) == bool(words)
    assert stored(mail) == before


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/aliases/foreseen", {"source": "new@one.example", "destination": "ev"}),
        ("/aliases/foreseen", {"source": "", "destination": ""}),
        ("/aliases/foreseen", {"source": "a b@one.example", "destination": EVA}),
        ("/aliases/9999/foreseen", {"destination": EVA}),
        ("/aliases/201/foreseen", {"destination": ANA}),
        ("/users/9999/forward/foreseen", {"destination": EVA}),
        ("/users/11/email/foreseen", {"email": ANA}),
        ("/aliases/selected/foreseen", {"id": "9999", "destination": EVA}),
    ],
)
def test_nothing_is_said_of_what_is_not_whole_or_not_there(
    mail: Browser, path: str, typed: dict[str, str]
) -> None:
    assert foreseen(mail, path, **typed) == ""


def test_a_mailbox_under_a_catch_all_is_offered_its_mail(mail: Browser) -> None:
    put(mail, Alias(id=300, domain_id=1, source="@one.example", destination=EVA))
    typed = {"email": "new@one.example"}
    for path in ("/users/foreseen", "/users/21/email/foreseen"):
        said = foreseen(mail, path, **typed)
        assert "The mailbox new@one.example will get no mail: it goes to eva@two.example." in said
        assert "Let the mailbox get its mail all the same" in said
        said = foreseen(mail, path, **typed, keep_copy="y")
        assert "no mail" not in said
        assert "Let the mailbox get its mail all the same" in said
    mail.open("/users")
    page = mail.submit("add", button="preview=yes", **typed)
    assert page.form("add").offered["keep_copy"] == ["y"]
    mail.submit("add", **typed, password="a good password", keep_copy=True)
    assert mail.id_of(Alias, source="new@one.example", destination="new@one.example")
    mail.open("/users/21")
    email = "dora@one.example"
    page = mail.submit("/users/21/email", button="preview=yes", email=email)
    mail.submit("/users/21/email", email=email, keep_copy=True)
    assert mail.id_of(Alias, source=email, destination=email)


def test_without_scripts_a_button_shows_it_and_changes_nothing(mail: Browser) -> None:
    before = stored(mail)
    mail.open("/aliases")
    page = mail.submit(
        "add", button="preview=yes", source="new@one.example", destination="team@one.example"
    )
    assert page.status == 200
    assert "Mail to new@one.example will go to ana@one.example, dora@two.example." in page.text
    assert page.form("add").values["destination"] == ["team@one.example"]
    mail.open("/aliases/201")
    page = mail.submit("/aliases/201", button="preview=yes", destination=EVA)
    assert "will go to eva@two.example instead of ana@one.example" in page.text
    page = mail.submit("/aliases/201/destinations", button="preview=yes", destination=EVA)
    assert "will also go to eva@two.example" in page.text
    page = mail.submit("/aliases/201/source", button="preview=yes", source="vente@two.example")
    assert "Nobody will receive mail to sales@two.example any more" in page.text
    mail.open("/aliases/selected?action=repoint&id=201")
    page = mail.submit("/aliases/selected", button="preview=yes", destination=EVA)
    assert "will go to eva@two.example instead of ana@one.example" in page.text
    mail.open("/users/12")
    page = mail.submit("/users/12/forward", button="preview=yes", destination=ANA)
    assert "Mail to bob@one.example will also go to ana@one.example" in page.text
    page = mail.submit("/users/12/email", button="preview=yes", email="robert@one.example")
    assert "Nobody will receive mail to bob@one.example any more" in page.text
    assert stored(mail) == before


def test_a_refused_alias_says_what_it_would_have_meant(mail: Browser) -> None:
    mail.open("/aliases")
    page = mail.submit("add", source=EVA, destination=ANA)
    assert page.status == 400
    assert "existing email address" in page.errors["source"]
    assert "The mailbox eva@two.example will get no mail any more" in page.text


# --- before a deletion ----------------------------------------------------------


def test_before_a_user_is_deleted(mail: Browser) -> None:
    page = mail.open("/users/11/delete")
    assert f"{MEANING} Nobody will receive mail to ana@one.example any more" in page.text
    # By what becomes of the aliases that lead to it.
    deleted, kept = page.text.split("Delete these too")[1].split("Keep these")
    assert "This stops mail to 2 addresses: it is refused." in deleted
    assert "Nobody will receive mail to 2 addresses: it is taken and then sent back." in kept
    assert "sales@two.example" in kept


def test_before_several_users_are_deleted(mail: Browser) -> None:
    page = mail.open("/users/selected?id=11&id=21")
    assert "This stops mail to 2 addresses: it is refused." in page.text


def test_before_an_alias_is_deleted(mail: Browser) -> None:
    page = mail.open("/aliases/102/delete")
    assert "Mail to 2 addresses will not go to dora@two.example any more." in page.text
    mail.submit("/aliases/102/delete")
    assert mail.is_gone(Alias, 102)


def test_before_domains_are_deleted(mail: Browser) -> None:
    page = mail.open("/domains/2/delete")
    assert "addresses: it is refused." in page.text
    put(mail, Alias(id=300, domain_id=1, source="@one.example", destination=EVA))
    assert MEANING in mail.open("/domains/selected?id=1").text


def test_a_deletion_that_changes_nothing_for_mail_says_nothing(empty: Browser) -> None:
    put(empty, Alias(id=300, domain_id=1, source="press@one.example", destination=ANA))
    put(empty, Alias(id=301, domain_id=1, source="press@one.example", destination=ANA))
    assert MEANING not in empty.open("/aliases/301/delete").text
    assert MEANING not in empty.open("/domains/3/delete").text
    assert MEANING in empty.open("/aliases/selected?id=300").text


@pytest.mark.parametrize("path", ["/users/11/delete", "/domains/1/delete", "/users/12"])
def test_no_hash_is_shown(mail: Browser, path: str) -> None:
    assert HASH not in mail.open(path).html
