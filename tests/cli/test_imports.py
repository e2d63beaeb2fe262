"""manage.py import, manage.py export"""

import csv
import os
import stat
import subprocess
from pathlib import Path

import pytest
from passlib.hash import sha512_crypt

from postmaster.db import db
from postmaster.models import User
from tests.cli.conftest import Commands

HASH = "$6$saltsaltsaltsalt$" + "x" * 86
FILE = f"""\
kind,address,destination,password,hash,note
domain,new.example,,,,
user,one@new.example,,,{HASH},
user,ana@example.com,,,{HASH},
alias,@new.example,one@new.example,,,
"""
BAD = "user,two@new.example,,short,,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    return path


def stored(manage: Commands, email: str) -> str | None:
    with manage.app.app_context():
        db.session.remove()
        found = db.session.query(User.password).filter_by(email=email).scalar()
        return None if found is None else str(found)


def test_the_plan_says_what_would_be_done_and_does_nothing(mail: Commands, file: Path) -> None:
    before = mail.history()
    assert mail("import", str(file), "--plan", "--all").splitlines() == [
        "line 2: create domain new.example",
        "line 3: create user one@new.example",
        "line 4: skip user ana@example.com: It is there already and keeps its password",
        "line 5: create alias @new.example -> one@new.example",
        "create: 3, change: 0, skip: 1, conflict: 0, error: 0",
    ]
    assert mail("import", str(file), "--plan") == (
        "create: 3, change: 0, skip: 1, conflict: 0, error: 0\n"
    )
    assert mail.history() == before


def test_an_import_asks_first(mail: Commands, file: Path) -> None:
    refused = mail.run("import", str(file), given="n\n")
    assert refused.exit_code == 1
    assert stored(mail, "one@new.example") is None
    said = mail("import", str(file), given="y\n")
    assert "create: 3, change: 0, skip: 1" in said
    assert stored(mail, "one@new.example") == HASH
    number = said.split()[-1]
    assert f"manage.py undo {number}" in said
    assert 'taken back: "people.csv"' in mail("undo", number)
    assert stored(mail, "one@new.example") is None


def test_once_done_there_is_nothing_to_do(mail: Commands, file: Path) -> None:
    mail("import", str(file), "--yes")
    before = mail.history()
    assert mail("import", str(file), "--yes").endswith("There is nothing to do.\n")
    assert mail.history() == before


def test_an_update_gives_the_passwords_of_the_file(mail: Commands, file: Path) -> None:
    mail("import", str(file), "--update", "--yes")
    assert stored(mail, "ana@example.com") == HASH


def test_with_refused_lines_nothing_is_imported_unless_wanted(mail: Commands, file: Path) -> None:
    file.write_text(FILE + BAD)
    planned = mail.run("import", str(file), "--plan")
    assert planned.exit_code == 1
    refused = mail.run("import", str(file), "--yes")
    assert refused.exit_code == 1
    words = "line 6: error user two@new.example: The password must be at least 8 characters long"
    assert words in refused.stdout
    assert "Nothing was imported" in refused.stderr
    assert stored(mail, "one@new.example") is None
    assert "error: 1" in mail("import", str(file), "--yes", "--skip-errors")
    assert stored(mail, "one@new.example") == HASH


def test_many_refused_lines_are_cut_short(mail: Commands, file: Path) -> None:
    file.write_text(FILE + "".join(
        BAD.replace("two", f"n{n}") for n in range(60)
    ))  # fmt: skip
    said = mail.run("import", str(file), "--plan").stdout
    assert said.count(" error ") == 50
    assert "... and 10 more; --all shows every line" in said


def test_generated_passwords_are_written_to_a_new_file(mail: Commands, file: Path) -> None:
    file.write_text(FILE.replace(f"one@new.example,,,{HASH}", "one@new.example,,,"))
    assert "neither a password nor a hash" in mail.run("import", str(file), "--yes").stdout
    kept = file.with_name("passwords.csv")
    mail("import", str(file), "--yes", "--passwords-to", str(kept))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with kept.open(newline="") as lines:
        password = dict(csv.reader(lines))["one@new.example"]
    assert sha512_crypt.verify(password, stored(mail, "one@new.example"))
    file.write_text(FILE.replace(f"one@new.example,,,{HASH}", "two@new.example,,,"))
    refused = mail.run("import", str(file), "--yes", "--passwords-to", str(kept), "--skip-errors")
    assert refused.exit_code == 1
    assert "there already" in refused.stderr
    assert stored(mail, "two@new.example") is None


def test_plain_passwords_are_hashed_by_other_processes(mail: Commands, file: Path) -> None:
    file.write_text("kind,address,password\nuser,one@example.com,a new password\n")
    result = mail.run("import", str(file), "--yes")
    assert result.exit_code == 0, result.output
    assert sha512_crypt.verify("a new password", stored(mail, "one@example.com"))
    assert "a new password" not in result.output


def test_files_that_cannot_be_read_are_refused(mail: Commands, file: Path) -> None:
    file.write_text("name,colour\n")
    assert "is not known" in mail.refused("import", str(file), "--yes")
    assert "must name the columns" in mail.refused("import", str(file), "--from", "csv", "--yes")
    assert mail.run("import", str(file.with_name("nowhere.csv"))).exit_code == 2


@pytest.mark.parametrize("format_name", ["csv", "json"])
def test_an_export_is_a_file_of_its_owner_and_reads_back(
    mail: Commands, tmp_path: Path, format_name: str
) -> None:
    path = tmp_path / "export"
    path.write_text("what was there")
    mail("export", str(path), "--format", format_name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert mail("export", "--format", format_name) == path.read_text()
    assert [each.name for each in tmp_path.glob("*export*")] == ["export"], "no other file stays"
    said = mail("import", str(path), "--plan")
    assert said == "create: 0, change: 0, skip: 10, conflict: 0, error: 0\n"


def test_an_export_of_one_domain(mail: Commands, tmp_path: Path) -> None:
    text = mail("export", "--domain", "example.org")
    assert "eva@example.org" in text
    assert "bob@example.com" not in text
    before = tmp_path / "kept"
    before.write_text("as it was")
    assert "was not found" in mail.refused("export", str(before), "--domain", "nowhere.example")
    assert before.read_text() == "as it was"


def test_an_export_replaces_regular_files_only(mail: Commands, tmp_path: Path) -> None:
    text = mail("export")
    target, link, pipe = (tmp_path / name for name in ("target", "link", "pipe"))
    link.symlink_to(target)
    mail("export", str(link))
    target.write_text("an older one")
    mail("export", str(link))
    assert link.is_symlink()
    assert target.read_text() == text
    os.mkfifo(pipe)
    reader = subprocess.Popen(["/bin/cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    mail("export", str(pipe))
    assert reader.communicate(timeout=20)[0] == text
    assert pipe.is_fifo()
    mail("export", os.devnull)
    assert Path(os.devnull).is_char_device()


def test_a_catch_all_that_takes_mail_is_shown_before_it_is_made(mail: Commands, file: Path) -> None:
    file.write_text("kind,address,destination\nalias,@example.com,ana@example.com\n")
    said = mail("import", str(file), "--plan")
    assert "line 2: create alias @example.com -> ana@example.com: The catch-all takes the" in said


def test_a_name_that_is_no_utf_8_and_a_place_that_is_full(mail: Commands, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_text(FILE)
    assert "create: 3" in mail("import", str(path), "--yes")
    assert "No such file" in mail.refused("export", str(tmp_path / "nowhere" / "all.csv"))
    assert "No space left" in mail.refused("export", "/dev/full")
