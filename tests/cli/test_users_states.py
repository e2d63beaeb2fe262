"""manage.py user suspend, resume, rename; notes on users, domains and aliases."""

import pytest
from click.testing import Result

from postmaster.db import db
from postmaster.models import User
from postmaster.rules.suspensions import MARKER
from tests.cli.conftest import Commands


def row(manage: Commands, email: str) -> tuple[str, str]:
    with manage.app.app_context():
        user = db.session.query(User).filter_by(email=email).one()
        return user.email, user.password


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize(
    ("options", "mode", "stored"),
    [((), "sign-in", "ana@example.com"), (("--no-mail",), "all", "!ana@example.com")],
)
def test_a_user_is_suspended_and_resumed(
    mail: Commands, options: tuple[str, ...], mode: str, stored: str
) -> None:
    before = row(mail, "ana@example.com")
    result = done(mail.run("user", "suspend", "Ana@example.com", *options, "--json"))
    assert f'"suspended": "{mode}"' in result.stdout
    assert "doveadm kick ana@example.com" in result.stderr
    assert ("Nobody will receive mail to" in result.stderr) == (mode == "all")
    assert row(mail, stored) == (stored, MARKER)
    assert mail.history()[-1] == ("command", "suspend", "user", "ana@example.com")
    (found,) = mail.json("user", "list", "--suspended")
    assert (found["email"], found["suspended"]) == ("ana@example.com", mode)
    assert mail.json("user", "resume", "ana@example.com")["suspended"] is None
    assert row(mail, "ana@example.com") == before
    assert mail.json("user", "list", "--suspended") == []


@pytest.mark.parametrize("command", ["suspend", "resume", "note"])
def test_who_is_not_there_is_neither(mail: Commands, command: str) -> None:
    assert "was not found" in mail.refused("user", command, "gone@example.com")


def test_a_marked_row_without_a_hash_needs_a_password(mail: Commands) -> None:
    with mail.app.app_context():
        db.session.query(User).filter_by(email="ana@example.com").update({"password": MARKER})
        db.session.commit()
    assert "set a new one first" in mail.refused("user", "resume", "ana@example.com")
    mail("user", "change", "ana@example.com", given="another password\n")
    mail("user", "resume", "ana@example.com")


def test_a_suspended_user_is_deleted_by_its_address(mail: Commands) -> None:
    mail("user", "suspend", "ana@example.com", "--no-mail")
    assert "The user ana@example.com was" in mail("user", "delete", "ana@example.com", "--yes")


def test_a_user_is_renamed_and_its_folder_is_said(mail: Commands) -> None:
    result = done(
        mail.run("user", "rename", "ana@example.com", "Anna@example.org", "--keep-alias", "--json")
    )
    assert '"email": "anna@example.org"' in result.stdout
    lines = result.stderr.splitlines()
    assert lines[0] == "For mail this means:"
    assert lines[-6:] == [
        "Its mail is where it was. On the mail server, as root:",
        "  mkdir -p /var/mail/vhosts/example.org",
        "  chown --reference=/var/mail/vhosts/example.com /var/mail/vhosts/example.org",
        "  mv -T /var/mail/vhosts/example.com/ana /var/mail/vhosts/example.org/anna",
        "If mail has arrived for the new address already, this instead:",
        "  doveadm import -u anna@example.org maildir:/var/mail/vhosts/example.com/ana '' all",
    ]
    pairs = [(item["source"], item["destination"]) for item in mail.json("alias", "list")]
    assert ("ana@example.com", "anna@example.org") in pairs
    assert ("sales@example.com", "anna@example.org") in pairs


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("bob@example.com", "already exists"),
        ("team@example.com", "already exists as an alias"),
        ("ana@elsewhere.example", "not managed by this database"),
        ("", "was not specified"),
    ],
)
def test_a_wrong_new_address_is_refused(mail: Commands, new: str, words: str) -> None:
    before = mail.json("user", "list")
    assert words in mail.refused("user", "rename", "ana@example.com", new)
    assert mail.json("user", "list") == before


NOTED = [("domain", "example.com"), ("user", "ana@example.com"), ("alias", "team@example.com")]


@pytest.mark.parametrize(("noun", "name"), NOTED)
def test_a_note_is_written_shown_found_and_deleted(mail: Commands, noun: str, name: str) -> None:
    assert mail(noun, "note", name) == ""
    assert mail(noun, "note", name, " Pays until May.\nCall. ") == "Pays until May.\nCall.\n"
    assert mail.json(noun, "note", name) == {"note": "Pays until May.\nCall."}
    found = mail.json(noun, "list", "--search", "until may")
    assert {item["note"] for item in found} == {"Pays until May.\nCall."}
    assert "Pays until May. ..." in mail(noun, "list", "--search", "until may")
    assert mail(noun, "note", name, "") == ""
    assert mail.json(noun, "list", "--search", "until may") == []
    assert "too long" in mail.refused(noun, "note", name, "x" * 1001)


def test_a_note_is_written_with_what_is_new(mail: Commands) -> None:
    assert mail.json("domain", "add", "new.example", "--note", "x")["note"] == "x"
    added = mail.json("user", "add", "a@new.example", "--note", "y", given="a good password\n")
    assert added["note"] == "y"
    added = mail.json("alias", "add", "b@new.example", "a@new.example", "--note", "z")
    assert added["note"] == "z"
