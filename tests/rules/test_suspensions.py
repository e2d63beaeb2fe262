"""Suspending users: nothing is lost, and all comes back to the last byte."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from postmaster.db import db
from postmaster.errors import Conflict, Invalid, NotFound, RuleError
from postmaster.models import Alias, Domain, HistoryEntry, HistorySecret, Suspension, User
from postmaster.rules import aliases, domains, overviews, suspension_acts, suspensions, undo, users
from postmaster.rules.paging import Criteria
from postmaster.rules.suspensions import MARKER, Mode
from tests.rules.mail import by_hand, fill, newest, rows_now

Do = Callable[..., Any]
WRITABLE: dict[str, Any] = {"log_is_writable": lambda: True}


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    yield


def row(user_id: int) -> tuple[str, str]:
    """A row as the mail server reads it: address and password."""
    db.session.remove()
    user = db.session.get_one(User, user_id)
    return user.email, user.password


def kept() -> list[tuple[int, str, str]]:
    """The hashes that are kept."""
    db.session.remove()
    found = db.session.scalars(select(Suspension).order_by(Suspension.user_id))
    return [(each.user_id, each.email, each.password) for each in found]


def take_back(do: Do, entry_id: int | None = None) -> HistoryEntry:
    entry: HistoryEntry = do(undo.undo, entry_id or newest().id, **WRITABLE)
    return entry


ANA = "ana@one.example"
HASH = "$6$salt$hash11"
IN_MODE = {Mode.SIGN_IN: (ANA, MARKER), Mode.ALL: (f"!{ANA}", MARKER)}


@pytest.mark.parametrize("mode", Mode)
def test_who_is_suspended_and_resumed_has_the_same_row(do: Do, mode: Mode) -> None:
    before = rows_now()
    user = do(suspension_acts.suspend, 11, mode=mode)
    assert (suspensions.mode_of(user), suspensions.address_of(user)) == (mode, ANA)
    assert row(11) == IN_MODE[mode]
    assert kept() == [(11, ANA, HASH)]
    assert (newest().action, newest().object_name) == ("suspend", ANA)
    user = do(suspension_acts.resume, 11)
    assert (suspensions.mode_of(user), suspensions.address_of(user)) == (None, ANA)
    assert rows_now() == before
    assert kept() == []
    assert (newest().action, newest().object_name) == ("resume", ANA)


@pytest.mark.parametrize(("first", "second"), [(Mode.SIGN_IN, Mode.ALL), (Mode.ALL, Mode.SIGN_IN)])
def test_the_mode_can_be_another_one(do: Do, first: Mode, second: Mode) -> None:
    before = rows_now()
    do(suspension_acts.suspend, 11, mode=first)
    do(suspension_acts.suspend, 11, mode=second)
    assert row(11) == IN_MODE[second]
    take_back(do)
    assert row(11) == IN_MODE[first]
    do(suspension_acts.resume, 11)
    assert rows_now() == before


def test_what_is_so_already_is_no_change(do: Do) -> None:
    assert do(suspension_acts.resume_several, [11]) == []
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    done = newest().id
    assert do(suspension_acts.suspend_several, [11], mode=Mode.ALL) == []
    assert newest().id == done


@pytest.mark.parametrize("mode", Mode)
def test_several_are_suspended_resumed_and_that_undone_and_made_again(do: Do, mode: Mode) -> None:
    before = rows_now()
    do(suspension_acts.suspend_several, [11, 12, 22], mode=mode)
    suspended = rows_now()
    first = newest()
    assert (first.action, first.object_name) == ("suspend", "3 users")
    take_back(do)
    assert (rows_now(), kept()) == (before, [])
    take_back(do)
    assert (rows_now(), len(kept())) == (suspended, 3)
    do(suspension_acts.resume_several, [11, 12, 22])
    assert rows_now() == before
    take_back(do)
    assert (rows_now(), len(kept())) == (suspended, 3)


def test_a_new_password_waits_until_the_user_is_resumed(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    do(users.change, 11, password="another password")
    changed = newest().id
    assert row(11) == IN_MODE[Mode.ALL]
    ((_id, _email, hashed),) = kept()
    assert hashed.startswith("$6$")
    assert hashed != HASH
    take_back(do, changed)
    assert (row(11), kept()) == (IN_MODE[Mode.ALL], [(11, ANA, HASH)])
    take_back(do)
    do(suspension_acts.resume, 11)
    assert row(11) == (ANA, hashed)
    take_back(do, changed + 2)
    assert row(11) == (ANA, HASH)


def test_an_older_password_comes_back_while_suspended(do: Do) -> None:
    do(users.change, 11, password="another password")
    changed = newest().id
    do(suspension_acts.suspend, 11, mode=Mode.SIGN_IN)
    take_back(do, changed)
    assert (row(11), kept()) == (IN_MODE[Mode.SIGN_IN], [(11, ANA, HASH)])


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("act", "what"), [(users.remove, 11), (domains.remove, 1)])
def test_who_is_deleted_suspended_comes_back_so(
    do: Do, mode: Mode, act: Callable[..., Any], what: int
) -> None:
    before = rows_now()
    do(suspension_acts.suspend, 11, mode=mode)
    suspended, then = rows_now(), kept()
    do(act, what)
    assert kept() == []
    secrets = [str(entry.old) for entry in db.session.scalars(select(HistoryEntry))]
    assert HASH not in "".join(secrets)
    assert HASH in db.session.scalars(select(HistorySecret.password)).all()
    take_back(do)
    assert (rows_now(), kept()) == (suspended, then)
    do(suspension_acts.resume, 11)
    assert rows_now() == before


def test_what_leads_to_it_goes_with_a_suspended_user(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    gone = do(users.goes_with, [11])
    assert {alias.id for alias in gone.leading_here} == {101, 201}


def test_an_alias_to_a_suspended_user_does_not_point_nowhere(do: Do) -> None:
    by_hand(Alias(id=106, domain_id=1, source=ANA, destination=ANA))
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    assert do(aliases.goes_with, [106]).orphans == []


@pytest.mark.parametrize(
    ("act", "fields", "field"),
    [
        (users.create, {"email": "Ana@one.example", "password": "password"}, "email"),
        (aliases.create, {"source": ANA, "destination": "bob@one.example"}, "source"),
        (
            aliases.create,
            {"source": ANA, "destination": "bob@one.example", "keep_copy": True},
            "source",
        ),
        (aliases.create, {"source": ANA, "destination": ANA}, "destination"),
        (aliases.create, {"source": "x@one.example", "destination": ANA}, "destination"),
    ],
)
def test_a_suspended_address_is_taken(
    do: Do, act: Callable[..., Any], fields: dict[str, Any], field: str
) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    before = rows_now()
    with pytest.raises(Invalid, match=r"(?i)ana@one\.example\" is suspended; resume it") as refusal:
        do(act, **fields)
    assert refusal.value.field == field
    assert rows_now() == before


def test_an_alias_is_not_renamed_to_a_suspended_address(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    for act in (aliases.change, aliases.rename):
        with pytest.raises(Invalid, match="is suspended"):
            do(act, 101, source=ANA)


def test_without_sign_in_it_takes_mail_as_before(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.SIGN_IN)
    do(aliases.create, source="x@one.example", destination=ANA)
    with pytest.raises(Invalid, match="already exists"):
        do(users.create, email=ANA, password="password")


def test_a_catch_all_spares_no_suspended_mailbox(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    do(
        aliases.create,
        source="@one.example",
        destination="eva@two.example",
        keep_mailboxes=True,
    )
    sources = db.session.scalars(select(Alias.source)).all()
    assert [source for source in sources if "ana" in source] == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([User(id=13, domain_id=1, email=ANA, password="x")], "another user"),
        (
            [Alias(id=301, domain_id=1, source="Ana@One.example", destination="bob@one.example")],
            "would take the mail",
        ),
    ],
)
def test_it_is_not_resumed_where_its_address_was_taken_by_hand(
    do: Do, rows: list[Any], words: str
) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    done = newest().id
    by_hand(*[type(each)(**_columns(each)) for each in rows])
    before = rows_now()
    for act, arguments in (
        (suspension_acts.resume, (11,)),
        (undo.undo, (done,)),
    ):
        with pytest.raises(Conflict, match=words):
            do(act, *arguments, **(WRITABLE if act is undo.undo else {}))
    with pytest.raises(Conflict, match=words):
        do(suspension_acts.suspend, 11, mode=Mode.SIGN_IN)
    assert rows_now() == before


def _columns(each: Any) -> dict[str, Any]:
    return {column.key: getattr(each, column.key) for column in each.__table__.columns}


def test_a_forwarding_mailbox_comes_back_to_its_copy(do: Do) -> None:
    before = rows_now()
    do(suspension_acts.suspend, 12, mode=Mode.ALL)
    do(suspension_acts.resume, 12)
    assert rows_now() == before


@pytest.mark.parametrize("email", [ANA, f"!{ANA}"])
def test_a_row_marked_by_hand_asks_for_a_password(do: Do, email: str) -> None:
    by_hand(User(id=31, domain_id=1, email=email.replace("ana", "odd"), password=MARKER))
    before = rows_now()
    with pytest.raises(Invalid, match="was not kept by PostMaster: set a new one"):
        do(suspension_acts.resume, 31)
    assert rows_now() == before
    do(users.change, 31, password="a new password")
    assert rows_now() == before
    take_back(do)
    assert kept() == []
    do(users.change, 31, password="a new password")
    do(suspension_acts.resume, 31)
    address, hashed = row(31)
    assert (address, hashed[:3]) == ("odd@one.example", "$6$")


def test_who_is_resumed_since_is_not_suspended_by_taking_a_password_back(do: Do) -> None:
    by_hand(User(id=31, domain_id=1, email="odd@one.example", password=MARKER))
    do(users.change, 31, password="a new password")
    changed = newest().id
    do(suspension_acts.resume, 31)
    before = rows_now()
    with pytest.raises(Conflict, match="before this was not kept"):
        take_back(do, changed)
    assert rows_now() == before


def test_a_row_marked_by_hand_is_deleted_and_comes_back(do: Do) -> None:
    by_hand(User(id=31, domain_id=1, email="!odd@one.example", password=MARKER))
    before = rows_now()
    do(users.remove, 31)
    take_back(do)
    assert (rows_now(), kept()) == (before, [])


def test_a_password_set_by_hand_meanwhile_counts(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    db.session.get_one(User, 11).password = "{PLAIN}by hand"
    db.session.commit()
    do(suspension_acts.resume, 11)
    assert row(11) == (ANA, "{PLAIN}by hand")


def test_a_kept_hash_is_not_given_to_whoever_has_its_id_later(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.SIGN_IN)
    db.session.delete(db.session.get_one(User, 11))
    db.session.commit()
    by_hand(User(id=11, domain_id=1, email="new@one.example", password=MARKER))
    with pytest.raises(Invalid, match="was not kept"):
        do(suspension_acts.resume, 11)


def test_an_address_that_has_no_room_for_the_sign_is_refused(do: Do) -> None:
    email = f"{'x' * 64}@{'y' * 47}.example"
    assert len(email) == 120
    by_hand(User(id=31, domain_id=1, email=email, password=HASH))
    with pytest.raises(Invalid, match="too long to be suspended without mail"):
        do(suspension_acts.suspend_several, [11, 31], mode=Mode.ALL)
    assert (row(11), kept()) == ((ANA, HASH), [])
    do(suspension_acts.suspend, 31, mode=Mode.SIGN_IN)
    assert row(31) == (email, MARKER)


def test_what_it_means_is_known_before(do: Do) -> None:
    about = do(suspension_acts.about, [11, 12])
    assert ([user.id for user in about.users], about.forwarding) == ([11, 12], 1)


def test_what_somebody_changed_meanwhile_is_looked_at_again(do: Do) -> None:
    seen = do(suspension_acts.about, [11]).version
    do(suspension_acts.suspend, 11, mode=Mode.SIGN_IN)
    for act, fields in (
        (suspension_acts.suspend, {"mode": Mode.ALL}),
        (suspension_acts.resume, {}),
    ):
        with pytest.raises(Conflict, match="look at it again"):
            do(act, 11, **fields, seen=seen)
    seen = do(suspension_acts.about, [11]).version
    do(suspension_acts.resume, 11, seen=seen)


@pytest.mark.parametrize(
    ("ids", "refusal"), [([4711], NotFound), ([11, 4711], NotFound), ([], Invalid)]
)
def test_who_is_not_there_is_not_suspended(
    do: Do, ids: list[int], refusal: type[RuleError]
) -> None:
    before = rows_now()
    with pytest.raises(refusal):
        do(suspension_acts.suspend_several, ids, mode=Mode.ALL)
    with pytest.raises(refusal):
        do(suspension_acts.resume_several, ids)
    assert rows_now() == before


def test_it_is_found_by_its_address_and_by_its_state(do: Do) -> None:
    do(suspension_acts.suspend, 11, mode=Mode.ALL)
    do(suspension_acts.suspend, 22, mode=Mode.SIGN_IN)
    assert do(users.by_email, "Ana@one.example").id == 11
    found = do(overviews.find_users, Criteria(search="ana@one"))
    assert [user.id for user in found.items] == [11]
    found = do(overviews.find_users, Criteria(), suspended=True)
    assert [user.id for user in found.items] == [11, 22]
    found = do(overviews.find_users, Criteria(), suspended=False)
    assert [user.id for user in found.items] == [12, 21]


def test_a_renamed_domain_is_still_refused_while_somebody_is_suspended(do: Do) -> None:
    by_hand(Domain(id=3, name="three.example"))
    by_hand(User(id=31, domain_id=3, email="!odd@three.example", password=MARKER))
    with pytest.raises(Invalid, match="has users or aliases"):
        do(domains.change, 3, name="four.example")
