"""manage.py user"""

import pytest
from passlib.hash import sha512_crypt

from postmaster.db import db
from postmaster.models import User
from tests.cli.conftest import Commands


def stored_password(manage: Commands, email: str) -> str:
    with manage.app.app_context():
        return db.session.query(User.password).filter_by(email=email).scalar()


def emails(manage: Commands, *options: str) -> list[str]:
    return [user["email"] for user in manage.json("user", "list", *options)]


def test_the_list_is_by_email_and_never_holds_a_password(mail: Commands) -> None:
    header, _, *rows = mail("user", "list").splitlines()
    assert header.split() == ["id", "domain_id", "email", "suspended", "note"]
    assert [row.split()[2] for row in rows] == [
        "ana@example.com",
        "bob@example.com",
        "eva@example.org",
    ]
    assert set(mail.json("user", "list")[0]) == {"id", "domain_id", "email", "suspended", "note"}


def test_the_list_is_of_one_domain_if_asked(mail: Commands) -> None:
    assert emails(mail, "--domain", "Example.ORG") == ["eva@example.org"]
    assert emails(mail, "--domain", "empty.example") == []
    assert emails(mail, "--search", "BOB") == ["bob@example.com"]
    assert "was not found" in mail.refused("user", "list", "--domain", "gone.example")


@pytest.mark.parametrize("password", ["  kept blanks  ", 'p"$`\\%:ässword', "-starts-with-dash"])
def test_a_password_comes_from_standard_input_as_it_is(mail: Commands, password: str) -> None:
    added = mail.json("user", "add", "New@Example.com", given=f"{password}\nnot this line\n")
    assert added["email"] == "new@example.com"
    hashed = stored_password(mail, "new@example.com")
    assert len(hashed) == 106
    assert sha512_crypt.verify(password, hashed)
    assert mail.history()[-1] == ("command", "create", "user", "new@example.com")


@pytest.mark.parametrize(
    ("email", "password", "expected"),
    [
        ("", "long enough", "email address was not specified"),
        ("no-address", "long enough", "not a valid email"),
        ("a+b@example.com", "long enough", "email"),
        ("ana@elsewhere.example", "long enough", "not managed by this database"),
        ("ANA@example.com", "long enough", "already exists"),
        ("sales@example.com", "long enough", "already exists"),
        ("new@example.com", "short", "at least 8 characters"),
        ("new@example.com", "", "password was not specified"),
        ("new@example.com", "with\ta tab", "control characters"),
    ],
)
def test_a_wrong_user_is_refused(mail: Commands, email: str, password: str, expected: str) -> None:
    before = mail.json("user", "list")
    line = mail.refused("user", "add", email, given=f"{password}\n")
    assert expected in line
    assert not password or password not in line
    assert mail.json("user", "list") == before


def test_an_alias_keeps_a_copy_for_a_new_user_if_asked(mail: Commands) -> None:
    mail("user", "add", "sales@example.com", "--keep-copy", given="long enough\n")
    aliases = mail.json("alias", "list", "--search", "sales@")
    assert [alias["destination"] for alias in aliases] == ["ana@example.com", "sales@example.com"]


def test_a_password_is_changed(mail: Commands) -> None:
    changed = mail.json("user", "change", "ana@example.com", given="another password\n")
    assert changed["email"] == "ana@example.com"
    assert sha512_crypt.verify("another password", stored_password(mail, "ana@example.com"))
    assert mail.history()[-1] == ("command", "change password", "user", "ana@example.com")


def test_a_wrong_change_is_refused(mail: Commands) -> None:
    before = stored_password(mail, "ana@example.com")
    for password, expected in (("short", "at least 8 characters"), ("", "not supplied")):
        line = mail.refused("user", "change", "ana@example.com", given=f"{password}\n")
        assert expected in line
    assert stored_password(mail, "ana@example.com") == before
    for command in ("change", "delete"):
        line = mail.refused("user", command, "gone@example.com", given="long enough\n")
        assert '"gone@example.com" was not found' in line


def test_deleting_lists_the_aliases_that_go_and_goes_on_only_if_told(mail: Commands) -> None:
    before = {noun: mail.json(noun, "list") for noun in ("user", "alias")}
    result = mail.run("user", "delete", "ana@example.com", given="n\n")
    assert result.exit_code == 1
    assert "3 aliases leading to it" in result.stdout
    assert "  alias press@example.org -> ana@example.com\n" in result.stdout
    assert {noun: mail.json(noun, "list") for noun in before} == before


@pytest.mark.parametrize(("options", "answer"), [((), "y\n"), (("--yes",), "")])
def test_deleting_takes_the_aliases_along(
    mail: Commands, options: tuple[str, ...], answer: str
) -> None:
    mail("user", "delete", "Ana@example.com", *options, given=answer)
    assert emails(mail) == ["bob@example.com", "eva@example.org"]
    assert [alias["source"] for alias in mail.json("alias", "list")] == ["team@example.com"]
    deleted = [entry for entry in mail.history() if entry[1] == "delete"]
    assert deleted[0] == ("command", "delete", "user", "ana@example.com")
    assert len(deleted) == 1 + 3
