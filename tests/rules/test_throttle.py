"""Refused sign-ins are counted by address, and an address that has too many waits."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from postmaster.db import db
from postmaster.errors import RuleError, Throttled
from postmaster.models import SignInFailure
from postmaster.rules import attempts, history, settings
from postmaster.rules.login import Welcome
from tests.conftest import Prepared, dispose, make_app
from tests.rules.conftest import alter_admin, alter_setting, the_admin

Attempt = Callable[..., Welcome | RuleError]


def age_failures(by: timedelta) -> None:
    """Move all failures to this long ago."""
    db.session.remove()
    db.session.execute(update(SignInFailure).values(moment=history.now() - by))
    db.session.commit()


@pytest.mark.parametrize("limit", [1, 3])
def test_after_so_many_failures_an_address_waits(attempt: Attempt, limit: int) -> None:
    for number in range(limit):
        refused = attempt(username=f"guess {number}", limit=limit)
        assert "incorrect" in str(refused)
    assert isinstance(attempt(username="guess", limit=limit), Throttled)
    assert isinstance(attempt(limit=limit), Throttled)


def test_guessing_across_accounts_locks_nobody_and_is_slow(attempt: Attempt) -> None:
    for number in range(3):
        attempt(username=f"guess {number}", limit=3)
    for _ in range(10):
        attempt("wrong", limit=3)
    assert not the_admin().failed_attempts


def test_the_administrator_elsewhere_is_spared(attempt: Attempt) -> None:
    attempt(username="guess", limit=1)
    assert isinstance(attempt(limit=1), Throttled)
    assert isinstance(attempt(limit=1, ip="192.0.2.2"), Welcome)
    assert isinstance(attempt(limit=1, ip="2001:db8::1"), Welcome)


def test_a_success_is_no_failure_and_forgives_none(attempt: Attempt) -> None:
    for _ in range(5):
        assert isinstance(attempt(limit=2), Welcome)
    attempt("wrong", limit=2)
    assert isinstance(attempt(limit=2), Welcome)
    attempt("wrong", limit=2)
    assert isinstance(attempt(limit=2), Throttled)


@pytest.mark.parametrize("columns", [{"otp_active": True}, {"active": False}])
def test_every_kind_of_refusal_counts(attempt: Attempt, columns: dict[str, bool]) -> None:
    alter_admin(**columns)
    attempt(limit=1, code="000000")
    assert isinstance(attempt(limit=1), Throttled)


def test_knocking_at_a_locked_account_counts(attempt: Attempt) -> None:
    alter_setting(settings.LOCKOUT_THRESHOLD, "1")
    attempt("wrong")
    assert "locked out" in str(attempt(ip="192.0.2.2", limit=1))
    assert isinstance(attempt(ip="192.0.2.2", limit=1), Throttled)


def test_waiting_helps_and_asking_while_waiting_does_no_harm(attempt: Attempt) -> None:
    attempt("wrong", limit=1)
    age_failures(timedelta(minutes=50))
    for _ in range(3):
        refused = attempt(limit=1)
        assert isinstance(refused, Throttled)
        assert 0 < refused.retry_after <= 601
        assert "in 10 minutes" in str(refused) or "in 11 minutes" in str(refused)
    age_failures(timedelta(minutes=60))
    assert isinstance(attempt(limit=1), Welcome)
    assert db.session.query(SignInFailure).count() == 0


def test_the_oldest_failure_says_how_long(attempt: Attempt) -> None:
    attempt("wrong", limit=2)
    age_failures(timedelta(minutes=59))
    attempt("wrong", limit=2)
    refused = attempt(limit=2)
    assert isinstance(refused, Throttled)
    assert 0 < refused.retry_after <= 61


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::", "2001:db8:0:1::/64"),
        ("2001:DB8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::1", "2001:db8:0:2::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_an_address_stands_for_its_network(ip: str, network: str) -> None:
    assert attempts.network_of(ip) == network


def test_neighbours_in_one_64_share_their_failures(attempt: Attempt) -> None:
    attempt("wrong", ip="2001:db8:0:1::1", limit=1)
    assert isinstance(attempt(ip="2001:db8:0:1:2:3:4:5", limit=1), Throttled)
    assert isinstance(attempt(ip="2001:db8:0:2::1", limit=1), Welcome)


@pytest.mark.parametrize("ip", ["", "unknown", "x" * 300])
def test_an_address_that_is_none_is_counted_like_one(attempt: Attempt, ip: str) -> None:
    attempt("wrong", ip=ip, limit=1)
    assert isinstance(attempt(ip=ip, limit=1), Throttled)


def test_the_configuration_says_how_many(prepared_sqlite: Prepared, tmp_path: Path) -> None:
    prepared_sqlite.reset()
    uri = prepared_sqlite.app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(False)
    app = make_app(uri, tmp_path, sign_in_failures_per_hour=2)
    form = {"username": "admin", "password": "wrong"}
    answers = [app.test_client().post("/login", data=form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3601
    assert "Too many refused sign-ins" in answers[-1].text
    dispose(app)
