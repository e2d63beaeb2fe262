"""Trying the directory out: what is refused before, and what counts after."""

from collections.abc import Callable
from typing import Any

import pytest

from postmaster.directory.plan import Directory
from postmaster.directory.trail import Step, Trail
from postmaster.errors import Invalid, RuleError, Throttled
from postmaster.rules import settings, trials
from postmaster.rules.directories import Trust
from tests.rules.conftest import alter_setting

Do = Callable[..., Any]


@pytest.fixture
def described(context: None) -> None:
    alter_setting(settings.LDAP_SERVER, "ldaps://127.0.0.1:9")
    alter_setting(settings.LDAP_DOMAIN, "example.com")
    alter_setting(settings.LDAP_GROUP, "Mail Admins")


def steps(*, passed: bool) -> list[Step]:
    trail = Trail()
    if passed:
        trail.passed("Fine")
    else:
        trail.failed(RuleError("Not fine"))
    return trail.steps


def begin(do: Do, limit: int | None = 2) -> Directory | Throttled:
    found: Directory | Throttled = do(
        trials.begin, Trust(), username="alice", failures_per_hour=limit
    )
    return found


@pytest.mark.usefixtures("described")
def test_it_can_be_tried_before_it_is_enabled(do: Do) -> None:
    directory = begin(do)
    assert isinstance(directory, Directory)
    assert directory.domain == "example.com"


@pytest.mark.usefixtures("described")
def test_nobody_is_no_one_to_try(do: Do) -> None:
    with pytest.raises(Invalid, match="username"):
        do(trials.begin, Trust(), username=" ")


def test_what_is_missing_is_named(do: Do) -> None:
    with pytest.raises(Invalid, match="AD Server LDAP String, AD Domain, AD PostMaster Group"):
        do(trials.begin, Trust(), username="alice")


@pytest.mark.usefixtures("described")
def test_trials_that_fail_count_as_refused_sign_ins(do: Do) -> None:
    for _ in range(3):
        do(trials.end, steps(passed=True), username="alice")
    assert isinstance(begin(do), Directory)
    for _ in range(2):
        do(trials.end, steps(passed=False), username="alice")
    assert isinstance(begin(do), Throttled)
    assert isinstance(begin(do, limit=None), Directory), "the operator may go on"
