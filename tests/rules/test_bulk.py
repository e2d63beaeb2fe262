"""Several rows at once: all or none, and one change in the history."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from passlib.hash import sha512_crypt
from sqlalchemy import select

from postmaster.db import db
from postmaster.errors import Conflict, Invalid, NotFound, RuleError
from postmaster.models import Admin, Alias, Domain, HistoryEntry, HistorySecret, User
from postmaster.rules import actions, admins, aliases, domains, history, settings, undo, users
from tests.rules.conftest import alter_setting
from tests.rules.mail import by_hand, fill, ids, newest, parts_of, rows_now

Do = Callable[..., Any]
EVA = "eva@two.example"


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    yield


def pairs(*alias_ids: int) -> list[tuple[str, str]]:
    db.session.remove()
    chosen = select(Alias).where(Alias.id.in_(alias_ids)).order_by(Alias.id)
    return [(alias.source, alias.destination) for alias in db.session.scalars(chosen)]


def test_users_are_deleted_together(do: Do) -> None:
    do(users.remove_several, [11, 12])
    assert ids(User) == [21, 22]
    head = newest()
    assert (head.action, head.kind, head.object_id, head.object_name, head.new) == (
        *("delete", "user", 0, "2 users"),
        {"count": 2},
    )
    template, values = actions.sentence(head)
    assert template % values == "2 users were deleted"
    assert parts_of(head.id) == [
        ("delete", "user", "ana@one.example"),
        ("delete", "user", "bob@one.example"),
        ("delete", "alias", "bob@one.example -> bob@one.example"),
        ("delete", "alias", "sales@two.example -> ana@one.example"),
        ("delete", "alias", "team@one.example -> ana@one.example"),
    ]


def test_one_row_is_a_change_of_its_own(do: Do) -> None:
    do(users.remove_several, [21])
    assert (newest().object_id, newest().object_name) == (21, "dora@two.example")
    do(users.change_several, [22], password="password")
    assert (newest().object_id, newest().action) == (22, "change password")
    do(aliases.remove_several, [101])
    assert newest().object_id == 101
    do(domains.remove_several, [1])
    assert newest().object_id == 1


def test_domains_are_deleted_together(do: Do) -> None:
    do(domains.remove_several, [2, 1])
    assert (ids(Domain), ids(User), ids(Alias)) == ([], [], [])
    assert newest().object_name == "2 domains"
    assert len(parts_of(newest().id)) == 2 + 4 + 9


def test_aliases_are_deleted_together(do: Do) -> None:
    do(aliases.remove_several, [101, 102])
    assert ids(Alias) == [103, 104, 201, 202, 203, 204, 205]
    assert newest().object_name == "2 aliases"


def test_passwords_are_set_together_each_with_its_own_salt(do: Do) -> None:
    do(users.change_several, [11, 12, 21], password="one for all")
    hashes = [row[2] for row in rows_now()["virtual_users"]][:3]
    assert len(set(hashes)) == 3
    assert all(sha512_crypt.verify("one for all", hashed) for hashed in hashes)
    assert parts_of(newest().id) == [
        ("change password", "user", "ana@one.example"),
        ("change password", "user", "bob@one.example"),
        ("change password", "user", "dora@two.example"),
    ]
    secrets = list(db.session.scalars(select(HistorySecret).order_by(HistorySecret.entry_id)))
    assert [secret.password for secret in secrets] == [f"$6$salt$hash{n}" for n in (11, 12, 21)]
    assert [secret.replaced_by for secret in secrets] == [history.digest(h) for h in hashes]


@pytest.mark.parametrize(
    ("act", "arguments", "fields", "error", "key_words"),
    [
        (users.remove_several, ([11, 4711],), {}, NotFound, "user was not found"),
        (users.remove_several, ([],), {}, Invalid, "Nothing was selected"),
        (users.remove_several, ([11, 12],), {"seen": "x"}, Conflict, "not what was shown"),
        (users.change_several, ([11, 12],), {"password": "short"}, Invalid, "at least 8"),
        (users.change_several, ([11, 12],), {"password": " "}, Invalid, "not supplied"),
        (users.change_several, ([11, 4711],), {"password": "password"}, NotFound, "not found"),
        (domains.remove_several, ([1, 4711],), {}, NotFound, "domain was not found"),
        (domains.remove_several, ([1, 2],), {"seen": "x"}, Conflict, "not what was shown"),
        (aliases.remove_several, ([101, 4711],), {}, NotFound, "alias was not found"),
        (aliases.remove_several, ([101, 2**40],), {}, NotFound, "alias was not found"),
        (aliases.remove_several, ([101, 102],), {"seen": "x"}, Conflict, "not what was shown"),
    ],
)
def test_all_or_none(
    do: Do,
    act: Callable[..., Any],
    arguments: tuple[Any, ...],
    fields: dict[str, Any],
    error: type[RuleError],
    key_words: str,
) -> None:
    before = rows_now()
    with pytest.raises(error, match=key_words):
        do(act, *arguments, **fields)
    assert rows_now() == before
    assert db.session.query(HistoryEntry).count() == 0


def test_the_log_names_each_of_several(app: Flask, do: Do) -> None:
    alter_setting(settings.MAIL_AUDITING, "True")
    do(users.remove_several, [21, 12])
    log = app.extensions["postmaster_log"].path.read_text()
    assert [json.loads(line)["message"] for line in log.splitlines()] == [
        'The user "dora@two.example" was deleted',
        'The user "bob@one.example" was deleted',
    ]


# --- leading aliases elsewhere --------------------------------------------------


def test_aliases_are_led_elsewhere(do: Do) -> None:
    changed = do(aliases.repoint, [201, 202], replaced=None, destination=" EVA@two.example")
    assert [alias.id for alias in changed] == [201, 202]
    assert pairs(201, 202) == [("sales@two.example", EVA), ("info@two.example", EVA)]
    assert newest().object_name == "2 aliases"
    assert parts_of(newest().id) == [
        ("change", "alias", "sales@two.example -> ana@one.example"),
        ("change", "alias", "info@two.example -> sales@two.example"),
    ]


def test_only_the_replaced_destination_of_each_source_is_led_elsewhere(do: Do) -> None:
    do(aliases.repoint, [102, 201], replaced="Ana@one.example", destination=EVA)
    assert pairs(101, 102, 201) == [
        ("team@one.example", EVA),
        ("team@one.example", "dora@two.example"),
        ("sales@two.example", EVA),
    ]


def test_a_row_that_becomes_a_double_goes(do: Do) -> None:
    do(aliases.repoint, [101, 102, 203], replaced=None, destination=EVA)
    assert pairs(101, 102, 203, 204) == [("team@one.example", EVA), ("all@two.example", EVA)]
    assert parts_of(newest().id) == [
        ("change", "alias", "team@one.example -> ana@one.example"),
        ("delete", "alias", "team@one.example -> dora@two.example"),
        ("delete", "alias", "all@two.example -> info@two.example"),
    ]


def test_what_leads_there_already_is_no_change(do: Do) -> None:
    assert do(aliases.repoint, [204], replaced=None, destination=EVA) == []
    assert db.session.query(HistoryEntry).count() == 0


def test_one_alias_led_elsewhere_is_a_change_of_its_own(do: Do) -> None:
    do(aliases.repoint, [201], replaced="ana@one.example", destination=EVA)
    assert (newest().object_id, newest().action) == (201, "change")
    assert newest().new == {"domain_id": 2, "source": "sales@two.example", "destination": EVA}


@pytest.mark.parametrize(
    ("alias_ids", "replaced", "destination", "error", "key_words"),
    [
        ([201, 4711], None, EVA, NotFound, "alias was not found"),
        ([], None, EVA, Invalid, "Nothing was selected"),
        ([201], "nobody@one.example", EVA, Invalid, "None of these aliases leads to"),
        ([201], None, "", Invalid, "destination email was not specified"),
        ([201], None, "nobody@one.example", Invalid, "not a current email address"),
        ([201], None, "x@elsewhere.example", Invalid, "not managed by this database"),
        ([201, 203], None, "info@two.example", Invalid, "close a circle"),
        ([201], None, "all@two.example", Invalid, "close a circle"),
        ([201], None, "sales@two.example", Invalid, "not a current email address"),
        ([103, 104], None, EVA, Invalid, "keeps the mailbox its own mail"),
    ],
)
def test_a_bad_destination_for_several_changes_nothing(
    do: Do,
    alias_ids: list[int],
    replaced: str | None,
    destination: str,
    error: type[RuleError],
    key_words: str,
) -> None:
    before = rows_now()
    with pytest.raises(error, match=key_words):
        do(aliases.repoint, alias_ids, replaced=replaced, destination=destination)
    assert rows_now() == before


def test_all_destinations_get_another_source(do: Do) -> None:
    do(aliases.rename, 102, source=" Crew@two.example")
    assert pairs(101, 102) == [
        ("crew@two.example", "ana@one.example"),
        ("crew@two.example", "dora@two.example"),
    ]
    assert {row[1] for row in rows_now()["virtual_aliases"] if row[0] in (101, 102)} == {2}
    assert len(parts_of(newest().id)) == 2
    assert do(aliases.rename, 101, source="crew@two.example").id == 101


@pytest.mark.parametrize(
    ("source", "key_words"),
    [
        ("", "source email was not specified"),
        ("x@elsewhere.example", "not managed by this database"),
        ("eva@two.example", "existing email address"),
        ("bob@one.example", "already exists"),
        ("press@two.example", "already exists"),
    ],
)
def test_a_bad_source_for_all_destinations_changes_nothing(
    do: Do, source: str, key_words: str
) -> None:
    by_hand(
        Alias(id=301, domain_id=1, source="bob@one.example", destination="dora@two.example"),
        Alias(id=302, domain_id=2, source="press@two.example", destination="ana@one.example"),
    )
    before = rows_now()
    with pytest.raises(Invalid, match=key_words):
        do(aliases.rename, 101, source=source)
    assert rows_now() == before


def test_the_rows_beside_a_row(do: Do) -> None:
    assert do(aliases.ids_beside, [102, 201, 4711]) == [201, 101, 102]
    assert [alias.id for alias in do(aliases.get_several, [201, 101, 4711])] == [201, 101]
    assert [user.id for user in do(users.get_several, [22, 11, 4711])] == [11, 22]


def test_several_administrators_go_and_come_back_as_one(do: Do) -> None:
    names = ("bob", "eva")
    made = [do(admins.create, username=n, password="password", name=n) for n in names]
    before = rows_of_admins()
    do(admins.remove_several, [admin.id for admin in made])
    assert not {row[1] for row in rows_of_admins()} & set(names)
    do(undo.undo, newest().id, log_is_writable=lambda: True)
    assert rows_of_admins() == before


def test_one_administrator_has_to_stay(do: Do) -> None:
    do(admins.create, username="bob", password="password", name="Bob")
    before = rows_of_admins()
    with pytest.raises(Invalid, match="at least one"):
        do(admins.remove_several, ids(Admin))
    assert rows_of_admins() == before


def rows_of_admins() -> list[tuple[object, ...]]:
    db.session.remove()
    columns = (Admin.id, Admin.username, Admin.name, Admin.password, Admin.source, Admin.active)
    return [tuple(row) for row in db.session.execute(select(*columns).order_by(Admin.id))]
