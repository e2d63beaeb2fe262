"""Repairs: the plan that is shown is what is done, the finding is gone, undo brings all back."""

import os
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import select

from postmaster.db import db, transact
from postmaster.errors import Conflict, NotFound
from postmaster.models import Alias, Domain, HistoryEntry, HistorySecret, Note, User
from postmaster.rules import (
    aliases,
    history,
    notes,
    passwords,
    schemes,
    suspension_acts,
    suspensions,
    undo,
)
from postmaster.rules.checkup import checking, domain_repairs, repairs
from postmaster.rules.checkup.plans import Plan
from postmaster.rules.history import Kind as Noun
from postmaster.rules.suspensions import Mode
from tests.conftest import ADMIN
from tests.rules.mail import Rows, by_hand, rows_now
from tests.rules.odd_rows import ANA, BOB, CASES, GOOD_HASH, Case, alias, fill_well, user

Do = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("context")
REPAIRABLE = [case for case in CASES if case.steps is not None]


def plan(code: str) -> Plan:
    db.session.remove()
    return repairs.plan(db.session(), ADMIN, code)


def put(case: Case) -> None:
    fill_well()
    by_hand(*deepcopy(list(case.rows)))


def take_back(entry_id: int) -> HistoryEntry:
    return transact(undo.undo, ADMIN, entry_id, log_is_writable=lambda: True)


def mail_rows() -> Rows:
    return rows_now()


def test_every_repair_is_tried_here() -> None:
    assert {case.code for case in REPAIRABLE} == set(repairs.BY_CODE)


@pytest.mark.parametrize("case", REPAIRABLE, ids=lambda case: case.code)
def test_a_repair_does_what_it_shows_and_is_undone(do: Do, case: Case) -> None:
    put(case)
    before = mail_rows()
    shown = plan(case.code)
    assert [(step.before, step.after) for step in shown.steps] == list(case.steps or ())
    assert [left.row.id for left in shown.left] == list(case.left)
    assert mail_rows() == before, "a plan changes nothing"
    if not shown.steps:
        return
    head = do(repairs.carry_out, case.code, seen=shown.version)
    assert (head.action, head.kind, head.object_name) == ("repair", "mail", shown.kind.what)
    assert head.new == {"count": len(shown.steps)}
    found = checking.check(db.session(), ADMIN).finding(case.code)
    assert [sample.id for sample in found.sample] if found else list(case.left) == []
    assert plan(case.code).steps == []
    take_back(head.id)
    assert mail_rows() == before
    assert plan(case.code).version == shown.version


def test_what_is_recorded_is_what_was_done(do: Do) -> None:
    put(next(case for case in REPAIRABLE if case.code == "alias-mixed-case"))
    head = do(repairs.carry_out, "alias-mixed-case")
    parts = history.parts(db.session(), ADMIN, head.id, 10)
    assert [(p.action, p.kind, p.object_id, p.object_name) for p in parts] == [
        ("change", "alias", 301, "Info@one.example -> Ana@one.example"),
        ("change", "alias", 303, "B@one.example -> Kim@Out.example"),
    ]
    assert parts[0].old == {
        "domain_id": 1,
        "source": "Info@one.example",
        "destination": "Ana@one.example",
    }
    assert parts[0].new == {"domain_id": 1, "source": "info@one.example", "destination": ANA}


def test_a_plain_password_works_afterwards_and_is_nowhere_to_be_seen(do: Do) -> None:
    put(next(case for case in REPAIRABLE if case.code == "password-plain"))
    assert "a plain password" not in str(plan("password-plain").plain())
    do(repairs.carry_out, "password-plain")
    stored = db.session.get_one(User, 31).password
    assert schemes.of(stored).is_readable
    assert passwords.MAIL_SCHEME.verify("a plain password", stored)
    entries = db.session.scalars(select(HistoryEntry)).all()
    assert all("plain password" not in f"{e.old}{e.new}{e.object_name}" for e in entries)
    assert db.session.scalars(select(HistorySecret.password)).all() == ["a plain password"]


