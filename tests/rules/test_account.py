"""What administrators do to their own account, and the present password before it."""

from collections.abc import Callable
from typing import Any

import pyotp
import pytest

from postmaster.db import db, transact
from postmaster.errors import Forbidden, Invalid, RuleError, Throttled, Unauthenticated
from postmaster.models import Admin, AdminSession, HistoryEntry, SignInFailure
from postmaster.rules import account, admins, login, settings, twofactor
from postmaster.rules.actor import Actor
from tests.conftest import ADMIN, PASSWORD
from tests.rules.conftest import alter_admin, alter_setting, the_admin, try_to_sign_in

Do = Callable[..., Any]

OPERATOR = Actor(None, "root", "command")
NEW = "another password"


def with_present(
    act: Callable[..., Admin | RuleError],
    present: str = PASSWORD,
    *,
    limit: int = 100,
    **fields: str,
) -> Admin | RuleError:
    """An act from the count to its end."""
    attempt = transact(account.begin, ADMIN, failures_per_hour=limit)
    if isinstance(attempt, RuleError):
        return attempt
    is_right = account.check(attempt, present)
    return transact(act, ADMIN, attempt, present_is_right=is_right, **fields)


def change_password(
    present: str = PASSWORD, new: str = NEW, *, limit: int = 100
) -> Admin | RuleError:
    return with_present(account.change_password, present, limit=limit, new=new)


def turn_on() -> list[str]:
    transact(twofactor.fresh_uri, ADMIN, 1)
    code = pyotp.TOTP(the_admin().otp_secret or "").now()
    return transact(twofactor.enable, ADMIN, 1, code=code)


def actions() -> list[str]:
    return [entry.action for entry in db.session.query(HistoryEntry).order_by(HistoryEntry.id)]


# --- name and language ----------------------------------------------------------


def test_ones_name_is_changed(do: Do) -> None:
    do(account.change_name, " Ana ")
    assert the_admin().name == "Ana"
    assert actions() == ["change"]
    with pytest.raises(Invalid, match="not specified"):
        do(account.change_name, " ")


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "nl", None])
def test_a_language_is_chosen_and_not_recorded(do: Do, language: str | None) -> None:
    alter_admin(language="de")
    do(account.choose_language, language)
    assert the_admin().language == language
    assert actions() == []


@pytest.mark.parametrize("language", ["", "xx", "EN", "de-AT", "x" * 100, "\x00"])
def test_another_language_is_refused(do: Do, language: str) -> None:
    with pytest.raises(Invalid, match="no such language") as refused:
        do(account.choose_language, language)
    assert refused.value.field == "language"
    assert the_admin().language is None


@pytest.mark.parametrize(
    "act",
    [
        lambda: transact(account.change_name, OPERATOR, "Root"),
        lambda: transact(account.choose_language, OPERATOR, "de"),
        lambda: transact(account.second_factor_uri, OPERATOR),
        lambda: transact(account.begin, OPERATOR, failures_per_hour=100),
    ],
)
def test_the_operator_has_no_own_account(context: None, act: Callable[[], object]) -> None:
    with pytest.raises(Unauthenticated):
        act()


# --- the secret that waits ------------------------------------------------------


def test_the_waiting_secret_is_shown_without_making_a_new_one(do: Do) -> None:
    assert do(account.second_factor_uri) is None
    fresh = do(twofactor.fresh_uri, 1)
    for _ in range(2):
        assert do(account.second_factor_uri) == (fresh, the_admin().otp_secret)


def test_a_secret_that_is_in_use_is_not_shown(do: Do) -> None:
    turn_on()
    assert do(account.second_factor_uri) is None


# --- the password ---------------------------------------------------------------


def test_with_the_present_password_a_new_one_is_set(context: None) -> None:
    try_to_sign_in()
    assert isinstance(change_password(), Admin)
    assert db.session.query(AdminSession).count() == 0
    assert isinstance(try_to_sign_in(NEW), login.Welcome)
    assert actions() == ["change password"]


def test_a_wrong_present_password_is_refused_and_counted(context: None) -> None:
    refused = change_password("wrong")
    assert isinstance(refused, Invalid)
    assert (str(refused), refused.field) == ("The present password is incorrect", "present")
    assert the_admin().failed_attempts == 1
    assert db.session.query(SignInFailure).count() == 1
    assert isinstance(try_to_sign_in(), login.Welcome)
    assert actions() == []


def test_guessing_at_an_open_browser_locks(context: None) -> None:
    for _ in range(5):
        assert "incorrect" in str(change_password("wrong"))
    refused = change_password()
    assert isinstance(refused, Forbidden)
    assert "locked out" in str(refused)
    assert "locked out" in str(try_to_sign_in())
    assert actions() == ["lock"]


def test_guessing_at_an_open_browser_is_throttled(context: None) -> None:
    change_password("wrong", limit=1)
    assert isinstance(change_password(limit=1), Throttled)


def test_the_right_password_takes_only_its_own_count_back(context: None) -> None:
    for _ in range(4):
        change_password("wrong")
    assert isinstance(change_password(), Admin)
    assert (the_admin().failed_attempts, the_admin().unlock_date) == (4, None)
    assert db.session.query(SignInFailure).count() == 4


@pytest.mark.parametrize(("new", "words"), [("short", "at least 8"), (" ", "not specified")])
def test_a_new_password_that_is_refused_is_no_failed_attempt(
    context: None, new: str, words: str
) -> None:
    for _ in range(6):
        refused = change_password(new=new)
        assert isinstance(refused, Invalid)
        assert words in str(refused)
        assert refused.field == "new"
    assert the_admin().failed_attempts == 0
    assert isinstance(try_to_sign_in(), login.Welcome)


def test_a_password_of_the_directory_is_changed_there(do: Do) -> None:
    alter_admin(source="ldap")
    with pytest.raises(Invalid, match="is changed elsewhere"):
        do(account.begin, failures_per_hour=100)
    assert not the_admin().failed_attempts


def test_a_password_that_changed_meanwhile_is_not_the_present_one(do: Do) -> None:
    attempt = do(account.begin, failures_per_hour=100)
    do(admins.change, 1, password="set by another")
    refused = do(account.change_password, attempt, present_is_right=True, new=NEW)
    assert str(refused) == "The present password is incorrect"
    assert isinstance(try_to_sign_in("set by another"), login.Welcome)


def test_an_account_that_is_gone_meanwhile_is_signed_out(do: Do) -> None:
    do(admins.create, username="bob", password="password", name="Bob")
    attempt = do(account.begin, failures_per_hour=100)
    do(admins.remove, 1)
    refused = do(account.change_password, attempt, present_is_right=True, new=NEW)
    assert isinstance(refused, RuleError)


# --- the second factor ----------------------------------------------------------


def test_with_the_present_password_ones_second_factor_goes_off(context: None) -> None:
    turn_on()
    assert "incorrect" in str(with_present(account.turn_off_second_factor, "wrong"))
    assert the_admin().otp_active
    assert isinstance(with_present(account.turn_off_second_factor), Admin)
    assert (the_admin().otp_active, the_admin().otp_secret) == (False, None)
    assert actions() == ["enable second factor", "disable second factor"]


def test_guesses_at_the_second_factors_page_lock_too(context: None) -> None:
    turn_on()
    alter_setting(settings.LOCKOUT_THRESHOLD, "2")
    for _ in range(2):
        with_present(account.turn_off_second_factor, "wrong")
    assert "locked out" in str(with_present(account.turn_off_second_factor))
    assert the_admin().otp_active
