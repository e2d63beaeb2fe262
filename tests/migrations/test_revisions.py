"""Every migration up and down, on every database that there is."""

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from postmaster import revisions, schema
from postmaster.db import db
from postmaster.rules import passwords
from postmaster.rules import settings as declared
from tests.conftest import sign_in
from tests.migrations.conftest import MAIL_TABLES, OLD_REVISIONS, REVISIONS, Database

HEAD = REVISIONS[-1]

QUERIES = {
    "SELECT 1 FROM virtual_domains WHERE name='example.com'": [(1,)],
    "SELECT 1 FROM virtual_users WHERE email='ana@example.com'": [(1,)],
    "SELECT destination FROM virtual_aliases WHERE source='sales@example.com'": [
        ("ana@example.com",)
    ],
    "SELECT email FROM virtual_users WHERE email='ana@example.com'": [("ana@example.com",)],
}
TEAM = "SELECT destination FROM virtual_aliases WHERE source='team@example.com'"
PASSWORD = "SELECT email AS user, password FROM virtual_users WHERE email='by@hand{n}.example'"
INSERTS = (
    "INSERT INTO virtual_domains (name) VALUES ('by-hand{n}.example')",
    "INSERT INTO virtual_users (domain_id, password, email)"
    " VALUES ((SELECT id FROM virtual_domains WHERE name = 'by-hand{n}.example'),"
    " '{{PLAIN}}x', 'by@hand{n}.example')",
    "INSERT INTO virtual_aliases (domain_id, source, destination)"
    " VALUES ((SELECT id FROM virtual_domains WHERE name = 'by-hand{n}.example'),"
    " 'alias@hand{n}.example', 'by@hand{n}.example')",
)


def test_the_revisions_that_are_known_are_those_of_the_migrations_in_their_order() -> None:
    assert list(revisions.REVISIONS) == REVISIONS


def differences(database: Database) -> list[object]:
    """How the tables differ from the models."""
    with database.app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _parents: (
                    kind != "table" or name in db.metadata.tables
                ),
            },
        )
        return compare_metadata(context, db.metadata)


def test_the_old_revisions_come_first() -> None:
    assert OLD_REVISIONS == ["bcc85aaa7896", "e8f52e92abd0", "c3803ac9b7dd", "e3a72926f808"]


def test_head_is_what_the_models_say(database: Database) -> None:
    database.upgrade()
    assert database.revision() == HEAD
    assert differences(database) == []


def test_the_guides_tables_at_head_are_what_the_models_say(guide: Database) -> None:
    guide.adopt()
    assert differences(guide) == []


@pytest.mark.parametrize("revision", OLD_REVISIONS)
def test_down_and_up_leave_no_trace(guide: Database, revision: str) -> None:
    before = guide.mail_tables()
    rows = guide.mail_rows()
    guide.adopt()
    at_head = guide.mail_tables()
    guide.to(revision)
    assert guide.mail_rows() == rows
    assert guide.mail_tables() == before
    guide.to(HEAD)
    assert guide.mail_rows() == rows
    assert guide.mail_tables() == at_head
    assert differences(guide) == []
    sign_in(guide.app)


def test_at_the_first_revision_nothing_of_ours_is_left(guide: Database) -> None:
    guide.adopt()
    guide.to("bcc85aaa7896")
    assert guide.tables() == {*MAIL_TABLES, "alembic_version"}


def test_below_the_first_revision_the_mail_tables_stay(guide: Database) -> None:
    rows = guide.mail_rows()
    guide.adopt()
    guide.to("bcc85aaa7896")
    with guide.app.app_context():
        flask_migrate.downgrade(directory=str(schema.MIGRATIONS), revision="base")
    assert guide.mail_rows() == rows
    guide.adopt()
    assert guide.revision() == HEAD


def test_the_mail_servers_queries_and_inserts_work_at_every_revision(guide: Database) -> None:
    guide.adopt()
    guide.to("bcc85aaa7896")
    for number, revision in enumerate([*REVISIONS, *REVISIONS[-2::-1]]):
        if guide.revision() != revision:
            guide.to(revision)
        for query, found in QUERIES.items():
            assert guide.rows(query) == found, revision
        assert (
            len(
                guide.rows(
                    "SELECT destination FROM virtual_aliases WHERE source='team@example.com'"
                )
            )
            == 3
        )
        for insert in INSERTS:
            guide.run(insert.format(n=number))
        password = guide.rows(PASSWORD.format(n=number))
        assert password == [(f"by@hand{number}.example", "{PLAIN}x")]


