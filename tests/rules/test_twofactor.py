"""The second factor as acts: a secret, on, off, codes that work once."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from postmaster.db import db, transact
from postmaster.errors import Invalid, RuleError
from postmaster.models import Admin, AdminSession, HistoryEntry, RecoveryCode
from postmaster.rules import admins, settings, totp, twofactor
from postmaster.rules.login import Welcome
from tests.conftest import ADMIN
from tests.rules.conftest import alter_admin, alter_setting, the_admin, try_to_sign_in

Attempt = Callable[..., Welcome | RuleError]
Do = Callable[..., Any]

REFUSED = "The two factor authentication code is incorrect"
# Secrets of PostMaster 1.x are 80 bits, which pyotp and others refuse today. The same key
# bytes with zeros behind them are the same HMAC key (RFC 2104), which pyotp takes.
OLD_SECRET = "JBSWY3DPEHPK3PXP"
OLD_SECRET_PADDED = "JBSWY3DPEHPK3PXP" + "A" * 16


def code_now(secret: str) -> str:
    return pyotp.TOTP(secret).now()


def turn_on() -> list[str]:
    """Turn it on as its owner does; the recovery codes."""
    transact(twofactor.fresh_uri, ADMIN, 1)
    return transact(twofactor.enable, ADMIN, 1, code=code_now(the_admin().otp_secret or ""))


def forget_last_code() -> None:
    """As if the code that turned it on were long ago."""
    alter_admin(otp_last_step=None)


def actions() -> list[str]:
    return list(db.session.scalars(select(HistoryEntry.action).order_by(HistoryEntry.id)))


@pytest.fixture
def bob(do: Do) -> int:
    """The id of another administrator."""
    admin: Admin = do(admins.create, username="bob", password="password", name="Bob")
    return admin.id


# --- on -------------------------------------------------------------------------


def test_each_uri_has_a_new_secret_that_is_not_in_use_yet(do: Do, attempt: Attempt) -> None:
    first = pyotp.parse_uri(do(twofactor.fresh_uri, 1))
    second = pyotp.parse_uri(do(twofactor.fresh_uri, 1))
    assert first.secret != second.secret == the_admin().otp_secret
    assert not the_admin().otp_active
    assert isinstance(attempt(), Welcome)


def test_another_ones_secret_is_neither_shown_nor_touched(do: Do, bob: int) -> None:
    with pytest.raises(Invalid, match="may not view"):
        do(twofactor.fresh_uri, bob)
    assert db.session.get_one(Admin, bob).otp_secret is None


def test_once_it_is_on_there_is_no_uri_any_more(do: Do) -> None:
    turn_on()
    secret = the_admin().otp_secret
    assert do(twofactor.fresh_uri, 1) is None
    assert the_admin().otp_secret == secret


def test_turning_on_ends_the_sessions_and_is_recorded_without_the_secret(attempt: Attempt) -> None:
    attempt()
    codes = turn_on()
    assert db.session.query(AdminSession).count() == 0
    entry = db.session.query(HistoryEntry).one()
    assert (entry.action, entry.object_name, entry.old, entry.new) == (
        "enable second factor",
        "admin",
        None,
        None,
    )
    stored = set(db.session.scalars(select(RecoveryCode.code_hash)))
    assert len(stored) == 10
    assert not stored & set(codes)


def test_a_wrong_code_turns_nothing_on(do: Do) -> None:
    do(twofactor.fresh_uri, 1)
    now = int(datetime.now(UTC).timestamp()) // totp.STEP
    hotp = pyotp.HOTP(the_admin().otp_secret or "")
    near = {hotp.at(step) for step in range(now - 3, now + 4)}
    wrong = next(code for code in ("000000", *map(hotp.at, range(9))) if code not in near)
    with pytest.raises(Invalid, match="invalid code"):
        do(twofactor.enable, 1, code=wrong)
    assert not the_admin().otp_active
    assert actions() == []


def test_a_second_verification_keeps_the_recovery_codes(do: Do, attempt: Attempt) -> None:
    codes = turn_on()
    forget_last_code()
    assert do(twofactor.enable, 1, code=code_now(the_admin().otp_secret or "")) == []
    assert isinstance(attempt(code=codes[0]), Welcome)
    assert actions() == ["enable second factor"]


# --- signing in -----------------------------------------------------------------


def test_a_code_lets_in_once(attempt: Attempt) -> None:
    turn_on()
    secret = the_admin().otp_secret or ""
    assert str(attempt(code=code_now(secret))) == REFUSED, "it turned the factor on already"
    forget_last_code()
    code = code_now(secret)
    assert isinstance(attempt(code=f" {code[:3]} {code[3:]} "), Welcome)
    assert str(attempt(code=code)) == REFUSED


@pytest.mark.parametrize("code", ["", "      ", "12345", "abcdef", "\u0661\u0662\u0663456", "-1"])
def test_a_missing_or_senseless_code_is_refused_and_counts(attempt: Attempt, code: str) -> None:
    turn_on()
    assert str(attempt(code=code)) == REFUSED
    assert the_admin().failed_attempts == 1


def test_a_wrong_password_says_nothing_about_the_code_and_uses_none_up(attempt: Attempt) -> None:
    codes = turn_on()
    assert "username or password" in str(attempt("wrong", code=codes[0]))
    assert isinstance(attempt(code=codes[0]), Welcome)


def test_wrong_codes_lock_and_then_the_right_one_is_refused_too(attempt: Attempt) -> None:
    codes = turn_on()
    for _ in range(5):
        assert str(attempt(code="abcdef")) == REFUSED
    forget_last_code()
    assert "locked out" in str(attempt(code=codes[0]))
    assert "locked out" in str(attempt(code=code_now(the_admin().otp_secret or "")))
    assert db.session.query(RecoveryCode).count() == 10


def test_a_secret_of_80_bits_works_in_either_case(attempt: Attempt) -> None:
    for secret in (OLD_SECRET, OLD_SECRET.lower()):
        alter_admin(otp_active=True, otp_secret=secret, otp_last_step=None)
        assert str(attempt()) == REFUSED
        assert isinstance(attempt(code=code_now(OLD_SECRET_PADDED)), Welcome)


@pytest.mark.parametrize("secret", [None, ""])
def test_on_without_a_secret_lets_nobody_in(attempt: Attempt, secret: str | None) -> None:
    alter_admin(otp_active=True, otp_secret=secret)
    for code in ("", "000000"):
        assert str(attempt(code=code)) == REFUSED


def test_off_needs_no_code_and_looks_at_none(attempt: Attempt) -> None:
    for off in (False, None):
        alter_admin(otp_active=off, otp_secret=OLD_SECRET)
        assert isinstance(attempt(code="of no matter"), Welcome)


# --- recovery codes -------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code,
        lambda code: code.lower(),
        lambda code: code.replace("-", ""),
        lambda code: f" {code.replace('-', ' ')}\n",
    ],
)
def test_a_recovery_code_works_once_however_it_is_typed(
    attempt: Attempt, typed: Callable[[str], str]
) -> None:
    first, second, *_ = turn_on()
    assert isinstance(attempt(code=typed(first)), Welcome)
    assert str(attempt(code=typed(first))) == REFUSED
    assert isinstance(attempt(code=typed(second)), Welcome)
    assert db.session.query(RecoveryCode).count() == 8


def test_the_stored_hash_of_a_recovery_code_is_no_code(attempt: Attempt) -> None:
    turn_on()
    stored = db.session.scalars(select(RecoveryCode.code_hash)).first()
    assert str(attempt(code=stored)) == REFUSED


def test_another_ones_recovery_code_lets_nobody_in(attempt: Attempt, do: Do, bob: int) -> None:
    codes = turn_on()
    row = db.session.get_one(Admin, bob)
    row.otp_active, row.otp_secret = True, OLD_SECRET
    db.session.commit()
    assert str(attempt("password", username="bob", code=codes[0])) == REFUSED
    assert isinstance(attempt(code=codes[0]), Welcome)


def test_renewed_codes_replace_all_old_ones(do: Do, attempt: Attempt) -> None:
    old = turn_on()
    new = do(twofactor.renew_recovery_codes, 1)
    assert len(set(new) | set(old)) == 20
    assert str(attempt(code=old[0])) == REFUSED
    assert isinstance(attempt(code=new[0]), Welcome)
    assert actions() == ["enable second factor", "renew recovery codes"]


def test_codes_are_renewed_only_of_ones_own_and_only_while_it_is_on(do: Do, bob: int) -> None:
    with pytest.raises(Invalid, match="may not view"):
        do(twofactor.renew_recovery_codes, bob)
    with pytest.raises(Invalid, match="not turned on"):
        do(twofactor.renew_recovery_codes, 1)
    assert db.session.query(RecoveryCode).count() == 0


# --- off ------------------------------------------------------------------------


def test_turning_off_forgets_secret_and_codes_and_ends_the_sessions(
    do: Do, attempt: Attempt
) -> None:
    codes = turn_on()
    attempt(code=codes[0])
    do(twofactor.disable, 1)
    admin = the_admin()
    assert (admin.otp_active, admin.otp_secret, admin.otp_last_step) == (False, None, None)
    assert db.session.query(RecoveryCode).count() == 0
    assert db.session.query(AdminSession).count() == 0
    assert isinstance(attempt(), Welcome)
    assert actions() == ["enable second factor", "disable second factor"]


def test_turning_off_what_is_off_changes_nothing(do: Do, attempt: Attempt) -> None:
    attempt()
    do(twofactor.disable, 1)
    assert db.session.query(AdminSession).count() == 1
    assert actions() == []


# --- at once --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["digits", "recovery code"])
def test_of_ten_at_once_with_one_code_one_gets_in(app: Flask, kind: str) -> None:
    with app.app_context():
        (recovery, *_) = turn_on()
        forget_last_code()
        alter_setting(settings.LOCKOUT_THRESHOLD, "0")  # which would end the race early
        code = recovery if kind == "recovery code" else code_now(the_admin().otp_secret or "")
        db.session.remove()
    gate = threading.Barrier(10)
    outcomes: list[Welcome | RuleError] = []

    def enter(number: int) -> None:
        with app.app_context():
            gate.wait()
            outcomes.append(try_to_sign_in(code=code, ip=f"192.0.2.{number}"))

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Welcome) for outcome in outcomes) == 1
    assert [str(o) for o in outcomes if isinstance(o, RuleError)] == [REFUSED] * 9
