"""Forward and keep a copy; catch-alls that leave mailboxes their own mail."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from postmaster.db import db
from postmaster.errors import Invalid
from postmaster.models import Alias
from postmaster.rules import aliases, settings, users
from tests.rules.conftest import alter_setting
from tests.rules.mail import by_hand, fill, newest, parts_of

Do = Callable[..., Any]
ANA, EVA = "ana@one.example", "eva@two.example"


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    yield


def leads_to(source: str) -> list[str]:
    db.session.remove()
    found = db.session.query(Alias).filter_by(source=source).order_by(Alias.destination)
    return [alias.destination for alias in found]


def test_a_mailbox_forwards_and_keeps_a_copy_in_one_step(do: Do) -> None:
    alias = do(aliases.create, source="Ana@one.example", destination=EVA, keep_copy=True)
    assert (alias.source, alias.destination) == (ANA, EVA)
    assert leads_to(ANA) == [ANA, EVA]
    assert (newest().action, newest().object_id) == ("create", alias.id)
    assert parts_of(newest().id) == [("create", "alias", f"{ANA} -> {ANA}")]


@pytest.mark.parametrize("source", ["new@one.example", "bob@one.example", "team@one.example"])
def test_where_no_copy_is_needed_none_is_made(do: Do, source: str) -> None:
    before = leads_to(source)
    do(aliases.create, source=source, destination="sales@two.example", keep_copy=True)
    assert leads_to(source) == [*before, "sales@two.example"]
    assert parts_of(newest().id) == []


def test_a_copy_that_is_asked_for_itself_is_made_once(do: Do) -> None:
    do(aliases.create, source=ANA, destination=ANA, keep_copy=True)
    assert leads_to(ANA) == [ANA]


def test_a_refused_alias_leaves_no_copy(do: Do) -> None:
    with pytest.raises(Invalid, match="not a current email"):
        do(aliases.create, source=ANA, destination="nobody@two.example", keep_copy=True)
    assert leads_to(ANA) == []


def test_what_a_catch_all_would_swallow(do: Do) -> None:
    assert do(aliases.swallowed, "@one.example") == 1  # bob has a row of his own
    assert do(aliases.swallowed, "@two.example") == 2
    assert do(aliases.swallowed, ANA) == 0
    alter_setting(settings.EMAIL2EMAIL_MAP, "True")
    assert do(aliases.swallowed, "@one.example") == 0


def test_a_catch_all_leaves_the_mailboxes_their_mail(do: Do) -> None:
    alias = do(aliases.create, source="@two.example", destination=EVA, keep_mailboxes=True)
    assert leads_to("dora@two.example") == ["dora@two.example"]
    assert leads_to(EVA) == [EVA]
    assert newest().object_id == alias.id
    assert len(parts_of(newest().id)) == 2
    assert do(aliases.swallowed, "@two.example") == 0


def test_without_being_asked_a_catch_all_takes_all(do: Do) -> None:
    do(aliases.create, source="@two.example", destination=EVA)
    assert leads_to(EVA) == []


def test_what_a_typed_source_would_mean(do: Do) -> None:
    assert do(aliases.about_source, " Ana@ONE.example ") == aliases.AboutSource(ANA, True, 0, 0)
    assert do(aliases.about_source, "bob@one.example") == aliases.AboutSource(
        *("bob@one.example", False, 2, 0)
    )
    assert do(aliases.about_source, "@two.example") == aliases.AboutSource(
        *("@two.example", False, 0, 2)
    )
    with pytest.raises(Invalid, match="not managed"):
        do(aliases.about_source, "x@elsewhere.example")
    with pytest.raises(Invalid, match="not in a valid email format"):
        do(aliases.about_source, "x")


def test_the_address_that_a_new_user_would_get(do: Do) -> None:
    assert do(users.checked_address, " New@ONE.example") == "new@one.example"
    for typed, key_words in {
        "": "not specified",
        "x": "not a valid email",
        "x@elsewhere.example": "not managed",
        "ANA@one.example": "already exists",
        "team@one.example": "already exists as an alias",
    }.items():
        with pytest.raises(Invalid, match=key_words):
            do(users.checked_address, typed)


def test_a_copy_stays_while_others_take_the_mailboxes_mail(do: Do) -> None:
    with pytest.raises(Invalid, match=r"would take all mail of the mailbox: delete the other"):
        do(aliases.remove, 103)
    with pytest.raises(Invalid, match="would take all mail"):
        do(aliases.remove_several, [103, 201])
    assert leads_to("bob@one.example") == ["bob@one.example", EVA]
    do(aliases.remove_several, [103, 104])
    assert leads_to("bob@one.example") == []


def test_a_copy_goes_last_or_where_it_is_there_twice(do: Do) -> None:
    by_hand(
        Alias(id=301, domain_id=1, source="Bob@one.example", destination="bob@one.example"),
        Alias(id=302, domain_id=2, source="x@two.example", destination="x@two.example"),
        Alias(id=303, domain_id=2, source="x@two.example", destination=EVA),
    )
    do(aliases.remove, 103)
    do(aliases.remove, 302)  # which is no mailbox
    do(aliases.remove, 104)
    do(aliases.remove, 301)
    assert leads_to("bob@one.example") == []


def test_a_mailbox_written_in_capitals_keeps_its_spelling(do: Do) -> None:
    by_hand(users.User(id=40, domain_id=2, email="Old@two.example", password="*"))
    do(aliases.create, source="@two.example", destination=EVA, keep_mailboxes=True)
    assert leads_to("old@two.example") == ["Old@two.example"]
