"""manage.py checkup"""

import json

import pytest
from sqlalchemy.exc import OperationalError

from postmaster.errors import Unavailable
from postmaster.rules.checkup import checking
from tests.cli.conftest import Commands
from tests.rules.mail import by_hand, rows_now
from tests.rules.odd_rows import ANA, TEAM, alias, fill_well, user


@pytest.fixture
def odd(manage: Commands) -> Commands:
    """The commands, where some rows are odd."""
    manage("resetadminpassword", "admin", "another password")
    with manage.app.app_context():
        fill_well()
        by_hand(
            alias(301, TEAM, ANA),
            alias(302, "old@one.example", "gone@one.example"),
            user(31, " kim@one.example"),
            user(32, "a@one.example", password="a plain password"),
        )
    return manage


def test_all_is_well_is_status_0(manage: Commands) -> None:
    manage("resetadminpassword", "admin", "another password")
    assert manage("checkup") == "0 errors, 0 warnings, 0 notes\n"
    with manage.app.app_context():
        fill_well()
    assert manage("checkup").splitlines()[-3:] == [
        "SHA512-CRYPT  readable      3",
        "",
        "0 errors, 0 warnings, 0 notes",
    ]


def test_a_note_alone_is_status_0(manage: Commands) -> None:
    manage("resetadminpassword", "admin", "another password")
    with manage.app.app_context():
        fill_well()
        by_hand(alias(301, TEAM, ANA))
    assert "NOTE [alias-double] Aliases that are there twice: 1\n" in manage("checkup")


def test_errors_are_status_1(odd: Commands) -> None:
    result = odd.run("checkup")
    assert result.exit_code == 1
    assert result.stderr == ""
    for line in (
        "ERROR [user-never-found] Users with a blank before or a control character after the "
        "address: 1",
        "    ' kim@one.example'",
        "ERROR [alias-dangling] Aliases that lead nowhere: 1",
        "    old@one.example -> gone@one.example",
        "  Repair it by: manage.py checkup --repair alias-dangling",
        "3 errors, 0 warnings, 1 note",
    ):
        assert f"{line}\n" in result.stdout
    assert "plain password" not in result.stdout


def test_the_report_as_json_is_nothing_but_json(odd: Commands) -> None:
    result = odd.run("checkup", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert [finding["code"] for finding in report["findings"]] == [
        "user-never-found",
        "password-plain",
        "alias-dangling",
        "alias-double",
    ]
    assert not report["well"]


def test_the_more_rows_are_counted(odd: Commands) -> None:
    with odd.app.app_context():
        by_hand(*(alias(400 + n, f"a{n}@one.example", "gone@one.example") for n in range(20)))
    assert "    and 11 more\n" in odd.run("checkup").stdout


@pytest.mark.parametrize(("options", "answer"), [((), "y\n"), (("--yes",), "")])
def test_a_repair_shows_what_it_does_and_can_be_undone(
    odd: Commands, options: tuple[str, ...], answer: str
) -> None:
    with odd.app.app_context():
        before = rows_now()
    output = odd("checkup", "--repair", "alias-dangling", *options, given=answer)
    assert "  alias delete old@one.example -> gone@one.example\n" in output
    assert '1 changes repaired "Aliases that lead nowhere". Undo it by: manage.py undo ' in output
    number = output.strip().rpartition(" ")[2]
    assert "alias-dangling" not in odd.run("checkup").stdout
    odd("undo", number)
    with odd.app.app_context():
        assert rows_now() == before


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_repaired(odd: Commands, answer: str) -> None:
    with odd.app.app_context():
        before = rows_now()
    result = odd.run("checkup", "--repair", "alias-double", given=answer)
    assert result.exit_code == 1
    assert f"alias delete {TEAM} -> {ANA}" in result.stdout
    with odd.app.app_context():
        assert rows_now() == before


def test_each_sort_of_step_has_its_words(odd: Commands) -> None:
    with odd.app.app_context():
        by_hand(alias(303, ANA, "x@out.example"), user(33, "b@two.example"), user(34, f" {ANA}"))

    def shown(code: str) -> str:
        return odd.run("checkup", "--repair", code, given="n\n").stdout

    assert "user ' kim@one.example' becomes 'kim@one.example'" in shown("user-never-found")
    assert f"stays: ' {ANA}': \"{ANA}\" already exists" in shown("user-never-found")
    assert "user a@one.example: the password is hashed" in shown("password-plain")
    assert f"alias add {ANA} -> {ANA}" in shown("alias-over-mailbox")
    assert "user b@two.example: moved" in shown("user-other-domain")
    assert "There is nothing to repair" in odd("checkup", "--repair", "alias-circle")


def test_the_plan_as_json_is_nothing_but_json(odd: Commands) -> None:
    plan = odd.json("checkup", "--repair", "alias-double", "--yes")
    assert (plan["code"], plan["count"]) == ("alias-double", 1)
    assert "alias-double" not in odd.run("checkup").stdout


def test_what_has_no_repair_is_refused(odd: Commands) -> None:
    assert 'no repair "user-mixed-case"' in odd.refused("checkup", "--repair", "user-mixed-case")


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("The database does not answer"),
        OperationalError("SELECT 1", {}, Exception("no such thing")),
    ],
)
def test_what_cannot_be_checked_is_status_2(
    manage: Commands, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(checking, "check", fail)
    result = manage.run("checkup")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: The database")
