"""What the lists show beside the rows: counts, groups, and what is odd about a row."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from postmaster.db import db
from postmaster.errors import Invalid, NotFound
from postmaster.models import Alias, Domain, User
from postmaster.rules import overviews
from postmaster.rules.overviews import Oddity
from postmaster.rules.paging import Criteria
from tests.conftest import ADMIN
from tests.rules.mail import HASH, by_hand, fill
from tests.rules.statements import counted

A_LABEL = "xn--bcher-kva.example"


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    yield
    db.session.remove()


def sources(
    *,
    search: str = "",
    order: str = "asc",
    domain_ids: list[int] | None = None,
    destination: str | None = None,
) -> list[tuple[str, list[int]]]:
    page = overviews.find_aliases(
        *(db.session(), ADMIN, Criteria(search=search, order=order)),
        domain_ids=domain_ids,
        destination=destination,
    )
    return [(group.source, [item.alias.id for item in group.destinations]) for group in page.items]


# --- domains --------------------------------------------------------------------


def test_a_domain_is_shown_with_how_much_is_in_it() -> None:
    by_hand(Domain(id=3, name="three.example"))
    page = overviews.find_domains(db.session(), ADMIN, Criteria())
    found = [(row.domain.name, row.users, row.aliases, row.oddities) for row in page.items]
    assert found == [
        ("one.example", 2, 4, []),
        ("three.example", 0, 0, []),
        ("two.example", 2, 5, []),
    ]
    assert page.total == 3
    row = overviews.get_domain(db.session(), ADMIN, 1)
    assert (row.domain.id, row.users, row.aliases) == (1, 2, 4)


def test_a_name_that_is_there_twice_is_marked_in_both_rows() -> None:
    by_hand(Domain(id=3, name="ONE.example"), Domain(id=4, name="a b.example"))
    page = overviews.find_domains(db.session(), ADMIN, Criteria(sort="id"))
    assert [row.oddities for row in page.items] == [
        [Oddity.DUPLICATE],
        [],
        [Oddity.MIXED_CASE, Oddity.DUPLICATE],
        [Oddity.UNUSABLE],
    ]
    # What is in a row counts for that row.
    assert [row.users for row in page.items] == [2, 2, 0, 0]


def test_what_is_not_there_is_not_found() -> None:
    for get in (overviews.get_domain, overviews.get_user, overviews.get_alias):
        with pytest.raises(NotFound):
            get(db.session(), ADMIN, 77)
    for find in (overviews.find_domains, overviews.find_users, overviews.find_aliases):
        with pytest.raises(NotFound):
            find(db.session(), ADMIN, Criteria(page=9))
        with pytest.raises(Invalid):
            find(db.session(), ADMIN, Criteria(page=0))


# --- users ----------------------------------------------------------------------


def test_a_user_is_shown_with_how_many_aliases_lead_to_it() -> None:
    by_hand(User(id=13, domain_id=1, email="Zoe@one.example", password=HASH))
    by_hand(Alias(domain_id=1, source="x@one.example", destination="ZOE@one.example"))
    page = overviews.find_users(db.session(), ADMIN, Criteria())
    assert [(row.user.id, row.aliases, row.oddities) for row in page.items] == [
        (11, 2, []),
        (12, 1, []),
        (21, 1, []),
        (22, 2, []),
        (13, 1, [Oddity.MIXED_CASE]),
    ]
    row = overviews.get_user(db.session(), ADMIN, 13)
    assert (row.aliases, row.oddities) == (1, [Oddity.MIXED_CASE])


@pytest.mark.parametrize(("domain_ids", "found"), [(None, 4), ([], 0), ([1], 2), ([1, 2], 4)])
def test_users_are_those_of_some_domains(domain_ids: list[int] | None, found: int) -> None:
    page = overviews.find_users(db.session(), ADMIN, Criteria(), domain_ids=domain_ids)
    assert (len(page.items), page.total) == (found, found)


def test_what_leads_to_an_address() -> None:
    def leading(email: str, most: int = 10) -> list[int]:
        found = overviews.leading_to(db.session(), ADMIN, email, most=most)
        return [alias.id for alias in found]

    assert leading("ana@one.example") == [201, 101]
    assert leading("ANA@one.example", most=1) == [201]
    assert leading("bob@one.example") == [], "its own copy leads nowhere else"
    assert leading("nobody@one.example") == []


# --- aliases --------------------------------------------------------------------


def test_all_destinations_of_a_source_are_one_item() -> None:
    by_hand(Alias(id=301, domain_id=1, source="TEAM@One.example", destination="eva@two.example"))
    assert sources() == [
        ("all@two.example", [203, 204]),
        ("bob@one.example", [103, 104]),
        ("info@two.example", [202]),
        ("press@two.example", [205]),
        ("sales@two.example", [201]),
        ("team@one.example", [101, 102, 301]),
    ]
    page = overviews.find_aliases(db.session(), ADMIN, Criteria(per_page=2, page=3))
    assert (page.total, page.pages) == (6, 3)
    assert [(group.id, group.domain_id) for group in page.items] == [(201, 2), (101, 1)]


def test_they_are_ordered_by_source_either_way() -> None:
    up, down = sources(), sources(order="desc")
    assert [source for source, _ in down] == [source for source, _ in reversed(up)]
    assert dict(down) == dict(up), "the destinations keep their own order"


def test_they_are_searched_by_domain_and_by_destination() -> None:
    team = ("team@one.example", [101, 102])
    assert sources(search="TEA") == [team]
    assert sources(domain_ids=[1]) == [("bob@one.example", [103, 104]), team]
    assert sources(domain_ids=[]) == []
    assert sources(destination="DORA@two.example") == [team], "with its other destinations"
    assert sources(destination="dora@two.example", domain_ids=[2]) == []
    assert sources(destination="ana") == []
    assert sources(destination="\U0001f600@two.example") == []


def test_one_row_leads_to_its_whole_group() -> None:
    for alias_id in (101, 102):
        group = overviews.get_alias(db.session(), ADMIN, alias_id)
        assert (group.id, group.source) == (101, "team@one.example")
        assert [item.alias.id for item in group.destinations] == [101, 102]
    at = overviews.aliases_at(db.session(), ADMIN, "TEAM@one.example")
    assert at is not None
    assert at.id == 101
    assert overviews.aliases_at(db.session(), ADMIN, "none@one.example") is None


@pytest.mark.parametrize(
    ("destination", "oddities"),
    [
        ("ana@one.example", []),
        ("team@one.example", []),
        ("ANA@ONE.example", [Oddity.MIXED_CASE]),
        ("gone@one.example", [Oddity.DANGLING]),
        ("any@three.example", []),  # its catch-all takes it
        ("a@else.example", [Oddity.OUTSIDE]),
        ("no address", [Oddity.UNUSABLE, Oddity.OUTSIDE]),
        ("ana@one.example, b@c.example", [Oddity.UNUSABLE, Oddity.OUTSIDE]),
        ("@one.example", []),
        (f"uma@{A_LABEL}", [Oddity.DANGLING]),
    ],
)
def test_what_is_odd_about_a_destination(destination: str, oddities: list[Oddity]) -> None:
    by_hand(Domain(id=3, name="Three.example"), Domain(id=4, name=A_LABEL))
    by_hand(Alias(domain_id=3, source="@three.example", destination="ana@one.example"))
    by_hand(Alias(id=301, domain_id=3, source="Odd@three.example", destination=destination))
    group = overviews.get_alias(db.session(), ADMIN, 301)
    assert group.oddities == [Oddity.MIXED_CASE]
    assert [item.oddities for item in group.destinations] == [oddities]


# --- completion -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "most", "found"),
    [
        ("", 10, []),
        ("  ", 10, []),
        (" AN ", 10, ["ana@one.example"]),
        ("bob", 10, ["bob@one.example"]),  # a user and an alias: once
        ("e", 10, ["eva@two.example"]),
        ("a", 10, ["ana@one.example", "all@two.example"]),
        ("a", 1, ["ana@one.example"]),
        ("@", 10, []),
        ("%", 10, []),
        ("_na", 10, []),
        ("ü", 10, []),
        ("a\0", 10, []),
    ],
)
def test_an_address_is_completed(typed: str, most: int, found: list[str]) -> None:
    by_hand(Alias(domain_id=1, source="@one.example", destination="ana@one.example"))
    assert overviews.addresses_like(db.session(), ADMIN, typed, most=most) == found


# --- queries --------------------------------------------------------------------


def test_a_list_takes_as_many_queries_however_many_rows_there_are() -> None:
    """Its rows; where more follow, also the total, and on MariaDB whether it is known already."""
    for find in (overviews.find_domains, overviews.find_users, overviews.find_aliases):
        for rows in (1, 100):
            db.session.remove()
            with counted() as seen:
                find(db.session(), ADMIN, Criteria(per_page=rows))
            asked = [one for one in seen if one != "BEGIN"]
            assert len(asked) <= (3 if rows == 1 else 1), asked


def test_an_empty_list_is_a_page_of_nothing() -> None:
    db.session.execute(delete(Domain))
    db.session.commit()
    for find in (overviews.find_domains, overviews.find_users, overviews.find_aliases):
        page = find(db.session(), ADMIN, Criteria())
        assert (page.items, page.total, page.pages) == ([], 0, 0)