@pytest.mark.parametrize("email", ["!pl@one.example", "pl@one.example"])
def test_a_plain_password_is_taken_back(do: Do, email: str) -> None:
    fill_well()
    by_hand(user(31, email, password="a plain one"))
    head = do(repairs.carry_out, "password-plain")
    take_back(head.id)
    found = db.session.get_one(User, 31)
    assert suspensions.hashes_of(db.session(), [found]) == {31: "a plain one"}
    assert suspensions.mode_of(found) is (Mode.ALL if email[0] == "!" else None)


@pytest.mark.parametrize(
    ("email", "mode"),
    [(" amy@one.example", Mode.SIGN_IN), ("amy@one.example\t", Mode.ALL)],
)
def test_the_kept_hash_and_the_note_go_along_with_the_address(
    do: Do, email: str, mode: Mode
) -> None:
    fill_well()
    by_hand(user(31, email))
    before = mail_rows()
    do(suspension_acts.suspend, 31, mode=mode)
    do(notes.set_note, Noun.USER, 31, text="on leave")
    head = do(repairs.carry_out, "user-never-found").id
    assert do(notes.on, Noun.USER, 31) == "on leave"
    do(suspension_acts.resume, 31)
    db.session.remove()
    found = db.session.get_one(User, 31)
    assert (found.email, found.password) == ("amy@one.example", GOOD_HASH)
    do(suspension_acts.suspend, 31, mode=mode)
    take_back(head)
    assert do(notes.on, Noun.USER, 31) == "on leave"
    do(suspension_acts.resume, 31)
    assert mail_rows() == before
    do(suspension_acts.suspend, 31, mode=mode)
    head = do(repairs.carry_out, "user-never-found").id
    do(suspension_acts.resume, 31)
    take_back(head)
    assert mail_rows() == before


@pytest.mark.parametrize(
    ("code", "row", "name"),
    [
        ("domain-never-found", Domain(id=3, name=" three.example"), "three.example"),
        ("alias-never-found", alias(301, " info@one.example", ANA), "info@one.example"),
        ("alias-mixed-case", alias(301, "Info@one.example", ANA), "info@one.example"),
    ],
    ids=["domain", "alias", "case"],
)
def test_a_note_goes_along_with_the_name(do: Do, code: str, row: Domain | Alias, name: str) -> None:
    fill_well()
    by_hand(deepcopy(row))
    kind = Noun.DOMAIN if isinstance(row, Domain) else Noun.ALIAS
    do(notes.set_note, kind, row.id, text="a note")
    (old,) = db.session.scalars(select(Note.name)).all()
    head = do(repairs.carry_out, code).id
    assert db.session.scalars(select(Note.name)).all() == [name]
    take_back(head)
    assert db.session.scalars(select(Note.name)).all() == [old]


def test_another_plan_than_was_seen_is_refused(do: Do) -> None:
    put(next(case for case in REPAIRABLE if case.code == "alias-double"))
    seen = plan("alias-double").version
    by_hand(alias(399, "team@one.example", BOB))
    before = mail_rows()
    with pytest.raises(Conflict, match="is not what was shown any more"):
        do(repairs.carry_out, "alias-double", seen=seen)
    assert mail_rows() == before
    do(repairs.carry_out, "alias-double", seen=plan("alias-double").version)


def test_where_nothing_is_odd_nothing_is_repaired(do: Do) -> None:
    fill_well()
    for code in repairs.BY_CODE:
        assert plan(code).steps == []
        with pytest.raises(Conflict, match="nothing to repair"):
            do(repairs.carry_out, code)
    assert db.session.scalars(select(HistoryEntry.id)).all() == []


def test_what_cannot_be_repaired_is_said(do: Do) -> None:
    for code in ("user-mixed-case", "nothing-like-it", ""):
        with pytest.raises(NotFound, match=f'no repair "{code}"'):
            do(repairs.carry_out, code)


