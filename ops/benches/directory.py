"""How long a local administrator's sign-in and a page take while the directory hangs.

Twelve clients try to sign in with a directory that takes connections and never answers. The
panel is served by gunicorn with two processes of eight threads, on a MariaDB of its own.
"""

import http.client
import statistics
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import update

from postmaster.db import db
from postmaster.models import SettingRow
from postmaster.rules import settings
from tests.conftest import Prepared, dispose
from tests.directory.broken_servers import silent
from tests.mariadb import MariaDB
from tests.resilience.server import Server

HOST = "127.0.0.1"
WAITING = 12
TRIES = 60
DOMAIN = "corp.example.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LOCAL = urlencode({"username": "admin", "password": "PostMaster"})
OF_DIRECTORY = urlencode({"username": "alice", "password": "wrong", "auth_source": DOMAIN})


def describe(prepared: Prepared, url: str) -> None:
    """Have the settings name this directory."""
    values = {
        settings.LDAP_SERVER: url,
        settings.LDAP_DOMAIN: DOMAIN,
        settings.LDAP_GROUP: "Mail Admins",
        settings.LDAP_METHOD: "SIMPLE",
        settings.LDAP_ENABLED: "True",
    }
    with prepared.app.app_context():
        for setting, value in values.items():
            row = update(SettingRow).where(SettingRow.setting == setting.name)
            db.session.execute(row.values(value=value))
        db.session.commit()


def seconds(port: int, method: str, path: str, body: str | None = None) -> float:
    """How long one answer takes, over a new connection."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request(method, path, body, FORM if body else {})
    connection.getresponse().read()
    connection.close()
    return time.perf_counter() - began


def medians(port: int) -> tuple[float, float]:
    """The median of local sign-ins, and of the sign-in page, in milliseconds."""
    sign_ins = [seconds(port, "POST", "/login", LOCAL) for _ in range(TRIES)]
    pages = [seconds(port, "GET", "/login") for _ in range(TRIES)]
    return statistics.median(sign_ins) * 1000, statistics.median(pages) * 1000


def knock(port: int, over: threading.Event) -> None:
    """Try to sign in with the directory, again and again, as a person who is told to wait."""
    while not over.wait(1):
        try:
            seconds(port, "POST", "/login", OF_DIRECTORY)
        except OSError:  # the server has ended
            return


def main() -> None:
    """Measure, let the directory hang, and measure again."""
    with (
        tempfile.TemporaryDirectory(prefix="postmaster-bench-") as name,
        MariaDB() as mariadb,
        silent() as hanging,
    ):
        folder = Path(name)
        uri = mariadb.create_database("bench")
        prepared = Prepared(uri, folder)
        describe(prepared, hanging.ldaps)
        with Server(uri, folder, threads=8, sign_in_failures_per_hour="1000000") as server:
            port = server.listener.getsockname()[1]
            usual = medians(port)
            over = threading.Event()
            clients = [threading.Thread(target=knock, args=(port, over)) for _ in range(WAITING)]
            for client in clients:
                client.start()
            while hanging.connections < WAITING // 3:
                time.sleep(0.05)
            meanwhile = medians(port)
            over.set()
            for client in clients:
                client.join()
        dispose(prepared.app)
    print(f"{'':16}{'usual':>12}{'while it hangs':>18}")
    for what, before, then in zip(("local sign-in", "sign-in page"), usual, meanwhile, strict=True):
        print(f"{what:16}{before:9.1f} ms{then:15.1f} ms")


if __name__ == "__main__":
    main()
