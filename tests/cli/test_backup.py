"""``backupdb``: the own tables in a file that puts them back as they were."""

import sqlite3
import stat
import subprocess
from pathlib import Path

from tests.cli.conftest import Commands
from tests.conftest import database_name, dispose, make_app
from tests.mariadb import PASSWORD, MariaDB, program

# Each is a value that is easily written wrong.
NAMES = ("O'Brien \\ 100 %", "no line break: \\n", "Zoë 😀", 'a "quoted" one', "; DROP TABLE x; --")


def fill(manage: Commands) -> None:
    for number, name in enumerate(NAMES):
        manage("admin", "add", f"admin{number}", "--name", name, given="a good password\n")


def own_tables(mariadb: MariaDB, database: str) -> list[str]:
    names = [name for (name,) in mariadb.rows(database, "SHOW TABLES")]
    return [name for name in names if not name.startswith("virtual_")]


def test_the_tables_come_back_as_they_were(
    empty_database: str, mariadb: MariaDB, tmp_path: Path
) -> None:
    app = make_app(empty_database, tmp_path)
    manage = Commands(app)
    manage("createdb")
    fill(manage)
    database = database_name(empty_database)
    # Uploaded files: any bytes, and together more than a server takes in one statement.
    with mariadb.cursor(database) as cursor:
        parts = [(number, bytes(range(256)) * 1000) for number in range(80)]
        cursor.execute("SET foreign_key_checks = 0")
        cursor.executemany("INSERT INTO postmaster_import_parts VALUES (1, 'file', %s, %s)", parts)
    tables = own_tables(mariadb, database)
    before = content(mariadb, database, tables)
    said = manage("backupdb", str(tmp_path / "own.sql"))
    assert said.startswith(f"{len(tables)} tables were written")
    assert stat.S_IMODE((tmp_path / "own.sql").stat().st_mode) == 0o600
    mariadb.run(
        database,
        "DELETE FROM postmaster_admins; DELETE FROM postmaster_import_parts;"
        " DROP TABLE postmaster_turns",
    )
    load(mariadb, database, tmp_path / "own.sql")
    assert content(mariadb, database, tables) == before
    dispose(app)


def content(mariadb: MariaDB, database: str, tables: list[str]) -> str:
    return mariadb.dump(database, "--hex-blob", *tables)


def load(mariadb: MariaDB, database: str, file: Path) -> None:
    """As the documentation says, by the server's own client."""
    with file.open("rb") as content:
        subprocess.run(
            [
                program("mariadb"),
                *("--no-defaults", f"--socket={mariadb.socket}", "--user=root"),
                *(f"--password={PASSWORD}", database),
            ],
            check=True,
            stdin=content,
        )


def test_of_sqlite_it_is_a_copy(tmp_path: Path) -> None:
    app = make_app(f"sqlite:///{tmp_path}/panel.sqlite3", tmp_path)
    manage = Commands(app)
    manage("createdb")
    fill(manage)
    manage("backupdb", str(tmp_path / "copy.sqlite3"))
    copy = sqlite3.connect(tmp_path / "copy.sqlite3")
    names = {name for (name,) in copy.execute("SELECT name FROM postmaster_admins")}
    copy.close()
    dispose(app)
    assert set(NAMES) <= names


def test_what_is_there_is_not_overwritten(manage: Commands, tmp_path: Path) -> None:
    (tmp_path / "own.sql").write_text("mine", encoding="utf-8")
    said = manage.refused("backupdb", str(tmp_path / "own.sql"))
    assert "own.sql cannot be written: File exists" in said
    assert (tmp_path / "own.sql").read_text(encoding="utf-8") == "mine"


def test_without_tables_there_is_no_file(guide_database: str, tmp_path: Path) -> None:
    app = make_app(guide_database, tmp_path)
    said = Commands(app)("backupdb", str(tmp_path / "own.sql"))
    assert "nothing to back up" in said
    assert not (tmp_path / "own.sql").exists()
    dispose(app)
