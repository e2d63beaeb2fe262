"""manage.py trace"""

import json

from postmaster.cli.trace import ENDS
from postmaster.rules.trace_words import State
from tests.cli.conftest import Commands


def test_the_tree_is_drawn(mail: Commands) -> None:
    result = mail.run("trace", "Team@example.com")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[:2] == [
        "Mail to team@example.com is delivered to 2 mailboxes here: "
        "ana@example.com, bob@example.com.",
        "",
    ]
    assert "├── ana@example.com  (mailbox here)" in result.stdout
    assert "└── bob@example.com  (mailbox here)" in result.stdout
    assert "SELECT" not in result.stdout


def test_the_sql_is_told_on_request(mail: Commands) -> None:
    result = mail.run("trace", "--sql", "team@example.com")
    assert (
        "virtual-alias-maps: SELECT destination FROM virtual_aliases "
        "WHERE source='team@example.com'" in result.stdout
    )


def test_mail_that_does_not_arrive_is_status_1(mail: Commands) -> None:
    result = mail.run("trace", "gone@example.com", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["verdict"] == "refused"
    assert "not a valid email address" in mail.refused("trace", "gone")


def test_an_extension_is_said_to_be_cut_off(mail: Commands) -> None:
    result = mail.run("trace", "ana+news@example.com")
    assert "is delivered to the mailbox ana@example.com." in result.stdout
    assert "ana+news@example.com  (mailbox ana@example.com, without the extension)" in result.stdout


def test_every_end_has_words() -> None:
    assert set(ENDS) == set(State)
