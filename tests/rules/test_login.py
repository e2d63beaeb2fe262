"""Who gets in, and the lockout: counted first, checked then, by the settings."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from postmaster.db import db, transact
from postmaster.errors import RuleError
from postmaster.models import Admin, AdminSession, HistoryEntry, SignInFailure
from postmaster.rules import admins, history, login, sessions, settings
from postmaster.rules.login import Welcome
from tests.conftest import ADMIN, PASSWORD
from tests.rules.conftest import alter_admin, alter_setting, the_admin, try_to_sign_in

Attempt = Callable[..., Welcome | RuleError]

WRONG = "The username or password was incorrect"


def begin(username: str = "admin") -> login.Attempt | RuleError:
    return transact(
        login.begin,
        username=username,
        password="of no matter",
        source="",
        ip="192.0.2.1",
        failures_per_hour=100,
    )


def settle(begun: login.Attempt | RuleError, *, right: bool = True) -> Welcome | RuleError:
    assert isinstance(begun, login.Attempt)
    return transact(
        login.settle, begun, password_is_right=right, code="", agent="", session_hours=12
    )


def fail(attempt: Attempt, times: int) -> None:
    for _ in range(times):
        assert str(attempt("wrong")) == WRONG


# --- who gets in ----------------------------------------------------------------


@pytest.mark.parametrize("username", ["admin", "ADMIN", "  Admin\t"])
@pytest.mark.parametrize("source", ["PostMaster User", ""])
def test_the_right_password_begins_a_session(attempt: Attempt, username: str, source: str) -> None:
    welcome = attempt(username=username, source=source)
    assert isinstance(welcome, Welcome)
    assert (welcome.admin_id, welcome.username) == (1, "admin")
    found = sessions.find(db.session(), welcome.token)
    assert found is not None
    assert (found.admin_id, found.username) == (1, "admin")


@pytest.mark.parametrize(
    "columns",
    [
        {"active": False},
        {"source": "ldap"},
        {"password": None},
        {"password": ""},
        {"password": "PostMaster"},
        {"password": "$2b$04$cut"},
    ],
)
def test_a_row_that_nobody_may_use_is_refused_in_the_same_words(
    attempt: Attempt, columns: dict[str, Any]
) -> None:
    alter_admin(**columns)
    assert str(attempt()) == WRONG
    assert str(attempt(username="nobody")) == WRONG
    assert db.session.query(AdminSession).count() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "wrong"},
        {"password": PASSWORD + " "},
        {"password": PASSWORD.upper()},
        {"password": PASSWORD + "\x00"},
        {"password": "\ud800"},
        {"username": "nobody"},
        {"username": "admin\x00"},
        {"username": "\U0001f600"},
        {"username": "a" * 5000},
        {"username": "%"},
        {"source": "example.com"},
        {"source": "postmaster user"},
    ],
)
def test_what_is_wrong_gets_the_same_words(attempt: Attempt, fields: dict[str, str]) -> None:
    assert str(attempt(**fields)) == WRONG


def test_an_empty_form_is_not_an_attempt(attempt: Attempt) -> None:
    assert "username was not provided" in str(attempt(username=" "))
    assert "password was not provided" in str(attempt(""))
    assert not the_admin().failed_attempts
    assert db.session.query(SignInFailure).count() == 0


def test_rows_of_the_first_release_sign_in(attempt: Attempt) -> None:
    alter_admin(failed_attempts=None, last_failed_date=None, otp_active=None, active=None)
    assert str(attempt("wrong")) == WRONG
    assert the_admin().failed_attempts == 1
    assert isinstance(attempt(), Welcome)


# --- counted before it is checked -----------------------------------------------


def test_an_attempt_is_counted_before_it_is_checked(context: None) -> None:
    begin()
    assert the_admin().failed_attempts == 1
    assert db.session.query(SignInFailure).count() == 1


def test_a_success_takes_its_own_count_and_all_before_it_back(attempt: Attempt) -> None:
    fail(attempt, 4)
    assert isinstance(attempt(), Welcome)
    admin = the_admin()
    assert (admin.failed_attempts, admin.last_failed_date, admin.unlock_date) == (0, None, None)
    assert db.session.query(SignInFailure).count() == 4


def test_an_attempt_that_was_cut_off_stays_counted(attempt: Attempt) -> None:
    for _ in range(5):
        begin()
    assert "locked out" in str(attempt())


def change_password() -> None:
    transact(admins.change, ADMIN, 1, password="another one")


def deactivate() -> None:
    alter_admin(active=False)


def delete_admin() -> None:
    db.session.execute(delete(Admin))
    db.session.commit()


@pytest.mark.parametrize("meanwhile", [change_password, deactivate, delete_admin])
def test_what_changed_while_the_password_was_checked_counts(
    context: None, meanwhile: Callable[[], None]
) -> None:
    begun = begin()
    meanwhile()
    assert str(settle(begun)) == WRONG
    assert db.session.query(AdminSession).count() == 0


# --- the lockout's settings -----------------------------------------------------


@pytest.mark.parametrize(("threshold", "minutes"), [("1", "1"), ("3", "7"), ("25", "99")])
def test_the_settings_say_when_and_for_how_long(
    attempt: Attempt, threshold: str, minutes: str
) -> None:
    alter_setting(settings.LOCKOUT_THRESHOLD, threshold)
    alter_setting(settings.LOCKOUT_MINUTES, minutes)
    fail(attempt, int(threshold) - 1)
    assert the_admin().unlock_date is None
    fail(attempt, 1)
    admin = the_admin()
    assert admin.unlock_date is not None
    assert admin.last_failed_date is not None
    assert admin.unlock_date - admin.last_failed_date == timedelta(minutes=int(minutes))
    assert "locked out" in str(attempt())


def test_while_the_lock_runs_nothing_gets_in_or_prolongs_it(attempt: Attempt) -> None:
    fail(attempt, 5)
    until = the_admin().unlock_date
    for password in (PASSWORD, "wrong"):
        assert "locked out" in str(attempt(password))
    assert (the_admin().unlock_date, the_admin().failed_attempts) == (until, 5)
    assert db.session.query(AdminSession).count() == 0


def test_the_attempt_that_reaches_the_threshold_may_still_be_right(attempt: Attempt) -> None:
    fail(attempt, 4)
    begun = begin()
    assert the_admin().unlock_date is not None
    assert "locked out" in str(begin())
    assert isinstance(settle(begun), Welcome)
    assert the_admin().unlock_date is None


def test_a_lock_that_has_run_out_starts_counting_anew(attempt: Attempt) -> None:
    fail(attempt, 5)
    alter_admin(unlock_date=history.now() - timedelta(seconds=1))
    fail(attempt, 1)
    assert (the_admin().failed_attempts, the_admin().unlock_date) == (1, None)
    fail(attempt, 4)
    assert "locked out" in str(attempt())


@pytest.mark.parametrize(("ago", "counted"), [(11, 5), (12, 1)])
def test_failures_count_together_within_the_reset_window(
    attempt: Attempt, ago: int, counted: int
) -> None:
    alter_setting(settings.LOCKOUT_RESET_MINUTES, "12")
    fail(attempt, 4)
    alter_admin(last_failed_date=history.now() - timedelta(minutes=ago))
    fail(attempt, 1)
    assert the_admin().failed_attempts == counted
    assert admins.is_locked(the_admin()) is (counted == 5)


def test_a_threshold_of_zero_never_locks(attempt: Attempt) -> None:
    alter_setting(settings.LOCKOUT_THRESHOLD, "0")
    fail(attempt, 30)
    assert the_admin().unlock_date is None
    assert isinstance(attempt(), Welcome)


def test_an_administrator_who_may_not_sign_in_is_locked_too(attempt: Attempt) -> None:
    """Else the words would tell who is inactive."""
    alter_admin(active=False)
    fail(attempt, 5)
    assert "locked out" in str(attempt())


def test_a_lock_is_in_the_history_and_names_the_account(attempt: Attempt) -> None:
    alter_setting(settings.LOCKOUT_MINUTES, "7")
    fail(attempt, 4)
    attempt("wrong", username=" ADMIN ")
    entry = db.session.query(HistoryEntry).one()
    assert (entry.action, entry.kind, entry.object_id) == ("lock", "admin", 1)
    assert (entry.object_name, entry.ip, entry.new) == ("admin", "192.0.2.1", {"minutes": 7})


def test_a_spelling_that_the_database_takes_for_the_name_names_the_account(
    attempt: Attempt,
) -> None:
    """MariaDB's collation ignores accents; the history must not hold the guess's spelling."""
    for _ in range(5):
        attempt("wrong", username="\u00e4dmin")
    names = {entry.object_name for entry in db.session.query(HistoryEntry)}
    assert names <= {"admin"}
    is_mariadb = db.engine.dialect.name == "mysql"
    assert bool(names) is is_mariadb


# --- at once --------------------------------------------------------------------


def test_guesses_at_once_cannot_exceed_the_threshold(app: Flask) -> None:
    """Of twelve at once no more than three are looked at, and the right one is not lucky."""
    with app.app_context():
        alter_setting(settings.LOCKOUT_THRESHOLD, "3")
    gate = threading.Barrier(12)
    outcomes: list[str] = []

    def guess() -> None:
        with app.app_context():
            gate.wait()
            outcomes.append(str(try_to_sign_in("wrong")))

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(WRONG) == 3
    assert sum("locked out" in outcome for outcome in outcomes) == 9
    with app.app_context():
        assert the_admin().failed_attempts == 3
        assert "locked out" in str(try_to_sign_in())
