"""The three commands on each state that a database can be in, on a real MariaDB."""

from pathlib import Path

import pytest

from tests import older
from tests.cli import dump, manage
from tests.conftest import GUIDE_SCHEMA, database_name
from tests.mariadb import MariaDB, free_port

MAIL_TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")
COMMANDS = ("createdb", "existingdb", "upgradedb")
OLD_REVISIONS = ("bcc85aaa7896", "e8f52e92abd0", "c3803ac9b7dd", "e3a72926f808")


def refused(mariadb: MariaDB, folder: Path, uri: str, command: str, *expected: str) -> None:
    """The command says why in one line, and changes nothing."""
    before = dump.of(mariadb, database_name(uri))
    line = manage.run(folder, command).refusal
    for part in expected:
        assert part in line
    assert dump.of(mariadb, database_name(uri)) == before


def admin_and_settings(mariadb: MariaDB, uri: str) -> None:
    """The default admin, and the settings in the contract's order."""
    database = database_name(uri)
    assert mariadb.rows(database, "SELECT username, source, active FROM postmaster_admins") == [
        ("admin", "local", 1)
    ]
    settings = mariadb.rows(
        database, "SELECT id, setting FROM postmaster_configuration ORDER BY id"
    )
    assert settings[0] == (1, "Minimum Password Length")
    assert settings[10] == (11, "LDAP Authentication Method")


# --- empty ----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["createdb", "upgradedb"])
def test_an_empty_database_gets_everything(
    mariadb: MariaDB, empty_database: str, tmp_path: Path, command: str
) -> None:
    manage.use_database(tmp_path, empty_database)
    done = manage.run(tmp_path, command)
    assert done.status == 0, done
    assert "PostMaster" in done.output
    assert set(MAIL_TABLES) < set(dump.of(mariadb, database_name(empty_database)))
    admin_and_settings(mariadb, empty_database)


def test_existingdb_refuses_an_empty_database(
    mariadb: MariaDB, empty_database: str, tmp_path: Path
) -> None:
    manage.use_database(tmp_path, empty_database)
    refused(mariadb, tmp_path, empty_database, "existingdb", "createdb")


# --- the guides' three tables ---------------------------------------------------


@pytest.mark.parametrize("command", ["existingdb", "upgradedb"])
def test_the_guides_tables_are_kept_with_every_row(
    mariadb: MariaDB, guide_database: str, tmp_path: Path, command: str
) -> None:
    database = database_name(guide_database)
    before = dump.of(mariadb, database)
    manage.use_database(tmp_path, guide_database)
    done = manage.run(tmp_path, command)
    assert done.status == 0, done
    after = dump.of(mariadb, database, only=MAIL_TABLES)
    assert {name: rows for name, (_, rows) in after.items()} == {
        name: rows for name, (_, rows) in before.items()
    }
    added = {
        "virtual_aliases": "  KEY `postmaster_source` (`source`),\n"
        "  KEY `postmaster_destination` (`destination`),\n"
    }
    for name, (statement, _) in after.items():
        assert statement.replace(added.get(name, ""), "") == before[name][0]
    admin_and_settings(mariadb, guide_database)


def test_createdb_refuses_the_guides_tables(
    mariadb: MariaDB, guide_database: str, tmp_path: Path
) -> None:
    manage.use_database(tmp_path, guide_database)
    refused(mariadb, tmp_path, guide_database, "createdb", "existingdb")


# --- an older PostMaster's ------------------------------------------------------


@pytest.mark.parametrize("revision", OLD_REVISIONS)
def test_upgradedb_brings_an_older_database_up_to_date(
    mariadb: MariaDB, guide_database: str, tmp_path: Path, revision: str
) -> None:
    older.make(guide_database, tmp_path, revision)
    manage.use_database(tmp_path, guide_database)
    for command in ("createdb", "existingdb"):
        refused(mariadb, tmp_path, guide_database, command, "upgradedb")
    done = manage.run(tmp_path, "upgradedb")
    assert done.status == 0, done
    assert revision in done.output
    admin_and_settings(mariadb, guide_database)


