"""The acts on aliases, apart from circles, which test_circles.py has."""

from collections.abc import Callable
from typing import Any

import pytest

from postmaster.db import db
from postmaster.errors import Invalid, NotFound
from postmaster.models import Alias, Domain, SettingRow
from postmaster.rules import aliases, domains, overviews, settings, users
from postmaster.rules.paging import Criteria

Do = Callable[..., Any]
ANA, BOB, DORA = "ana@example.com", "bob@example.com", "dora@example.org"


@pytest.fixture(autouse=True)
def domain_ids(do: Do) -> dict[str, int]:
    ids = {name: do(domains.create, name=name).id for name in ("example.com", "example.org")}
    for email in (ANA, BOB, DORA):
        do(users.create, email=email, password="password")
    return ids


def add(do: Do, source: str, destination: str) -> Alias:
    alias: Alias = do(aliases.create, source=source, destination=destination)
    return alias


def by_hand(*rows: object) -> None:
    """Rows as the operator inserts them behind the panel's back."""
    db.session.add_all(rows)
    db.session.commit()


def turn_on(setting: settings.Setting[bool]) -> None:
    db.session.query(SettingRow).filter_by(setting=setting.name).update({"value": "True"})
    db.session.commit()


def pairs() -> list[tuple[str, str]]:
    db.session.remove()
    return [(row.source, row.destination) for row in db.session.query(Alias).order_by(Alias.id)]


@pytest.mark.parametrize(
    ("source", "destination", "domain"),
    [
        (" Sales@EXAMPLE.org ", "Ana@Example.com\n", "example.org"),
        ("sales@example.com", DORA, "example.com"),
        ("@example.org", ANA, "example.org"),
        ("o'hara+x@example.com", ANA, "example.com"),
    ],
)
def test_an_alias_belongs_to_the_domain_of_its_source(
    do: Do, domain_ids: dict[str, int], source: str, destination: str, domain: str
) -> None:
    alias = add(do, source, destination)
    assert alias.domain_id == domain_ids[domain]
    assert pairs() == [(source.strip().lower(), destination.strip().lower())]


@pytest.mark.parametrize(
    ("source", "destination", "key_words", "field"),
    [
        ("", ANA, "source email was not specified", "source"),
        ("sales@example.com", " ", "destination email was not specified", "destination"),
        ("sales", ANA, r"source .* not in a valid email format", "source"),
        ("sales@example.com", "ana", r"destination .* not in a valid email format", "destination"),
        (f"{'x' * 60}@{'y' * 40}.example", ANA, "at most 100 characters", "source"),
        ("sales@example.com", f"x@{'y' * 60}.{'z' * 40}.example", "at most 100", "destination"),
        ("sales@example.net", ANA, "not managed by this database", "source"),
        ("sales@example.com", "ana@example.net", "not managed by this database", "destination"),
        ("sales@example.com", "nobody@example.com", "not a current email", "destination"),
        ("sales@example.com", "sales@example.com", "not a current email", "destination"),
        (ANA, BOB, "existing email address", "source"),
        ("TEAM@example.com", "Bob@example.com", "already exists", "destination"),
    ],
)
def test_a_bad_alias_is_refused(
    do: Do, source: str, destination: str, key_words: str, field: str | None
) -> None:
    add(do, "team@example.com", BOB)
    with pytest.raises(Invalid, match=key_words) as refusal:
        add(do, source, destination)
    assert refusal.value.field == field
    assert pairs() == [("team@example.com", BOB)]


def test_a_source_has_several_destinations_which_go_one_by_one(do: Do) -> None:
    first, second = add(do, "team@example.com", ANA), add(do, "team@example.com", BOB)
    do(aliases.remove, first.id)
    assert pairs() == [("team@example.com", BOB)]
    do(aliases.remove, second.id)
    assert pairs() == []


def test_an_alias_may_lead_to_an_alias_but_not_to_what_only_a_catch_all_takes(do: Do) -> None:
    add(do, "team@example.com", ANA)
    add(do, "all@example.com", "Team@example.com")
    add(do, "@example.org", ANA)
    with pytest.raises(Invalid, match="not a current email address"):
        add(do, "any@example.com", "whoever@example.org")


def test_with_the_setting_a_destination_may_be_elsewhere(do: Do) -> None:
    turn_on(settings.EXTERNAL_DESTINATIONS)
    add(do, "sales@example.com", "Someone@BÜCHER.example")
    assert pairs() == [("sales@example.com", "someone@xn--bcher-kva.example")]
    with pytest.raises(Invalid, match="not a current email address"):
        add(do, "sales@example.com", "nobody@example.org")


def test_a_row_to_elsewhere_stays_editable_without_the_setting(
    do: Do, domain_ids: dict[str, int]
) -> None:
    elsewhere = "someone@elsewhere.example"
    row = Alias(domain_id=domain_ids["example.com"], source="a@example.com", destination=elsewhere)
    by_hand(row)
    row_id = row.id
    changed = do(aliases.change, row_id, source="b@example.org")
    assert changed.domain_id == domain_ids["example.org"]
    do(aliases.change, row_id, source="c@example.org", destination=elsewhere)
    assert pairs() == [("c@example.org", elsewhere)]
    with pytest.raises(Invalid, match="not managed by this database"):
        do(aliases.change, row_id, destination="other@elsewhere.example")


def test_a_mailbox_forwards_once_it_keeps_a_copy(do: Do) -> None:
    with pytest.raises(Invalid, match="existing email address"):
        add(do, ANA, BOB)
    copy = add(do, "Ana@example.com", ANA)
    add(do, ANA, BOB)
    with pytest.raises(Invalid, match="existing email address"):
        do(aliases.change, copy.id, destination=DORA)
    assert pairs() == [(ANA, ANA), (ANA, BOB)]


