"""Notes: they belong to a name, are found, go along, and come back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from postmaster.db import db
from postmaster.errors import Conflict, Invalid, NotFound
from postmaster.models import Domain, Note
from postmaster.rules import (
    aliases,
    domains,
    notes,
    overviews,
    suspension_acts,
    undo,
    user_moves,
    users,
)
from postmaster.rules.actions import Kind
from postmaster.rules.paging import Criteria
from postmaster.rules.suspensions import Mode
from tests.rules.mail import by_hand, fill, newest, parts_of, rows_now

Do = Callable[..., Any]
WRITABLE: dict[str, Any] = {"log_is_writable": lambda: True}
OBJECTS = [
    pytest.param(Kind.DOMAIN, 1, "one.example", id="domain"),
    pytest.param(Kind.USER, 11, "ana@one.example", id="user"),
    pytest.param(Kind.ALIAS, 102, "team@one.example", id="alias"),
]


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    yield


def kept() -> list[tuple[int, str, str, str]]:
    db.session.remove()
    found = db.session.scalars(select(Note).order_by(Note.id))
    return [(note.id, note.kind, note.name, note.text) for note in found]


def texts() -> dict[tuple[str, str], str]:
    return {(kind, name): text for _id, kind, name, text in kept()}


def take_back(do: Do) -> None:
    do(undo.undo, newest().id, **WRITABLE)


@pytest.mark.parametrize(("kind", "row_id", "name"), OBJECTS)
def test_a_note_is_written_changed_deleted_and_each_undone(
    do: Do, kind: Kind, row_id: int, name: str
) -> None:
    states = [kept()]
    for text, action in (
        (" Pays until May.\r\nCall first. ", "create"),
        ("Pays until June: 10 % off, ü 😀", "change"),
        ("  ", "delete"),
    ):
        do(notes.set_note, kind, row_id, text=text)
        entry = newest()
        assert (entry.action, entry.kind, entry.object_name) == (action, "note", name)
        states.append(kept())
    assert states[1][0][1:] == (kind, name, "Pays until May.\nCall first.")
    assert states[3] == states[0] == []
    for number, entry_id in ((2, entry.id), (1, entry.id - 1), (0, entry.id - 2)):
        do(undo.undo, entry_id, **WRITABLE)
        assert kept() == states[number]


def test_the_same_text_is_no_change(do: Do) -> None:
    do(notes.set_note, Kind.USER, 11, text="x")
    done = newest().id
    assert do(notes.set_note, Kind.USER, 11, text=" x ") == "x"
    assert do(notes.set_note, Kind.USER, 12, text=" ") == ""
    assert newest().id == done


@pytest.mark.parametrize(
    ("text", "words"),
    [("x" * 1001, "at most 1000 characters"), ("a\x00b", "only"), ("a\u202eb", "only")],
)
def test_a_bad_note_is_refused(do: Do, text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refusal:
        do(notes.set_note, Kind.USER, 11, text=text)
    assert refusal.value.field == "note"
    assert kept() == []
    do(notes.set_note, Kind.USER, 11, text="x" * 1000)


def test_somebody_elses_note_is_not_overwritten(do: Do) -> None:
    seen = notes.version("")
    do(notes.set_note, Kind.USER, 11, text="theirs", seen=seen)
    with pytest.raises(Conflict, match='it is now "theirs"'):
        do(notes.set_note, Kind.USER, 11, text="ours", seen=seen)
    do(notes.set_note, Kind.USER, 11, text="ours", seen=notes.version("theirs"))


@pytest.mark.parametrize("kind", notes.MODELS)
def test_what_is_not_there_gets_no_note(do: Do, kind: Kind) -> None:
    with pytest.raises(NotFound, match=f"The {kind} was not found"):
        do(notes.set_note, kind, 4711, text="x")


@pytest.mark.parametrize("typed", ["MAY", "10 %", "ü", "😀"])
def test_lists_are_searched_for_notes_too(do: Do, typed: str) -> None:
    for kind, row_id in ((Kind.DOMAIN, 1), (Kind.USER, 11), (Kind.USER, 12), (Kind.ALIAS, 102)):
        do(notes.set_note, kind, row_id, text="until May 10 % ü 😀")
    do(suspension_acts.suspend, 12, mode=Mode.ALL)
    criteria = Criteria(search=typed)
    assert {row.id for row in do(overviews.find_domains, criteria).items} == {1}
    assert {row.id for row in do(overviews.find_users, criteria).items} == {11, 12}
    assert {row.id for row in do(overviews.find_alias_rows, criteria).items} == {101, 102}
    assert do(overviews.find_users, Criteria(search="10 _")).items == []


def test_deleting_takes_the_notes_along_and_undo_brings_them_back(do: Do) -> None:
    for kind, row_id in ((Kind.DOMAIN, 1), (Kind.USER, 11), (Kind.ALIAS, 102), (Kind.ALIAS, 201)):
        do(notes.set_note, kind, row_id, text=f"{kind} {row_id}")
    before, rows = kept(), rows_now()
    do(domains.remove, 1)
    assert kept() == []
    gone = [part[2] for part in parts_of(newest().id) if part[1] == "note"]
    assert set(gone) == {
        *("one.example", "ana@one.example", "team@one.example", "sales@two.example")
    }
    take_back(do)
    assert (kept(), rows_now()) == (before, rows)
    do(users.remove, 11)
    assert {name for _kind, name in texts()} == {"one.example", "team@one.example"}
    take_back(do)
    assert (kept(), rows_now()) == (before, rows)


def test_a_note_stays_while_its_alias_has_a_row(do: Do) -> None:
    do(notes.set_note, Kind.ALIAS, 101, text="the team")
    do(aliases.remove, 101)
    assert len(kept()) == 1
    do(aliases.remove, 102)
    assert kept() == []


def test_a_note_stays_while_its_domain_has_a_row(do: Do) -> None:
    by_hand(Domain(id=3, name="three.example"), Domain(id=4, name="Three.example"))
    do(notes.set_note, Kind.DOMAIN, 3, text="twice")
    do(domains.remove, 4)
    assert len(kept()) == 1
    do(domains.remove, 3)
    assert kept() == []


def test_renaming_leads_the_note_along_and_undo_back(do: Do) -> None:
    by_hand(Domain(id=3, name="three.example"))
    do(notes.set_note, Kind.DOMAIN, 3, text="empty")
    do(notes.set_note, Kind.ALIAS, 101, text="the team")
    do(notes.set_note, Kind.ALIAS, 201, text="sales")
    before, rows = kept(), rows_now()
    for act, row_id, fields, moved in (
        (domains.change, 3, {"name": "four.example"}, ("domain", "four.example")),
        (aliases.rename, 101, {"source": "crew@two.example"}, ("alias", "crew@two.example")),
        (aliases.change, 201, {"source": "shop@two.example"}, ("alias", "shop@two.example")),
    ):
        do(act, row_id, **fields)
        assert moved in texts()
        assert len(kept()) == len(before)
        take_back(do)
        assert (kept(), rows_now()) == (before, rows)


def test_a_row_that_leaves_its_alias_leaves_the_note(do: Do) -> None:
    do(notes.set_note, Kind.ALIAS, 101, text="the team")
    do(aliases.change, 101, source="crew@one.example")
    assert [*texts()] == [("alias", "team@one.example")]
    do(notes.set_note, Kind.ALIAS, 101, text="the crew")
    do(aliases.change, 102, source="crew@one.example")
    assert texts() == {("alias", "crew@one.example"): "the crew"}
    take_back(do)
    assert texts() == {
        ("alias", "crew@one.example"): "the crew",
        ("alias", "team@one.example"): "the team",
    }


def test_a_note_does_not_come_back_over_another(do: Do) -> None:
    do(notes.set_note, Kind.ALIAS, 201, text="old")
    do(aliases.remove, 201)
    removed = newest().id
    do(aliases.create, source="sales@two.example", destination="eva@two.example")
    alias_id = do(aliases.matching, "sales@two.example")[0].id
    do(notes.set_note, Kind.ALIAS, alias_id, text="new")
    with pytest.raises(Conflict, match="another note on"):
        do(undo.undo, removed, **WRITABLE)
    do(notes.set_note, Kind.ALIAS, alias_id, text="")
    do(undo.undo, removed, **WRITABLE)
    assert texts() == {("alias", "sales@two.example"): "old"}


def test_a_note_on_what_is_gone_since_is_not_written_again(do: Do) -> None:
    do(notes.set_note, Kind.USER, 21, text="x")
    written = newest().id
    do(users.remove, 21)
    with pytest.raises(Conflict, match="newer change stands in the way"):
        do(undo.undo, written, **WRITABLE)


# --- undo of a new name ---------------------------------------------------------


def _rename_user(do: Do) -> None:
    do(user_moves.rename, 21, email="doris@one.example")


def _rename_alias(do: Do) -> None:
    do(aliases.rename, 101, source="crew@two.example")


def _rename_domain(do: Do) -> None:
    do(domains.change, 3, name="four.example")


RENAMED = [
    pytest.param(_rename_user, Kind.USER, 21, "dora@two.example", id="user"),
    pytest.param(_rename_alias, Kind.ALIAS, 102, "team@one.example", id="alias"),
    pytest.param(_rename_domain, Kind.DOMAIN, 3, "three.example", id="domain"),
]


@pytest.mark.parametrize("earlier", ["", "before"])
@pytest.mark.parametrize(("rename", "kind", "row_id", "name"), RENAMED)
def test_what_was_written_since_goes_back_with_the_name(
    do: Do, rename: Callable[[Do], None], kind: Kind, row_id: int, name: str, earlier: str
) -> None:
    by_hand(Domain(id=3, name="three.example"))
    do(notes.set_note, kind, row_id, text=earlier)
    rename(do)
    renamed = newest().id
    ((_kind, new),) = texts() or [(kind, None)]
    do(notes.set_note, kind, row_id, text="since")
    written = newest().id
    new = new or kept()[0][2]
    undone = do(undo.undo, renamed, **WRITABLE).id
    assert texts() == {(kind, name): "since"}
    do(undo.undo, undone, **WRITABLE)
    assert texts() == {(kind, new): "since"}
    do(undo.undo, newest().id, **WRITABLE)
    do(undo.undo, written, **WRITABLE)
    assert texts() == ({(kind, name): earlier} if earlier else {})


@pytest.mark.parametrize(("rename", "kind", "row_id", "name"), RENAMED)
def test_a_note_that_was_deleted_since_stays_so(
    do: Do, rename: Callable[[Do], None], kind: Kind, row_id: int, name: str
) -> None:
    by_hand(Domain(id=3, name="three.example"))
    do(notes.set_note, kind, row_id, text="before")
    rename(do)
    renamed = newest().id
    do(notes.set_note, kind, row_id, text="")
    deleted = newest().id
    do(undo.undo, renamed, **WRITABLE)
    assert texts() == {}
    with pytest.raises(Conflict, match="nothing has this name now"):
        do(undo.undo, deleted, **WRITABLE)
    assert texts() == {}


def test_a_deleted_note_does_not_come_back_to_a_name_that_nothing_has(do: Do) -> None:
    do(notes.set_note, Kind.USER, 21, text="x")
    do(suspension_acts.suspend, 21, mode=Mode.ALL)
    do(notes.set_note, Kind.USER, 21, text="")
    deleted = newest().id
    do(suspension_acts.resume, 21)
    _rename_user(do)
    with pytest.raises(Conflict, match="cannot come back: nothing has this"):
        do(undo.undo, deleted, **WRITABLE)
    take_back(do)
    do(suspension_acts.suspend, 21, mode=Mode.ALL)
    do(undo.undo, deleted, **WRITABLE)
    assert texts() == {("user", "dora@two.example"): "x"}


def test_what_is_taken_back_takes_its_note_along(do: Do) -> None:
    do(users.create, email="new@one.example", password="a password")
    created = newest().id
    user = do(users.by_email, "new@one.example")
    do(notes.set_note, Kind.USER, user.id, text="x")
    do(undo.undo, created, **WRITABLE)
    assert texts() == {}
