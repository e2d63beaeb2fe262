"""A signed-in client over one connection, and how long its calls take."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.resilience.server import Server

TRIES = 101
NONE: Mapping[str, str] = {}
# What htmx asks with for a list's rows: as one types, sorts or turns the page.
ROWS = {"HX-Request": "true", "HX-Target": "list"}


class Client:
    """One connection that stays, with the cookie of its session."""

    def __init__(self, server: Server, cookies: dict[str, str] | None = None) -> None:
        self.address = server.listener.getsockname()[:2]
        cookies = server.sign_in() if cookies is None else cookies
        self.cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self.connection = http.client.HTTPConnection(*self.address, timeout=60)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        expect: int = 200,
        headers: Mapping[str, str] = NONE,
    ) -> bytes:
        """One request. Raises RuntimeError for another status than is expected."""
        headers = {"Cookie": self.cookie, "Content-Type": "application/json", **headers}
        sent = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, path, sent, headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            # The server closes a connection that was idle, just when it was to be used again.
            self.connection.close()
            self.connection.request(method, path, sent, headers)
            answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != expect:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return text

    def rows(self, path: str) -> bytes:
        """The rows of a page's list, as htmx asks for them."""
        return self.ask("GET", path, headers=ROWS)

    def get(self, path: str) -> Any:
        """What the API answers."""
        return json.loads(self.ask("GET", path))


def median(work: Callable[[], object], tries: int = TRIES) -> float:
    """The median of several runs, in milliseconds."""
    return statistics.median(milliseconds(work) for _ in range(tries))


def medians(works: Iterable[Callable[[], object]], tries: int = TRIES) -> list[float]:
    """The medians of works that take turns, so that what else this machine does meets all."""
    works = list(works)
    times = [[milliseconds(work) for work in works] for _ in range(tries)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def requests_a_second(
    server: Server, path: str, cookies: dict[str, str], *, connections: int, seconds: float
) -> float:
    """How many of one request all connections together make."""
    counts = [0] * connections
    end = time.monotonic() + seconds

    def make(number: int) -> None:
        client = Client(server, cookies)
        while time.monotonic() < end:
            client.ask("GET", path)
            counts[number] += 1

    threads = [threading.Thread(target=make, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds
