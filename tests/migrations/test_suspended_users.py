"""A downgrade gives suspended users back to the mail server as they were."""

from pathlib import Path

import pytest

from postmaster import schema
from postmaster.db import db, transact
from postmaster.errors import Invalid
from postmaster.rules import suspension_acts, users
from postmaster.rules.suspensions import MARKER, Mode
from tests.conftest import ADMIN, database_name, dispose, make_app
from tests.mariadb import MariaDB
from tests.migrations.conftest import Database

BEFORE = "4b9e07d6c8f1"


@pytest.fixture
def installed(guide: Database) -> Database:
    guide.adopt()
    return guide


def suspend(database: Database, email: str, mode: Mode) -> int:
    ((user_id,),) = database.rows("SELECT id FROM virtual_users WHERE email=:email", email=email)
    with database.app.app_context():
        transact(suspension_acts.suspend, ADMIN, user_id, mode=mode)
    return int(user_id)


def test_every_row_is_as_it_was(installed: Database, capsys: pytest.CaptureFixture[str]) -> None:
    before = installed.mail_rows()
    suspend(installed, "ana@example.com", Mode.ALL)
    suspend(installed, "Carla.Mixed@Example.com", Mode.ALL)
    suspend(installed, "bob@example.com", Mode.SIGN_IN)
    assert installed.mail_rows() != before
    installed.to(BEFORE)
    assert installed.mail_rows() == before
    told = capsys.readouterr().out
    assert "ana@example.com: not suspended any more.\n" in told
    assert "Carla.Mixed@Example.com: not suspended any more.\n" in told
    assert "bob@example.com: not suspended any more.\n" in told
    assert "$6$" not in told
    installed.upgrade()
    assert installed.mail_rows() == before


def test_what_cannot_come_back_is_said(
    installed: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    ana = suspend(installed, "ana@example.com", Mode.ALL)
    installed.run(
        "INSERT INTO virtual_users (domain_id, password, email)"
        " VALUES (1, 'x', 'Ana@example.com'), (1, :marker, '!odd@example.com')",
        marker=MARKER,
    )
    bob = suspend(installed, "bob@example.com", Mode.SIGN_IN)
    installed.run("UPDATE virtual_users SET password='by hand' WHERE id=:id", id=bob)
    installed.to(BEFORE)
    told = capsys.readouterr().out
    assert "ana@example.com: there is another user of this address; !ana@" in told
    assert "odd@example.com: its password was not kept; set a new one.\n" in told
    assert "bob@" not in told
    rows = {
        row[0]: row[1:] for row in installed.rows("SELECT id, email, password FROM virtual_users")
    }
    assert rows[bob] == ("bob@example.com", "by hand")
    assert rows[ana][0] == "!ana@example.com"
    assert rows[ana][1].startswith("$6$")
    assert ("odd@example.com", MARKER) in rows.values()


def test_a_narrower_column_has_no_room_for_the_sign(
    guide_database: str, mariadb: MariaDB, tmp_path: Path
) -> None:
    """Linode's column has 100 characters, others have 40."""
    email = f"{'x' * 28}@example.com"
    mariadb.run(
        database_name(guide_database),
        "ALTER TABLE virtual_users MODIFY email VARCHAR(40) NOT NULL;"
        f"INSERT INTO virtual_users (domain_id, password, email) VALUES (1, 'x', '{email}')",
    )
    app = make_app(guide_database, tmp_path)
    with app.app_context():
        schema.adopt(lambda _line: None)
        user = users.by_email(db.session(), ADMIN, email)
        with pytest.raises(Invalid, match="too long to be suspended without mail"):
            transact(suspension_acts.suspend, ADMIN, user.id, mode=Mode.ALL)
        transact(suspension_acts.suspend, ADMIN, user.id, mode=Mode.SIGN_IN)
    dispose(app)
