"""How much memory, and how many threads, files and connections a served panel has over time."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mariadb import MariaDB
from tests.resilience.server import Server

PROC = Path("/proc")
KILOBYTES = 1024
SECONDS_PER_HOUR = 3600
# The first part of the time, in which everything is loaded and used for the first time.
WARM_UP = 5
# More than both is growth, from one third of the time to the next. Which worker has how many of
# the clients is chance, so files are judged in all. A worker keeps five connections and opens up
# to eight, as it has to do.
MOST_PERCENT = {"memory": 5, "threads": 5, "files in all": 10, "connections": 10}
MOST_MORE = {"memory": 4, "threads": 1, "files in all": 10, "connections": 6}
CONNECTIONS = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = %s"


@dataclass(frozen=True)
class Sample:
    """What was seen at one moment, by the name of what it is of."""

    seconds: float
    values: dict[tuple[str, str], float]

    @property
    def megabytes(self) -> list[float]:
        """The memory of each worker."""
        return [value for (_of, what), value in self.values.items() if what == "memory"]

    @property
    def connections(self) -> int:
        """Those of the panel to the database."""
        return int(self.values["database", "connections"])


@dataclass(frozen=True)
class Trend:
    """How one of these numbers went, once the panel was warm."""

    of: str
    what: str
    lowest: float
    highest: float
    thirds: tuple[float, float, float]  # the medians
    per_hour: float  # the slope of the line that fits best

    @property
    def grows(self) -> bool:
        """Whether the last third is clearly above the one before."""
        if self.what not in MOST_MORE:
            return False
        _first, middle, last = self.thirds
        more = last - middle
        return more > MOST_MORE[self.what] and more > middle * MOST_PERCENT[self.what] / 100


class Sampler:
    """Looks at a server's workers and at its connections to the database."""

    def __init__(self, server: Server, mariadb: MariaDB, user: str) -> None:
        self.server = server
        self.mariadb = mariadb
        self.user = user
        self.workers = server.worker_ids()
        self.samples: list[Sample] = []

    def take(self, seconds: float) -> Sample:
        """Look, and keep what was seen. Raises RuntimeError where a worker is another one."""
        children = self.server.worker_ids()
        if children != self.workers:
            raise RuntimeError(f"the workers were {self.workers} and are {children}")
        values: dict[tuple[str, str], float] = {}
        for worker in self.workers:
            for what, value in seen_of(worker).items():
                values[f"worker {worker}", what] = value
        files = sum(value for (_of, what), value in values.items() if what == "files")
        values["workers", "files in all"] = files
        [(connections,)] = self.mariadb.rows("information_schema", CONNECTIONS, self.user)
        values["database", "connections"] = connections
        self.samples.append(Sample(seconds, values))
        return self.samples[-1]

    def trends(self) -> list[Trend]:
        """How each number went; none where there are not enough samples."""
        warm = self.samples[len(self.samples) // WARM_UP :]
        if len(warm) < 3:
            return []
        return [
            trend(key, [(sample.seconds, sample.values[key]) for sample in warm])
            for key in warm[0].values
        ]


def seen_of(process: int) -> dict[str, float]:
    """A process's memory in MB, its threads and its open files."""
    lines = (PROC / str(process) / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    return {
        "memory": int(status["VmRSS"].split()[0]) / KILOBYTES,
        "threads": int(status["Threads"]),
        "files": len([*(PROC / str(process) / "fd").iterdir()]),
    }


def trend(key: tuple[str, str], points: Sequence[tuple[float, float]]) -> Trend:
    """What the points of one number come to."""
    moments, values = zip(*points, strict=True)
    third = len(values) // 3
    parts = (values[:third], values[third:-third], values[-third:])
    first, middle, last = (float(statistics.median(part)) for part in parts)
    slope = statistics.linear_regression(moments, values).slope
    return Trend(*key, min(values), max(values), (first, middle, last), slope * SECONDS_PER_HOUR)
