"""The acts on domains."""

from collections.abc import Callable
from typing import Any

import pytest

from postmaster.db import db
from postmaster.errors import Invalid, NotFound
from postmaster.models import Alias, Domain, User
from postmaster.rules import aliases, domains, overviews, users
from postmaster.rules.paging import Criteria

Do = Callable[..., Any]


def names() -> list[str]:
    db.session.remove()
    return [row.name for row in db.session.query(Domain).order_by(Domain.id)]


def by_hand(*rows: object) -> None:
    """Rows as the operator inserts them behind the panel's back."""
    db.session.add_all(rows)
    db.session.commit()


def emails() -> list[str]:
    return [row.email for row in db.session.query(User).order_by(User.email)]


def pairs() -> list[tuple[str, str]]:
    return [(row.source, row.destination) for row in db.session.query(Alias).order_by(Alias.id)]


def test_a_domain_is_kept_normalised(do: Do) -> None:
    assert do(domains.create, name=" BÜCHER.Example\n").name == "xn--bcher-kva.example"
    assert names() == ["xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("name", "key_words"),
    [
        ("", "not specified"),
        (" \t", "not specified"),
        ("example", "not a valid"),
        ("a b.example", "not a valid"),
        (f"{'x' * 43}.example", "at most 50 characters"),
        ("EXAMPLE.com ", "already exists"),
        ("bücher.example", "already exists"),
    ],
)
def test_a_bad_name_is_refused(do: Do, name: str, key_words: str) -> None:
    do(domains.create, name="example.com")
    do(domains.create, name="xn--bcher-kva.example")
    with pytest.raises(Invalid, match=key_words) as refusal:
        do(domains.create, name=name)
    assert refusal.value.field == "name"
    assert names() == ["example.com", "xn--bcher-kva.example"]


def test_the_longest_name_fills_its_column(do: Do) -> None:
    longest = f"{'x' * 42}.example"
    assert len(longest) == 50
    do(domains.create, name=longest)
    assert names() == [longest]


def test_a_name_that_was_inserted_by_hand_in_capitals_exists(do: Do) -> None:
    by_hand(Domain(name="Example.COM"))
    with pytest.raises(Invalid, match="already exists"):
        do(domains.create, name="example.com")


def test_an_empty_domain_is_renamed(do: Do) -> None:
    domain = do(domains.create, name="exmaple.com")
    do(domains.create, name="example.org")
    assert do(domains.change, domain.id, name=" Example.COM ").name == "example.com"
    with pytest.raises(Invalid, match="already exists"):
        do(domains.change, domain.id, name="example.org")
    with pytest.raises(Invalid, match="not a valid"):
        do(domains.change, domain.id, name="example")
    assert names() == ["example.com", "example.org"]


def test_only_an_explicit_change_tidies_the_spelling_of_a_row(do: Do) -> None:
    row = Domain(name="Example.COM")
    by_hand(row)
    row_id = row.id
    assert do(domains.get, row_id).name == "Example.COM"
    do(domains.create, name="example.org")
    assert names() == ["Example.COM", "example.org"]
    do(domains.change, row_id, name="example.com")
    assert names() == ["example.com", "example.org"]


@pytest.mark.parametrize("what", ["user", "alias"])
def test_a_domain_in_use_is_not_renamed(do: Do, what: str) -> None:
    domain = do(domains.create, name="example.com")
    if what == "user":
        do(users.create, email="ana@example.com", password="password")
    else:
        by_hand(Alias(domain_id=domain.id, source="a@example.com", destination="b@example.net"))
    with pytest.raises(Invalid, match="has users or aliases"):
        do(domains.change, domain.id, name="example.org")
    assert names() == ["example.com"]


def test_what_goes_with_a_domain_is_said_before_and_goes(do: Do) -> None:
    domain = do(domains.create, name="example.com")
    other = do(domains.create, name="example.org")
    do(users.create, email="bob@example.com", password="password")
    do(users.create, email="ana@example.com", password="password")
    do(users.create, email="dora@example.org", password="password")
    do(aliases.create, source="team@example.com", destination="dora@example.org")
    do(aliases.create, source="team@example.com", destination="ana@example.com")
    do(aliases.create, source="info@example.org", destination="Ana@example.com")
    do(aliases.create, source="info@example.org", destination="dora@example.org")
    by_hand(Alias(domain_id=other.id, source="old@example.org", destination="gone@example.com"))
    gone = do(domains.goes_with, domain.id)
    assert [user.email for user in gone.users] == ["ana@example.com", "bob@example.com"]
    assert [alias.destination for alias in gone.aliases] == ["dora@example.org", "ana@example.com"]
    assert [alias.source for alias in gone.leading_here] == ["info@example.org"]
    do(domains.remove, domain.id)
    assert names() == ["example.org"]
    assert emails() == ["dora@example.org"]
    assert pairs() == [
        ("info@example.org", "dora@example.org"),
        ("old@example.org", "gone@example.com"),
    ]


def test_of_two_rows_of_one_name_only_the_one_asked_for_goes(do: Do) -> None:
    first, second = Domain(name="example.com"), Domain(name="example.com")
    by_hand(first, second)
    first_id, second_id = first.id, second.id
    do(users.create, email="ana@example.com", password="password")
    assert db.session.query(User).one().domain_id == first_id
    do(domains.remove, second_id)
    assert (names(), emails()) == (["example.com"], ["ana@example.com"])
    do(domains.remove, first_id)
    assert (names(), emails()) == ([], [])


@pytest.mark.parametrize(
    "typed",
    ["bücher.example", "xn--bcher-kva.example", " BÜCHER.example ", "XN--BCHER-KVA.EXAMPLE"],
)
def test_a_domain_is_found_in_either_form(do: Do, typed: str) -> None:
    domain = do(domains.create, name="bücher.example")
    assert do(domains.by_name, typed).id == domain.id


def test_a_domain_that_has_no_valid_name_is_found_as_it_is_written(do: Do) -> None:
    by_hand(Domain(name="not_a_domain"))
    assert do(domains.by_name, "NOT_a_domain").name == "not_a_domain"
    with pytest.raises(NotFound, match=r'"example\.com" was not found'):
        do(domains.by_name, "example.com")


@pytest.mark.parametrize("row_id", [0, -1, 4711, 2**31, 10**30])
def test_an_unknown_domain_is_not_found(do: Do, row_id: int) -> None:
    for act in (domains.get, domains.goes_with, domains.remove):
        with pytest.raises(NotFound, match="domain was not found"):
            do(act, row_id)
    with pytest.raises(NotFound, match="domain was not found"):
        do(domains.change, row_id, name="example.com")


def test_domains_are_listed_by_name(do: Do) -> None:
    for name in ("b.example", "c.example", "a.example"):
        do(domains.create, name=name)
    found = do(overviews.find_domains, Criteria())
    assert [row.name for row in found.items] == ["a.example", "b.example", "c.example"]
    found = do(overviews.find_domains, Criteria(search="B.EX"))
    assert [row.name for row in found.items] == ["b.example"]
