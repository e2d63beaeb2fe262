"""The checkup: each finding is provoked, and what is well has none."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import update

from postmaster.db import db
from postmaster.models import Admin, Domain, User
from postmaster.rules import (
    aliases,
    domains,
    passwords,
    suspension_acts,
    suspensions,
    user_moves,
    users,
)
from postmaster.rules.checkup import checking, circles, scanning
from postmaster.rules.checkup import passwords as password_findings
from postmaster.rules.checkup.findings import Report, Severity
from postmaster.rules.schemes import State
from tests.browser.served import GUIDE_ROWS
from tests.conftest import ADMIN
from tests.rules import test_circles
from tests.rules.mail import by_hand
from tests.rules.odd_rows import CASES, GOOD_HASH, MD5_HASH, Case, alias, fill_well, user
from tests.rules.statements import counted

Do = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("context")


def check() -> Report:
    db.session.remove()
    return checking.check(db.session(), ADMIN)


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def put(case: Case) -> None:
    if case.mariadb_only and db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite compares blanks at the end")
    fill_well()
    by_hand(*deepcopy(list(case.rows)))


def has_other_password() -> None:
    with db.engine.begin() as connection:
        connection.execute(update(Admin).values(password=passwords.hash_for_admin("another one")))


def test_a_new_installation_has_only_its_default_password() -> None:
    report = check()
    (finding,) = report.findings
    assert (finding.code, finding.count, finding.sample[0].text) == ("default-password", 1, "admin")
    assert not report.is_well
    has_other_password()
    assert check() == Report([], [])
    assert check().is_well


def test_in_good_rows_nothing_is_found() -> None:
    has_other_password()
    fill_well()
    report = check()
    assert report.findings == []
    assert [(s.scheme, s.state, s.is_weak, s.count) for s in report.schemes] == [
        ("SHA512-CRYPT", State.READABLE, False, 3)
    ]


def test_in_what_postmaster_writes_nothing_is_found(do: Do) -> None:
    has_other_password()
    set_value("Allow External Alias Destinations", "True")
    for name in ("one.example", "b\u00fccher.example"):
        do(domains.create, name=name)
    made = {
        name: do(users.create, email=f"{name}@one.example", password="a password of a user").id
        for name in ("ana", "bob", "eva", "kim", "lea")
    }
    do(users.create, email="Rosa@B\u00fccher.example", password="a password of a user")
    for source, destination in (
        ("Team@one.example", "ana@one.example"),
        ("team@one.example", "Someone@Elsewhere.example"),
        ("all@one.example", "team@one.example"),
        ("to-eva@one.example", "eva@one.example"),
        ("info@b\u00fccher.example", "rosa@b\u00fccher.example"),
    ):
        do(aliases.create, source=source, destination=destination)
    bob, elsewhere = "bob@one.example", "bob@elsewhere.example"
    do(aliases.create, source=bob, destination=elsewhere, keep_copy=True)
    do(
        aliases.create,
        source="@one.example",
        destination="ana@one.example",
        keep_mailboxes=True,
    )
    do(suspension_acts.suspend, made["eva"], mode=suspensions.Mode.ALL)
    do(suspension_acts.suspend, made["lea"], mode=suspensions.Mode.SIGN_IN)
    do(user_moves.rename, made["kim"], email="kim2@one.example", keep_alias=True)
    report = check()
    assert report.findings == []
    assert {(s.scheme, s.state, s.count) for s in report.schemes} == {
        ("SHA512-CRYPT", State.READABLE, 4),
        ("unknown", State.LOCKED, 2),
    }


def set_value(name: str, value: str) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE postmaster_configuration SET value = '{value}' WHERE setting = '{name}'"
        )


def test_the_guides_rows_have_what_is_odd_in_them() -> None:
    has_other_password()
    put_guide_rows()
    found = {f.code: [sample.text for sample in f.sample] for f in check().findings}
    assert found == {
        "alias-dangling": ["old@example.com -> gone@example.com"],
        "domain-mixed-case": ["Example.ORG"],
        "user-mixed-case": ["Carla.Mixed@Example.com"],
    }


def put_guide_rows() -> None:
    with db.engine.begin() as connection:
        for statement in GUIDE_ROWS:
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_each_finding_is_found(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    put(case)
    report = check()
    finding = report.finding(case.code)
    assert finding is not None
    assert [sample.id for sample in finding.sample] == list(case.ids)
    assert finding.count == len(case.ids)
    assert GOOD_HASH not in str(finding)
    assert "plain password" not in str(finding.plain())
    # Where very many rows are odd, the database counts.
    monkeypatch.setattr(scanning, "MOST_FETCHED", 0)
    assert check() == report


def test_the_worst_comes_first_and_ten_rows_of_each_are_shown() -> None:
    fill_well()
    by_hand(*(user(number, f"User{number}@one.example") for number in range(30, 55)))
    by_hand(user(60, "a@one.example", password=MD5_HASH))
    report = check()
    assert [finding.severity for finding in report.findings] == [
        Severity.ERROR,
        Severity.WARNING,
        Severity.NOTE,
    ]
    mixed = report.finding("user-mixed-case")
    assert mixed is not None
    assert mixed.count == 25
    assert [sample.id for sample in mixed.sample] == list(range(30, 40))


def test_a_server_with_the_email2email_map_swallows_nothing() -> None:
    put(next(case for case in CASES if case.code == "mailbox-swallowed"))
    set_value("Email2Email Map", "True")
    assert "mailbox-swallowed" not in codes(check())


def test_without_delimiter_an_extension_is_a_part_of_the_address() -> None:
    put(next(case for case in CASES if case.code == "alias-dangling"))
    set_value("Recipient Delimiter", "none")
    dangling = check().finding("alias-dangling")
    assert dangling is not None
    assert [sample.id for sample in dangling.sample] == [301, 303, 304, 305]


# --- circles --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "on_circle"),
    [
        (["a>a"], []),
        (["a>b", "b>a"], ["a>b", "b>a"]),
        (["a>b", "b>a", "b>b"], []),  # Postfix stops at b
        (["a>b", "b>c", "c>d"], []),
        (["a>b", "a>c", "b>d", "c>d"], []),
        (["a>b+x", "b>a"], ["a>b+x", "b>a"]),
        (["@one.example>x@two.example", "@two.example>y@one.example"], [0, 1]),
        (["@one.example>@two.example", "@two.example>@one.example"], [0, 1]),
        (["@one.example>x@one.example"], []),
        (["a>b", "b>a", "c>d", "d>c", "b>c"], ["a>b", "b>a", "c>d", "d>c"]),
    ],
)
def test_circles_are_those_of_postfix(pairs: list[str], on_circle: list[Any]) -> None:
    by_hand(Domain(id=1, name="one.example"), Domain(id=2, name="two.example"))
    whole = [
        tuple(part if "@" in part else f"{part}@one.example" for part in pair.split(">"))
        for pair in pairs
    ]
    by_hand(*(alias(n, *pair) for n, pair in enumerate(whole, start=1)))
    finding = check().finding("alias-circle")
    wanted = {1 + (pairs.index(one) if isinstance(one, str) else one) for one in on_circle}
    assert ({sample.id for sample in finding.sample} if finding else set()) == wanted


@options(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.sets(test_circles.PAIRS, max_size=8),
    mailboxes=test_circles.MAILBOXES,
    email2email=st.booleans(),
)
def test_circles_are_found_where_a_plain_model_runs_in_one(
    app: Flask, rows: set[test_circles.Pair], mailboxes: set[str], email2email: bool
) -> None:
    ids = test_circles.fill(rows, mailboxes, email2email)
    is_circle = test_circles.runs_in_a_circle(rows, mailboxes, email2email)
    assert bool(circles.find(db.session())) == is_circle
    closing = set(circles.closing(db.session()))
    left = {pair for pair, alias_id in ids.items() if alias_id not in closing}
    assert bool(closing) == is_circle
    assert not is_circle or len(left) < len(rows)


# --- passwords ------------------------------------------------------------------


def test_the_census_counts_weak_schemes_first() -> None:
    fill_well()
    stored = [
        *[MD5_HASH] * 2,
        "{PLAIN}secret",
        f"!{GOOD_HASH}"[:106],
        "*",
        "{SHA512-CRYPT}"[:106] + "x",
        "plain text",
    ]
    by_hand(*(user(30 + n, f"u{n}@one.example", password=p) for n, p in enumerate(stored)))
    assert [(s.scheme, str(s.state), s.is_weak, s.count) for s in check().schemes] == [
        ("MD5-CRYPT", "readable", True, 2),
        ("PLAIN", "readable", True, 1),
        ("SHA512-CRYPT", "readable", False, 3),
        ("unknown", "locked", False, 2),
        ("SHA512-CRYPT", "cut", False, 1),
        ("unknown", "plain", False, 1),
    ]


def test_locked_passwords_are_not_odd() -> None:
    fill_well()
    by_hand(
        *(user(30 + n, f"u{n}@one.example", password=p) for n, p in enumerate(("!", "*", "!x")))
    )
    assert not codes(check()) & {kind.code for kind in password_findings.KINDS.values()}


def test_it_takes_a_handful_of_queries_however_many_rows_there_are() -> None:
    fill_well()
    with counted() as few:
        check()
    by_hand(*(user(n, f"User{n}@one.example", password=f"p{n}") for n in range(30, 90)))
    with counted() as many:
        check()
    assert len([s for s in many if s != "BEGIN"]) <= 35
    assert len(many) <= len(few) + 4, "two for the samples, one for the first of each group"


def test_no_user_is_shown_with_the_password() -> None:
    fill_well()
    by_hand(user(31, "a@one.example", password="{secret}word"))
    assert "secret" not in str(check().plain())
    assert db.session.get(User, 31) is not None
