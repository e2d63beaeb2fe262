"""Half an hour of everything at once: no error, and no growth of memory or connections.

Fifty sessions read, search, write, sign in and import on a million users, served by gunicorn
with two processes of eight threads. With ``--by-hand`` an operator writes by SQL meanwhile, and
each row has to be in the next answer. Clients, server and database share this machine's cores.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from ops.measuring.by_hand import ByHand
from ops.measuring.client import Quiet, Record
from ops.measuring.reads import Filled
from ops.measuring.sampling import Sampler, Trend
from ops.measuring.sessions import Session, Work
from tests.conftest import Prepared, dispose
from tests.mariadb import MariaDB
from tests.resilience.server import Server
from tests.scale.filling import fill

DATABASE = "bench"
DOMAINS = 1_000
ALIASES_PER_USER = 0.3
OPTIONS = ("--innodb-use-native-aio=0", "--innodb-buffer-pool-size=128M")
# Of a shorter run, memory is measured and not judged: that of a young process grows.
SECONDS_TO_JUDGE = 300
BETWEEN_SAMPLES = 10.0
BETWEEN_SIGN_INS = 180.0
BETWEEN_QUIETS = 60.0
SECONDS_TO_END = 120
SHOWN = 20
# What a run may not leave behind, beside the rows that were there.
ARE_EMPTY = ("postmaster_notes", "postmaster_suspensions", "postmaster_import_parts")


@dataclass
class Outcome:
    """What was measured."""

    seed: int
    filled: Filled
    sessions: int
    seconds: float
    record: Record
    trends: list[Trend]
    by_hand: ByHand | None
    logged: list[str]

    @property
    def is_judged(self) -> bool:
        """Whether it went on for long enough to speak of growth."""
        return self.seconds >= SECONDS_TO_JUDGE

    @property
    def growing(self) -> list[Trend]:
        """What grew; nothing of it is known after a short run."""
        return [trend for trend in self.trends if trend.grows] if self.is_judged else []

    @property
    def is_fine(self) -> bool:
        """Whether there was no error, and no growth."""
        return not (self.record.faults or self.growing or self.logged)


def main() -> int:
    """The exit status: 1 if there was an error, or growth."""
    options = parsed()
    print(f"seed {options.seed}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="postmaster-load-") as name,
        MariaDB(options=OPTIONS) as mariadb,
    ):
        folder = Path(name)
        filled = Filled(DOMAINS, options.users, int(options.users * ALIASES_PER_USER))
        uri = prepare(mariadb, folder, filled)
        # All sign in from one address, more often than anybody.
        served = Server(
            *(uri, folder),
            workers=2,
            threads=8,
            # It keeps a connection for longer than any session pauses, as behind a proxy: that
            # hangs up at the wrong moment less often.
            options=("--keep-alive=30",),
            sign_in_failures_per_hour="1000000",
        )
        with served as server:
            outcome = measure(mariadb, server, filled, options)
    print("\n".join(lines_of(outcome)))
    if options.json:
        options.json.write_text(json.dumps(as_object(outcome), indent=1))
    return 0 if outcome.is_fine else 1


def parsed() -> argparse.Namespace:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--pause", type=float, default=0.75, help="seconds between calls, mean")
    parser.add_argument("--by-hand", action="store_true", help="write by SQL too, and look")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311 -- no secret
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    options = parser.parse_args()
    if not 0 < options.pause < 1:
        parser.error("a pause is more than 0 and less than 1 s: gunicorn hangs up after 2 s")
    return options


def prepare(mariadb: MariaDB, folder: Path, filled: Filled) -> str:
    """A database at head with its rows; its URI."""
    uri = mariadb.create_database(DATABASE)
    dispose(Prepared(uri, folder).app)
    counts = asdict(filled)
    with (
        mariadb.cursor(DATABASE) as cursor,
        click.progressbar(length=sum(counts.values()), label="Rows", file=sys.stderr) as bar,
    ):
        fill(cursor, **counts, told=bar.update)
    return uri


# --- the load -------------------------------------------------------------------


def measure(
    mariadb: MariaDB, server: Server, filled: Filled, options: argparse.Namespace
) -> Outcome:
    """Let all work for the time, or until Ctrl-C; then let them end what they are at."""
    seconds = options.minutes * 60
    record = Record()
    work = Work(
        url=server.url,
        filled=filled,
        record=record,
        quiet=Quiet(),
        stopping=threading.Event(),
        pause=options.pause,
        between_sign_ins=min(BETWEEN_SIGN_INS, seconds / 4),
        seed=options.seed,
    )
    sampler = Sampler(server, mariadb, DATABASE)
    workers: list[threading.Thread] = [Session(n, work) for n in range(1, options.sessions + 1)]
    by_hand = None
    if options.by_hand:
        by_hand = ByHand(mariadb, DATABASE, work, min(BETWEEN_QUIETS, seconds / 4))
        workers.append(by_hand)
    for worker in workers:
        worker.start()
    try:
        watch(sampler, record, seconds)
    except KeyboardInterrupt:
        print("Stopped before its time", file=sys.stderr)
    measured = record.seconds
    end(workers, work)
    look_for_remains(mariadb, filled, record)
    return Outcome(
        seed=options.seed,
        filled=filled,
        sessions=options.sessions,
        seconds=measured,
        record=record,
        trends=sampler.trends(),
        by_hand=by_hand,
        logged=errors_logged(server),
    )


def watch(sampler: Sampler, record: Record, seconds: float) -> None:
    """Take samples until the time is over, and tell how it goes."""
    between = min(BETWEEN_SAMPLES, max(seconds / 60, 1))
    told = 0.0
    moment = between
    while moment <= seconds:
        time.sleep(max(0, moment - record.seconds))
        try:
            sample = sampler.take(record.seconds)
        except (OSError, RuntimeError) as error:
            record.fault("the workers", "the same workers all the time", repr(error))
            return
        if moment - told >= BETWEEN_SAMPLES or moment + between > seconds:
            told = moment
            memory = " + ".join(f"{megabytes:.0f}" for megabytes in sample.megabytes)
            print(
                f"{record.seconds:6.0f} s of {seconds:.0f}: {record.calls} calls,"
                f" {len(record.faults)} errors, {memory} MB, {sample.connections} connections",
                file=sys.stderr,
                flush=True,
            )
        moment += between


def end(workers: list[threading.Thread], work: Work) -> None:
    """Let everybody end what they are at, and delete what they made."""
    work.stopping.set()
    deadline = time.monotonic() + SECONDS_TO_END
    for worker in workers:
        worker.join(max(0, deadline - time.monotonic()))
        if worker.is_alive():
            work.record.fault(worker.name, f"an end within {SECONDS_TO_END} s", "it goes on")


def look_for_remains(mariadb: MariaDB, filled: Filled, record: Record) -> None:
    """Everything that was made is deleted again; else it is on record."""
    expected = {f"virtual_{noun}": count for noun, count in asdict(filled).items()}
    expected |= dict.fromkeys(ARE_EMPTY, 0)
    for table, count in expected.items():
        [(found,)] = mariadb.rows(DATABASE, f"SELECT COUNT(*) FROM {table}")
        if found != count:
            record.fault(f"rows of {table} at the end", str(count), str(found))


def errors_logged(server: Server) -> list[str]:
    """What gunicorn said, and the errors in the panel's log."""
    said = server.output.read_text(errors="replace").splitlines()
    logged = server.log.read_text(errors="replace").splitlines() if server.log.exists() else []
    errors = []
    for line in logged:
        with suppress(json.JSONDecodeError):
            if json.loads(line).get("category") != "error":
                continue
        errors.append(line)
    return [line for line in said if line.strip()] + errors


