"""The acts on users, who are mailboxes."""

from collections.abc import Callable
from typing import Any

import pytest
from passlib.hash import sha512_crypt
from sqlalchemy import select

from postmaster.db import db
from postmaster.errors import Invalid, NotFound
from postmaster.models import Alias, HistoryEntry, SettingRow, User
from postmaster.rules import aliases, domains, overviews, users
from postmaster.rules.paging import Criteria

Do = Callable[..., Any]


@pytest.fixture(autouse=True)
def domain_ids(do: Do) -> dict[str, int]:
    return {name: do(domains.create, name=name).id for name in ("example.com", "example.org")}


def add(do: Do, email: str, **more: Any) -> User:
    user: User = do(users.create, email=email, password="password", **more)
    return user


def by_hand(*rows: object) -> None:
    """Rows as the operator inserts them behind the panel's back."""
    db.session.add_all(rows)
    db.session.commit()


def emails() -> list[str]:
    db.session.remove()
    return [row.email for row in db.session.query(User).order_by(User.id)]


def pairs() -> list[tuple[str, str]]:
    return [(row.source, row.destination) for row in db.session.query(Alias).order_by(Alias.id)]


def test_a_user_belongs_to_the_domain_of_its_address(do: Do, domain_ids: dict[str, int]) -> None:
    user = add(do, " Ana@EXAMPLE.org ")
    assert (user.email, user.domain_id) == ("ana@example.org", domain_ids["example.org"])
    assert len(user.password) == 106
    assert sha512_crypt.verify("password", user.password)


@pytest.mark.parametrize(
    ("email", "password", "key_words", "field"),
    [
        ("", "password", "email address was not specified", "email"),
        ("  ", "password", "email address was not specified", "email"),
        ("ana", "password", "not a valid email", "email"),
        ("ana+news@example.com", "password", "not a valid email", "email"),
        ("@example.com", "password", "not a valid email", "email"),
        (f"{'x' * 64}@{'y' * 50}.example", "password", "at most 120 characters", "email"),
        ("ana@example.net", "password", "not managed by this database", "email"),
        ("bob@example.com", "password", "already exists", "email"),
        ("BOB@Example.com", "password", "already exists", "email"),
        ("ana@example.com", "", "password was not specified", "password"),
        ("ana@example.com", "       ", "password was not specified", "password"),
        ("ana@example.com", "1234567", "at least 8 characters", "password"),
        ("ana@example.com", "x" * 512, "at most 511 bytes", "password"),
        ("ana@example.com", "12345678\x00", "control characters", "password"),
    ],
)
def test_a_bad_user_is_refused(
    do: Do, email: str, password: str, key_words: str, field: str | None
) -> None:
    add(do, "bob@example.com")
    with pytest.raises(Invalid, match=key_words) as refusal:
        do(users.create, email=email, password=password)
    assert refusal.value.field == field
    assert emails() == ["bob@example.com"]


def test_the_setting_decides_how_short_a_password_may_be(do: Do) -> None:
    db.session.query(SettingRow).filter_by(setting="Minimum Password Length").update({"value": "0"})
    db.session.commit()
    do(users.create, email="ana@example.com", password="x")
    with pytest.raises(Invalid, match="not specified"):
        do(users.create, email="bob@example.com", password="")


def test_the_longest_password_is_taken_whole(do: Do) -> None:
    user = do(users.create, email="ana@example.com", password="x" * 511)
    assert sha512_crypt.verify("x" * 511, user.password)
    assert not sha512_crypt.verify("x" * 510, user.password)


def test_a_mailbox_is_refused_where_an_alias_would_take_its_mail(do: Do) -> None:
    add(do, "bob@example.com")
    do(aliases.create, source="ana@example.com", destination="bob@example.com")
    with pytest.raises(Invalid, match="already exists as an alias"):
        add(do, "Ana@example.com")
    assert emails() == ["bob@example.com"]


def test_a_mailbox_joins_an_alias_of_its_name_as_one_more_destination(
    do: Do, domain_ids: dict[str, int]
) -> None:
    add(do, "bob@example.com")
    do(aliases.create, source="ana@example.com", destination="bob@example.com")
    add(do, "Ana@example.com", keep_copy=True)
    assert pairs() == [
        ("ana@example.com", "bob@example.com"),
        ("ana@example.com", "ana@example.com"),
    ]
    assert db.session.query(Alias).order_by(Alias.id)[1].domain_id == domain_ids["example.com"]
    created = db.session.scalars(select(HistoryEntry.object_name).order_by(HistoryEntry.id))
    assert [*created][-2:] == ["ana@example.com", "ana@example.com -> ana@example.com"]


def test_without_an_alias_of_its_name_a_mailbox_needs_no_copy(do: Do) -> None:
    add(do, "ana@example.com", keep_copy=True)
    assert (emails(), pairs()) == (["ana@example.com"], [])


def test_a_password_is_changed_and_nothing_else(do: Do) -> None:
    user = add(do, "ana@example.com")
    first = user.password
    changed = do(users.change, user.id, password=" another one ")
    assert (changed.email, changed.domain_id) == (user.email, user.domain_id)
    assert changed.password != first
    assert sha512_crypt.verify(" another one ", changed.password)


@pytest.mark.parametrize(
    ("password", "key_words"),
    [
        (None, "password was not supplied"),
        ("", "password was not supplied"),
        ("    ", "password was not supplied"),
        ("1234567", "at least 8 characters"),
        ("x" * 512, "at most 511 bytes"),
    ],
)
def test_a_bad_password_changes_nothing(do: Do, password: str | None, key_words: str) -> None:
    user = add(do, "ana@example.com")
    with pytest.raises(Invalid, match=key_words):
        do(users.change, user.id, password=password)
    db.session.remove()
    assert db.session.query(User).one().password == user.password


@pytest.mark.parametrize(
    "hashed", ["{BLF-CRYPT}$2y$05$abc", "{PLAIN}secret", "!$6$locked", "*", "", "$1$abc$def"]
)
def test_a_hash_of_any_scheme_is_left_alone_by_other_changes(
    do: Do, domain_ids: dict[str, int], hashed: str
) -> None:
    row = User(domain_id=domain_ids["example.com"], email="Old.User@Example.com", password=hashed)
    by_hand(row)
    row_id = row.id
    add(do, "ana@example.com")
    do(aliases.create, source="info@example.com", destination="old.user@example.com")
    found = do(users.get, row_id)
    assert (found.email, found.password) == ("Old.User@Example.com", hashed)
    changed = do(users.change, row_id, password="password")
    assert changed.email == "Old.User@Example.com", "the mail folder's path follows the spelling"


def test_what_goes_with_a_user_is_said_before_and_goes(do: Do) -> None:
    ana = add(do, "ana@example.com")
    add(do, "bob@example.com")
    do(aliases.create, source="team@example.org", destination="ana@example.com")
    do(aliases.create, source="team@example.org", destination="bob@example.com")
    do(aliases.create, source="info@example.com", destination="ana@example.com")
    do(aliases.create, source="ana@example.com", destination="ana@example.com")
    gone = do(users.goes_with, [ana.id])
    assert [alias.source for alias in gone.aliases] == ["ana@example.com"]
    assert [alias.source for alias in gone.leading_here] == ["info@example.com", "team@example.org"]
    do(users.remove, ana.id)
    assert emails() == ["bob@example.com"]
    assert pairs() == [("team@example.org", "bob@example.com")]


def test_a_user_is_found_by_its_address_in_any_case(do: Do, domain_ids: dict[str, int]) -> None:
    by_hand(User(domain_id=domain_ids["example.com"], email="Ana@Example.com", password="*"))
    assert do(users.by_email, " ana@example.COM ").email == "Ana@Example.com"
    with pytest.raises(NotFound, match=r'"bob@example\.com" was not found'):
        do(users.by_email, "bob@example.com")
    with pytest.raises(Invalid, match="already exists"):
        add(do, "ana@example.com")


@pytest.mark.parametrize("row_id", [0, -1, 4711, 2**31, 10**30])
def test_an_unknown_user_is_not_found(do: Do, row_id: int) -> None:
    for act in (users.get, users.remove):
        with pytest.raises(NotFound, match="user was not found"):
            do(act, row_id)
    with pytest.raises(NotFound, match="user was not found"):
        do(users.change, row_id, password="password")


def test_users_are_listed_by_address_or_of_one_domain(do: Do, domain_ids: dict[str, int]) -> None:
    for email in ("bob@example.org", "ana@example.org", "ana@example.com"):
        add(do, email)
    found = do(overviews.find_users, Criteria())
    assert [u.email for u in found.items] == [
        *("ana@example.com", "ana@example.org", "bob@example.org")
    ]
    found = do(overviews.find_users, Criteria(search="ANA"), domain_ids=[domain_ids["example.org"]])
    assert ([u.email for u in found.items], found.total) == (["ana@example.org"], 1)
    assert do(overviews.find_users, Criteria(), domain_ids=[4711]).total == 0


def test_a_user_of_an_international_domain_is_found_as_people_write_it(do: Do) -> None:
    do(domains.create, name="bücher.example")
    eva = do(users.create, email="eva@bücher.example", password="password")
    for typed in ("eva@bücher.example", "Eva@BÜCHER.example", eva.email):
        assert do(users.by_email, typed).id == eva.id
    with pytest.raises(NotFound, match="was not found"):
        do(users.by_email, "eva@bücher..example")
    for text in ("eva@bücher.example", "bücher", "BÜCHER.ex", "xn--bcher"):
        found = do(overviews.find_users, Criteria(search=text))
        assert [row.email for row in found.items] == [eva.email]
