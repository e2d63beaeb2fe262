"""Search, order and pages over tables of any content, compared with plain Python."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import insert

from postmaster.db import db
from postmaster.errors import Invalid, NotFound
from postmaster.models import Alias, Domain, User
from postmaster.rules import aliases, domains, overviews, users
from postmaster.rules.paging import MOST_PER_PAGE, Criteria, Listing

Do = Callable[..., Any]
# The letters of patterns and of escapes in SQL's LIKE, both cases, and blanks inside.
NAMES = st.text(st.sampled_from("aAbB01%_\\/'\"-. @[]^*?"), max_size=8)
LETTERS = st.text(st.sampled_from("aAbBcC012"), min_size=1, max_size=4)
OPTIONS = options(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def fill(names: list[str]) -> None:
    """Exactly these domains, with ids from 1 on; no test relies on their order otherwise."""
    db.session.remove()
    with db.engine.begin() as connection:
        for model in (Alias, User, Domain):
            connection.execute(model.__table__.delete())  # type: ignore[attr-defined]
        if names:
            rows = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
            connection.execute(insert(Domain), rows)


def ids_of_pages(listing: Listing[Any], **criteria: Any) -> list[list[int]]:
    """The ids of all pages, one after the other, as their own total has it."""
    first = listing.find(db.session(), Criteria(**criteria))
    pages = [[row.id for row in first.items]]
    for number in range(2, first.pages + 1):
        page = listing.find(db.session(), Criteria(page=number, **criteria))
        assert (page.number, page.total, page.pages) == (number, first.total, first.pages)
        pages.append([row.id for row in page.items])
    assert sum(len(page) for page in pages) == first.total
    with pytest.raises(NotFound, match="not found"):
        listing.find(db.session(), Criteria(page=max(first.pages, 1) + 1, **criteria))
    return pages


@OPTIONS
@given(
    names=st.lists(NAMES, max_size=25),
    per_page=st.integers(1, 30),
    sort=st.sampled_from([None, *domains.LISTING.sortable]),
)
def test_the_pages_have_every_row_once_and_backwards_in_the_other_order(
    app: Flask, context: None, names: list[str], per_page: int, sort: str | None
) -> None:
    fill(names)
    pages = ids_of_pages(domains.LISTING, per_page=per_page, sort=sort)
    rows = [row_id for page in pages for row_id in page]
    assert sorted(rows) == list(range(1, len(names) + 1))
    assert all(len(page) == per_page for page in pages[:-1])
    backwards = ids_of_pages(domains.LISTING, per_page=per_page, sort=sort, order="desc")
    assert [row_id for page in backwards for row_id in page] == rows[::-1]


@OPTIONS
@given(names=st.lists(LETTERS, max_size=25), per_page=st.integers(1, 30))
def test_names_are_in_order_without_regard_to_case_and_then_by_id(
    app: Flask, context: None, names: list[str], per_page: int
) -> None:
    fill(names)
    rows = [row_id for page in ids_of_pages(domains.LISTING, per_page=per_page) for row_id in page]
    keys = [(names[row_id - 1].lower(), row_id) for row_id in rows]
    assert keys == sorted(keys)


@OPTIONS
@given(names=st.lists(NAMES, max_size=25), search=NAMES, per_page=st.integers(1, 10))
def test_a_search_is_a_part_of_the_name_as_it_is_written_but_for_case(
    app: Flask, context: None, names: list[str], search: str, per_page: int
) -> None:
    fill(names)
    pages = ids_of_pages(domains.LISTING, per_page=per_page, search=search)
    assert sorted(row_id for page in pages for row_id in page) == [
        number for number, name in enumerate(names, 1) if search.strip().lower() in name.lower()
    ]


@pytest.mark.parametrize("letter", ["%", "_", "\\", "/", "'", '"', "[a]", "\\%", "%%", "a%b"])
def test_a_letter_with_a_meaning_in_sql_means_itself(context: None, letter: str) -> None:
    fill([f"x{letter}y", "xy", "xay", "ab", "aab"])
    assert ids_of_pages(domains.LISTING, search=letter) == [[1]]


@pytest.mark.parametrize(
    "search", ["\0", "a\0", "\N{PILE OF POO}", "ünknown", "\u202e", "x" * 1000, "\n\0\n"], ids=ascii
)
def test_a_search_for_what_no_name_has_finds_nothing(context: None, search: str) -> None:
    fill(["a.example", "b.example"])
    assert ids_of_pages(domains.LISTING, search=search) == [[]]


def test_an_empty_table_has_one_empty_page(do: Do) -> None:
    page = do(overviews.find_domains, Criteria())
    assert (page.items, page.total, page.pages, page.number) == ([], 0, 0, 1)


def test_at_most_a_hundred_rows_come_at_once(context: None) -> None:
    fill([f"{number:03}.example" for number in range(101)])
    page = domains.LISTING.find(db.session(), Criteria(per_page=10_000))
    assert (len(page.items), page.per_page, page.pages) == (MOST_PER_PAGE, MOST_PER_PAGE, 2)
    assert MOST_PER_PAGE == 100


@pytest.mark.parametrize(
    ("criteria", "field"),
    [
        ({"page": 0}, "page"),
        ({"page": -1}, "page"),
        ({"per_page": 0}, "page"),
        ({"per_page": -5}, "page"),
        ({"sort": "password"}, "sort"),
        ({"sort": "name; DROP TABLE virtual_domains"}, "sort"),
        ({"order": "random"}, "order"),
        ({"order": "ASC"}, "order"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    do: Do, criteria: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        do(overviews.find_domains, Criteria(**criteria))
    assert refusal.value.field == field


@pytest.mark.parametrize("page", [2, 10**6, 10**15])
def test_a_page_past_the_last_is_not_found(context: None, page: int) -> None:
    fill(["a.example"])
    with pytest.raises(NotFound, match=f"no page {page}"):
        domains.LISTING.find(db.session(), Criteria(page=page))


@pytest.mark.parametrize(
    ("listing", "columns"),
    [
        (users.LISTING, ["id", "domain_id", "email"]),
        (aliases.LISTING, ["id", "domain_id", "source", "destination"]),
    ],
    ids=["users", "aliases"],
)
def test_each_column_that_is_listed_sorts(
    context: None, listing: Listing[Any], columns: list[str]
) -> None:
    fill(["a.example", "b.example"])
    db.session.add_all(
        row
        for number, (domain_id, one, two) in enumerate(
            [(2, "b", "x"), (1, "c", "y"), (1, "a", "x")]
        )
        for row in (
            User(domain_id=domain_id, email=f"{one}@{number}", password="*"),
            Alias(domain_id=domain_id, source=one, destination=two),
        )
    )
    db.session.commit()
    assert list(listing.sortable) == columns
    for column in columns:
        page = listing.find(db.session(), Criteria(sort=column))
        listed = [(getattr(row, column), row.id) for row in page.items]
        assert listed == sorted(listed)
        assert len(listed) == 3
