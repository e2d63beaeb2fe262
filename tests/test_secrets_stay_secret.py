"""No password, hash, secret, code or token is in anything that can be read afterwards.

Everything that handles one is done, also wrongly and on a database that fails in the
middle, with both auditing settings on; then all that came out is searched.
"""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from postmaster import schema
from postmaster.config import parse_database_uri
from postmaster.db import db
from postmaster.models import (
    Admin,
    AdminSession,
    HistoryEntry,
    HistorySecret,
    RecoveryCode,
    SettingRow,
    User,
)
from tests.conftest import PASSWORD, SECRET_KEY, database_name, dispose, make_app
from tests.mariadb import MariaDB

API = "/api/v1"
# Told from everything else that is written: no word of the product has these letters.
FIRST, SECOND, WRONG = "Xq7-first-pass", "Xq7-second-pass", "Xq7-wrong-pass"
STARTS_OF_HASHES = ("$6$", "$2b$", "$2a$", "$2y$")


@dataclass
class Witness:
    """Does things at the panel, keeps what was answered, and knows what must not be in it."""

    app: Flask
    browser: FlaskClient
    log: Path
    secrets: set[str] = field(default_factory=lambda: {FIRST, SECOND, WRONG, SECRET_KEY})
    heard: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, **options: Any) -> TestResponse:
        """One request; what comes back but for the browser's own cookie is kept."""
        response = self.browser.open(path, method=method, **options)
        headers = [f"{k}: {v}" for k, v in response.headers if k != "Set-Cookie"]
        self.heard += [response.text, *headers]
        return response

    def call(self, method: str, path: str, **body: Any) -> TestResponse:
        """One call of the API."""
        return self.ask(method, f"{API}/{path}", json=body or None)

    def sign_in(self, password: str, **fields: str) -> TestResponse:
        """One attempt in this browser."""
        form = {"username": "admin", "password": password} | fields
        response = self.ask("POST", "/login", data=form)
        with self.browser.session_transaction() as session:
            self.secrets |= {session["_user_id"]} if "_user_id" in session else set()
        return response

    def collect(self) -> None:
        """Add every secret that the database holds now."""
        with self.app.app_context():
            for column in (
                User.password,
                Admin.password,
                Admin.otp_secret,
                HistorySecret.password,
                RecoveryCode.code_hash,
                AdminSession.token_hash,
            ):
                self.secrets |= {value for value in db.session.scalars(select(column)) if value}
            db.session.remove()

    def history(self) -> str:
        """All columns of all entries."""
        with self.app.app_context():
            entries = db.session.scalars(select(HistoryEntry))
            columns = HistoryEntry.__table__.columns.keys()
            text = json.dumps([[str(getattr(entry, c)) for c in columns] for entry in entries])
            db.session.remove()
        return text

    def search(self, *more: str) -> None:
        """Look for every secret in what was heard, in the log, and in what is given."""
        read = "\n".join([*self.heard, *more, self.log.read_text() if self.log.exists() else ""])
        found = {secret for secret in (*self.secrets, *STARTS_OF_HASHES) if secret in read}
        assert found == set()


@pytest.fixture(params=["sqlite", "mariadb"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that the test may break."""
    if request.param == "mariadb":
        return str(request.getfixturevalue("empty_database"))
    return f"sqlite:///{tmp_path}/postmaster.sqlite3"


@pytest.fixture
def witness(uri: str, tmp_path: Path) -> Iterator[Witness]:
    """Signed in to a new installation, with both auditing settings on."""
    app = make_app(uri, tmp_path)
    with app.app_context():
        schema.upgrade(lambda _line: None)
        for row in db.session.scalars(select(SettingRow)):
            if row.setting in ("Login Auditing", "Mail Database Auditing"):
                row.value = "True"
        db.session.commit()
        db.session.remove()
    witness = Witness(app, app.test_client(), tmp_path / "log")
    witness.secrets |= {parse_database_uri(uri).password or SECRET_KEY}
    witness.sign_in(PASSWORD)
    witness.call("POST", "domains", name="example.com")
    yield witness
    dispose(app)


def run_sql(request: pytest.FixtureRequest, uri: str, statement: str) -> None:
    """What an operator does to the database behind the panel's back."""
    url = parse_database_uri(uri)
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(url.database or "")
        connection.executescript(statement)
        connection.close()
    else:
        mariadb: MariaDB = request.getfixturevalue("mariadb")
        mariadb.run(database_name(uri), statement)


def turn_on_second_factor(witness: Witness) -> list[str]:
    """Its answers are the one place where a secret and the codes are meant to be seen."""
    browser = witness.browser
    assert browser.get(f"{API}/admins/1/twofactor/qrcode").status_code == 200
    witness.collect()
    with witness.app.app_context():
        secret = db.session.get_one(Admin, 1).otp_secret or ""
        db.session.remove()
    code = pyotp.TOTP(secret).now()
    response = browser.post(f"{API}/admins/1/twofactor/verify", json={"code": code})
    codes: list[str] = response.get_json()["recovery_codes"]
    assert len(codes) == 10
    witness.secrets |= {*codes, *(c.replace("-", "") for c in codes), *map(str.lower, codes)}
    return codes


def read_everything(witness: Witness) -> None:
    """Every page and every list that shows something, old and new."""
    for noun in ("domains", "users", "aliases", "admins", "configs"):
        assert witness.call("GET", f"{noun}?per_page=100").status_code == 200
        assert witness.ask("GET", f"/{noun}?per_page=100").status_code == 200
        witness.call("GET", f"{noun}/1")
    assert witness.call("GET", "logs?lines=10000").get_json()["items"]
    assert witness.ask("GET", "/logs").status_code == 200


def test_nothing_is_seen_of_what_was_done(
    witness: Witness, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    call = witness.call
    assert call("POST", "users", email="ana@example.com", password=FIRST).status_code == 201
    witness.collect()
    assert call("PATCH", "users/1", password=SECOND).status_code == 200
    witness.collect()
    assert call("POST", "admins", username="bob", password=FIRST, name="Bob").status_code == 201
    witness.collect()
    assert call("PATCH", "admins/2", password=SECOND, username="rob").status_code == 200
    witness.collect()
    assert call("PATCH", "admins/1", password=FIRST).status_code == 200
    codes = turn_on_second_factor(witness)
    witness.sign_in(FIRST)
    witness.sign_in(FIRST, two_factor="Xq7123")
    assert witness.sign_in(FIRST, two_factor=codes[0]).status_code == 302
    witness.collect()
    renewed = witness.browser.post(f"{API}/admins/1/twofactor/recoverycodes").get_json()
    witness.secrets |= {*renewed["recovery_codes"], "Xq7123"}
    read_everything(witness)
    witness.collect()
    assert call("PATCH", "admins/1/twofactor", enabled=False).status_code == 200
    assert call("DELETE", "users/1").status_code == 204
    assert call("DELETE", "admins/2").status_code == 204
    for _ in range(6):
        witness.sign_in(WRONG)
    witness.collect()
    history, log = witness.history(), witness.log.read_text()
    for words in ("change password", "enable second factor", "renew recovery codes", "lock"):
        assert words in history
    for words in ("password changed", "recovery codes renewed", "was refused", "locked out"):
        assert words in log
    assert len(witness.secrets) > 40
    witness.search(history, *capfd.readouterr(), caplog.text)


SHAPES: list[Any] = [
    None,
    [WRONG],
    {WRONG: WRONG},
    {"password": {"password": WRONG}},
    WRONG + "\x00",
    WRONG + "\ud800",
    WRONG * 100,
    WRONG[:7],
]


def test_no_refusal_repeats_what_was_sent(
    witness: Witness, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    witness.secrets.add(WRONG[:7])
    refusals = []
    for bad in SHAPES:
        refusals += [
            witness.call("POST", "users", email="ana@example.com", password=bad),
            witness.call("POST", "admins", username="bob", password=bad, name="Bob"),
            witness.call("PATCH", "users/1", password=bad),
            witness.call("PATCH", "admins/1", password=bad),
            witness.call("POST", "admins/1/twofactor/verify", code=bad),
        ]
        refusals += [
            witness.call("POST", "users", email=email, password=FIRST)
            for email in ("not an address", "ana@elsewhere.example", "")
        ]
    for body in (f'{{"password": "{WRONG}"', f'["{WRONG}"]', f'"{WRONG}"', f"password={WRONG}"):
        for path in ("users", "admins", "admins/1/twofactor/verify"):
            refusals.append(witness.ask("POST", f"{API}/{path}", data=body))
    headers = {"Origin": "https://elsewhere.example"}
    form = {"username": "admin", "password": WRONG, "two_factor": WRONG}
    refusals.append(witness.ask("POST", "/login", data=form, headers=headers))
    refusals.append(witness.ask("POST", "/logout", data={"csrf_token": WRONG}))
    refusals.append(witness.ask("PUT", "/login", data=form))
    assert {response.status_code for response in refusals} == {400, 403, 404, 405}
    witness.ask("POST", "/login", data={"password": WRONG, "two_factor": WRONG})
    witness.ask("POST", "/login", data={"username": "admin", "two_factor": WRONG})
    witness.ask("POST", "/login", json=form)
    witness.search(witness.history(), *capfd.readouterr(), caplog.text)


def new_user(witness: Witness) -> TestResponse:
    return witness.call("POST", "users", email="eve@example.com", password=SECOND)


def changed_user(witness: Witness) -> TestResponse:
    return witness.call("PATCH", "users/1", password=SECOND)


def new_admin(witness: Witness) -> TestResponse:
    return witness.call("POST", "admins", username="bob", password=SECOND, name="Bob")


def changed_admin(witness: Witness) -> TestResponse:
    return witness.call("PATCH", "admins/1", password=SECOND)


def signed_in(witness: Witness) -> TestResponse:
    return witness.sign_in(PASSWORD)


def fresh_secret(witness: Witness) -> TestResponse:
    return witness.call("GET", "admins/1/twofactor/qrcode")


def trigger(table: str, event: str) -> dict[str, str]:
    """A database that refuses a write for reasons that PostMaster does not know."""
    head = f"CREATE TRIGGER refuse BEFORE {event} ON {table}"
    return {
        "sqlite": f"{head} BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
        "mysql": f"{head} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'",
    }


def dropped(table: str) -> dict[str, str]:
    return dict.fromkeys(("sqlite", "mysql"), f"DROP TABLE {table}")


def narrowed(column: str) -> dict[str, str]:
    """Only MariaDB minds a width; SQLite gets a constraint that says the same."""
    table, _, name = column.partition(".")
    return trigger(table, "INSERT") | {
        "mysql": f"DELETE FROM {table}; ALTER TABLE {table} MODIFY {name} varchar(61)"
    }


@pytest.mark.parametrize(
    ("damage", "act"),
    [
        (trigger("virtual_users", "INSERT"), new_user),
        (trigger("virtual_users", "UPDATE"), changed_user),
        (trigger("postmaster_history", "INSERT"), new_user),
        (trigger("postmaster_history_secrets", "INSERT"), changed_admin),
        (trigger("postmaster_admins", "INSERT"), new_admin),
        (trigger("postmaster_admins", "UPDATE"), fresh_secret),
        (trigger("postmaster_sessions", "INSERT"), signed_in),
        (narrowed("virtual_users.password"), new_user),
        (dropped("postmaster_history_secrets"), changed_user),
        (dropped("postmaster_sessions"), signed_in),
        (dropped("postmaster_turns"), changed_admin),
    ],
)
def test_a_database_that_fails_in_the_middle_gives_nothing_away(
    witness: Witness,
    uri: str,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    damage: dict[str, str],
    act: Callable[[Witness], TestResponse],
) -> None:
    caplog.set_level(logging.DEBUG)
    witness.call("POST", "users", email="ana@example.com", password=FIRST)
    witness.collect()
    with witness.app.app_context():
        db.engine.dispose()  # lets go of the tables
        name = db.engine.dialect.name
    run_sql(request, uri, damage[name])
    response = act(witness)
    assert response.status_code in (400, 409, 500, 503), response.text
    assert response.status_code == 400 or '"category": "error"' in witness.log.read_text()
    witness.search(*capfd.readouterr(), caplog.text)


@pytest.mark.parametrize("port", [None, 1])
def test_the_databases_own_password_stays_secret(
    mariadb: MariaDB,
    empty_database: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    port: int | None,
) -> None:
    """Refused, and with no server there at all."""
    caplog.set_level(logging.DEBUG)
    name = database_name(empty_database)
    uri = f"mysql://{name}:{WRONG}@127.0.0.1:{port or mariadb.port}/{name}"
    app = make_app(uri, tmp_path)
    witness = Witness(app, app.test_client(), tmp_path / "log")
    assert witness.sign_in(FIRST).status_code == 503
    assert witness.ask("GET", "/healthz").status_code == 503
    assert '"category": "error"' in witness.log.read_text()
    witness.search(*capfd.readouterr(), caplog.text)
    dispose(app)
