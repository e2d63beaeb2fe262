"""What a search finds first; that nothing is lost by it; compared with plain Python."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import insert

from postmaster.db import db
from postmaster.models import Alias, Domain, Note, User
from postmaster.rules import matches, overviews
from postmaster.rules.actions import Kind
from postmaster.rules.paging import Criteria, Page
from tests.conftest import ADMIN

Find = Callable[..., Page[Any]]
Address = tuple[int, str]  # the domain that a row lies in, and its address

NAMES = ["one.example", "one.example.org", "two.example", "xn--bcher-kva.example"]
SEVERAL = [f"d{number}.example" for number in range(matches.MOST_DOMAINS + 1)]
# Of each kind of row that may be there, by hand or not.
ADDRESSES: list[Address] = [
    (1, "ana@one.example"),
    (1, "Anabel@One.Example"),
    (1, "!anatol@one.example"),
    (1, "!bob@one.example"),
    (2, "ana@one.example.org"),
    (2, "one.example@one.example.org"),
    (3, "ana@two.example"),
    (3, "susana@two.example"),
    (3, "100%@two.example"),
    (3, "1000@two.example"),
    (3, "a_b@two.example"),
    (3, "axb@two.example"),
    (3, "lost@one.example"),  # its domain and its address do not agree
    (1, "found@two.example"),
    (1, "gone@elsewhere.example"),
    (4, "eva@xn--bcher-kva.example"),
    *((number, f"u{number}@{name}") for number, name in enumerate(SEVERAL, 5)),
]
OPTIONS = options(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Parts of names and of addresses, with the letters that mean something in SQL's LIKE.
LOCAL_PARTS = st.text(st.sampled_from("abAB%_/!.@\\"), max_size=3)
DOMAINS = st.sampled_from(["a.b", "A.b", "a.b.b", "b.a", "else.where"])
IN_DOMAINS = st.integers(1, 4)
TEXTS = st.one_of(
    LOCAL_PARTS,
    st.builds("{}@{}".format, LOCAL_PARTS, st.sampled_from(["", "a", "A.", "b.a", "a.b"])),
    DOMAINS,
)


# --- the rows, and what Python finds in them ------------------------------------


def fill(names: Sequence[str], addresses: Sequence[Address], sources: Sequence[Address]) -> None:
    """These domains, users and rows of aliases, with ids from 1 on, and nothing else."""
    db.session.remove()
    users = [{"domain_id": in_domain, "email": email} for in_domain, email in addresses]
    aliases = [{"domain_id": in_domain, "source": source} for in_domain, source in sources]
    everything: list[tuple[Any, list[dict[str, Any]]]] = [
        (Domain, [{"name": name} for name in names]),
        (User, [user | {"password": "*"} for user in users]),
        (Alias, [alias | {"destination": "x@y.example"} for alias in aliases]),
    ]
    with db.engine.begin() as connection:
        for model, _rows in reversed(everything):
            connection.execute(model.__table__.delete())
        for model, rows in everything:
            if rows:
                numbered = [{"id": number, **row} for number, row in enumerate(rows, 1)]
                connection.execute(insert(model), numbered)


def is_found(address: str, text: str) -> bool:
    return text.strip().lower() in address.lower()


def comes_first(row: Address, text: str, names: Sequence[str], signs: Sequence[str]) -> bool:
    """Whether a row that is found is one of the first ones; of those, all rows are."""
    in_domain, address = row
    text, address = text.strip().lower(), address.lower()
    local_part, at, domain = text.rpartition("@")
    if not local_part and domain and (at or "." in domain):
        named = [
            number
            for number, name in enumerate(names, 1)
            if (name.lower().startswith(domain) if at else name.lower() == domain)
        ]
        if 0 < len(named) <= matches.MOST_DOMAINS:
            return in_domain in named and f"@{domain}" in address
    if not local_part and at:
        return False
    return any(address.startswith(sign + text) for sign in signs)


def all_pages(find: Find, **criteria: Any) -> list[Any]:
    """The rows of all pages, one after the other, which agree about the total."""
    page = find(Criteria(**criteria))
    found, total = [*page.items], page.total
    while page.has_next:
        assert len(page.items) == page.per_page
        page = find(Criteria(page=page.number + 1, **criteria))
        assert page.total == total
        found += page.items
    assert len(found) == total
    return found


def users_of(criteria: Criteria, **asked: Any) -> Page[Any]:
    return overviews.find_users(db.session(), ADMIN, criteria, **asked)


def rows_of(criteria: Criteria, **asked: Any) -> Page[Any]:
    return overviews.find_alias_rows(db.session(), ADMIN, criteria, **asked)


def groups_of(criteria: Criteria, **asked: Any) -> Page[Any]:
    return overviews.find_aliases(db.session(), ADMIN, criteria, **asked)


@pytest.fixture
def filled(context: None) -> Iterator[None]:
    fill([*NAMES, *SEVERAL], ADDRESSES, ADDRESSES)
    yield
    db.session.remove()


def emails(text: str, **criteria: Any) -> list[str]:
    """What a search for users lists, all pages together. The sign is stored, not shown."""
    return [row.user.email for row in all_pages(users_of, search=text, **criteria)]


# --- what comes first -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "others"),
    [
        (
            "ana",
            [
                "!anatol@one.example",
                "ana@one.example",
                "ana@one.example.org",
                "ana@two.example",
                "Anabel@One.Example",
            ],
            ["susana@two.example"],
        ),
        ("bob", ["!bob@one.example"], []),
        ("ana@one.example", ["ana@one.example", "ana@one.example.org"], []),
        ("ANA@TWO.example", ["ana@two.example"], ["susana@two.example"]),
        (
            "@two.example",
            [
                "1000@two.example",
                "100%@two.example",
                "ana@two.example",
                "axb@two.example",
                "a_b@two.example",
                "susana@two.example",
            ],
            ["found@two.example"],
        ),
        (
            "two.example",
            [
                "1000@two.example",
                "100%@two.example",
                "ana@two.example",
                "axb@two.example",
                "a_b@two.example",
                "susana@two.example",
            ],
            ["found@two.example"],
        ),
        (
            "one.example.org",
            ["ana@one.example.org", "one.example@one.example.org"],
            [],
        ),
        # It is a domain's name, so what begins with it has to wait.
        (
            "one.example",
            ["!anatol@one.example", "!bob@one.example", "ana@one.example", "Anabel@One.Example"],
            ["ana@one.example.org", "lost@one.example", "one.example@one.example.org"],
        ),
        ("100%", ["100%@two.example"], []),
        ("a_b", ["a_b@two.example"], []),
        ("gone@", ["gone@elsewhere.example"], []),
        ("@elsewhere", [], ["gone@elsewhere.example"]),
        ("nobody", [], []),
    ],
)
def test_what_begins_with_the_text_or_lies_in_its_domain_is_found_first(
    filled: None, text: str, first: list[str], others: list[str]
) -> None:
    listed = emails(text)
    # What stands before letters and between them, each collation orders in its own way.
    assert sorted(listed[: len(first)]) == sorted(first)
    assert sorted(listed[len(first) :]) == sorted(others)
    plain = emails(text, sort="email")
    for part in (listed[: len(first)], listed[len(first) :]):
        assert part == [email for email in plain if email in part]


@pytest.mark.parametrize(
    ("text", "is_whole"), [("@d", True), ("@d0.", False), ("@", True), ("@elsewhere", True)]
)
def test_of_more_domains_than_a_few_no_user_comes_first(
    filled: None, text: str, is_whole: bool
) -> None:
    assert emails(text) == emails(text, sort="email")
    assert users_of(Criteria(search=text, at_once=True)).is_whole is is_whole


@pytest.mark.parametrize("find", [users_of, rows_of])
def test_who_asks_for_an_order_gets_it(filled: None, find: Find) -> None:
    own = "email" if find is users_of else "source"

    def listed(**criteria: Any) -> list[int]:
        return [row.id for row in all_pages(find, **criteria)]

    for text in ("ana", "@two.example", "one.example", "ana@one.example"):
        plain = listed(search=text, sort=own, per_page=2)
        assert listed(search=text, order="desc", per_page=2) == plain[::-1]
        assert listed(search=text, sort="id", per_page=2) == sorted(plain)
        assert [row_id for row_id in listed(per_page=100) if row_id in plain] == plain


def test_international_text_is_found_as_it_is_stored(filled: None) -> None:
    for text in ("bücher", "@bücher.example", "eva@bücher.example", "BÜCHER.example"):
        assert emails(text) == ["eva@xn--bcher-kva.example"]
    assert emails("@xn--bcher") == ["eva@xn--bcher-kva.example"]


@pytest.mark.parametrize("text", ["ana@one.example\0", "\0", "ana\0x", "@one.example\0"], ids=ascii)
def test_what_no_address_can_hold_finds_none(filled: None, text: str) -> None:
    assert [all_pages(find, search=text) for find in (users_of, rows_of, groups_of)] == [[], [], []]


def test_who_has_a_note_with_the_text_is_found_once_and_after_the_first(filled: None) -> None:
    noted = {"ana@two.example": "ana", "1000@two.example": "asks for ana"}
    notes = [Note(kind=Kind.USER, name=name, text=f"She {text}") for name, text in noted.items()]
    db.session.add_all(notes)
    db.session.commit()
    listed = emails("ana", per_page=2)
    assert listed[:5] == emails("ana", per_page=100)[:5]
    assert sorted(listed[5:]) == ["1000@two.example", "susana@two.example"]
    assert "ana@two.example" in listed[:5]


# --- aliases --------------------------------------------------------------------


def sources(text: str, **asked: Any) -> list[str]:
    find = partial(groups_of, **asked)
    return [group.source for group in all_pages(find, search=text, per_page=1)]


def test_aliases_that_begin_with_the_text_come_first_and_have_all_their_destinations(
    filled: None,
) -> None:
    db.session.add(Alias(id=99, domain_id=1, source="ANA@one.example", destination="a@b.example"))
    db.session.commit()
    assert sources("ana") == [
        "ana@one.example",
        "ana@one.example.org",
        "ana@two.example",
        "Anabel@One.Example",
        "!anatol@one.example",  # no sign of an alias, whatever it is
        "susana@two.example",
    ]
    (group,) = [group for group in groups_of(Criteria(search="ana")).items if group.id == 1]
    assert [item.alias.id for item in group.destinations] == [1, 99]
    assert sources("@elsewhere.example") == ["gone@elsewhere.example"]


@pytest.mark.parametrize("text", ["@two.example", "two.example"])
def test_aliases_of_a_domain_come_before_those_that_lie_elsewhere(filled: None, text: str) -> None:
    listed = sources(text)
    assert listed[-1] == "found@two.example"
    assert len(listed) == 7
    assert sources(text, destination="x@y.example") == listed
    assert sources(text, domain_ids=[3]) == listed[:-1]
    assert sources(text, domain_ids=[1]) == ["found@two.example"]


@pytest.mark.parametrize("text", ["@one.example", "one.example", "twin@one.example", "twin"])
def test_a_source_whose_rows_lie_in_two_domains_is_listed_with_each_row(
    context: None, text: str
) -> None:
    """As it happens by hand: the mail server goes by the source alone."""
    fill(NAMES, [], [(1, "twin@one.example"), (2, "twin@one.example"), (1, "x@one.example")])
    wanted = [1, 2] if "twin" in text else [1, 2, 3]
    for per_page in (100, 1):
        rows = all_pages(rows_of, search=text, per_page=per_page)
        assert sorted(row.id for row in rows) == wanted


@pytest.mark.parametrize("text", ["@one.example", "one.example", "twin@one.example", "twin"])
def test_it_is_found_in_each_of_the_two(context: None, text: str) -> None:
    fill(NAMES, [], [(1, "twin@one.example"), (2, "twin@one.example")])
    assert sources(text, domain_ids=[1]) == sources(text, domain_ids=[2]) == ["twin@one.example"]


def test_nor_is_it_lost_where_others_come_first(context: None) -> None:
    """Domain 1 is meant as well, so that one of the two rows is no other."""
    fill(NAMES, [], [(1, "twin@one.example"), (3, "twin@one.example"), (2, "x@one.example.org")])
    assert sources("@one.example", domain_ids=[2, 3]) == ["x@one.example.org", "twin@one.example"]


# --- at once --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "per_page", "page", "shown", "is_whole", "has_next"),
    [
        ("ana", 4, 1, 4, True, True),  # the page is full of first ones
        ("ana", 5, 1, 5, False, False),  # nobody looked whether there are others
        ("ana", 10, 1, 5, False, False),
        ("ana", 2, 3, 1, False, False),
        ("ana", 5, 2, 1, True, False),  # past the first ones there is no faster way
        ("nan", 10, 1, 0, True, False),
        ("susana", 10, 1, 1, False, False),
        ("usana", 10, 1, 1, True, False),  # none is first: the others at once
        ("@two.example", 10, 1, 6, False, False),
        ("", 10, 1, 10, True, True),
    ],
)
def test_at_once_only_what_an_index_finds_is_shown(
    filled: None,
    text: str,
    per_page: int,
    page: int,
    shown: int,
    is_whole: bool,
    has_next: bool,
) -> None:
    criteria = {"search": text, "per_page": per_page, "page": page}
    found = users_of(Criteria(at_once=True, counted=False, **criteria))
    assert (len(found.items), found.is_whole, found.has_next) == (shown, is_whole, has_next)
    whole = users_of(Criteria(**criteria))
    assert whole.is_whole
    assert [row.id for row in whole.items][:shown] == [row.id for row in found.items]
    assert found.total == whole.total, "few rows are counted, whoever asks"


def test_the_first_aliases_are_shown_at_once_as_well(filled: None) -> None:
    for find in (rows_of, groups_of):
        page = find(Criteria(search="ana", at_once=True))
        assert (len(page.items), page.is_whole, page.total) == (4, False, 6)


# --- whatever the rows ----------------------------------------------------------


def found_among(rows: list[Address], text: str, domain_ids: list[int] | None) -> list[int]:
    """The ids of the rows that a search has to find, which count from 1."""
    return [
        number
        for number, (in_domain, address) in enumerate(rows, 1)
        if is_found(address, text) and (domain_ids is None or in_domain in domain_ids)
    ]


@OPTIONS
@given(
    names=st.lists(DOMAINS, min_size=4, max_size=4, unique=True),
    rows=st.lists(
        st.tuples(IN_DOMAINS, st.builds("{}@{}".format, LOCAL_PARTS, DOMAINS)),
        max_size=20,
        unique_by=lambda row: row[1].lower(),
    ),
    text=TEXTS,
    per_page=st.integers(1, 8),
    domain_ids=st.sampled_from([None, None, [1], [1, 2], []]),
)
def test_every_user_that_matches_is_listed_once_and_the_first_ones_first(
    app: Flask,
    context: None,
    names: list[str],
    rows: list[Address],
    text: str,
    per_page: int,
    domain_ids: list[int] | None,
) -> None:
    fill(names, rows, [])
    find = partial(users_of, domain_ids=domain_ids)
    listed = [row.id for row in all_pages(find, search=text, per_page=per_page)]
    plain = [row.id for row in all_pages(find, search=text, per_page=100, sort="email")]
    assert sorted(plain) == found_among(rows, text, domain_ids)
    first = [n for n in plain if comes_first(rows[n - 1], text, names, ("", "!"))]
    assert listed == first + [n for n in plain if n not in first]


@OPTIONS
@given(
    names=st.lists(DOMAINS, min_size=4, max_size=4, unique=True),
    rows=st.lists(
        st.tuples(IN_DOMAINS, st.builds("{}@{}".format, LOCAL_PARTS, DOMAINS)), max_size=20
    ),
    text=TEXTS,
    per_page=st.integers(1, 8),
    domain_ids=st.sampled_from([None, None, [1], [1, 2], []]),
)
def test_every_alias_that_matches_is_listed_once_and_the_first_ones_first(
    app: Flask,
    context: None,
    names: list[str],
    rows: list[Address],
    text: str,
    per_page: int,
    domain_ids: list[int] | None,
) -> None:
    fill(names, [], rows)
    matching = found_among(rows, text, domain_ids)
    find = partial(rows_of, domain_ids=domain_ids)
    listed = [row.id for row in all_pages(find, search=text, per_page=per_page)]
    assert sorted(listed) == matching
    are_first = [comes_first(rows[n - 1], text, names, ("",)) for n in listed]
    assert are_first == sorted(are_first, reverse=True)
    find = partial(groups_of, domain_ids=domain_ids)
    grouped = [group.source.lower() for group in all_pages(find, search=text, per_page=per_page)]
    assert sorted(grouped) == sorted({rows[n - 1][1].lower() for n in matching})
