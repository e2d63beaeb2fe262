"""How fast an import is, and in how much memory, on a MariaDB with its durable settings.

With ready hashes at least 15,000 rows a second, the history included, in less than 200 MB.
With plain passwords at most 1.15 times what the hashes alone take on all cores.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from postmaster.db import db, transact
from postmaster.rules import passwords, undo
from postmaster.rules.actor import Actor
from postmaster.rules.imports import formats, hashing, planning, running
from postmaster.rules.imports.items import Source
from postmaster.rules.imports.verdicts import Options
from tests.conftest import Prepared
from tests.mariadb import MariaDB

ROWS, DOMAINS = 100_000, 100
LEAST_A_SECOND = 15_000
MOST_OVER = 1.15
MOST_MEGABYTES = 200
PLANNED = 1_000_000
HASH = "$6$saltsaltsaltsalt$" + "x" * 86
BENCH = Actor(None, "bench", "command")


def report(line: str) -> None:
    """Say what was measured."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def megabytes() -> int:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def lines(rows: int, secret: Callable[[int], str]) -> Iterator[str]:
    """A file of domains and users."""
    yield "kind,address,password,hash\n"
    for number in range(DOMAINS):
        yield f"domain,d{number}.example,,\n"
    for number in range(rows):
        yield f"user,user{number}@d{number % DOMAINS}.example,{secret(number)}\n"


def import_file(path: Path, *, only_plan: bool = False) -> tuple[float, float, int | None]:
    """The seconds that plan and run take, and the change to undo."""
    options = Options()
    with path.open("rb") as stream:
        sources = [Source(path.name, stream)]
        before = time.perf_counter()
        order = planning.order_of(db.session(), BENCH, sources, formats.detect(sources), options)
        for _line in planning.plan(db.session(), BENCH, order, options):
            pass
        planned = time.perf_counter()
        if only_plan:
            return planned - before, 0, None
        record = transact(
            running.start,
            BENCH,
            name=path.name,
            digest=order.digest(),
            options=options,
            total=order.total,
        )
        with hashing.AllCores() as hasher:
            run = running.Run(BENCH, record, order, options, hasher)
            run.go(lambda _written: None, lambda: False)
        done = time.perf_counter()
    db.session.remove()
    head = db.session.get_one(running.Import, record.id).head_id
    return planned - before, done - planned, head


def one_hash() -> float:
    """The seconds that one hash takes."""
    before = time.perf_counter()
    for number in range(300):
        passwords.hash_for_mail(f"password {number}")
    return (time.perf_counter() - before) / 300


def main() -> int:
    """The exit status: 1 if something is slower or larger than it may be."""
    failures = 0
    running.hurry()
    with MariaDB() as mariadb, tempfile.TemporaryDirectory() as folder:
        prepared = Prepared(mariadb.create_database("bench"), Path(folder))
        path = Path(folder) / "people.csv"
        with prepared.app.app_context():
            before = megabytes()
            report(f"the application alone: {before} MB")
            with path.open("w") as file:
                file.writelines(lines(ROWS, lambda _number: f",{HASH}"))
            planned, ran, head = import_file(path)
            rate = ROWS / ran
            report(
                f"{ROWS} users with ready hashes: plan {planned:.1f} s, run {ran:.1f} s, "
                f"{rate:.0f} rows/s, {megabytes()} MB"
            )
            failures += rate < LEAST_A_SECOND or megabytes() > MOST_MEGABYTES
            with path.open("w") as file:
                file.writelines(lines(PLANNED, lambda _number: f",{HASH}"))
            planned, _ran, _head = import_file(path, only_plan=True)
            # Some numbers are kept of each line; the limit is for imports of the size above.
            report(f"plan of {PLANNED} users: {planned:.1f} s, {megabytes()} MB")
            began = time.perf_counter()
            transact(undo.undo, BENCH, head, log_is_writable=lambda: True)
            undone = time.perf_counter() - began
            report(f"undo of {ROWS} users as one: {undone:.1f} s, {megabytes()} MB")
            prepared.reset()
            with path.open("w") as file:
                file.writelines(lines(ROWS, lambda number: f"password {number},"))
            hashes = ROWS * one_hash() / hashing.cores()
            planned, ran, _head = import_file(path)
            over = ran / hashes
            report(
                f"{ROWS} users with plain passwords on {hashing.cores()} cores: {ran:.1f} s, "
                f"{over:.2f} times the {hashes:.1f} s that the hashes alone take"
            )
            failures += over > MOST_OVER
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
