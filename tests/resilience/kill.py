"""Kills PostMaster over and over while it writes, then looks whether anything broke.

    python -m tests.resilience.kill --kills 100 --writes 2000

starts a MariaDB and a server of its own, writes through the API from several
clients at once, kills all of the server's processes at random moments, and
compares the tables, the history, and what the clients were told.
"""

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from postmaster import create_app, schema
from postmaster.db import db
from tests.mariadb import MariaDB
from tests.resilience.judgement import Judgement, judge
from tests.resilience.server import SECRET_KEY, Server
from tests.resilience.writers import Ledger, Outcome, start_writers, stop_writers

DATABASE = "resilience"
CLIENTS = 6
LONGEST_PAUSE = 0.05  # seconds between the write that is waited for and the kill


@dataclass(frozen=True)
class Summary:
    """What was done and what came of it."""

    seed: int
    kills: int
    ledger: Ledger
    judgement: Judgement
    seconds: float

    @property
    def surprises(self) -> list[int]:
        """Answers of a server in trouble: the database was there all the time."""
        return [status for status in self.ledger.statuses if status >= 500]

    def lines(self) -> list[str]:
        ledger, judgement = self.ledger, self.judgement
        return [
            f"seed {self.seed}: {self.kills} kills in {self.seconds:.0f} s",
            f"{len(ledger.attempts)} changes asked for: "
            f"{ledger.acknowledged} acknowledged, {ledger.count(Outcome.REFUSED)} refused, "
            f"{ledger.count(Outcome.UNKNOWN)} cut off",
            f"of the cut off ones (passwords apart): {judgement.unknown_done} wholly done, "
            f"{judgement.unknown_not_done} wholly not",
            f"{judgement.entries} entries of the history replayed to {judgement.rows} rows",
            f"{len(self.surprises)} answers 5xx",
            f"{len(judgement.faults)} faults",
            *judgement.faults[:20],
        ]


def prepare(uri: str, folder: Path) -> None:
    """Make the tables and the first admin."""
    app = create_app(
        {"database_uri": uri, "secret_key": SECRET_KEY, "log_file": str(folder / "preparation")}
    )
    with app.app_context():
        schema.upgrade(lambda _line: None)
        db.session.remove()
        db.engine.dispose()


def run(kills: int, writes: int, seed: int, folder: Path) -> Summary:
    """Kill and write until both numbers are reached, then judge."""
    started = time.monotonic()
    moments = random.Random(seed)
    ledger = Ledger()
    with MariaDB() as mariadb:
        uri = mariadb.create_database(DATABASE)
        prepare(uri, folder)
        with Server(uri, folder) as server:
            writers = start_writers(CLIENTS, server.url, server.sign_in(), ledger, seed)
            for killed in range(kills):
                mean = max(1, (writes - ledger.acknowledged) // (kills - killed))
                wanted = ledger.acknowledged + moments.randint(1, 2 * mean)
                ledger.wait_for(lambda wanted=wanted: ledger.acknowledged >= wanted)
                time.sleep(moments.uniform(0, LONGEST_PAUSE))
                server.kill()
                server.start()
            ledger.wait_for(lambda: ledger.acknowledged >= writes)
            stop_writers(writers)
        judgement = judge(mariadb, DATABASE, ledger)
    return Summary(seed, kills, ledger, judgement, time.monotonic() - started)


def main() -> int:
    """The exit status: 1 if anything broke."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--writes", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="postmaster-kill-") as folder:
        summary = run(options.kills, options.writes, options.seed, Path(folder))
    sys.stdout.write("\n".join(summary.lines()) + "\n")
    return 1 if summary.judgement.faults or summary.surprises else 0


if __name__ == "__main__":
    sys.exit(main())
