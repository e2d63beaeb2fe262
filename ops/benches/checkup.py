"""How long a checkup takes with one million users in a thousand domains: at most 10 s.

Once where all is well, and once where one row in a thousand is odd in each way. Once more,
without a limit, where hundreds of thousands are.
"""

import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection

from postmaster.db import db
from postmaster.rules.actor import Actor
from postmaster.rules.checkup import checking
from tests.conftest import Prepared
from tests.mariadb import MariaDB
from tests.scale.filling import SETTLE, fill

DOMAINS, USERS, ALIASES = 1_000, 1_000_000, 200_000
MOST_SECONDS = 10.0
BENCH = Actor(None, "bench", "command")
# Some aliases lead to aliases.
CHAIN = (
    f"UPDATE virtual_aliases SET destination = CONCAT('alias', id - {DOMAINS}, '@domain',"
    f" 1 + id % {DOMAINS}, '.example') WHERE id % 10 = 0 AND id > {DOMAINS}"
)
ONE_IN = (
    "UPDATE virtual_users SET email = UPPER(email) WHERE id % {n} = 1",
    "UPDATE virtual_users SET email = CONCAT(' ', email) WHERE id % {n} = 2",
    "UPDATE virtual_users SET email = CONCAT('a+', email) WHERE id % {n} = 3",
    "UPDATE virtual_users SET email = CONCAT(email, 's') WHERE id % {n} = 4",
    "UPDATE virtual_users SET domain_id = 1 WHERE id % {n} = 5",
    "UPDATE virtual_users SET password = LEFT(password, 90) WHERE id % {n} = 6",
    "UPDATE virtual_users SET password = CONCAT('secret', id) WHERE id % {n} = 7",
    "UPDATE virtual_users SET password = '' WHERE id % {n} = 8",
    "UPDATE virtual_aliases SET destination = CONCAT('x', destination) WHERE id % {n} = 1",
    "UPDATE virtual_aliases SET source = UPPER(source) WHERE id % {n} = 2",
    "UPDATE virtual_aliases SET destination = CONCAT(LEFT(destination, 40), ', a@b.example')"
    " WHERE id % {n} = 3",
    "UPDATE virtual_aliases SET destination = '' WHERE id % {n} = 4",
    "UPDATE virtual_aliases SET source = CONCAT('user', id, '@domain', 1 + id % 1000, '.example')"
    " WHERE id % {n} = 5",
    "INSERT INTO virtual_aliases (domain_id, source, destination) SELECT domain_id,"
    " destination, source FROM virtual_aliases WHERE id % {n} = 10 AND destination LIKE 'alias%'",
    "INSERT INTO virtual_aliases (domain_id, source, destination) SELECT id, CONCAT('@', name),"
    " 'user1@domain2.example' FROM virtual_domains WHERE id % {n} = 0",
)


def main() -> int:
    """Measure; exit status 1 where one checkup took too long."""
    with MariaDB() as server, tempfile.TemporaryDirectory() as folder:
        prepared = Prepared(server.create_database("bench"), Path(folder))
        with server.cursor("bench") as cursor:
            fill(cursor, domains=DOMAINS, users=USERS, aliases=ALIASES)
        with prepared.app.app_context():
            with db.engine.begin() as connection:
                connection.execute(text(CHAIN))
                connection.execute(text(SETTLE))
            longest = measured("all is well")
            with db.engine.begin() as connection:
                make_odd(connection, 1000)
            longest = max(longest, measured("one row in 1000 is odd in each way"))
            with db.engine.begin() as connection:
                make_odd(connection, 25)
            measured("one row in 25 is odd in each way")
            db.engine.dispose()
    return int(longest > MOST_SECONDS)


def make_odd(connection: Connection, one_in: int) -> None:
    """Spoil some of the rows."""
    for statement in ONE_IN:
        connection.execute(text(statement.format(n=one_in)))
    connection.execute(text(SETTLE))


def measured(title: str) -> float:
    """The seconds that a checkup takes, printed with its parts."""
    moments: list[tuple[str, float]] = []
    db.session.remove()
    begun = time.perf_counter()
    report = checking.check(
        db.session(), BENCH, progress=lambda step: moments.append((step, time.perf_counter()))
    )
    ended = time.perf_counter()
    ends = [moment for _step, moment in moments[1:]] + [ended]
    parts = ", ".join(
        f"{step} {end - start:.2f}" for (step, start), end in zip(moments, ends, strict=True)
    )
    rows = sum(finding.count for finding in report.findings)
    print(f"{title}: {ended - begun:.2f} s ({parts}); {len(report.findings)} findings, {rows} rows")
    return ended - begun


if __name__ == "__main__":
    sys.exit(main())
