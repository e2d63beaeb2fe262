"""What goes with a deletion, what would point nowhere, and the choice between."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import insert

from postmaster.db import db
from postmaster.errors import Conflict, NotFound
from postmaster.models import Alias, Domain, User
from postmaster.rules import aliases, domains, users
from postmaster.rules.aliases import Orphans
from tests.rules.mail import HASH, by_hand, fill, ids
from tests.rules.statements import counted

Do = Callable[..., Any]


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    yield


def seen(gone: aliases.GoesWith) -> tuple[list[int], ...]:
    return tuple(
        sorted(row.id for row in some)
        for some in (gone.users, gone.aliases, gone.leading_here, gone.pointing_nowhere)
    )


def test_a_domain_takes_its_rows_and_says_what_leads_to_it(do: Do) -> None:
    gone = do(domains.goes_with, 1)
    # info leads to sales, which goes, and press to team; all still has eva.
    assert seen(gone) == ([11, 12], [101, 102, 103, 104], [201], [202, 203, 205])


@pytest.mark.parametrize(
    ("orphans", "stay"),
    [
        (Orphans.MAILBOX, [202, 203, 204, 205]),
        (Orphans.ALL, [204]),
        (Orphans.KEEP, [201, 202, 203, 204, 205]),
    ],
)
def test_the_choice_for_a_domain(do: Do, orphans: Orphans, stay: list[int]) -> None:
    do(domains.remove, 1, orphans=orphans)
    assert (ids(Domain), ids(User), ids(Alias)) == ([2], [21, 22], stay)


def test_a_mailbox_takes_its_own_copy_and_says_what_leads_to_it(do: Do) -> None:
    assert seen(do(users.goes_with, [12])) == ([], [103], [], [])
    assert seen(do(users.goes_with, [11])) == ([], [], [101, 201], [202, 203])


@pytest.mark.parametrize(
    ("orphans", "stay"),
    [
        (Orphans.MAILBOX, [102, 103, 104, 202, 203, 204, 205]),
        (Orphans.ALL, [102, 103, 104, 204, 205]),
        (Orphans.KEEP, [101, 102, 103, 104, 201, 202, 203, 204, 205]),
    ],
)
def test_the_choice_for_a_user(do: Do, orphans: Orphans, stay: list[int]) -> None:
    do(users.remove, 11, orphans=orphans)
    assert (ids(User), ids(Alias)) == ([12, 21, 22], stay)


def test_a_mailboxes_own_copy_goes_whatever_is_chosen(do: Do) -> None:
    do(users.remove, 12, orphans=Orphans.KEEP)
    assert 103 not in ids(Alias)


@pytest.mark.parametrize(
    ("orphans", "stay"),
    [
        (Orphans.MAILBOX, [101, 102, 103, 104, 202, 203, 204, 205]),
        (Orphans.ALL, [101, 102, 103, 104, 204, 205]),
        (Orphans.KEEP, [101, 102, 103, 104, 202, 203, 204, 205]),
    ],
)
def test_the_choice_for_an_alias(do: Do, orphans: Orphans, stay: list[int]) -> None:
    assert seen(do(aliases.goes_with, [201])) == ([], [], [], [202, 203])
    do(aliases.remove, 201, orphans=orphans)
    assert ids(Alias) == stay


def test_what_still_leads_on_does_not_point_nowhere(do: Do) -> None:
    by_hand(
        Alias(id=301, domain_id=1, source="ana@one.example", destination="eva@two.example"),
        Alias(id=302, domain_id=2, source="on@two.example", destination="dora@two.example"),
        Alias(id=303, domain_id=2, source="dora@two.example", destination="bob@one.example"),
    )
    gone = do(users.goes_with, [11])
    # ana still is an alias, so those that lead to her do too, and those that lead to them.
    assert seen(gone) == ([], [], [101, 201], [])
    assert ([alias.id for alias in gone.still_leading], gone.orphans) == ([201, 101], [])
    do(aliases.remove, 104)
    gone = do(users.goes_with, [12, 21])  # dora leads to bob only, who leads nowhere now
    assert gone.still_leading == []
    assert sorted(alias.id for alias in gone.orphans) == [102, 302, 303]
    before = ids(Alias)
    do(users.remove, 11, orphans=Orphans.ALL)
    assert ids(Alias) == before
    do(users.remove_several, [12, 21], orphans=Orphans.ALL)
    assert ids(Alias) == [101, 201, 202, 203, 204, 205, 301]


def test_by_default_what_leads_to_a_mailbox_goes_though_it_still_leads_on(do: Do) -> None:
    by_hand(Alias(id=301, domain_id=1, source="ana@one.example", destination="eva@two.example"))
    do(users.remove, 11)
    assert ids(Alias) == [102, 103, 104, 202, 203, 204, 205, 301]


def test_with_another_destination_left_nothing_points_nowhere(do: Do) -> None:
    assert seen(do(aliases.goes_with, [101])) == ([], [], [], [])
    assert seen(do(aliases.goes_with, [101, 102])) == ([], [], [], [205])


@pytest.mark.parametrize("place", ["mailbox", "catch-all"])
def test_a_mailbox_or_a_catch_all_still_is_a_place(do: Do, place: str) -> None:
    if place == "mailbox":
        by_hand(User(id=30, domain_id=2, email="Sales@two.example", password="*"))
    else:
        by_hand(Alias(id=300, domain_id=2, source="@two.example", destination="eva@two.example"))
    assert seen(do(aliases.goes_with, [201])) == ([], [], [], [])


def test_the_other_row_of_a_domains_name_stays_with_what_is_in_it(do: Do) -> None:
    by_hand(
        Domain(id=3, name="One.example"),
        User(id=31, domain_id=3, email="third@one.example", password="*"),
        Alias(id=301, domain_id=3, source="x@one.example", destination="third@one.example"),
        Alias(id=302, domain_id=3, source="y@one.example", destination="ana@one.example"),
        Alias(id=303, domain_id=2, source="z@two.example", destination="third@one.example"),
        Alias(id=304, domain_id=3, source="team@one.example", destination="third@one.example"),
    )
    gone = do(domains.goes_with, 1)
    assert seen(gone) == ([11, 12], [101, 102, 103, 104], [201, 302], [202, 203])
    do(domains.remove, 1, orphans=Orphans.ALL)
    assert (ids(Domain), ids(User), ids(Alias)) == (
        *([2, 3], [21, 22, 31]),
        [204, 205, 301, 303, 304],
    )


def test_a_circle_made_by_hand_is_followed_once(do: Do) -> None:
    by_hand(
        Alias(id=301, domain_id=2, source="a@two.example", destination="info@two.example"),
        Alias(id=302, domain_id=2, source="info@two.example", destination="a@two.example"),
    )
    assert seen(do(aliases.goes_with, [202, 302])) == ([], [], [], [203, 301])


@pytest.mark.parametrize(
    ("goes_with", "remove", "row_id"),
    [
        (lambda do: do(domains.goes_with, 1), domains.remove, 1),
        (lambda do: do(users.goes_with, [11]), users.remove, 11),
        (lambda do: do(aliases.goes_with, [201]), aliases.remove, 201),
    ],
    ids=["domain", "user", "alias"],
)
def test_what_joined_since_it_was_shown_is_not_deleted_unseen(
    do: Do, goes_with: Callable[[Do], aliases.GoesWith], remove: Callable[..., None], row_id: int
) -> None:
    shown = goes_with(do).version
    by_hand(
        Alias(id=301, domain_id=2, source="new@two.example", destination="ana@one.example"),
        Alias(id=302, domain_id=2, source="newer@two.example", destination="sales@two.example"),
    )
    before = ids(Alias)
    with pytest.raises(Conflict, match="not what was shown"):
        do(remove, row_id, orphans=Orphans.ALL, seen=shown)
    assert ids(Alias) == before
    do(remove, row_id, orphans=Orphans.ALL, seen=goes_with(do).version)
    assert 302 not in ids(Alias)


def test_what_is_not_there_is_not_found(do: Do) -> None:
    with pytest.raises(NotFound, match="domain was not found"):
        do(domains.goes_with, 1, 4711)


MANY = 1500


def test_thousands_of_rows_take_a_few_statements(do: Do) -> None:
    db.session.execute(
        insert(User),
        [
            {"id": n, "domain_id": 1, "email": f"u{n}@one.example", "password": f"{HASH}{n}"}
            for n in range(1000, 1000 + MANY)
        ],
    )
    db.session.execute(
        insert(Alias),
        [
            {
                "domain_id": 2,
                "source": f"a{n}@two.example",
                "destination": f"u{n}@one.example",
            }
            for n in range(1000, 1000 + MANY)
        ],
    )
    db.session.commit()
    with counted() as statements:
        do(domains.remove, 1, orphans=Orphans.ALL)
    assert len(statements) < 60, len(statements)
    assert ids(User) == [21, 22]


CHAIN = 300


def test_a_long_chain_takes_a_few_statements(do: Do) -> None:
    chain = [f"c{n}@two.example" for n in range(CHAIN)]
    db.session.execute(
        insert(Alias),
        [
            {"domain_id": 2, "source": source, "destination": destination}
            for source, destination in zip(chain, ["sales@two.example", *chain], strict=False)
        ],
    )
    db.session.commit()
    with counted() as statements:
        gone = do(aliases.goes_with, [201])
    assert len(gone.pointing_nowhere) == 2 + CHAIN
    assert len(statements) < 90, len(statements)


def test_what_the_database_finds_under_another_spelling_is_a_place(do: Do) -> None:
    by_hand(
        Alias(id=301, domain_id=2, source="muller@two.example", destination="eva@two.example"),
        Alias(id=302, domain_id=2, source="m\u00fcller@two.example", destination="eva@two.example"),
        Alias(id=303, domain_id=2, source="all@two.example", destination="muller@two.example"),
    )
    assert seen(do(aliases.goes_with, [302])) == ([], [], [], [])
