"""The form of the tables: each difference from the guides' is found, and its statement mends it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from postmaster.db import db
from postmaster.rules.checkup import checking, tables
from postmaster.rules.checkup.findings import Finding
from tests.conftest import ADMIN, GUIDE_SCHEMA, Prepared
from tests.mariadb import MariaDB

MAIL_TABLES = GUIDE_SCHEMA[: GUIDE_SCHEMA.index("INSERT INTO")]
# What PostMaster adds when it adopts the tables.
INDEXES = (
    "ALTER TABLE virtual_aliases ADD INDEX postmaster_source (source),"
    " ADD INDEX postmaster_destination (destination)"
)
NO_KEY = "ALTER TABLE virtual_users DROP FOREIGN KEY virtual_users_ibfk_1"
DATABASE = "checkup_tables"


@pytest.fixture
def session(mariadb: MariaDB) -> Iterator[Session]:
    """The guides' tables, empty, as PostMaster has them."""
    uri = mariadb.create_database(DATABASE)
    mariadb.run(DATABASE, f"{MAIL_TABLES.strip()} {INDEXES}")
    engine = create_engine(uri.replace("mysql:", "mysql+pymysql:"))
    with Session(engine) as opened:
        yield opened
    engine.dispose()


def found(session: Session) -> list[Finding]:
    session.rollback()
    return tables.find(session)


def test_the_guides_tables_are_as_they_should_be(session: Session) -> None:
    assert found(session) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (NO_KEY, {"table-foreign-key": "virtual_users.domain_id"}),
        (
            f"{NO_KEY}; ALTER TABLE virtual_users DROP INDEX domain_id",
            {
                "table-foreign-key": "virtual_users.domain_id",
                "table-index": "virtual_users.domain_id",
            },
        ),
        (
            f"{NO_KEY}; ALTER TABLE virtual_users"
            " ADD FOREIGN KEY (domain_id) REFERENCES virtual_domains (id)",
            {"table-foreign-key": "virtual_users.domain_id"},
        ),
        (
            "ALTER TABLE virtual_users DROP INDEX email",
            {"table-unique-email": "virtual_users.email"},
        ),
        (
            "ALTER TABLE virtual_aliases DROP INDEX postmaster_source",
            {"table-index": "virtual_aliases.source"},
        ),
        (
            "ALTER TABLE virtual_aliases ADD UNIQUE KEY source (source)",
            {"table-unique-source": "virtual_aliases.source"},
        ),
        (
            "ALTER TABLE virtual_aliases DROP INDEX postmaster_source, ADD UNIQUE KEY (source)",
            {"table-unique-source": "virtual_aliases.source"},
        ),
        (
            "ALTER TABLE virtual_aliases MODIFY id INT NOT NULL, DROP PRIMARY KEY",
            {"table-primary-key": "virtual_aliases.id", "table-counting": "virtual_aliases.id"},
        ),
        (
            "ALTER TABLE virtual_aliases MODIFY id INT NOT NULL",
            {"table-counting": "virtual_aliases.id"},
        ),
        (
            "ALTER TABLE virtual_aliases DROP FOREIGN KEY virtual_aliases_ibfk_1;"
            " ALTER TABLE virtual_aliases ENGINE=MyISAM",
            {"table-engine": "virtual_aliases", "table-foreign-key": "virtual_aliases.domain_id"},
        ),
        (
            "ALTER TABLE virtual_aliases MODIFY destination VARCHAR(40) NOT NULL",
            {"table-narrow": "virtual_aliases.destination (40 < 100)"},
        ),
        (
            "ALTER TABLE virtual_users ADD quota INT NOT NULL, ADD note VARCHAR(9) NOT NULL,"
            " ADD harmless INT NOT NULL DEFAULT 0, ADD free INT",
            {"table-extra-column": "virtual_users.quota"},
        ),
        (
            "ALTER TABLE virtual_domains CONVERT TO CHARACTER SET latin1;"
            "ALTER TABLE virtual_users CONVERT TO CHARACTER SET latin1;"
            "ALTER TABLE virtual_aliases CONVERT TO CHARACTER SET latin1",
            {"table-charset": "virtual_aliases.source (latin1_swedish_ci)"},
        ),
        (
            "ALTER TABLE virtual_aliases CONVERT TO CHARACTER SET utf8mb4",
            {"table-collations": "virtual_aliases.source (utf8mb4_general_ci)"},
        ),
    ],
)
def test_a_difference_is_found_and_its_statement_mends_it(
    session: Session, mariadb: MariaDB, change: str, where: dict[str, str]
) -> None:
    mariadb.run(DATABASE, change)
    findings = found(session)
    assert {finding.code: finding.sample[0].text for finding in findings} == where
    session.rollback()  # holds no lock any more
    for finding in findings:
        for statement in finding.statements:
            mariadb.run(DATABASE, statement)
    left = found(session)
    # In MyISAM the foreign key was taken and forgotten.
    if "table-engine" in where:
        assert [finding.code for finding in left] == ["table-foreign-key"]
        mariadb.run(DATABASE, left[0].statements[0])
        left = found(session)
    assert left == []


def test_where_rows_cannot_be_compared_that_is_all_that_is_said(
    mariadb: MariaDB, prepared_mariadb: Prepared
) -> None:
    app: Flask = prepared_mariadb.app
    prepared_mariadb.reset()
    with app.app_context():
        database = str(prepared_mariadb.app.config["SQLALCHEMY_DATABASE_URI"].database)
        alter = "ALTER TABLE virtual_aliases CONVERT TO CHARACTER SET {}"
        mariadb.run(database, alter.format("utf8mb4"))
        try:
            report = checking.check(db.session(), ADMIN)
            db.session.remove()
        finally:
            mariadb.run(database, alter.format("utf8"))
    assert not report.complete
    assert report.schemes == []
    assert report.finding("table-collations") is not None
