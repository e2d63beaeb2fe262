"""Two people who edit the same row: the second is told, and changes nothing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import update

from postmaster.db import db
from postmaster.errors import Conflict
from postmaster.models import Admin, Alias, Domain, SettingRow, User
from postmaster.rules import admins, aliases, domains, settings_acts, users
from tests.rules.mail import by_hand, fill, rows_now

Do = Callable[..., Any]
WRITABLE: dict[str, Any] = {"log_is_writable": lambda: True}
KINDS: list[tuple[Any, Any, int, dict[str, Any], dict[str, Any], str]] = [
    # acts, table, id; a change, one by hand, what it is then
    (domains, Domain, 3, {"name": "four.example"}, {"name": "hand.example"}, "hand.example"),
    (users, User, 11, {"password": "password"}, {"email": "hand@one.example"}, "hand@one.example"),
    (
        *(aliases, Alias, 201, {"destination": "eva@two.example"}),
        *({"destination": "hand@one.example"}, "hand@one.example"),
    ),
    (admins, Admin, 1, {"name": "Ana"}, {"name": "By Hand"}, "By Hand"),
    (settings_acts, SettingRow, 1, {"value": "9", **WRITABLE}, {"value": "12"}, "12"),
]
NAMES = ["domain", "user", "alias", "admin", "setting"]


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    by_hand(Domain(id=3, name="three.example"))
    yield


def version(do: Do, acts: Any, row_id: int) -> str:
    return str(
        do(lambda session, actor: acts.version(session, actor, acts.get(session, actor, row_id)))
    )


@pytest.mark.parametrize(("acts", "table", "row_id", "change", "by", "now"), KINDS, ids=NAMES)
def test_what_was_seen_is_changed(
    do: Do, acts: Any, table: Any, row_id: int, change: dict[str, Any], by: Any, now: str
) -> None:
    before = rows_now()
    seen = version(do, acts, row_id)
    do(acts.change, row_id, **change, seen=seen)
    if table is not SettingRow:
        assert rows_now() != before
    assert version(do, acts, row_id) != seen
    with pytest.raises(Conflict, match=r"changed this since you opened it"):
        do(acts.change, row_id, **change, seen=seen)


@pytest.mark.parametrize(("acts", "table", "row_id", "change", "by", "now"), KINDS, ids=NAMES)
def test_what_was_changed_by_hand_is_said(
    do: Do, acts: Any, table: Any, row_id: int, change: dict[str, Any], by: Any, now: str
) -> None:
    seen = version(do, acts, row_id)
    db.session.execute(update(table).where(table.id == row_id).values(**by))
    db.session.commit()
    before = rows_now()
    with pytest.raises(Conflict, match=f'since you opened it: it is now .*"{now}"'):
        do(acts.change, row_id, **change, seen=seen)
    assert rows_now() == before


def test_a_password_is_no_part_of_a_version_but_its_change_is(do: Do) -> None:
    seen = version(do, users, 11)
    db.session.execute(update(User).where(User.id == 11).values(password="*"))
    db.session.commit()
    assert version(do, users, 11) == seen
    do(users.change, 11, password="password")
    assert version(do, users, 11) != seen
    with pytest.raises(Conflict, match=r"as admin left it on 20\d\d-.* UTC"):
        do(users.change, 11, password="another password", seen=seen)


def test_an_alias_is_renamed_as_it_was_seen(do: Do) -> None:
    seen = version(do, aliases, 101)
    do(aliases.change, 101, destination="eva@two.example")
    with pytest.raises(Conflict, match=r"eva@two\.example"):
        do(aliases.rename, 101, source="crew@one.example", seen=seen)
    do(aliases.rename, 101, source="crew@one.example", seen=version(do, aliases, 101))


def test_an_admin_is_deleted_as_it_was_seen(do: Do) -> None:
    bob = do(admins.create, username="bob", password="password", name="Bob")
    seen = version(do, admins, bob.id)
    do(admins.change, bob.id, name="Rob")
    with pytest.raises(Conflict, match='"Rob"'):
        do(admins.remove, bob.id, seen=seen)
    do(admins.remove, bob.id, seen=version(do, admins, bob.id))