def test_what_only_the_database_takes_for_double_stays(do: Do) -> None:
    fill_well()
    by_hand(
        Domain(id=3, name="muller.example"),
        Domain(id=4, name="m\u00fcller.example"),
        Domain(id=5, name="M\u00fcller.example"),
        user(41, "b@m\u00fcller.example", domain_id=4),
        user(51, "c@m\u00fcller.example", domain_id=5),
        alias(301, "x@one.example", "muller@far.example"),
        alias(302, "x@one.example", "m\u00fcller@far.example"),
        alias(303, "X@one.example", "m\u00fcller@far.example"),
    )
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite tells accents apart")
    for code, alone, gone in (("domain-double", 4, 5), ("alias-double", 302, 303)):
        shown = plan(code)
        assert [left.row.id for left in shown.left] == [alone]
        assert [step.id for step in shown.steps if not step.new] == [gone]
        do(repairs.carry_out, code, seen=shown.version)
    assert [db.session.get_one(User, number).domain_id for number in (41, 51)] == [4, 4]
    with pytest.raises(Conflict, match="nothing to repair"):
        do(repairs.carry_out, "domain-double")


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_large_domain_is_merged_in_several_goes(
    do: Do, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    put(next(case for case in REPAIRABLE if case.code == "domain-double"))
    before = mail_rows()
    monkeypatch.setattr(domain_repairs, "MOST_ROWS", most)
    heads = []
    while not (shown := plan("domain-double")).is_whole or shown.steps:
        assert len(shown.steps) <= most + 1
        heads.append(do(repairs.carry_out, "domain-double", seen=shown.version).id)
    assert db.session.get(Domain, 3) is None
    assert db.session.get_one(User, 31).domain_id == 1
    for head in reversed(heads):
        take_back(head)
    assert mail_rows() == before


def test_a_suspended_user_is_moved_and_stays_suspended(do: Do) -> None:
    fill_well()
    by_hand(user(31, "a@two.example"), user(32, "b@two.example"))
    do(suspension_acts.suspend, 31, mode=suspensions.Mode.ALL)
    do(suspension_acts.suspend, 32, mode=suspensions.Mode.SIGN_IN)
    before = mail_rows()
    head = do(repairs.carry_out, "user-other-domain")
    moved = db.session.get_one(User, 31)
    assert (moved.email, moved.domain_id, moved.password) == ("!a@two.example", 2, "!suspended")
    take_back(head.id)
    assert mail_rows() == before
    do(suspension_acts.resume, 31)
    assert db.session.get_one(User, 31).password == GOOD_HASH


# --- what undo judges by --------------------------------------------------------


def test_a_copy_that_newer_aliases_need_is_not_taken_back(do: Do) -> None:
    put(next(case for case in REPAIRABLE if case.code == "alias-over-mailbox"))
    head = do(repairs.carry_out, "alias-over-mailbox")
    by_hand(Alias(domain_id=1, source=ANA, destination="newer@out.example"))
    with pytest.raises(Conflict, match="would take all the mail of the mailbox"):
        take_back(head.id)


def test_a_copy_is_not_taken_back_from_an_older_alias_that_was_renamed_onto_it(do: Do) -> None:
    put(next(case for case in REPAIRABLE if case.code == "alias-over-mailbox"))
    head = do(repairs.carry_out, "alias-over-mailbox")
    do(aliases.change, 102, source=ANA)
    with pytest.raises(Conflict, match="would take all the mail of the mailbox"):
        take_back(head.id)


def test_a_domain_whose_name_somebody_changed_does_not_go_back(do: Do) -> None:
    put(next(case for case in REPAIRABLE if case.code == "domain-mixed-case"))
    head = do(repairs.carry_out, "domain-mixed-case")
    db.session.get_one(Domain, 3).name = "other.example"
    db.session.commit()
    with pytest.raises(Conflict, match="was changed since, outside the history"):
        take_back(head.id)


# --- any rows at all ------------------------------------------------------------

LOCALS = st.sampled_from(["a", "b", "A", "c+x", " a", "a\t"])
PLACES = st.sampled_from(["x.example", "y.example", "X.example", "gone.example", "out.example"])
ADDRESSES = st.builds(lambda local, place: f"{local}@{place}", LOCALS, PLACES)
SOURCES = ADDRESSES | st.sampled_from(["@x.example", "@y.example", "no-at"])
DESTINATIONS = (
    ADDRESSES
    | st.sampled_from(["", " ", "name", "Ann <a@x.example>", "<a>", "@y.example", "a b@x.example"])
    | st.builds(lambda one, two: f"{one}, {two}", ADDRESSES, ADDRESSES)
)
PASSWORDS = st.sampled_from([GOOD_HASH, "", "plain", "!", "a" * 32, GOOD_HASH[:50]])
NAMES = st.sampled_from(["x.example", "y.example", "X.Example", " y.example", "z.example"])
# Each takes a second, since its repairs are done and undone; more for a thorough look.
EXAMPLES = int(os.environ.get("CHECKUP_EXAMPLES", "5"))
QUICK = options(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def put_any(names: list[str], users: dict[str, str], pairs: list[tuple[str, str]]) -> None:
    for model in (Alias, User, Domain):
        db.session.query(model).delete()
    db.session.commit()
    by_hand(*(Domain(id=n, name=name) for n, name in enumerate(names, start=1)))
    distinct = {email.lower(): (email, stored) for email, stored in users.items()}
    by_hand(
        *(
            user(n, email, domain_id=1 + n % len(names), password=stored)
            for n, (email, stored) in enumerate(distinct.values(), start=1)
        )
    )
    by_hand(
        *(alias(n, *pair, domain_id=1 + n % len(names)) for n, pair in enumerate(pairs, start=1))
    )


@QUICK
@given(
    names=st.lists(NAMES, min_size=1, max_size=4),
    users=st.dictionaries(ADDRESSES, PASSWORDS, max_size=4),
    pairs=st.lists(st.tuples(SOURCES, DESTINATIONS), max_size=8),
)
def test_whatever_stands_there_repairs_end_touch_only_their_rows_and_are_undone(
    app: Flask, names: list[str], users: dict[str, str], pairs: list[tuple[str, str]]
) -> None:
    put_any(names, users, pairs)
    done: list[tuple[int, Rows]] = []
    goes_on = True
    while goes_on:
        goes_on = False
        for code in found_now():
            shown = plan(code)
            if shown.steps:
                goes_on = True
                before = mail_rows()
                head = transact(repairs.carry_out, ADMIN, code, seen=shown.version).id
                done.append((head, before))
                check_only_these(shown, before, mail_rows())
        assert len(done) < 40, [history.get(db.session(), ADMIN, head) for head, _ in done]
    report = checking.check(db.session(), ADMIN)
    for code in repairs.BY_CODE:
        finding = report.finding(code)
        assert (finding.count if finding else 0) == len(plan(code).left), code
    for head, before in reversed(done):
        take_back(head)
        assert mail_rows() == before


def found_now() -> list[str]:
    """What there is a repair for, in the order of the repairs."""
    db.session.remove()
    report = checking.check(db.session(), ADMIN)
    return [code for code in repairs.BY_CODE if report.finding(code)]


def check_only_these(shown: Plan, before: Rows, after: Rows) -> None:
    """Rows that are no step of the plan are as they were."""
    meant = {(step.noun.value, step.id) for step in shown.steps}
    tables = {"domain": "virtual_domains", "user": "virtual_users", "alias": "virtual_aliases"}
    for noun, table in tables.items():
        old = {row[0]: row for row in before[table]}
        new = {row[0]: row for row in after[table]}
        for row_id, row in old.items():
            assert (noun, row_id) in meant or new[row_id] == row
        made = sum(step.noun == noun and not step.id for step in shown.steps)
        assert len(set(new) - set(old)) == made
