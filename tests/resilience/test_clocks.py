"""Two hosts whose clocks are an hour apart, on one database: the wrong one says so.

Debian's libfaketime gives a process another time than this machine's, where MariaDB is.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import update

from postmaster.db import db
from postmaster.logfile import LogFile
from postmaster.models import Admin
from postmaster.rules import totp
from tests.cli import manage
from tests.conftest import Prepared, set_setting, sign_in
from tests.mariadb import MariaDB
from tests.resilience.server import QUICK, Server

HOUR = 3600
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
FORM = {"username": "admin", "password": "PostMaster"}


def at_another_time(offset: str) -> dict[str, str]:
    """The environment of a process on a host whose clock is so much off."""
    assert LIBRARY is not None, "ops/test installs faketime"
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME": offset}


@pytest.fixture
def uri(prepared_mariadb: Prepared, mariadb: MariaDB) -> Iterator[str]:
    prepared_mariadb.reset()
    yield f"mysql://shared:pw-shared@127.0.0.1:{mariadb.port}/shared"
    prepared_mariadb.reset()


@pytest.fixture
def secret(prepared_mariadb: Prepared, uri: str) -> str:
    """That of the administrator's second factor."""
    set_setting(sign_in(prepared_mariadb.app), "Login Auditing", "True")
    made = totp.new_secret()
    with prepared_mariadb.app.app_context(), db.engine.begin() as connection:
        connection.execute(update(Admin).values(otp_secret=made, otp_active=True))
    return made


def test_a_host_an_hour_ahead(uri: str, secret: str, tmp_path: Path) -> None:
    server = Server(uri, tmp_path, application=QUICK, workers=1)
    server.environment |= at_another_time("+1h")
    codes = pyotp.TOTP(secret)
    with server:
        health = server.ask("GET", "/healthz")
        refused = server.ask("POST", "/login", data=FORM | {"two_factor": codes.now()})
        (line,) = LogFile(server.log).newest(1)
        its_code = codes.at(int(time.time()) + HOUR)
        accepted = server.ask("POST", "/login", data=FORM | {"two_factor": its_code})
        checkup = server.ask("GET", "/api/v1/checkup", cookies=dict(accepted.cookies)).json()
    # The host goes on serving: it may be the database server's clock that is wrong.
    assert health.status_code == 200
    assert health.json()["status"] == "ok"
    assert (
        "This host's clock is ahead of the database server's. By 1:00:0"
        in (health.json()["warning"])
    )
    assert "timedatectl set-ntp true" in health.json()["warning"]
    assert "code is incorrect" in refused.text
    assert "code is incorrect. This host's clock is ahead of the database" in line.message
    assert accepted.status_code == 302
    assert "clock-ahead" in {finding["code"] for finding in checkup["findings"]}


def test_a_command_on_a_host_an_hour_behind(uri: str, tmp_path: Path) -> None:
    manage.use_database(tmp_path, uri)
    done = manage.start(tmp_path, "checkup", "--json", **at_another_time("-1h"))
    found = {finding["code"]: finding for finding in json.loads(done.output)["findings"]}
    assert (
        "By 1:00:0" in found["clock-behind"]["meaning"]
        or "By 0:59:5" in (found["clock-behind"]["meaning"])
    )
    assert done.status == 1
