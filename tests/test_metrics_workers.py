"""/metrics of a real server: the whole's numbers, whichever worker answers."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mariadb import MariaDB
from tests.resilience.kill import prepare
from tests.resilience.server import QUICK, Server
from tests.test_metrics import Scraped

REQUESTS = "http_requests_total"
MOST_REQUESTS = 5000


class Workers:
    """A server of two workers that counts."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def scrape(self) -> Scraped:
        return Scraped(self.server.ask("GET", "/metrics").text)

    def files(self) -> set[int]:
        """The processes that made the files."""
        folder = self.server.log.parent / "metrics"
        return {int(path.name.split("-")[0]) for path in folder.glob("*.counts")}

    def ask_until_all_counted(self, workers: set[int]) -> int:
        """How many requests it took until each of these had a file."""
        for asked in range(MOST_REQUESTS):
            if workers <= self.files():
                return asked
            self.server.ask("GET", "/static/mark.svg")
        raise AssertionError(f"{workers} did not all answer: {self.files()}")

    def wait_for_another(self, without: int) -> None:
        """Until the worker that was killed has a successor."""
        for _ in range(MOST_REQUESTS):
            if len(self.server.worker_ids() - {without}) == 2:
                return
            self.server.ask("GET", "/healthz")
        raise AssertionError(f"no worker came after {without}")


@pytest.fixture
def workers(mariadb: MariaDB, tmp_path: Path) -> Iterator[Workers]:
    uri = mariadb.create_database("counted")
    prepare(uri, tmp_path)
    with Server(uri, tmp_path, application=QUICK, metrics="127.0.0.1") as running:
        yield Workers(running)


def count(found: Scraped) -> float:
    return found.value(REQUESTS, method="GET", endpoint="static", status="200")


def test_the_numbers_are_the_whole_servers_and_outlive_a_worker(workers: Workers) -> None:
    first = workers.server.worker_ids()
    asked = workers.ask_until_all_counted(first)
    assert [count(workers.scrape()) for _ in range(10)] == [asked] * 10, "whoever answers"

    killed = first.pop()
    os.kill(killed, signal.SIGKILL)
    workers.wait_for_another(killed)
    assert count(workers.scrape()) == asked
    for _ in range(50):
        workers.server.ask("GET", "/static/mark.svg")
    assert count(workers.scrape()) == asked + 50
    assert len(workers.files()) == 2, "the successor has the dead worker's file"


def test_a_server_that_starts_again_begins_at_nothing(workers: Workers) -> None:
    workers.ask_until_all_counted(workers.server.worker_ids())
    workers.server.kill()
    workers.server.start()
    found = workers.scrape()
    assert found.sum(REQUESTS, endpoint="static") == 0
    assert found.sum(REQUESTS, endpoint="health.healthz") >= 1
