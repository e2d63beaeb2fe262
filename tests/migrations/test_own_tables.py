"""The mail tables where PostMaster made them, and where a guide made them narrower."""

import sqlite3

import flask_migrate
import pytest

from postmaster import schema
from postmaster.db import db
from tests.conftest import GUIDE_SCHEMA
from tests.migrations.conftest import MAIL_TABLES, OLD_REVISIONS, REVISIONS, Database

DOMAIN = "INSERT INTO virtual_domains (name) VALUES ('{name}.example')"
USER = (
    "INSERT INTO virtual_users (domain_id, password, email)"
    " SELECT id, '$6$x$y', 'ana@{name}.example' FROM virtual_domains WHERE name='{name}.example'"
)
ALIAS = (
    "INSERT INTO virtual_aliases (domain_id, source, destination)"
    " SELECT id, 'to@{name}.example', 'ana@{name}.example'"
    " FROM virtual_domains WHERE name='{name}.example'"
)
QUERIES = {
    "SELECT 1 FROM virtual_domains WHERE name='{name}.example'": (1,),
    "SELECT 1 FROM virtual_users WHERE email='ana@{name}.example'": (1,),
    "SELECT destination FROM virtual_aliases WHERE source='to@{name}.example'": (
        "ana@{name}.example",
    ),
    "SELECT email FROM virtual_users WHERE email='ana@{name}.example'": ("ana@{name}.example",),
    "SELECT email AS user, password FROM virtual_users WHERE email='ana@{name}.example'": (
        "ana@{name}.example",
        "$6$x$y",
    ),
}


def serves(database: Database, name: str) -> None:
    """The guides' own statements add rows, and the mail server finds them in any case."""
    for statement in (DOMAIN, USER, ALIAS):
        database.run(statement.format(name=name))
    for query, row in QUERIES.items():
        expected = [tuple(v.format(name=name) if isinstance(v, str) else v for v in row)]
        assert database.rows(query.format(name=name)) == expected
        assert database.rows(query.format(name=name.upper())) == expected


def step(database: Database, *, up: bool) -> None:
    with database.app.app_context():
        move = flask_migrate.upgrade if up else flask_migrate.downgrade
        move(directory=str(schema.MIGRATIONS), revision="+1" if up else "-1")
        db.session.remove()


def test_step_by_step_the_mail_server_is_served(database: Database) -> None:
    for number, revision in enumerate(REVISIONS):
        step(database, up=True)
        assert database.revision() == revision
        serves(database, f"up{number}")
    rows = database.mail_rows()
    for number, revision in enumerate(reversed(REVISIONS)):
        assert database.revision() == revision
        serves(database, f"down{number}")
        step(database, up=False)
    assert database.revision() is None
    assert all(database.mail_rows()[table][: len(rows[table])] == rows[table] for table in rows)
    assert database.tables() == {*MAIL_TABLES, "alembic_version"}


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_down_to_a_revision_the_tables_are_as_they_were_on_the_way_up(
    database: Database, revision: str
) -> None:
    database.to(revision)
    serves(database, "before")
    form, rows = database.mail_tables(), database.mail_rows()
    database.upgrade()
    database.to(revision)
    assert (database.mail_tables(), database.mail_rows()) == (form, rows)
    database.upgrade()
    assert database.mail_rows() == rows


def test_at_the_first_revision_a_source_has_one_destination(database: Database) -> None:
    database.upgrade()
    serves(database, "one")
    database.to("bcc85aaa7896")
    with pytest.raises(Exception, match=r"Duplicate entry|UNIQUE constraint failed"):
        database.run(ALIAS.format(name="one"))


def test_the_way_back_up_after_base_is_the_guides(database: Database) -> None:
    database.upgrade()
    serves(database, "kept")
    rows = database.mail_rows()
    with database.app.app_context():
        flask_migrate.downgrade(directory=str(schema.MIGRATIONS), revision="base")
    database.adopt()
    assert database.revision() == REVISIONS[-1]
    assert database.mail_rows() == rows


# --- SQLite's own --------------------------------------------------------------


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_on_sqlite_every_address_column_ignores_case(database: Database) -> None:
    database.upgrade()
    file = database.app.config["SQLALCHEMY_DATABASE_URI"].database
    connection = sqlite3.connect(file)
    created = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type='table'"))
    connection.close()
    counts = {table: created[table].count("NOCASE") for table in MAIL_TABLES}
    assert counts == {"virtual_domains": 1, "virtual_users": 1, "virtual_aliases": 2}
    assert created["postmaster_admins"].count("NOCASE") == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_on_sqlite_deleting_a_domain_still_takes_its_rows_along(guide: Database) -> None:
    guide.adopt()
    guide.run("DELETE FROM virtual_domains WHERE id = 1")
    assert {row[1] for row in guide.mail_rows()["virtual_users"]} == {4, 5}
    assert {row[1] for row in guide.mail_rows()["virtual_aliases"]} == {4}


# --- the other guide's form ----------------------------------------------------


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
@pytest.mark.parametrize("revision", OLD_REVISIONS)
def test_a_narrower_email_column_stays_as_it_is(database: Database, revision: str) -> None:
    """One of the guides makes it 100 characters wide."""
    database.load(GUIDE_SCHEMA.replace("email VARCHAR(120)", "email VARCHAR(100)"))
    form, rows = database.mail_tables(), database.mail_rows()
    assert "`email` varchar(100)" in form["virtual_users"]
    database.adopt()
    assert database.mail_rows() == rows
    assert database.mail_tables()["virtual_users"] == form["virtual_users"]
    database.to(revision)
    assert (database.mail_tables(), database.mail_rows()) == (form, rows)
    database.upgrade()
    serves(database, "narrow")
