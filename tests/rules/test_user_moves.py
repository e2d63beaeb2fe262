"""Moving and renaming users: what leads to them follows, and all of it is taken back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from postmaster.db import db
from postmaster.errors import Conflict, Invalid, NotFound
from postmaster.models import Alias, Domain, HistoryEntry, Note, User
from postmaster.rules import (
    aliases,
    domains,
    history,
    notes,
    settings,
    suspension_acts,
    undo,
    user_moves,
    users,
)
from postmaster.rules.actions import Kind
from postmaster.rules.suspensions import Mode
from tests.rules.conftest import alter_setting
from tests.rules.mail import by_hand, fill, newest, parts_of, rows_now

Do = Callable[..., Any]
WRITABLE: dict[str, Any] = {"log_is_writable": lambda: True}


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    yield


def pairs() -> dict[int, tuple[int, str, str]]:
    db.session.remove()
    found = db.session.scalars(select(Alias))
    return {each.id: (each.domain_id, each.source, each.destination) for each in found}


def user(user_id: int) -> tuple[int, str, str]:
    db.session.remove()
    found = db.session.get_one(User, user_id)
    return found.domain_id, found.email, found.password


def take_back(do: Do, entry_id: int | None = None) -> HistoryEntry:
    entry: HistoryEntry = do(undo.undo, entry_id or newest().id, **WRITABLE)
    return entry


@pytest.mark.parametrize("keep_alias", [False, True])
@pytest.mark.parametrize("to", ["anna@one.example", "anna@two.example"])
def test_what_leads_to_a_user_follows_it_and_back(do: Do, to: str, keep_alias: bool) -> None:
    before, old = rows_now(), pairs()
    renamed = do(user_moves.rename, 11, email=f" {to.upper()} ", keep_alias=keep_alias)
    domain_id = 1 if "one" in to else 2
    assert (renamed.id, renamed.email) == (11, to)
    assert user(11) == (domain_id, to, "$6$salt$hash11")
    there = pairs()
    kept = [there.pop(alias_id) for alias_id in set(there) - set(old)]
    assert kept == ([(1, "ana@one.example", to)] if keep_alias else [])
    assert there[101] == (1, "team@one.example", to)
    assert there[201] == (2, "sales@two.example", to)
    assert {k: v for k, v in there.items() if k not in (101, 201)} == {
        k: v for k, v in old.items() if k not in (101, 201)
    }
    entry = newest()
    assert (entry.action, entry.kind, entry.object_name) == ("change", "user", "ana@one.example")
    assert len(parts_of(entry.id)) == 2 + keep_alias
    moved = rows_now()
    take_back(do)
    assert rows_now() == before
    take_back(do)
    assert rows_now() == moved
    take_back(do)
    assert rows_now() == before


def test_its_forwarding_goes_along(do: Do) -> None:
    before = rows_now()
    do(user_moves.rename, 12, email="bob@two.example", keep_alias=True)
    there = pairs()
    assert there[103] == (2, "bob@two.example", "bob@two.example")
    assert there[104] == (2, "bob@two.example", "eva@two.example")
    assert (1, "bob@one.example", "bob@two.example") in there.values()
    take_back(do)
    assert rows_now() == before


def test_an_alias_that_led_to_both_loses_its_double(do: Do) -> None:
    by_hand(Alias(id=106, domain_id=1, source="team@one.example", destination="x@one.example"))
    before = rows_now()
    do(user_moves.rename, 11, email="x@one.example")
    leading = [pair for pair in pairs().values() if pair[1] == "team@one.example"]
    assert sorted(leading) == [
        (1, "team@one.example", "dora@two.example"),
        (1, "team@one.example", "x@one.example"),
    ]
    take_back(do)
    assert rows_now() == before


def test_what_stays_at_the_old_address_gets_another_id_than_the_double_had(do: Do) -> None:
    by_hand(
        Alias(id=301, domain_id=1, source="crew@one.example", destination="x@one.example"),
        Alias(id=302, domain_id=1, source="crew@one.example", destination="ana@one.example"),
    )
    before = rows_now()
    do(user_moves.rename, 11, email="x@one.example", keep_alias=True)
    assert 302 not in pairs()
    take_back(do)
    assert rows_now() == before


def test_the_note_on_its_forwarding_goes_along(do: Do) -> None:
    do(notes.set_note, Kind.ALIAS, 104, text="on leave")
    do(user_moves.rename, 12, email="bob@two.example", keep_alias=True)
    assert db.session.scalars(select(Note.name)).all() == ["bob@two.example"]
    take_back(do)
    assert db.session.scalars(select(Note.name)).all() == ["bob@one.example"]


def test_only_the_spelling_may_change(do: Do) -> None:
    by_hand(User(id=31, domain_id=1, email="Carla.Mixed@One.Example", password="x"))
    by_hand(
        Alias(id=301, domain_id=1, source="c@one.example", destination="carla.mixed@one.example")
    )
    before = rows_now()
    do(user_moves.rename, 31, email="carla.mixed@one.example", keep_alias=True)
    assert user(31) == (1, "carla.mixed@one.example", "x")
    assert rows_now()["virtual_aliases"] == before["virtual_aliases"]
    take_back(do)
    assert rows_now() == before


@pytest.mark.parametrize("email", ["Carla.Mixed@One.Example", " Carla.Mixed@One.Example "])
def test_the_same_address_is_no_change(do: Do, email: str) -> None:
    by_hand(User(id=31, domain_id=1, email="Carla.Mixed@One.Example", password="x"))
    before = rows_now()
    do(user_moves.rename, 31, email=email, keep_alias=True)
    assert rows_now() == before
    assert db.session.scalar(select(HistoryEntry.id).limit(1)) is None


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("", "email address was not specified"),
        ("ana", "not a valid email"),
        ("a+b@one.example", "not a valid email"),
        ("ana@three.example", "not managed by this database"),
        ("BOB@one.example", '"bob@one.example" already exists'),
        ("team@one.example", "already exists as an alias"),
        (f"{'x' * 64}@{'y' * 47}.example", "not managed"),
        (f"{'x' * 64}@{'y' * 31}.example", "at most 100 characters"),
        ("dora@two.example", "is suspended; resume it first"),
    ],
)
def test_an_address_that_is_none_or_taken_is_refused(do: Do, email: str, words: str) -> None:
    by_hand(Domain(id=3, name=f"{'y' * 31}.example"))
    do(suspension_acts.suspend, 21, mode=Mode.ALL)
    before = rows_now()
    for act in (user_moves.checked_address, user_moves.rename):
        with pytest.raises(Invalid, match=words) as refusal:
            do(act, 11, email=email)
        assert refusal.value.field == "email"
    assert rows_now() == before


def test_an_address_of_120_characters_does_where_no_alias_has_to_hold_it(do: Do) -> None:
    by_hand(Domain(id=3, name=f"{'y' * 42}.example"))
    with pytest.raises(Invalid, match="at most 100"):
        do(user_moves.rename, 21, email=f"{'x' * 64}@{'y' * 42}.example")
    by_hand(User(id=31, domain_id=1, email="zoe@one.example", password="x"))
    do(user_moves.rename, 31, email=f"{'x' * 64}@{'y' * 42}.example")
    with pytest.raises(Invalid, match="source is too long"):
        do(user_moves.rename, 31, email=f"{'z' * 64}@{'y' * 42}.example", keep_alias=True)


@pytest.mark.parametrize("mode", Mode)
def test_who_is_suspended_is_not_renamed(do: Do, mode: Mode) -> None:
    do(suspension_acts.suspend, 11, mode=mode)
    with pytest.raises(Invalid, match=r'"ana@one\.example" is suspended'):
        do(user_moves.rename, 11, email="anna@one.example")


def test_who_is_not_there_is_not_renamed(do: Do) -> None:
    with pytest.raises(NotFound):
        do(user_moves.rename, 4711, email="anna@one.example")


def test_somebody_elses_change_is_not_overwritten(do: Do) -> None:
    seen = do(users.version, db.session.get_one(User, 11))
    do(users.change, 11, password="another password")
    with pytest.raises(Conflict):
        do(user_moves.rename, 11, email="anna@one.example", seen=seen)
    seen = do(users.version, db.session.get_one(User, 11))
    do(user_moves.rename, 11, email="anna@one.example", seen=seen)


def test_the_note_goes_along(do: Do) -> None:
    do(notes.set_note, Kind.USER, 11, text="x")
    do(user_moves.rename, 11, email="anna@one.example")
    assert db.session.scalars(select(Note.name)).all() == ["anna@one.example"]
    take_back(do)
    assert db.session.scalars(select(Note.name)).all() == ["ana@one.example"]


def _somebody_took_the_old_address(do: Do) -> None:
    do(users.create, email="ana@one.example", password="password")


def _an_alias_took_the_old_address(do: Do) -> None:
    do(aliases.create, source="ana@one.example", destination="eva@two.example")


def _an_alias_leads_to_the_new_address(do: Do) -> None:
    do(aliases.create, source="x@one.example", destination="anna@two.example")


def _it_forwards(do: Do) -> None:
    do(
        aliases.create,
        source="anna@two.example",
        destination="eva@two.example",
        keep_copy=True,
    )


def _it_is_suspended(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.SIGN_IN)


def _its_domain_is_gone(do: Do) -> None:
    do(domains.remove, 1)


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (_somebody_took_the_old_address, "another user"),
        (_an_alias_took_the_old_address, "would take the mail"),
        (_an_alias_leads_to_the_new_address, "needs the address"),
        (_it_forwards, "needs the address"),
        (_it_is_suspended, "is suspended; resume it first"),
        (_its_domain_is_gone, "stands in the way|is gone|not there any more"),
    ],
)
def test_it_does_not_move_back_where_somebody_counts_on_it(
    do: Do, meanwhile: Callable[[Do], None], words: str
) -> None:
    do(user_moves.rename, 11, email="anna@two.example")
    renamed = newest().id
    meanwhile(do)
    before = rows_now()
    with pytest.raises(Conflict, match=words):
        take_back(do, renamed)
    assert rows_now() == before


def test_a_password_that_is_newer_stays(do: Do) -> None:
    do(user_moves.rename, 11, email="anna@two.example")
    renamed = newest().id
    do(users.change, 11, password="another password")
    hashed = user(11)[2]
    take_back(do, renamed)
    assert user(11) == (1, "ana@one.example", hashed)


@pytest.mark.parametrize(
    ("pattern", "old", "new", "commands"),
    [
        (
            "/var/mail/vhosts/%d/%n",
            "ana@one.example",
            "anna@one.example",
            ["mv -T /var/mail/vhosts/one.example/ana /var/mail/vhosts/one.example/anna"],
        ),
        (
            "/var/mail/vhosts/%d/%n",
            "Ana.Mixed@One.Example",
            "ana@two.example",
            [
                "mkdir -p /var/mail/vhosts/two.example",
                "chown --reference=/var/mail/vhosts/One.Example /var/mail/vhosts/two.example",
                "mv -T /var/mail/vhosts/One.Example/Ana.Mixed /var/mail/vhosts/two.example/ana",
            ],
        ),
        (
            "/mail/%u",
            "it's $(me)@one.example",
            "me@two.example",
            ["mv -T '/mail/it'\"'\"'s $(me)@one.example' /mail/me@two.example"],
        ),
    ],
)
def test_the_folder_is_moved_by_commands_that_a_shell_reads_right(
    do: Do, pattern: str, old: str, new: str, commands: list[str]
) -> None:
    alter_setting(settings.MAIL_FOLDER, pattern)
    assert user_moves.folders(db.session(), old, new).commands == commands


def test_the_newest_move_is_found_among_the_changes(do: Do) -> None:
    assert user_moves.last_move(do(history.timeline, Kind.USER, 11)) is None
    do(user_moves.rename, 11, email="anna@two.example")
    do(users.change, 11, password="another password")
    found = user_moves.last_move(do(history.timeline, Kind.USER, 11))
    assert found == ("ana@one.example", "anna@two.example")
    take_back(do, newest().id - 3)
    found = user_moves.last_move(do(history.timeline, Kind.USER, 11))
    assert found == ("anna@two.example", "ana@one.example")