def test_an_alias_is_not_moved_to_a_mailbox_that_keeps_no_copy(do: Do) -> None:
    alias = add(do, "sales@example.com", BOB)
    with pytest.raises(Invalid, match="existing email address"):
        do(aliases.change, alias.id, source=ANA)
    add(do, ANA, ANA)
    do(aliases.change, alias.id, source=ANA)
    assert pairs() == [(ANA, BOB), (ANA, ANA)]


@pytest.mark.parametrize(
    ("change", "key_words"),
    [
        ({}, "source or destination was not supplied"),
        ({"source": " "}, "source email was not specified"),
        ({"destination": ""}, "destination email was not specified"),
        ({"source": "x"}, r"source .* not in a valid email format"),
        ({"destination": "@example.com"}, r"destination .* not in a valid email format"),
        ({"source": "sales@example.net"}, "not managed by this database"),
        ({"destination": "ana@example.net"}, "not managed by this database"),
        ({"destination": "nobody@example.com"}, "not a current email address"),
        ({"source": "Team@example.com", "destination": "BOB@example.com"}, "already exists"),
        ({"source": ANA, "destination": BOB}, "existing email address"),
    ],
)
def test_a_bad_change_changes_nothing(do: Do, change: dict[str, str], key_words: str) -> None:
    add(do, "team@example.com", BOB)
    alias = add(do, "sales@example.com", ANA)
    with pytest.raises(Invalid, match=key_words):
        do(aliases.change, alias.id, **change)
    assert pairs() == [("team@example.com", BOB), ("sales@example.com", ANA)]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"source": " Help@example.org"}, ("help@example.org", ANA)),
        ({"destination": "DORA@example.org"}, ("sales@example.com", DORA)),
        ({"source": "@example.org", "destination": BOB}, ("@example.org", BOB)),
        ({"source": "sales@example.com", "destination": ANA}, ("sales@example.com", ANA)),
        ({"source": "SALES@example.com"}, ("sales@example.com", ANA)),
    ],
)
def test_a_change_takes_what_is_given_and_its_domain_follows(
    do: Do, domain_ids: dict[str, int], change: dict[str, str], changed: tuple[str, str]
) -> None:
    alias = do(aliases.change, add(do, "sales@example.com", ANA).id, **change)
    assert alias.domain_id == domain_ids[changed[0].partition("@")[2]]
    assert pairs() == [changed]


def test_what_is_not_changed_keeps_its_spelling(do: Do, domain_ids: dict[str, int]) -> None:
    row = Alias(domain_id=domain_ids["example.com"], source="Old.Alias@Example.com")
    row.destination = "Gone@Example.com"
    by_hand(row)
    row_id = row.id
    do(aliases.change, row_id, source="Old.Alias@Example.com", destination=BOB)
    assert pairs() == [("Old.Alias@Example.com", BOB)]


def test_the_wrong_domain_of_a_row_made_by_hand_is_corrected_with_its_source(
    do: Do, domain_ids: dict[str, int]
) -> None:
    row = Alias(domain_id=domain_ids["example.com"], source="a@example.org", destination=ANA)
    by_hand(row)
    assert do(aliases.change, row.id, source="b@example.org").domain_id == domain_ids["example.org"]


def test_of_two_rows_of_one_domain_the_first_has_the_alias(
    do: Do, domain_ids: dict[str, int]
) -> None:
    by_hand(Domain(name="Example.COM"))
    assert add(do, "sales@example.com", ANA).domain_id == domain_ids["example.com"]


def test_several_are_deleted_all_or_none(do: Do) -> None:
    rows = [add(do, f"{name}@example.com", ANA).id for name in "abc"]
    with pytest.raises(NotFound, match="alias was not found"):
        do(aliases.remove_several, [rows[0], 4711])
    assert len(pairs()) == 3
    do(aliases.remove_several, rows[:2])
    assert pairs() == [("c@example.com", ANA)]


def test_aliases_are_found_by_source_or_by_pair_in_any_case(do: Do) -> None:
    for destination in (BOB, ANA):
        add(do, "team@example.com", destination)
    found = do(aliases.matching, " TEAM@example.com ")
    assert [alias.destination for alias in found] == [BOB, ANA]
    (one,) = do(aliases.matching, "team@example.com", "ANA@example.com")
    assert one.destination == ANA
    for pair in (("nobody@example.com", None), ("team@example.com", DORA)):
        with pytest.raises(NotFound, match="was not found"):
            do(aliases.matching, *pair)


@pytest.mark.parametrize("row_id", [0, -1, 4711, 2**31, 10**30])
def test_an_unknown_alias_is_not_found(do: Do, row_id: int) -> None:
    for act in (aliases.get, aliases.remove):
        with pytest.raises(NotFound, match="alias was not found"):
            do(act, row_id)
    with pytest.raises(NotFound, match="alias was not found"):
        do(aliases.change, row_id, source="a@example.com")


def test_aliases_are_listed_by_source_or_of_one_domain(do: Do, domain_ids: dict[str, int]) -> None:
    for source in ("b@example.com", "a@example.org", "a@example.com"):
        add(do, source, ANA)
    found = do(overviews.find_alias_rows, Criteria())
    assert [a.source for a in found.items] == ["a@example.com", "a@example.org", "b@example.com"]
    found = do(
        overviews.find_alias_rows, Criteria(search="A@"), domain_ids=[domain_ids["example.org"]]
    )
    assert [a.source for a in found.items] == ["a@example.org"]