# --- what is told ---------------------------------------------------------------


def as_object(outcome: Outcome) -> dict[str, Any]:
    """All that was measured, for JSON."""
    by_hand = outcome.by_hand
    return {
        "seed": outcome.seed,
        **asdict(outcome.filled),
        "sessions": outcome.sessions,
        "seconds": round(outcome.seconds, 1),
        "calls": outcome.record.calls,
        "calls_per_second": round(outcome.record.calls / outcome.seconds, 1),
        "kinds": {
            kind: milliseconds(times) for kind, times in sorted(outcome.record.times.items())
        },
        "trends": [asdict(trend) | {"grows": trend.grows} for trend in outcome.trends],
        "growth_is_judged": outcome.is_judged,
        "by_hand": by_hand
        and {"written": by_hand.written, "checked": by_hand.checked, "quiets": by_hand.quiets},
        "errors": [asdict(fault) for fault in outcome.record.faults],
        "logged": outcome.logged,
        "is_fine": outcome.is_fine,
    }


def milliseconds(times: list[float]) -> dict[str, float]:
    """How many there were, and how long they took."""
    ordered = sorted(times)
    return {
        "count": len(ordered),
        "median": round(statistics.median(ordered) * 1000, 1),
        "95 %": round(ordered[int(len(ordered) * 0.95)] * 1000, 1),
        "max": round(ordered[-1] * 1000, 1),
    }


def lines_of(outcome: Outcome) -> list[str]:
    """The report."""
    record = outcome.record
    return [
        f"{outcome.sessions} sessions, {outcome.filled.users} users, {outcome.seconds:.0f} s,"
        f" seed {outcome.seed}",
        f"{'':32}{'count':>8}{'median':>12}{'95 %':>12}{'max':>12}",
        *(line_of(kind, milliseconds(times)) for kind, times in sorted(record.times.items())),
        f"{record.calls} calls, {record.calls / outcome.seconds:.1f} a second",
        *(line_of_trend(trend, trend in outcome.growing) for trend in outcome.trends),
        *([] if outcome.is_judged else ["Too short to judge growth"]),
        *by_hand_line(outcome.by_hand),
        f"{len(record.faults)} errors",
        *(f"  {fault}" for fault in record.faults[:SHOWN]),
        f"{len(outcome.logged)} lines of errors in the logs",
        *(f"  {line[:1000]}" for line in outcome.logged[:SHOWN]),
        "fine" if outcome.is_fine else "NOT FINE",
    ]


def line_of(kind: str, figures: dict[str, float]) -> str:
    """One line of the table."""
    cells = [f"{figures[name]:9.1f} ms" for name in ("median", "95 %", "max")]
    return f"{kind:32}{figures['count']:8.0f}{''.join(cells)}"


def line_of_trend(trend: Trend, grows: bool) -> str:
    """How one number went."""
    unit = " MB" if trend.what == "memory" else ""
    first, middle, last = trend.thirds
    return (
        f"{trend.of + ', ' + trend.what:32}"
        f" {trend.lowest:.1f} to {trend.highest:.1f}{unit}; medians of the thirds"
        f" {first:.1f}, {middle:.1f}, {last:.1f}; {trend.per_hour:+.1f}{unit} an hour"
        f"{'; GROWS' if grows else ''}"
    )


def by_hand_line(by_hand: ByHand | None) -> list[str]:
    """How much was written by hand, and looked at."""
    if by_hand is None:
        return []
    return [
        f"{by_hand.written} statements by hand, {by_hand.checked} answers compared,"
        f" {by_hand.quiets} times after a pause of all others"
    ]


if __name__ == "__main__":
    sys.exit(main())
