"""An installation of PostMaster 1.x, with the rows of some years, after ``upgradedb``."""

import base64
import hmac
import time
from typing import Any

import pytest

from postmaster.rules import passwords, settings
from tests.conftest import sign_in
from tests.migrations.conftest import OLD_REVISIONS, REVISIONS, Database

SECRET = "JBSWY3DPEHPK3PXP"  # 80 bits, as PostMaster 1.x made them
UNVERIFIED = "GEZDGNBVGY3TQOJQ"
PASSWORDS = {"admin": "Changed1!", "ana": "pässword of ana", "bob": "password of bob"}
ADMINS: tuple[dict[str, Any], ...] = (
    {"id": 1, "name": "Default User", "username": "admin", "source": "local"},
    {"id": 3, "name": "Ana", "username": "ana", "source": "local"},
    {"id": 4, "name": "Bob", "username": "bob", "source": "local"},
    {"id": 7, "name": "Directory", "username": "dir", "source": "ldap"},
)
LOCKOUT: dict[str, dict[str, Any]] = {
    "admin": {"failed_attempts": 0},
    "ana": {"failed_attempts": 2, "last_failed_date": "2019-05-04 10:11:12"},
    "bob": {
        "failed_attempts": 5,
        "last_failed_date": "2019-05-04 10:11:12",
        "unlock_date": "2019-05-04 10:41:12",
    },
}
SECOND_FACTOR: dict[str, dict[str, Any]] = {
    "ana": {"otp_active": True, "otp_secret": SECRET},
    "bob": {"otp_active": False, "otp_secret": UNVERIFIED},
}
SETTINGS = {
    "Minimum Password Length": "12",
    "Account Lockout Threshold": "3",
    "Account Lockout Duration in Minutes": "45",
    "Reset Account Lockout Counter in Minutes": "15",
    "Login Auditing": "True",
    "Mail Database Auditing": "True",
    "Enable LDAP Authentication": "False",
    "AD Server LDAP String": "ldaps://dc1.corp.example:636",
    "AD Domain": "corp.example",
    "AD PostMaster Group": "Mail Admins",
    "LDAP Authentication Method": "SIMPLE",
}


def fill(database: Database, revision: str) -> None:
    """The rows that PostMaster 1.x had put into its tables by this revision."""
    for number in range(1, 4):
        domain = {"id": number, "name": f"domain{number}.example"}
        add(database, "virtual_domains", **domain)
        for name in ("ana", "bob"):
            email = f"{name}@{domain['name']}"
            add(database, "virtual_users", domain_id=number, password="$6$x$y", email=email)
        source = f"sales@{domain['name']}"
        add(database, "virtual_aliases", domain_id=number, source=source, destination=email)
    if revision == "bcc85aaa7896":
        return
    for admin in ADMINS:
        password = PASSWORDS.get(admin["username"])
        hashed = password and passwords.hash_for_admin(password)
        add(database, "postmaster_admins", password=hashed, active=True, **admin)
    for number, (setting, value) in enumerate(SETTINGS.items(), 1):
        row = {"id": number, "setting": setting, "value": value, "regex": "^.*$"}
        add(database, "postmaster_configuration", **row)
    if revision != "e8f52e92abd0":
        for username, columns in LOCKOUT.items():
            change(database, username, **columns)
    if revision == "e3a72926f808":
        for username, columns in SECOND_FACTOR.items():
            change(database, username, **columns)


def add(database: Database, table: str, **columns: Any) -> None:
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    database.run(f"INSERT INTO {table} ({names}) VALUES ({values})", **columns)


def change(database: Database, username: str, **columns: Any) -> None:
    values = ", ".join(f"{name} = :{name}" for name in columns)
    statement = f"UPDATE postmaster_admins SET {values} WHERE username = '{username}'"
    database.run(statement, **columns)


def admins(database: Database, columns: str) -> list[tuple[Any, ...]]:
    return database.rows(f"SELECT {columns} FROM postmaster_admins ORDER BY id")


@pytest.fixture(params=OLD_REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    """Each revision that PostMaster 1.x left databases at."""
    return str(request.param)


@pytest.fixture
def filled(database: Database, revision: str) -> Database:
    database.to(revision)
    fill(database, revision)
    return database


def authenticator(secret: str) -> str:
    """What an app shows now (RFC 6238), by itself: libraries refuse secrets so short."""
    counter = (int(time.time()) // 30).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def test_no_row_and_no_value_is_lost(filled: Database, revision: str) -> None:
    columns = "id, name, username, password, source, active"
    if revision in ("c3803ac9b7dd", "e3a72926f808"):
        columns += ", failed_attempts, last_failed_date, unlock_date"
    if revision == "e3a72926f808":
        columns += ", otp_active, otp_secret"
    has_admins = revision != "bcc85aaa7896"
    before = (filled.mail_rows(), admins(filled, columns) if has_admins else [])
    filled.upgrade()
    assert filled.revision() == REVISIONS[-1]
    assert (filled.mail_rows(), admins(filled, columns) if has_admins else []) == before


def test_settings_keep_their_values_and_the_new_ones_follow(
    filled: Database, revision: str
) -> None:
    filled.upgrade()
    rows = filled.rows("SELECT id, setting, value FROM postmaster_configuration ORDER BY id")
    if revision == "bcc85aaa7896":
        assert [(row[0], row[1]) for row in rows[:11]] == list(enumerate(SETTINGS, 1))
        assert rows[0][2] == "8"
    else:
        assert [(row[1], row[2]) for row in rows[:11]] == list(SETTINGS.items())
    assert [row[0] for row in rows[:11]] == list(range(1, 12))
    new = [(setting.name, setting.text(setting.default)) for setting in settings.ALL[11:]]
    assert [tuple(row[1:]) for row in rows[11:]] == new


def test_administrators_sign_in_with_the_same_password_and_authenticator(
    filled: Database, revision: str
) -> None:
    filled.upgrade()
    if revision == "bcc85aaa7896":
        sign_in(filled.app)
        return
    sign_in(filled.app, "admin", PASSWORDS["admin"])
    sign_in(filled.app, "bob", PASSWORDS["bob"])  # the lock is long over, the secret unverified
    browser = filled.app.test_client()
    form = {"username": "ana", "password": PASSWORDS["ana"]}
    if revision == "e3a72926f808":
        refused = browser.post("/login", data=form)
        assert "two factor authentication code is incorrect" in refused.text.lower()
        form["two_factor"] = authenticator(SECRET)
    assert browser.post("/login", data=form).status_code == 302
    assert browser.get("/api/v1/domains").status_code == 200


def test_the_values_are_in_force(filled: Database, revision: str) -> None:
    filled.upgrade()
    username = "admin"
    old = revision != "bcc85aaa7896"
    browser = sign_in(filled.app, username, PASSWORDS[username] if old else "PostMaster")
    new_user = {"email": "new@domain1.example", "password": "11 letters."}
    response = browser.post("/api/v1/users", json=new_user)
    assert response.status_code == (400 if old else 201)
    assert not old or "at least 12 characters" in response.get_json()["message"]


def test_down_again_everything_is_as_it_was(filled: Database, revision: str) -> None:
    tables = sorted(filled.tables())
    before = {table: filled.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables}
    form = filled.mail_tables()
    filled.upgrade()
    filled.to(revision)
    after = {table: filled.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables}
    # What came with the upgrade stays where there is a table for it.
    if revision != "bcc85aaa7896":
        after["postmaster_configuration"] = after["postmaster_configuration"][:11]
    assert after == before
    assert sorted(filled.tables()) == tables
    assert filled.mail_tables() == form
