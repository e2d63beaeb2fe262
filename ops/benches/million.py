"""One million mailboxes in a thousand domains: each figure beside the same work by plain SQL.

Makes a throw-away MariaDB with two databases, one of ten thousand users and one of a million,
serves both as in production (gunicorn, two processes), and measures. The ratio comes first: it
means something on any machine. ``--json`` keeps the figures, ``--compare`` shows them beside
those of an earlier run. Exit status 1 where a target is not met.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pymysql
from pymysql.cursors import Cursor

from ops.measuring import figures, larger_works, lists, workers
from ops.measuring.browsing import Client
from ops.measuring.figures import Figure
from tests.conftest import Prepared, dispose
from tests.mariadb import MariaDB
from tests.resilience.server import Server
from tests.scale.filling import fill

SECONDS_TO_SETTLE = 60
FEW, DOMAINS = 10_000, 1_000
# As Debian sets MariaDB up, but for the kernel's asynchronous I/O, which is limited.
AS_INSTALLED = ("--innodb-use-native-aio=0", "--innodb-buffer-pool-size=128M")
BARE = "ops.measuring.bare:create_app()"


@dataclass(frozen=True)
class Sizes:
    """How many rows the large database has."""

    users: int
    aliases: int
    domains: int = DOMAINS


@contextmanager
def panel(mariadb: MariaDB, name: str, sizes: Sizes) -> Iterator[lists.Panel]:
    """A database of its own, filled, and PostMaster serving it."""
    with tempfile.TemporaryDirectory(prefix="postmaster-bench-") as folder:
        uri = mariadb.create_database(name)
        dispose(Prepared(uri, Path(folder)).app)
        rows = sizes.users + sizes.aliases + sizes.domains
        with (
            mariadb.cursor(name) as cursor,
            click.progressbar(length=rows, label=f"{sizes.users:,} users", file=sys.stderr) as bar,
        ):
            cursor.execute("SET SESSION autocommit = 1")
            fill(
                cursor,
                domains=sizes.domains,
                users=sizes.users,
                aliases=sizes.aliases,
                told=bar.update,
            )
        with Server(uri, Path(folder), threads=4, sign_in_failures_per_hour="1000000") as server:
            plain = pymysql.connect(
                host="127.0.0.1",
                port=mariadb.port,
                user=name,
                password=f"pw-{name}",
                database=name,
                charset="utf8mb4",
                autocommit=True,
            )
            try:
                yield lists.Panel(server, Client(server), plain, uri)
            finally:
                plain.close()


def settle(mariadb: MariaDB) -> None:
    """Wait until the server has written what the filling left in its memory."""
    with mariadb.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.innodb_max_dirty_pages_pct")
        [(usual,)] = cursor.fetchall()
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = 0")
        deadline = time.monotonic() + SECONDS_TO_SETTLE
        while _dirty_pages(cursor) and time.monotonic() < deadline:
            time.sleep(0.1)
        cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = %s", (usual,))


def _dirty_pages(cursor: Cursor) -> int:
    cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
    [(_name, pages)] = cursor.fetchall()
    return int(pages)


def measure(sizes: Sizes) -> list[Figure]:
    """All figures."""
    with ExitStack() as stack:
        mariadb = stack.enter_context(MariaDB(options=AS_INSTALLED))
        few = stack.enter_context(
            panel(mariadb, "few", Sizes(min(FEW, sizes.users), 3_000, sizes.domains))
        )
        many = stack.enter_context(panel(mariadb, "many", sizes))
        settle(mariadb)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bare = stack.enter_context(Server(many.uri, folder, application=BARE, threads=4))
        return [
            *_told(lists.figures(few, many, bare, sizes.users)),
            *_told(larger_works.figures(few, many)),
            *_told(workers.figures(many, bare)),
        ]


def _told(found: Iterator[Figure]) -> Iterator[Figure]:
    """Say what is being measured as it goes."""
    for figure in found:
        click.echo(f"  {figure.name}: {figure.ours:.2f} {figure.unit}", err=True)
        yield figure


def main() -> int:
    """Measure, print, keep, compare."""
    parser = argparse.ArgumentParser(prog="ops/bench", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--aliases", type=int, default=300_000)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--compare", type=Path, help="the file of an earlier run")
    asked = parser.parse_args()
    found = measure(Sizes(asked.users, asked.aliases))
    print(figures.shown(found, asked.compare))
    if asked.json:
        figures.write(found, {"users": asked.users, "aliases": asked.aliases}, asked.json)
    return int(any(figure.holds is False for figure in found))


if __name__ == "__main__":
    sys.exit(main())