# --- at head --------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_at_head_is_left_alone(
    mariadb: MariaDB, guide_database: str, tmp_path: Path, command: str
) -> None:
    manage.use_database(tmp_path, guide_database)
    assert manage.run(tmp_path, "existingdb").status == 0
    before = dump.of(mariadb, database_name(guide_database))
    done = manage.run(tmp_path, command)
    assert done.status == 0, done
    assert "up to date already" in done.output
    assert dump.of(mariadb, database_name(guide_database)) == before


# --- what clashes ---------------------------------------------------------------

CLASHES = {
    "a table of ours that we did not make": (
        GUIDE_SCHEMA + "CREATE TABLE postmaster_admins (id INT PRIMARY KEY);",
        ["postmaster_admins"],
    ),
    "a renamed column": (
        GUIDE_SCHEMA + "ALTER TABLE virtual_users CHANGE email address VARCHAR(120) NOT NULL;",
        ["virtual_users has no column email", "virtual_users.address must be given"],
    ),
    "another type": (
        GUIDE_SCHEMA + "DELETE FROM virtual_aliases;"
        " ALTER TABLE virtual_aliases MODIFY destination INT NOT NULL;",
        ["virtual_aliases.destination is INTEGER"],
    ),
    "a table too few": (
        "CREATE TABLE virtual_domains (id INT AUTO_INCREMENT PRIMARY KEY,"
        " name VARCHAR(50) NOT NULL);",
        ["virtual_users is missing", "virtual_aliases is missing"],
    ),
    "a column that every row must give": (
        GUIDE_SCHEMA + "ALTER TABLE virtual_users ADD quota INT NOT NULL;",
        ["virtual_users.quota must be given"],
    ),
    "ids that do not count": (
        GUIDE_SCHEMA + "ALTER TABLE virtual_users MODIFY id INT NOT NULL;",
        ["virtual_users.id does not count up"],
    ),
    "a revision that nobody knows": (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);"
        " INSERT INTO alembic_version VALUES ('abcdef123456');",
        ["abcdef123456"],
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("script", "differences"), CLASHES.values(), ids=CLASHES.keys())
def test_what_clashes_is_named_and_left_alone(
    mariadb: MariaDB,
    empty_database: str,
    tmp_path: Path,
    script: str,
    differences: list[str],
    command: str,
) -> None:
    mariadb.run(database_name(empty_database), script)
    manage.use_database(tmp_path, empty_database)
    refused(mariadb, tmp_path, empty_database, command, *differences)


# --- what cannot be used --------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("grants", "missing"),
    [
        ("SELECT", ["CREATE", "DROP", "ALTER", "INDEX", "INSERT", "UPDATE", "DELETE"]),
        ("SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX", ["DROP"]),
        ("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX", ["ALTER"]),
        ("SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER", ["INDEX"]),
        ("SELECT, INSERT, UPDATE, DELETE, DROP, ALTER, INDEX", ["CREATE"]),
    ],
)
def test_a_missing_privilege_is_named(
    mariadb: MariaDB, tmp_path: Path, grants: str, missing: list[str], command: str
) -> None:
    uri = mariadb.create_database("poor", grants)
    mariadb.run("poor", GUIDE_SCHEMA)
    manage.use_database(tmp_path, uri)
    refused(mariadb, tmp_path, uri, command, *missing)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_cannot_be_reached_is_one_line(tmp_path: Path, command: str) -> None:
    manage.use_database(tmp_path, f"mysql://u:secret@127.0.0.1:{free_port()}/mail")
    line = manage.run(tmp_path, command).refusal
    assert "does not answer" in line
    assert "secret" not in line


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_password_is_one_line(
    mariadb: MariaDB, empty_database: str, tmp_path: Path, command: str
) -> None:
    manage.use_database(tmp_path, empty_database.replace("pw-", "wrong-"))
    line = manage.run(tmp_path, command).refusal
    assert "1045" in line
    assert "wrong-" not in line
    assert dump.of(mariadb, database_name(empty_database)) == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_database_is_one_line(
    mariadb: MariaDB, empty_database: str, tmp_path: Path, command: str
) -> None:
    name = database_name(empty_database)
    manage.use_database(tmp_path, empty_database)
    with mariadb.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
    assert "no such database" in manage.run(tmp_path, command).refusal
