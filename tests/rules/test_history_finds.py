"""Finding changes: pages of heads, one object's own history, what came along."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from postmaster.db import db, transact
from postmaster.errors import Invalid, NotFound
from postmaster.models import HistoryEntry
from postmaster.rules import actions, aliases, domains, history, notes, users
from postmaster.rules.actor import Actor
from postmaster.rules.history import Filters, Kind
from postmaster.rules.paging import Criteria
from tests.rules.mail import fill, newest
from tests.rules.statements import counted

Do = Callable[..., Any]
BOB = Actor(2, "bob", "page", "192.0.2.2")


@pytest.fixture(autouse=True)
def filled(do: Do) -> Iterator[None]:
    fill()
    do(users.change, 11, password="password")
    transact(aliases.change, BOB, 201, destination="eva@two.example")
    do(domains.remove, 1)
    transact(users.remove_several, BOB, [21, 22])
    yield


def names(page: Any) -> list[str]:
    return [entry.object_name for entry in page.items]


SALES = "sales@two.example -> ana@one.example"


def test_the_newest_is_first_and_parts_are_left_to_their_head(do: Do) -> None:
    page = do(history.find, Criteria(), filters=Filters())
    assert names(page) == ["2 users", "one.example", SALES, "ana@one.example"]
    assert page.total == 4
    assert names(do(history.find, Criteria(page=2, per_page=3), filters=Filters())) == [
        "ana@one.example"
    ]
    assert names(do(history.find, Criteria(sort="id"), filters=Filters()))[0] == "ana@one.example"
    with pytest.raises(Invalid, match="sort column"):
        do(history.find, Criteria(sort="admin"), filters=Filters())
    assert [entry.object_name for entry in do(history.newest, 2)] == ["2 users", "one.example"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(admin="bob"), ["2 users", SALES]),
        (Filters(admin="bo"), []),
        (Filters(kind="user"), ["2 users", "ana@one.example"]),
        (Filters(action="delete"), ["2 users", "one.example"]),
        (Filters(kind="user", object_id=11), ["ana@one.example", "ana@one.example"]),
        (Filters(kind="user", object_id=4711), []),
        (Filters(since=history.now() + timedelta(days=1)), []),
        (Filters(since=history.now() - timedelta(days=1), kind="domain"), ["one.example"]),
        (Filters(until=history.now() - timedelta(days=1)), []),
    ],
)
def test_changes_are_filtered(do: Do, filters: Filters, found: list[str]) -> None:
    assert names(do(history.find, Criteria(), filters=filters)) == found


def test_changes_are_searched_by_name(do: Do) -> None:
    page = do(history.find, Criteria(search="ONE.example"), filters=Filters(admin="admin"))
    assert names(page) == ["one.example", "ana@one.example"]


def test_a_page_that_holds_all_takes_one_query_and_its_counts_one(do: Do) -> None:
    db.session.remove()
    with counted() as statements:
        page = history.find(db.session(), BOB, Criteria(), filters=Filters(admin="bob"))
        counts = history.count_parts(db.session(), [entry.id for entry in page.items])
    assert len([s for s in statements if s != "BEGIN"]) == 2
    assert list(counts.values()) == [4, 0]


def test_the_parts_of_a_head(do: Do) -> None:
    head = newest()
    assert [part.object_name for part in do(history.parts, head.id, most=2)] == [
        "dora@two.example",
        "eva@two.example",
    ]
    assert len(do(history.parts, head.id, most=100)) == 4
    assert actions.is_of_several(head)


def test_one_change_by_its_id(do: Do) -> None:
    assert do(history.get, newest().id).object_name == "2 users"
    with pytest.raises(NotFound, match="change was not found"):
        do(history.get, 4711)


def test_the_timeline_of_objects_is_newest_first(do: Do) -> None:
    timeline = do(history.timeline, "user", 11)
    assert [entry.action for entry in timeline] == ["delete", "change password"]
    assert [entry.object_id for entry in do(history.timeline, "user", 11, 21, most=2)] == [21, 11]


def test_a_timeline_tells_of_the_note_too(do: Do) -> None:
    do(notes.set_note, Kind.DOMAIN, 2, text="since 2026")
    (entry,) = do(history.timeline, "domain", 2, noted="two.example")
    assert (entry.kind, entry.action) == ("note", "create")
    assert do(history.timeline, "domain", 2) == []
    latest = history.latest_id(db.session(), "user", 11)
    assert db.session.get_one(HistoryEntry, latest).action == "delete"
    assert history.latest_id(db.session(), "user", 4711) == 0


def test_who_ever_changed_something(do: Do) -> None:
    assert do(history.admins_seen) == ["admin", "bob"]


def test_each_sentence_has_its_places() -> None:
    values = {"name": "x", "difference": "y", "count": 2}
    for template in [*actions.SENTENCES.values(), *actions.SENTENCES_FOR_SEVERAL.values()]:
        assert "%(" not in template % values