@pytest.mark.parametrize("revision", OLD_REVISIONS)
def test_a_filled_database_of_the_1x_series_keeps_everything(
    database: Database, revision: str
) -> None:
    """As PostMaster 1.x made and filled it: one destination a source."""
    database.to(revision)
    database.run("INSERT INTO virtual_domains (id, name) VALUES (1, 'example.com')")
    database.run(
        "INSERT INTO virtual_users (domain_id, password, email)"
        " VALUES (1, '{PLAIN}x', 'ana@example.com')"
    )
    database.run(
        "INSERT INTO virtual_aliases (domain_id, source, destination)"
        " VALUES (1, 'sales@example.com', 'ana@example.com')"
    )
    level = OLD_REVISIONS.index(revision)
    if level >= 1:
        database.run(
            "INSERT INTO postmaster_admins (name, username, password, source, active)"
            " VALUES ('Root', 'root', :hash, 'local', :yes)",
            hash=passwords.hash_for_admin("password"),
            yes=True,
        )
        database.run(
            "INSERT INTO postmaster_configuration (id, setting, value, regex)"
            " VALUES (1, 'Minimum Password Length', '11', 'old')"
        )
    if level >= 2:
        database.run("UPDATE postmaster_admins SET failed_attempts = 3")
    if level >= 3:
        database.run("UPDATE postmaster_admins SET otp_secret = 'JBSWY3DPEHPK3PXP'")
    rows = database.mail_rows()
    form = database.mail_tables()
    database.upgrade()
    assert database.mail_rows() == rows
    assert differences(database) == []
    if level >= 1:
        assert database.rows("SELECT username FROM postmaster_admins") == [("root",)]
        sign_in(database.app, "root", "password")
        settings = database.rows("SELECT id, setting, value FROM postmaster_configuration")
        assert (1, "Minimum Password Length", "11") in settings
        assert len(settings) == len(declared.ALL)
    if level >= 3:
        secrets = database.rows("SELECT otp_secret, otp_active FROM postmaster_admins")
        assert secrets == [("JBSWY3DPEHPK3PXP", None)]
    database.to(revision)
    assert database.mail_rows() == rows
    assert database.mail_tables() == form


def test_the_old_unique_key_stays_away_where_a_source_has_several_destinations(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.to("bcc85aaa7896")
    database.upgrade()
    database.run("INSERT INTO virtual_domains (id, name) VALUES (1, 'example.com')")
    for name in ("ana", "bob"):
        database.run(
            "INSERT INTO virtual_aliases (domain_id, source, destination)"
            f" VALUES (1, 'team@example.com', '{name}@example.com')"
        )
    rows = database.mail_rows()
    database.to("bcc85aaa7896")
    assert database.mail_rows() == rows
    assert "not put back" in capsys.readouterr().out


def test_a_secret_that_does_not_fit_an_older_revision_is_turned_off(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.upgrade()
    database.run(
        "UPDATE postmaster_admins SET otp_active = :yes, otp_secret = :s", yes=True, s="A" * 32
    )
    database.to("e3a72926f808")
    rows = database.rows("SELECT username, otp_secret, otp_active FROM postmaster_admins")
    assert [(name, secret, bool(on)) for name, secret, on in rows] == [("admin", None, False)]
    assert "admin" in capsys.readouterr().out


def test_a_shorter_email_column_is_accepted(guide: Database) -> None:
    """One of the guides makes it 100 characters wide."""
    is_mysql = guide.app.config["SQLALCHEMY_DATABASE_URI"].get_backend_name() == "mysql"
    if is_mysql:  # SQLite keeps to no width
        guide.run("ALTER TABLE virtual_users MODIFY email VARCHAR(100) NOT NULL")
    guide.adopt()
    browser = sign_in(guide.app)
    domain = "b" * 42 + ".example"
    browser.post("/api/v1/domains", json={"name": domain})
    for length, fits in ((49, True), (60, not is_mysql)):
        body = {"email": f"{'a' * length}@{domain}", "password": "password"}
        response = browser.post("/api/v1/users", json=body)
        assert response.status_code == (201 if fits else 400)
        assert fits or "too long" in response.get_json()["message"]
