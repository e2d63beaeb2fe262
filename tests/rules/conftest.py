"""Signing in as the surface does it, without the surface."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from postmaster.db import db, transact
from postmaster.errors import RuleError
from postmaster.models import Admin, SettingRow
from postmaster.rules import login
from postmaster.rules.settings import Setting
from tests.conftest import PASSWORD

Outcome = login.Welcome | login.CodeWanted | RuleError


def try_to_sign_in(
    password: str = PASSWORD,
    *,
    username: str = "admin",
    source: str = login.LOCAL_SOURCE,
    code: str = "",
    ip: str = "192.0.2.1",
    limit: int = 100,
    in_steps: bool = False,
) -> Outcome:
    """One attempt from beginning to end: the session that it began, or its refusal."""
    attempt = transact(
        login.begin,
        username=username,
        password=password,
        source=source,
        ip=ip,
        failures_per_hour=limit,
    )
    if isinstance(attempt, RuleError):
        return attempt
    return transact(
        login.settle,
        attempt,
        password_is_right=login.check(attempt, password),
        code=code,
        agent="a test",
        session_hours=12,
        asks_for_code=in_steps,
    )


def send_code(wanted: Outcome, code: str, *, ip: str = "192.0.2.1", limit: int = 100) -> Outcome:
    """The second step of a sign-in."""
    assert isinstance(wanted, login.CodeWanted), wanted
    attempt = transact(
        login.begin_code,
        admin_id=wanted.admin_id,
        proof=wanted.proof,
        ip=ip,
        failures_per_hour=limit,
    )
    if isinstance(attempt, RuleError):
        return attempt
    return transact(
        login.settle,
        attempt,
        password_is_right=True,
        code=code,
        agent="a test",
        session_hours=12,
    )


@pytest.fixture
def attempt(context: None) -> Callable[..., Outcome]:
    """Try to sign in to a new installation."""
    return try_to_sign_in


def the_admin() -> Admin:
    """The default administrator's row as it is now."""
    db.session.remove()
    return db.session.get_one(Admin, 1)


def alter_admin(**columns: Any) -> None:
    """Change the default administrator's row by hand, for instance its dates."""
    db.session.remove()
    db.session.execute(update(Admin).where(Admin.id == 1).values(**columns))
    db.session.commit()


def alter_setting(setting: Setting[Any], value: str) -> None:
    """Change the row of a setting by hand."""
    db.session.remove()
    db.session.execute(
        update(SettingRow).where(SettingRow.setting == setting.name).values(value=value)
    )
    db.session.commit()
