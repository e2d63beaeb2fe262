"""Requests a second and median latency of the main calls, under mod_wsgi and under gunicorn.

Both serve one installation, made as docs/installation.md says, on one MariaDB with ten thousand
users; each has two processes of eight threads. They take turns, call by call, so that what else
this machine does meets both. Clients, servers and database share its cores.
"""

import http.client
import json
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.install.installation import CONFIGURATION, DATABASE, URL, follow, mail_database
from tests.install.panel import DEFAULT_PASSWORD, Panel
from tests.install.tree import Tree
from tests.mariadb import MariaDB

DOMAINS = 100
USERS = 10_000
CLIENTS = 8
SECONDS = 5  # of each turn
TURNS = 2  # of each server, for each call
GUNICORN = "http://127.0.0.1:8083"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HASH = "$6$" + "s" * 16 + "$" + "h" * 86  # of no password

_numbers = count()


@dataclass(frozen=True)
class Call:
    """One of the main calls, which clients make again and again."""

    name: str
    method: str
    path: str
    status: int
    body: Callable[[], str] = lambda: ""
    headers: dict[str, str] = field(default_factory=dict)


def new_alias() -> str:
    """An alias that nobody has made yet."""
    number = next(_numbers)
    return json.dumps({"source": f"alias{number}@d1.example", "destination": "u1@d1.example"})


def sign_in_form() -> str:
    """The default administrator's sign-in."""
    return urlencode({"username": "admin", "password": DEFAULT_PASSWORD})


CALLS = (
    Call("health check", "GET", "/healthz", 200),
    Call("dashboard", "GET", "/", 200),
    Call("page of users", "GET", "/users", 200),
    Call("search on that page", "GET", "/users?search=u77", 200),
    Call("API, list of users", "GET", "/api/v1/users?per_page=100", 200),
    Call("API, a new alias", "POST", "/api/v1/aliases", 201, new_alias, JSON),
    Call("sign-in", "POST", "/login", 302, sign_in_form, FORM),
    Call("static file", "GET", "/static/vendor/panel.css?v=0", 200),
)


def fill(mariadb: MariaDB) -> None:
    """The users, without the panel."""
    with mariadb.cursor(DATABASE) as cursor:
        domains = [(1000 + n, f"d{n}.example") for n in range(DOMAINS)]
        cursor.executemany("INSERT INTO virtual_domains (id, name) VALUES (%s, %s)", domains)
        users = [(1000 + n % DOMAINS, HASH, f"u{n}@d{n % DOMAINS}.example") for n in range(USERS)]
        cursor.executemany(
            "INSERT INTO virtual_users (domain_id, password, email) VALUES (%s, %s, %s)", users
        )


@contextmanager
def gunicorn(tree: Tree) -> Iterator[None]:
    """Gunicorn on the same installation, as the same account."""
    serving = subprocess.Popen(  # noqa: S603 -- its own command
        tree.entered(
            [
                *("runuser", "--user", "www-data", "--", "/opt/postmaster/env/bin/gunicorn"),
                *("--chdir", "/opt/postmaster/git", "--bind", GUNICORN.removeprefix("http://")),
                *("--workers", "2", "--threads", "8", "--no-control-socket"),
                *("--log-level", "warning", "postmaster:create_app()"),
            ]
        )
    )
    try:
        yield
    finally:
        serving.terminate()
        serving.wait()


def wait_for(url: str) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            Panel(url).ask("GET", "/healthz")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def measure(url: str, call: Call, cookie: str) -> list[float]:
    """How long each request of one turn took, in seconds."""
    stop = time.monotonic() + SECONDS
    times: list[list[float]] = [[] for _ in range(CLIENTS)]
    threads = [threading.Thread(target=make, args=(url, call, cookie, stop, t)) for t in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for of_client in times for one in of_client]


def make(url: str, call: Call, cookie: str, stop: float, times: list[float]) -> None:
    """One client's requests, over one connection as long as the server keeps it."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    while time.monotonic() < stop:
        began = time.perf_counter()
        connection.request(
            call.method, call.path, call.body() or None, call.headers | {"Cookie": cookie}
        )
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != call.status:
            raise SystemExit(f"{call.name}: {answer.status} {text[:500]!r}")
        times.append(time.perf_counter() - began)
    connection.close()


def show(name: str, of_servers: list[list[float]]) -> None:
    """One line of the table."""
    cells = [
        f"{len(times) / (SECONDS * TURNS):8.1f}/s {statistics.median(times) * 1000:8.1f} ms"
        for times in of_servers
    ]
    print(f"{name:22}" + "    ".join(cells), flush=True)


def prepare(tree: Tree, mariadb: MariaDB) -> None:
    """Install PostMaster, and fill its database."""
    print("Installing as docs/installation.md says ...", flush=True)
    follow(tree, mariadb)
    fill(mariadb)
    # The sign-ins of the measurement come from one address, more than anybody's.
    tree.run(
        f"echo 'sign_in_failures_per_hour = 1000000' >> {CONFIGURATION}; service apache2 restart"
    )


def compare(servers: tuple[str, ...]) -> None:
    """Measure each call on all servers in turn, and print the table."""
    for url in servers:
        wait_for(url)
    panel = Panel()
    panel.sign_in()
    cookie = "; ".join(f"{c.name}={c.value}" for c in panel.session.cookies)
    print(f"{CLIENTS} clients, {USERS} users; requests a second and median latency")
    print(f"{'':22}{'mod_wsgi':>22}    {'gunicorn':>22}")
    for call in CALLS:
        of_servers: list[list[float]] = [[] for _ in servers]
        for _ in range(TURNS):
            for url, times in zip(servers, of_servers, strict=True):
                times.extend(measure(url, call, cookie))
        show(call.name, of_servers)


def main() -> None:
    """Install, fill, and measure each call on both servers."""
    with (
        tempfile.TemporaryDirectory(prefix="postmaster-bench-") as folder,
        Tree(Path(folder)) as tree,
        mail_database(tree) as mariadb,
    ):
        prepare(tree, mariadb)
        with gunicorn(tree):
            compare((URL, GUNICORN))


if __name__ == "__main__":
    main()
