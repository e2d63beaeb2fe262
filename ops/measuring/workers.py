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
REQUESTS = 10_000
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
    """A worker of its own, after a tenth of the requests and after all of them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(many.uri, Path(folder), workers=1, threads=4) as server,
    ):
        client = Client(server)
        paths = (PATH, "/users", "/users?search=user77", "/", "/aliases", "/domains", "/history")
        after = []
        for number in range(REQUESTS):
            client.ask("GET", paths[number % len(paths)])
            if number + 1 in (REQUESTS // 10, REQUESTS):
                after.append(_megabytes(server))
    yield Figure(
        f"memory of a worker after {REQUESTS:,} requests",
        *(after[1], None, f"{MOST_MEGABYTES} MB", after[1] <= MOST_MEGABYTES, "MB"),
    )
    yield Figure(
        "and how much of it came after the first tenth",
        *(after[1] - after[0], None, "flat", after[1] - after[0] <= MOST_GROWTH, "MB"),
    )


def _megabytes(server: Server) -> float:
    """The resident memory of the only worker."""
    if server.process is None:
        raise RuntimeError("the server is not there")
    main = server.process.pid
    worker = Path(f"/proc/{main}/task/{main}/children").read_text().split()[0]
    status = Path(f"/proc/{worker}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
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
