"""The audit lines of the log: only while they are wanted, only of what was committed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from postmaster.db import db, transact
from postmaster.errors import Invalid
from postmaster.models import SettingRow
from postmaster.rules import (
    actions,
    admins,
    aliases,
    domains,
    settings,
    settings_acts,
    users,
)
from postmaster.rules.actor import Actor
from tests.conftest import ADMIN

Do = Callable[..., Any]


@pytest.fixture
def auditing(context: None) -> None:
    db.session.query(SettingRow).filter_by(setting=settings.MAIL_AUDITING.name).update(
        {"value": "True"}
    )
    db.session.commit()


def lines(app: Flask) -> list[dict[str, str]]:
    """The log as it is on disk."""
    path = app.extensions["postmaster_log"].path
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def messages(app: Flask) -> list[str]:
    return [line["message"] for line in lines(app)]


def test_without_the_setting_nothing_is_written(app: Flask, do: Do) -> None:
    do(domains.create, name="example.com")
    assert lines(app) == []


@pytest.mark.usefixtures("auditing")
def test_a_line_says_who_did_what_from_where(app: Flask, do: Do) -> None:
    do(domains.create, name="example.com")
    (line,) = lines(app)
    assert (line["category"], line["admin"], line["ip"]) == ("audit", ADMIN.name, ADMIN.ip)
    assert line["message"] == 'The domain "example.com" was created'


@pytest.mark.usefixtures("auditing")
def test_a_line_names_what_was_changed_and_how(app: Flask, do: Do) -> None:
    domain = do(domains.create, name="exmaple.com")
    do(domains.change, domain.id, name="example.com")
    user = do(users.create, email="ana@example.com", password="password")
    alias = do(aliases.create, source="info@example.com", destination="ana@example.com")
    do(aliases.change, alias.id, source="help@example.com")
    do(users.change, user.id, password="another one")
    do(aliases.remove, alias.id)
    do(users.remove, user.id)
    do(domains.remove, domain.id)
    admin = do(admins.create, username="bob", password="password", name="Bob")
    do(admins.remove, admin.id)
    do(settings_acts.change, 1, value="9", log_is_writable=lambda: True)
    assert messages(app) == [
        'The domain "exmaple.com" was created',
        'The domain "exmaple.com" was changed: name: "exmaple.com" -> "example.com"',
        'The user "ana@example.com" was created',
        'The alias "info@example.com -> ana@example.com" was created',
        'The alias "info@example.com -> ana@example.com" was changed: '
        'source: "info@example.com" -> "help@example.com"',
        'The user "ana@example.com" had its password changed',
        'The alias "help@example.com -> ana@example.com" was deleted',
        'The user "ana@example.com" was deleted',
        'The domain "example.com" was deleted',
        'The administrator "bob" was created',
        'The administrator "bob" was deleted',
        'The setting "Minimum Password Length" was changed: value: "8" -> "9"',
    ]


def test_turning_it_on_is_the_first_line_and_turning_it_off_is_not_written(
    app: Flask, do: Do
) -> None:
    number = settings.ALL.index(settings.MAIL_AUDITING) + 1
    for value in ("True", "False"):
        do(settings_acts.change, number, value=value, log_is_writable=lambda: True)
    assert messages(app) == [
        'The setting "Mail Database Auditing" was changed: value: "False" -> "True"'
    ]


@pytest.mark.usefixtures("auditing")
def test_a_refused_act_writes_no_line(app: Flask, do: Do) -> None:
    with pytest.raises(Invalid):
        do(users.create, email="ana@example.com", password="password")
    assert lines(app) == []


@pytest.mark.usefixtures("auditing")
def test_the_line_is_written_after_the_commit(app: Flask) -> None:
    def act(session: Session, actor: Actor) -> None:
        domains.create(session, actor, name="example.com")
        assert lines(app) == []

    transact(act, ADMIN)
    assert len(lines(app)) == 1


@pytest.mark.usefixtures("auditing")
def test_what_fails_after_the_act_writes_no_line(app: Flask) -> None:
    def act(session: Session, actor: Actor) -> None:
        domains.create(session, actor, name="example.com")
        raise KeyError

    with pytest.raises(KeyError):
        transact(act, ADMIN)
    transact(domains.create, ADMIN, name="example.org")
    assert messages(app) == ['The domain "example.org" was created']


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (None, None, ""),
        ({"name": "a"}, {"name": "b"}, 'name: "a" -> "b"'),
        ({"name": "a"}, {"name": "a"}, ""),
        ({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "c": 5}, 'b: "2" -> "4", c: "3" -> "5"'),
        ({"value": None}, {"value": "x"}, 'value: "None" -> "x"'),
        ({"name": "a"}, None, ""),
    ],
)
def test_a_difference_has_only_what_differs(
    old: dict[str, object] | None, new: dict[str, object] | None, line: str
) -> None:
    assert actions.difference(old, new) == line
