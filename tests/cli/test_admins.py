"""manage.py admin, unlockadmin, resetadminpassword"""

import pytest

from postmaster.db import db
from postmaster.models import Admin
from tests.cli.conftest import Commands
from tests.conftest import PASSWORD, sign_in


@pytest.fixture
def ana(manage: Commands) -> Commands:
    """The commands, where there is a second administrator."""
    manage("admin", "add", "ana", "--name", "Ana A.", given="password of ana\n")
    return manage


def usernames(manage: Commands) -> list[str]:
    return [admin["username"] for admin in manage.json("admin", "list")]


def signs_in(manage: Commands, username: str, password: str) -> bool:
    browser = manage.app.test_client()
    form = {"username": username, "password": password}
    return browser.post("/login", data=form).status_code == 302


def give_ana(manage: Commands, **columns: object) -> None:
    with manage.app.app_context():
        db.session.query(Admin).filter_by(username="ana").update(columns)
        db.session.commit()


def test_the_list_is_by_username_and_never_holds_a_secret(ana: Commands) -> None:
    header, _, *rows = ana("admin", "list").splitlines()
    assert header.split()[:3] == ["id", "username", "name"]
    assert [row.split()[1] for row in rows] == ["admin", "ana"]
    (listed,) = ana.json("admin", "list", "--search", "ANA")
    assert listed["name"] == "Ana A."
    assert not {"password", "otp_secret"} & set(listed)


def test_a_new_administrator_signs_in(manage: Commands) -> None:
    added = manage.json("admin", "add", " Bob ", given="password of bob\n")
    assert (added["username"], added["source"]) == ("bob", "local")
    assert signs_in(manage, "bob", "password of bob")
    assert manage.history() == [("command", "create", "admin", "bob")]


@pytest.mark.parametrize(
    ("arguments", "password", "expected"),
    [
        (("",), "long enough", "username was not specified"),
        (("ANA",), "long enough", "already exists"),
        (("bob", "--name", " "), "long enough", "name was not specified"),
        (("b" * 121,), "long enough", "120"),
        (("bob",), "short", "at least 8 characters"),
        (("bob",), "", "password was not specified"),
        (("bob",), "x" * 73, "at most 72"),
    ],
)
def test_a_wrong_administrator_is_refused(
    ana: Commands, arguments: tuple[str, ...], password: str, expected: str
) -> None:
    assert expected in ana.refused("admin", "add", *arguments, given=f"{password}\n")
    assert usernames(ana) == ["admin", "ana"]


def test_username_name_and_password_are_changed(ana: Commands) -> None:
    changed = ana.json(
        *("admin", "change", "Ana", "--username", "anna", "--name", "Anna", "--password"),
        given="another password\n",
    )
    assert (changed["username"], changed["name"]) == ("anna", "Anna")
    assert signs_in(ana, "anna", "another password")
    assert ana.history()[-2:] == [
        ("command", "change", "admin", "ana"),
        ("command", "change password", "admin", "anna"),
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("ana",), "was not supplied"),
        (("ana", "--username", "admin"), "already exists"),
        (("ana", "--username", ""), "username was not specified"),
        (("gone", "--name", "x"), '"gone" was not found'),
    ],
)
def test_a_wrong_change_is_refused(
    ana: Commands, arguments: tuple[str, ...], expected: str
) -> None:
    assert expected in ana.refused("admin", "change", *arguments)
    assert usernames(ana) == ["admin", "ana"]


def test_the_second_factor_is_turned_off(ana: Commands) -> None:
    give_ana(ana, otp_active=True, otp_secret="JBSWY3DPEHPK3PXP")
    assert not signs_in(ana, "ana", "password of ana")
    changed = ana.json("admin", "change", "ana", "--without-second-factor")
    assert changed["otp_active"] is False
    assert ana.history()[-1] == ("command", "disable second factor", "admin", "ana")
    assert signs_in(ana, "ana", "password of ana")


def test_deleting_asks_first(ana: Commands) -> None:
    result = ana.run("admin", "delete", "ana", given="n\n")
    assert result.exit_code == 1
    assert "deletes the administrator ana" in result.stdout
    assert usernames(ana) == ["admin", "ana"]
    ana("admin", "delete", "ana", given="y\n")
    assert usernames(ana) == ["admin"]
    assert ana.history()[-1] == ("command", "delete", "admin", "ana")


def test_the_last_administrator_stays(ana: Commands) -> None:
    ana("admin", "delete", "admin", "--yes")
    result = ana.run("admin", "delete", "ana", "--yes")
    assert result.exit_code == 1
    assert "at least one" in result.stderr
    assert usernames(ana) == ["ana"]


def test_a_locked_administrator_is_unlocked(ana: Commands) -> None:
    for _ in range(5):
        assert not signs_in(ana, "ana", "a wrong password")
    assert not signs_in(ana, "ana", "password of ana")
    assert "ana was unlocked" in ana("unlockadmin", "Ana")
    assert ana.history()[-1] == ("command", "unlock", "admin", "ana")
    assert signs_in(ana, "ana", "password of ana")
    assert "was not found" in ana.refused("unlockadmin", "gone")


@pytest.mark.parametrize(
    ("arguments", "given"),
    [((" p@ss $wörd ",), ""), ((), " p@ss $wörd \n")],
    ids=["on the command line", "on standard input"],
)
def test_a_password_is_reset_and_the_sessions_end(
    ana: Commands, arguments: tuple[str, ...], given: str
) -> None:
    browser = sign_in(ana.app, "ana", "password of ana")
    assert browser.get("/api/v1/domains").status_code == 200
    printed = ana("resetadminpassword", "ana", *arguments, given=given)
    assert "p@ss" not in printed
    assert browser.get("/api/v1/domains").status_code == 401
    assert signs_in(ana, "ana", " p@ss $wörd ")
    assert not signs_in(ana, "ana", "password of ana")
    assert ana.history()[-1] == ("command", "change password", "admin", "ana")


@pytest.mark.parametrize(
    ("arguments", "given", "expected"),
    [
        (("ana", "short"), "", "at least 8 characters"),
        (("ana",), "short\n", "at least 8 characters"),
        (("ana", ""), "", "password was not specified"),
        (("ana",), "", "password was not specified"),
        (("gone", "long enough"), "", "was not found"),
    ],
)
def test_a_wrong_reset_is_refused(
    ana: Commands, arguments: tuple[str, ...], given: str, expected: str
) -> None:
    assert expected in ana.refused("resetadminpassword", *arguments, given=given)
    assert signs_in(ana, "ana", "password of ana")


def test_the_directorys_passwords_are_changed_there(ana: Commands) -> None:
    give_ana(ana, source="ldap")
    assert "changed elsewhere" in ana.refused("resetadminpassword", "ana", "long enough")


def test_the_default_administrator_signs_in_as_documented(manage: Commands) -> None:
    assert usernames(manage) == ["admin"]
    assert signs_in(manage, "admin", PASSWORD)
