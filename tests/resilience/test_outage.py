"""The database goes away and comes back; PostMaster is not restarted."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mariadb import MariaDB
from tests.resilience.kill import DATABASE, prepare
from tests.resilience.server import QUICK, Server

WRITERS = 4
SECONDS_TO_FREEZE = 30


@pytest.fixture
def own_mariadb() -> Iterator[MariaDB]:
    """A server of this test's own, which it stops."""
    with MariaDB() as server:
        yield server


@pytest.fixture
def server(own_mariadb: MariaDB, tmp_path: Path) -> Iterator[Server]:
    uri = own_mariadb.create_database(DATABASE)
    prepare(uri, tmp_path)
    with Server(uri, tmp_path, application=QUICK) as running:
        yield running


class Load:
    """Writers that go on whatever happens, and what they were told."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookies = server.sign_in()
        self.acknowledged: set[str] = set()
        self.statuses: list[int] = []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)]

    def _write(self, writer: int) -> None:
        number = 0
        while not self.stopped.is_set():
            number += 1
            name = f"d{number}.w{writer}.example"
            answer = self.server.ask(
                "POST", "/api/v1/domains", json={"name": name}, cookies=self.cookies
            )
            self.statuses.append(answer.status_code)
            if answer.status_code == 201:
                self.acknowledged.add(name)

    def wait_for(self, status: int, times: int) -> None:
        """Go on until this answer has come so often from now on."""
        wanted = self.statuses.count(status) + times
        while self.statuses.count(status) < wanted:
            self.stopped.wait(0.01)

    def stop(self) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def test_away_and_back_under_load(server: Server, own_mariadb: MariaDB) -> None:
    load = Load(server)
    for thread in load.threads:
        thread.start()
    for _ in range(2):
        load.wait_for(201, 40)
        own_mariadb.stop()
        load.wait_for(503, 40)
        check_refusals(server, load.cookies)
        own_mariadb.start()
        load.wait_for(201, 40)
    load.stop()
    assert set(load.statuses) == {201, 503}, server.output.read_text(encoding="utf-8")
    rows = own_mariadb.rows(DATABASE, "SELECT name FROM virtual_domains")
    assert load.acknowledged <= {name for (name,) in rows}
    created = own_mariadb.rows(DATABASE, "SELECT object_name FROM postmaster_history")
    assert sorted(created) == sorted(rows)


def check_refusals(server: Server, cookies: dict[str, str]) -> None:
    """Each kind of answer while the database is away."""
    api = server.ask("GET", "/api/v1/users", cookies=cookies)
    assert api.status_code == 503
    assert api.json()["error"] == "service unavailable"
    assert "database" in api.json()["message"]
    assert int(api.headers["Retry-After"]) > 0
    page = server.ask("GET", "/users", cookies=cookies)
    assert page.status_code == 503
    assert page.headers["Content-Type"].startswith("text/html")
    assert "database" in page.text
    form = {"username": "admin", "password": "PostMaster"}
    assert server.ask("POST", "/login", data=form).status_code == 503
    assert server.ask("GET", "/healthz").status_code == 503
    assert server.ask("GET", "/login").status_code == 200


def test_the_very_next_request_after_its_return_works(server: Server, own_mariadb: MariaDB) -> None:
    cookies = server.sign_in()
    for _ in range(8):  # every thread of every worker has its connection
        assert server.ask("GET", "/api/v1/users", cookies=cookies).status_code == 200
    own_mariadb.stop()
    assert server.ask("GET", "/api/v1/users", cookies=cookies).status_code == 503
    own_mariadb.start()
    for _ in range(16):
        assert server.ask("GET", "/api/v1/users", cookies=cookies).status_code == 200


def test_a_frozen_database_is_a_refusal_and_no_hang(server: Server, own_mariadb: MariaDB) -> None:
    cookies = server.sign_in()
    assert own_mariadb.process is not None
    own_mariadb.process.send_signal(signal.SIGSTOP)
    try:
        wait_until_frozen(own_mariadb.process.pid)
        answer = server.ask("GET", "/api/v1/users", cookies=cookies)
    finally:
        own_mariadb.process.send_signal(signal.SIGCONT)
    assert answer.status_code == 503
    assert server.ask("GET", "/api/v1/users", cookies=cookies).status_code == 200


def wait_until_frozen(pid: int) -> None:
    """Wait for every thread: one that goes on for a moment may still answer."""
    deadline = time.monotonic() + SECONDS_TO_FREEZE
    while not all(map(is_stopped, Path(f"/proc/{pid}/task").iterdir())):
        assert time.monotonic() < deadline, "The database does not freeze"


def is_stopped(thread: Path) -> bool:
    _number_and_name, _bracket, rest = (thread / "stat").read_text().rpartition(")")
    return rest.split()[0] == "T"
