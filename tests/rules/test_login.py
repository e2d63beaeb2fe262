"""Who gets in, and the lockout: counted first, checked then, by the settings."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import delete

from postmaster.db import db, transact
from postmaster.errors import RuleError, Throttled, Unauthenticated
from postmaster.models import Admin, AdminSession, HistoryEntry, SignInFailure
from postmaster.rules import admins, history, login, sessions, settings, twofactor
from postmaster.rules.login import CodeWanted, Welcome
from tests.conftest import ADMIN, PASSWORD
from tests.rules.conftest import (
    alter_admin,
    alter_setting,
    send_code,
    the_admin,
    try_to_sign_in,
)

Attempt = Callable[..., Welcome | RuleError]

WRONG = "The username or password was incorrect"
WRONG_CODE = "The two factor authentication code is incorrect"


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


# --- in two steps ---------------------------------------------------------------


@pytest.fixture
def recovery(context: None) -> list[str]:
    """The second factor is on; its recovery codes."""
    transact(twofactor.fresh_uri, ADMIN, 1)
    code = pyotp.TOTP(the_admin().otp_secret or "").now()
    return transact(twofactor.enable, ADMIN, 1, code=code)


def first_step() -> Welcome | CodeWanted | RuleError:
    return try_to_sign_in(in_steps=True)


def digits() -> str:
    alter_admin(otp_last_step=None)  # as if the last code were long ago
    return pyotp.TOTP(the_admin().otp_secret or "").now()


def counts() -> tuple[int | None, int]:
    return the_admin().failed_attempts, db.session.query(SignInFailure).count()


def test_without_a_second_factor_one_step_is_enough(context: None) -> None:
    assert isinstance(first_step(), Welcome)


def test_a_code_that_comes_along_is_looked_at_at_once(recovery: list[str]) -> None:
    assert str(try_to_sign_in(code="000000", in_steps=True)) == WRONG_CODE
    assert isinstance(try_to_sign_in(code=recovery[0], in_steps=True), Welcome)


def test_the_first_step_leaves_no_count_and_no_session(recovery: list[str]) -> None:
    wanted = first_step()
    assert isinstance(wanted, CodeWanted)
    assert (wanted.admin_id, wanted.username) == (1, "admin")
    assert the_admin().password not in repr(wanted)
    assert counts() == (0, 0)
    admin = the_admin()
    assert (admin.last_failed_date, admin.unlock_date, admin.last_sign_in) == (None, None, None)
    assert db.session.query(AdminSession).count() == 0


@pytest.mark.parametrize("kind", ["digits", "recovery code"])
def test_the_second_step_begins_the_session(recovery: list[str], kind: str) -> None:
    wanted = first_step()
    welcome = send_code(wanted, recovery[0] if kind == "recovery code" else digits())
    assert isinstance(welcome, Welcome)
    found = sessions.find(db.session(), welcome.token)
    assert found is not None
    assert (found.admin_id, found.two_factor) == (1, True)
    assert counts() == (0, 0)


def test_a_code_of_the_second_step_works_once(recovery: list[str]) -> None:
    assert isinstance(send_code(first_step(), recovery[0]), Welcome)
    assert str(send_code(first_step(), recovery[0])) == WRONG_CODE


def test_a_wrong_password_is_refused_in_the_first_step(recovery: list[str]) -> None:
    assert str(try_to_sign_in("wrong", in_steps=True)) == WRONG
    assert counts() == (1, 1)


def test_starting_again_does_not_forget_wrong_codes(recovery: list[str]) -> None:
    """Else whoever has the password could guess codes without end."""
    for number in range(1, 5):
        assert str(send_code(first_step(), "000000")) == WRONG_CODE
        assert counts() == (number, number)
    assert isinstance(first_step(), CodeWanted)
    assert counts() == (4, 4)
    assert the_admin().unlock_date is None, "the first step's own lock is lifted"
    assert str(send_code(first_step(), "000000")) == WRONG_CODE
    assert "locked out" in str(first_step())
    assert [entry.action for entry in db.session.query(HistoryEntry)][-1] == "lock"


def test_a_lock_holds_in_the_second_step(recovery: list[str]) -> None:
    wanted = first_step()
    for _ in range(5):
        assert str(send_code(wanted, "000000")) == WRONG_CODE
    assert "locked out" in str(send_code(wanted, recovery[0]))
    assert db.session.query(AdminSession).count() == 0


def test_the_fifth_code_may_still_be_right(recovery: list[str]) -> None:
    wanted = first_step()
    for _ in range(4):
        send_code(wanted, "000000")
    assert isinstance(send_code(wanted, recovery[0]), Welcome)
    assert the_admin().unlock_date is None


def test_the_first_step_does_not_lift_the_lock_of_another_attempt(recovery: list[str]) -> None:
    fail(try_to_sign_in, 3)
    begun = begin()
    assert str(try_to_sign_in("wrong")) == WRONG
    until = the_admin().unlock_date
    assert until is not None
    assert isinstance(begun, login.Attempt)
    outcome = transact(
        login.settle,
        begun,
        password_is_right=True,
        code="",
        agent="",
        session_hours=12,
        asks_for_code=True,
    )
    assert isinstance(outcome, CodeWanted)
    assert (the_admin().failed_attempts, the_admin().unlock_date) == (4, until)
    assert "locked out" in str(send_code(outcome, recovery[0]))


def turn_off() -> None:
    transact(twofactor.disable, ADMIN, 1)


@pytest.mark.parametrize("meanwhile", [change_password, deactivate, delete_admin, turn_off])
def test_what_changed_between_the_steps_leads_back_to_the_first(
    recovery: list[str], meanwhile: Callable[[], None]
) -> None:
    wanted = first_step()
    meanwhile()
    refused = send_code(wanted, recovery[0])
    assert isinstance(refused, Unauthenticated)
    assert "sign in again" in str(refused)
    assert db.session.query(AdminSession).count() == 0


def test_a_forged_proof_is_refused(recovery: list[str]) -> None:
    forged = CodeWanted(1, "admin", login.proof_of(Admin(password="another hash")))
    assert isinstance(send_code(forged, recovery[0]), Unauthenticated)


def test_the_second_step_is_throttled_too(recovery: list[str]) -> None:
    wanted = first_step()
    send_code(wanted, "000000")
    assert isinstance(send_code(wanted, recovery[0], limit=1), Throttled)
    assert isinstance(send_code(wanted, recovery[0], limit=1, ip="192.0.2.2"), Welcome)


def test_a_sign_in_is_remembered_with_its_moment(recovery: list[str]) -> None:
    before = history.now().replace(microsecond=0)
    send_code(first_step(), "000000")
    assert the_admin().last_sign_in is None
    send_code(first_step(), recovery[0])
    moment = the_admin().last_sign_in
    assert moment is not None
    assert before <= moment <= history.now()
    assert moment.microsecond == 0


# --- the sources ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("enabled", "domain", "offered"),
    [
        ("False", "ad.example.com", []),
        ("True", None, []),
        ("True", "ad.example.com", ["ad.example.com"]),
    ],
)
def test_the_directory_is_offered_while_it_is_on(
    context: None, enabled: str, domain: str | None, offered: list[str]
) -> None:
    alter_setting(settings.LDAP_ENABLED, enabled)
    if domain:
        alter_setting(settings.LDAP_DOMAIN, domain)
    assert login.offered(db.session()).sources == ("PostMaster User", *offered)


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
