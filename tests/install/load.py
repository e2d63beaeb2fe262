"""Many clients that write while the server is disturbed, and what they were told."""

import threading
from collections.abc import Callable

import requests

from tests.install.panel import Panel
from tests.mariadb import MariaDB

CLIENTS = 50
LOADED = "load.example"
CREATED = 201
# What Apache says for a process that ended under a request; nothing was promised then.
BROKEN = frozenset({500, 502, 503, 504})


class Load:
    """The clients, from start to stop."""

    def __init__(self, signed_in: Panel) -> None:
        self.signed_in = signed_in
        self.acknowledged: set[str] = set()
        self.statuses: set[int] = set()
        self.broken = 0
        self.stopping = threading.Event()
        self.progress = threading.Condition()
        self.threads = [threading.Thread(target=self._write, args=(n,)) for n in range(CLIENTS)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def wait_for_more(self, times: int) -> None:
        """Until so many more changes were acknowledged. Raises AssertionError after a minute."""
        wanted = len(self.acknowledged) + times
        with self.progress:
            came = self.progress.wait_for(lambda: len(self.acknowledged) >= wanted, timeout=60)
        assert came, f"Only {len(self.acknowledged)} of {wanted}; answers were {self.statuses}"

    def _write(self, client: int) -> None:
        panel = Panel(self.signed_in.url)
        panel.session.cookies.update(self.signed_in.session.cookies)
        number = 0
        while not self.stopping.is_set():
            number += 1
            name = f"d{number}.c{client}.{LOADED}"
            try:
                answer = panel.ask("POST", "/api/v1/domains", json={"name": name})
            except requests.RequestException:
                self._count(None, name)
                self.stopping.wait(0.02)  # nobody listens: not again at once
                continue
            self._count(answer.status_code, name)

    def _count(self, status: int | None, name: str) -> None:
        with self.progress:
            if status == CREATED:
                self.acknowledged.add(name)
                self.progress.notify_all()
            elif status is not None:
                self.statuses.add(status)
            self.broken += status != CREATED


def check_disturbed(
    signed_in: Panel, disturbances: list[Callable[[], object]], mariadb: MariaDB, database: str
) -> None:
    """Disturb the server under load: each acknowledged change is there, with its history."""
    load = Load(signed_in)
    load.start()
    try:
        for disturb in disturbances:
            load.wait_for_more(50)
            disturb()
        load.wait_for_more(50)
    finally:
        load.stop()
    assert load.statuses <= BROKEN
    assert load.broken, "the server was not disturbed while anybody wrote"
    rows = [name for (name,) in mariadb.rows(database, "SELECT name FROM virtual_domains")]
    assert load.acknowledged <= set(rows)
    written = {name for name in rows if name.endswith(LOADED)}
    recorded = mariadb.rows(
        database,
        "SELECT object_name FROM postmaster_history WHERE action = 'create' AND kind = 'domain'",
    )
    assert written <= {name for (name,) in recorded}
    assert len(rows) == len(set(rows)), "a change was made twice"
