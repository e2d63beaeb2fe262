"""What a worker can do in a second, how much memory it has, and how soon it answers."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ops.measuring.browsing import Client, requests_a_second
from ops.measuring.figures import Figure
from ops.measuring.lists import Panel
from tests.resilience.server import Server

PATH = "/api/v1/users?page=1"
CONNECTIONS, SECONDS, TURNS = 4, 5.0, 3
PATHS = (PATH, "/users", "/users?search=user77", "/", "/aliases", "/domains", "/history")
REQUESTS, AT_A_TIME = 10_000, 100
STARTS = 5
MOST_MEGABYTES, MOST_GROWTH = 90, 2.0


def figures(many: Panel, bare: Server) -> Iterator[Figure]:
    """The figures, one after the other."""
    yield _throughput(many, bare)
    yield from _memory(many)
    yield _start(many)


def _throughput(many: Panel, bare: Server) -> Figure:
    cookies = many.server.sign_in()
    many.client.get(PATH)
    ours, plain = [], []
    for _ in range(TURNS):
        ours.append(_rate(many.server, PATH, cookies))
        plain.append(_rate(bare, "/users", {}))
    rate, beside_it = statistics.median(ours), statistics.median(plain)
    return Figure(
        f"requests/s of {PATH}, {CONNECTIONS} connections, beside a bare view",
        *(rate, beside_it, "0.7 x", rate >= 0.7 * beside_it, "/s"),
    )


def _rate(server: Server, path: str, cookies: dict[str, str]) -> float:
    return requests_a_second(server, path, cookies, connections=CONNECTIONS, seconds=SECONDS)


def _memory(many: Panel) -> Iterator[Figure]:
    """Two workers, after a tenth of the requests and after all of them.

    A worker's share counts what it has with others (libraries, and what was loaded before the
    fork, as in the container and by ops/serve) by how many have it: the shares are what all cost.
    """
    shares, resident = _megabytes(many, "--preload")
    yield Figure(
        f"memory of a worker after {REQUESTS:,} requests: its share, preloaded",
        *(shares[1], None, f"{MOST_MEGABYTES} MB", shares[1] <= MOST_MEGABYTES, "MB"),
    )
    yield Figure("all that is resident of it, shared or not", resident[1], unit="MB")
    # Of that: a share grows while pages that were common become each one's own.
    growth = resident[1] - resident[0]
    yield Figure(
        "and how much of it came after the first tenth",
        *(growth, None, "flat", growth <= MOST_GROWTH, "MB"),
    )
    _, resident = _megabytes(many)
    yield Figure("all that is resident of a worker that loads by itself", resident[1], unit="MB")


def _megabytes(many: Panel, *options: str) -> tuple[list[float], list[float]]:
    """The mean share and resident memory of the workers: after a tenth, and after all."""
    shares, resident = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(many.uri, Path(folder), threads=4, options=options) as server,
    ):
        client = Client(server)
        for number in range(REQUESTS):
            client.ask("GET", PATHS[number % len(PATHS)])
            if number % AT_A_TIME == 0:  # the other worker's turn, perhaps
                client.connection.close()
            if number + 1 in (REQUESTS // 10, REQUESTS):
                shares.append(_mean(server, "Pss"))
                resident.append(_mean(server, "Rss"))
    return shares, resident


def _mean(server: Server, what: str) -> float:
    return statistics.mean(_of_process(worker, what) for worker in server.worker_ids())


def _of_process(pid: int, what: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"{what}:"))
    return int(line.split()[1]) / 1024


def _start(many: Panel) -> Figure:
    """From the start of gunicorn with one worker to its first answer."""
    took = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            with Server(many.uri, Path(folder), workers=1, threads=4):
                took.append(time.perf_counter() - began)
    seconds = statistics.median(took)
    return Figure(
        "start of a worker to its first answer", seconds, None, "1.2 s", seconds <= 1.2, "s"
    )
