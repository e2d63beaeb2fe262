"""A migration that meets what it cannot change, by the real manage.py on MariaDB."""

from pathlib import Path

import pytest

from tests import older
from tests.cli import dump, manage
from tests.conftest import database_name
from tests.mariadb import MariaDB

IN_THE_WAY = {
    # An index of the name that a migration gives its own, on a guide's table.
    "guides": ("CREATE INDEX postmaster_source ON virtual_aliases (source)", "postmaster_source"),
    # Tables and indexes that later migrations make, in an older PostMaster's database.
    "older": ("CREATE TABLE postmaster_turns (id INT PRIMARY KEY)", "postmaster_turns"),
    "older, half-way": (
        "CREATE TABLE postmaster_recovery_codes (id INT PRIMARY KEY)",
        "postmaster_recovery_codes",
    ),
}


def prepared(folder: Path, uri: str, state: str) -> None:
    manage.use_database(folder, uri)
    if state.startswith("older"):
        older.make(uri, folder, "e3a72926f808")


@pytest.mark.parametrize("state", IN_THE_WAY)
def test_it_says_so_in_one_line_and_changes_nothing(
    mariadb: MariaDB, guide_database: str, tmp_path: Path, state: str
) -> None:
    prepared(tmp_path, guide_database, state)
    name = database_name(guide_database)
    statement, named = IN_THE_WAY[state]
    mariadb.run(name, statement)
    before = dump.of(mariadb, name)
    done = manage.run(tmp_path, "upgradedb")
    assert named in done.refusal
    assert "as it was" in done.output
    assert f"pw-{name}" not in done.output + done.error
    assert dump.of(mariadb, name) == before


def test_once_it_is_out_of_the_way_the_command_works(
    mariadb: MariaDB, guide_database: str, tmp_path: Path
) -> None:
    prepared(tmp_path, guide_database, "guides")
    name = database_name(guide_database)
    mariadb.run(name, IN_THE_WAY["guides"][0])
    assert manage.run(tmp_path, "existingdb").status == 1
    mariadb.run(name, "DROP INDEX postmaster_source ON virtual_aliases")
    assert manage.run(tmp_path, "existingdb").status == 0


def test_below_the_first_revision_the_database_is_the_guides_again(
    mariadb: MariaDB, guide_database: str, tmp_path: Path
) -> None:
    prepared(tmp_path, guide_database, "guides")
    before = dump.of(mariadb, database_name(guide_database))
    assert manage.run(tmp_path, "existingdb").status == 0
    assert manage.run(tmp_path, "db", "downgrade", "base").status == 0
    assert dump.of(mariadb, database_name(guide_database), only=tuple(before)) == before
    assert "existingdb" in manage.run(tmp_path, "createdb").refusal
    assert manage.run(tmp_path, "existingdb").status == 0
