"""manage.py plan and apply."""

import csv
import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Commands

FILE = """\
governs: [example.com]
domains:
  example.com:
    users: [ana, new]
    aliases: {sales: [ana, new]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mail.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_plan_shows_what_would_be_done_and_does_nothing(mail: Commands, file: Path) -> None:
    before = mail.history()
    result = mail.run("plan", str(file))
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "- alias  team@example.com -> ana@example.com",
        "- alias  team@example.com -> bob@example.com",
        "- user   bob@example.com",
        "+ user   new@example.com (a password is generated)",
        "+ alias  sales@example.com -> new@example.com",
        "3 to delete, 0 to change, 2 to create.",
    ]
    assert mail.history() == before


def test_a_plan_as_json(mail: Commands, file: Path) -> None:
    result = mail.run("plan", str(file), "--json")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["counts"] == {"delete": 3, "change": 0, "create": 2}
    assert found["steps"][3] == {
        "action": "create",
        "kind": "user",
        "name": "new@example.com",
        "line": 4,
        "details": ["a password is generated"],
    }


def test_apply_does_it_and_a_plan_has_nothing_to_do(
    mail: Commands, file: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "passwords.csv"
    output = mail("apply", str(file), "--passwords-to", str(secret), given="y\n")
    assert "Go on?" in output
    number = output.split()[-1]
    assert mail.run("plan", str(file)).exit_code == 0
    with secret.open(newline="") as stream:
        (header, (address, password)) = csv.reader(stream)
    assert (header, address) == (["address", "password"], "new@example.com")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert password not in output
    mail("undo", number)
    assert "3 to delete" in mail.run("plan", str(file)).stdout


def test_apply_stops_unless_it_is_wanted(mail: Commands, file: Path, tmp_path: Path) -> None:
    before = mail.history()
    secret = tmp_path / "passwords.csv"
    result = mail.run("apply", str(file), "--passwords-to", str(secret), given="n\n")
    assert result.exit_code == 1
    assert mail.history() == before
    assert not secret.exists()


def test_apply_asks_for_a_place_for_the_passwords(mail: Commands, file: Path) -> None:
    result = mail.run("apply", str(file), "--yes")
    assert result.exit_code == 1
    assert "--passwords-to" in result.stderr


def test_what_is_refused_is_told_with_its_line(mail: Commands, tmp_path: Path) -> None:
    path = tmp_path / "mail.yaml"
    path.write_text(
        "governs: [example.org]\ndomains:\n  example.org:\n    users: [eva]\n"
        "    aliases:\n      x: nobody\n      y: z@elsewhere.example\n"
    )
    for command in (["plan"], ["apply", "--yes"]):
        result = mail.run(*command, str(path))
        assert result.exit_code == 1
        lines = result.stderr.splitlines()
        assert lines[0].startswith('Error: Line 6: The destination "nobody@example.org" is not a')
        assert lines[1].startswith('Error: Line 7: The domain "elsewhere.example"')
    path.write_text("governs: [")
    assert "cannot be read as YAML" in mail.refused("plan", str(path))


def test_a_name_of_any_length_is_shown_at_one_that_can_be_read(
    mail: Commands, tmp_path: Path
) -> None:
    path = tmp_path / "mail.yaml"
    path.write_text(FILE.replace("new]", f'"{"n" * 100_000}"]', 1), encoding="utf-8")
    result = mail.run("plan", str(path))
    assert result.exit_code == 1
    assert "+ user   nnn" in result.stdout
    assert max(map(len, (result.stdout + result.stderr).splitlines())) < 800


def test_an_export_is_such_a_file(mail: Commands, tmp_path: Path) -> None:
    path = tmp_path / "mail.yaml"
    mail("export", str(path), "--format", "yaml")
    assert mail("plan", str(path)) == "Nothing to do: the tables are as the file says.\n"
    assert mail("apply", str(path)) == "Nothing to do: the tables are as the file says.\n"
