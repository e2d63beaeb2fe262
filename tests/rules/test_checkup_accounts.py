"""The panel's own accounts: the default password, and what its database user may do."""

from collections.abc import Sequence

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from postmaster.db import db
from postmaster.models import Admin
from postmaster.rules import passwords
from postmaster.rules.checkup import accounts
from postmaster.rules.checkup.findings import Finding
from tests.mariadb import MariaDB

USAGE = "GRANT USAGE ON *.* TO `pm`@`localhost` IDENTIFIED BY PASSWORD '*ABC'"
ALL_HERE = "GRANT ALL PRIVILEGES ON `servermail`.* TO `pm`@`localhost`"
ROWS = "SELECT, INSERT, UPDATE, DELETE"
EVERY_DDL = "CREATE, DROP, REFERENCES, INDEX, ALTER"


@pytest.mark.parametrize(
    ("grants", "codes"),
    [
        ([USAGE, ALL_HERE], []),
        (
            [
                "GRANT USAGE ON *.* TO `pm`@`%`",
                f"GRANT {ROWS}, {EVERY_DDL} ON `servermail`.* TO `pm`@`%`",
            ],
            [],
        ),
        ([USAGE, f"GRANT {ROWS} ON `servermail`.* TO `pm`@`localhost`"], ["database-no-upgrades"]),
        (
            [USAGE, f"GRANT SELECT, {EVERY_DDL} ON `servermail`.* TO `pm`@`localhost`"],
            ["database-less"],
        ),
        ([USAGE], ["database-less", "database-no-upgrades"]),
        (
            [USAGE, f"GRANT {ROWS} ON `servermail`.`virtual_users` TO `pm`@`localhost`"],
            ["database-less", "database-no-upgrades"],
        ),
        (["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`"], ["database-administrator"]),
        (
            ["GRANT SELECT, SUPER ON *.* TO `pm`@`localhost`", ALL_HERE],
            ["database-administrator"],
        ),
        (
            ["GRANT SELECT ON *.* TO `pm`@`localhost` WITH GRANT OPTION", ALL_HERE],
            ["database-administrator"],
        ),
        (["GRANT SELECT, FILE ON *.* TO `pm`@`localhost`", ALL_HERE], ["database-more"]),
        ([USAGE, f"{ALL_HERE} WITH GRANT OPTION"], ["database-more"]),
        ([USAGE, ALL_HERE, "GRANT SELECT ON `wiki`.* TO `pm`@`localhost`"], ["database-more"]),
        # In the name of a database _ and % are as in LIKE, unless they are escaped.
        ([USAGE, "GRANT ALL PRIVILEGES ON `server%`.* TO `pm`@`localhost`"], []),
        ([USAGE, "GRANT ALL PRIVILEGES ON `server_ail`.* TO `pm`@`localhost`"], []),
        (
            [USAGE, r"GRANT ALL PRIVILEGES ON `server\_ail`.* TO `pm`@`localhost`"],
            ["database-more", "database-less", "database-no-upgrades"],
        ),
        # A server may not say what a role brings.
        ([USAGE, "GRANT `panel` TO `pm`@`localhost`"], []),
        ([USAGE, "GRANT `panel`@`%` TO `pm`@`localhost`"], []),
        (
            ["GRANT `panel` TO `pm`@`localhost`", "GRANT ALL PRIVILEGES ON *.* TO `panel`"],
            ["database-administrator"],
        ),
        (
            ["GRANT SELECT (`a`, `b`), INSERT ON `wiki`.`page` TO `pm`@`localhost`", ALL_HERE],
            ["database-more"],
        ),
    ],
)
def test_rights_are_judged_by_what_the_server_says(grants: Sequence[str], codes: list[str]) -> None:
    rights = accounts.rights_of(grants, "servermail")
    assert [f.code for f in accounts.judge(rights, "servermail", "'pm'@'localhost'")] == codes


def test_each_right_is_named_once() -> None:
    """In the statements: a sample would say the same once more."""
    grants = ["GRANT SELECT, FILE ON *.* TO `pm`@`localhost`", "GRANT SELECT ON `wiki`.* TO `pm`"]
    account = "'pm'@'localhost'"
    more, *less = accounts.judge(accounts.rights_of(grants, "servermail"), "servermail", account)
    assert (more.count, list(more.sample)) == (2, [])
    assert list(more.statements) == [
        f"GRANT SELECT ON `servermail`.* TO {account};",
        f"REVOKE FILE, SELECT ON *.* FROM {account};",
        f"REVOKE ALL ON `wiki`.* FROM {account};",
    ]
    assert [list(finding.sample) for finding in less] == [[], []]


def found(uri: str) -> list[Finding]:
    engine = create_engine(uri.replace("mysql:", "mysql+pymysql:"))
    with Session(engine) as session:
        findings = accounts.database_user(session)
    engine.dispose()
    return findings


NAME = "checkup_rights"


@pytest.mark.parametrize(
    ("grants", "more", "codes"),
    [
        ("ALL", "", []),
        (f"{ROWS}, {EVERY_DDL}", "", []),
        (ROWS, "", ["database-no-upgrades"]),
        ("SELECT", "", ["database-less", "database-no-upgrades"]),
        ("ALL", "GRANT SELECT ON mysql.* TO {user}", ["database-more"]),
        (
            EVERY_DDL,
            "GRANT SELECT, INSERT, UPDATE, DELETE, PROCESS ON *.* TO {user}",
            ["database-more"],
        ),
        ("ALL", "GRANT SELECT ON checkup_rights.* TO {user} WITH GRANT OPTION", ["database-more"]),
    ],
)
def test_the_statements_mend_a_real_users_rights(
    mariadb: MariaDB, grants: str, more: str, codes: list[str]
) -> None:
    uri = mariadb.create_database(NAME, grants)
    with mariadb.cursor() as cursor:
        if more:
            cursor.execute(more.format(user=f"{NAME}@'127.0.0.1'"))
        findings = found(uri)
        assert [finding.code for finding in findings] == codes
        for finding in findings:
            for statement in finding.statements:
                cursor.execute(statement)
    assert found(uri) == []


def test_who_has_everything_is_an_administrator(mariadb: MariaDB) -> None:
    uri = mariadb.create_database(NAME)
    with mariadb.cursor() as cursor:
        cursor.execute(f"GRANT ALL ON *.* TO {NAME}@'127.0.0.1'")
    (finding,) = found(uri)
    assert finding.code == "database-administrator"
    assert finding.sample[0].text == f"'{NAME}'@'127.0.0.1'"
    assert f"ON `{NAME}`.* TO" in finding.statements[1]
    assert f"pw-{NAME}" not in str(finding)


@pytest.mark.usefixtures("context")
def test_a_renamed_admin_with_the_default_password_is_found_and_others_are_not() -> None:
    admin = db.session.get_one(Admin, 1)
    admin.username = "boss"
    other = Admin(username="zoe", name="Zoe", source="local", active=True)
    other.password = passwords.hash_for_admin("PostMaster")
    db.session.add(other)
    db.session.commit()
    (finding,) = (f for f in accounts.find(db.session()) if f.code == "default-password")
    assert [sample.text for sample in finding.sample] == ["boss"]
    admin.password = passwords.hash_for_admin("something else")
    db.session.commit()
    assert not [f for f in accounts.find(db.session()) if f.code == "default-password"]
