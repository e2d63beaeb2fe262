"""/metrics: what is counted of this server, in the form that Prometheus reads.

Open to the addresses that the key ``metrics`` lists. While it lists none, nothing is
counted and no file is made. Commands count nothing.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    has_app_context,
    request,
    request_finished,
    request_started,
)
from sqlalchemy.exc import SQLAlchemyError

from . import database_faults as faults
from . import db as database
from .config import Config, is_listed
from .counters import Counters, Key
from .db import after_commit, db, explain, on_retry
from .errors import Conflict
from .models import HistoryEntry
from .rules import dashboard
from .rules.actor import Actor
from .rules.attempts import Outcome, SignIn
from .rules.history import Action
from .security import configuration
from .version import VERSION

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

blueprint = Blueprint("metrics", __name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# The upper bounds of the histogram, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
DURATION = "postmaster_http_request_duration_seconds"
DURATION_SUM = f"{DURATION}_sum"
# A database error's kind, by the sentence that it has in db.
KINDS: Mapping[str, str] = {
    database.AWAY: "away",
    database.BUSY: "busy",
    database.NO_CONNECTION: "no_connection",
    database.NOT_PREPARED: "not_prepared",
    faults.NOT_LET_IN.sentence: "access",
    faults.NO_RIGHTS_THERE.sentence: "access",
    faults.LACKS_RIGHTS.sentence: "access",
    faults.NO_DATABASE.sentence: "access",
    faults.FILE_NOT_OPENED.sentence: "access",
    faults.READ_ONLY.sentence: "read_only",
    faults.READ_ONLY_ENGINE.sentence: "read_only",
    faults.FILE_READ_ONLY.sentence: "read_only",
    faults.NO_ROOM.sentence: "full",
    faults.FILE_NO_ROOM.sentence: "full",
}
OTHER = "other"
CONFLICT = "conflict"


@dataclass(frozen=True)
class Count:
    """Something that is counted; ``values`` are those of a label which are there from the start.

    Prometheus sees an increase only from a number that was there before.
    """

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def at_first(self) -> dict[Key, float]:
        """The numbers before anything is counted, by the values of the labels."""
        return {(value,): 0.0 for value in self.values} if self.labels else {(): 0.0}


REQUESTS = Count(
    "postmaster_http_requests_total", "Requests answered.", ("method", "endpoint", "status")
)
SIGN_INS = Count(
    "postmaster_sign_ins_total",
    "Steps of sign-ins, and wrong present passwords, by how they ended.",
    ("outcome",),
    tuple(Outcome),
)
LOCKOUTS = Count("postmaster_lockouts_total", "Locks of administrators that began.")
DATABASE_ERRORS = Count(
    "postmaster_database_errors_total",
    "Requests that the database refused.",
    ("kind",),
    tuple(sorted({*KINDS.values(), CONFLICT, OTHER})),
)
RETRIES = Count(
    "postmaster_database_retries_total",
    "Acts that began anew after a deadlock or a lock that did not come free.",
)
COUNTS = (REQUESTS, SIGN_INS, LOCKOUTS, DATABASE_ERRORS, RETRIES)


@dataclass(frozen=True)
class Gauge:
    """Something that is as it is at the moment of the answer."""

    name: str
    meaning: str


DATABASE_UP = Gauge("postmaster_database_up", "1 if the database answered just now, else 0.")
COUNTERS_UP = Gauge("postmaster_counters_up", "1 if the files with the counts can be used, else 0.")
DOMAINS = Gauge("postmaster_domains", "Domains in the database.")
USERS = Gauge("postmaster_users", "Users in the database, suspended ones included.")
ALIASES = Gauge("postmaster_aliases", "Rows of aliases in the database, one a destination.")
ADMINS = Gauge("postmaster_admins", "Administrators.")
LOCKED = Gauge("postmaster_locked_admins", "Administrators who are locked out now.")


@dataclass
class Counting:
    """How one application counts; ``reason`` says why it last could not, if it could not."""

    counters: Counters
    reason: str = ""


def init_app(app: Flask, config: Config, *, serving: bool) -> None:
    """Answer /metrics, and count if somebody may read it."""
    app.register_blueprint(blueprint)
    if not serving or not config.metrics:
        return
    app.extensions["postmaster_counting"] = Counting(Counters(config.log_file.parent / "metrics"))
    request_started.connect(_begin, app)
    request_finished.connect(_count_request, app)
    after_commit(_count_announced)
    on_retry(_count_retry)


# --- counting -------------------------------------------------------------------


def count_database_error(error: Exception) -> None:
    """Count a request that ends with this error of the database."""
    _add({(DATABASE_ERRORS.name, _kind(error)): 1})


def _kind(error: Exception) -> str:
    refusal = explain(error)
    if isinstance(refusal, Conflict):
        return CONFLICT
    return KINDS.get(refusal.template, OTHER) if refusal is not None else OTHER


def _begin(_app: Flask) -> None:
    g.begun = time.perf_counter()


def _count_request(_app: Flask, response: Response) -> None:
    seconds = time.perf_counter() - g.begun
    method = request.method if request.method in METHODS else OTHER
    endpoint = request.endpoint or "none"  # never the path: anybody can ask for any
    bound = next((bound for bound in BOUNDS if seconds <= bound), float("inf"))
    _add(
        {
            (REQUESTS.name, method, endpoint, str(response.status_code)): 1,
            (DURATION, endpoint, str(bound)): 1,
            (DURATION_SUM, endpoint): seconds,
        }
    )


def _count_announced(announcement: object) -> None:
    if isinstance(announcement, SignIn):
        _add({(SIGN_INS.name, announcement.outcome.value): 1})
    elif isinstance(announcement, HistoryEntry) and announcement.action == Action.LOCK:
        _add({(LOCKOUTS.name,): 1})


def _count_retry() -> None:
    _add({(RETRIES.name,): 1})


def _add(amounts: Mapping[Key, float]) -> None:
    """Counts that cannot be written must not stop the panel: the log says so, once."""
    counting = _counting()
    if counting is None:
        return
    try:
        counting.counters.add(amounts)
    except OSError as error:
        _tell(counting, error)
    else:
        counting.reason = ""


def _counting() -> Counting | None:
    """That of this application; None where nothing is counted."""
    return current_app.extensions.get("postmaster_counting") if has_app_context() else None


def _tell(counting: Counting, error: OSError) -> None:
    reason = error.strerror or str(error)
    if reason != counting.reason:
        current_app.extensions["postmaster_log"].write(
            "error",
            None,
            f"The counts for /metrics cannot be written to {counting.counters.folder}: {reason}",
        )
    counting.reason = reason


# --- the answer -----------------------------------------------------------------


@blueprint.get("/metrics", provide_automatic_options=False)
def show() -> Response:
    """Every metric, as it is now; for an address that is not listed, which key lists it."""
    networks = configuration().metrics
    if not networks:
        abort(404)
    ip = request.remote_addr or ""
    if not is_listed(ip, networks):
        return Response(
            f"{ip} is not listed under the key metrics of PostMaster's configuration\n",
            403,
            mimetype="text/plain",
        )
    # Takes 40 ms, which no command has to wait for.
    from prometheus_client import exposition  # noqa: PLC0415

    return Response(
        exposition.generate_latest(Scrape()), content_type=exposition.CONTENT_TYPE_PLAIN_0_0_4
    )


class Scrape:
    """One answer, as prometheus_client wants to see one."""

    def collect(self) -> Iterable["Metric"]:
        """The metrics. What cannot be had is left out, and a metric says so."""
        from prometheus_client import metrics_core as families  # noqa: PLC0415 -- as above

        yield families.InfoMetricFamily(
            "postmaster_build", "Which PostMaster answers.", {"version": VERSION}
        )
        yield from _gauges(_rows())
        sums = _sums()
        yield from _gauges({COUNTERS_UP: sums is not None})
        if sums is None:
            return
        for count in COUNTS:
            family = families.CounterMetricFamily(count.name, count.meaning, labels=count.labels)
            for labels, number in _of(count, sums).items():
                family.add_metric(labels, number)
            yield family
        histogram = families.HistogramMetricFamily(
            DURATION, "From a request's arrival to its answer.", labels=("endpoint",)
        )
        for endpoint in sorted(key[1] for key in sums if key[0] == DURATION_SUM):
            histogram.add_metric(
                (endpoint,), _buckets(endpoint, sums), sums[DURATION_SUM, endpoint]
            )
        yield histogram


def _gauges(values: Mapping[Gauge, float]) -> Iterable["Metric"]:
    from prometheus_client import metrics_core as families  # noqa: PLC0415 -- as above

    for gauge, value in values.items():
        yield families.GaugeMetricFamily(gauge.name, gauge.meaning, value)


def _rows() -> dict[Gauge, float]:
    """How many rows there are, while the database answers."""
    actor = Actor(None, "metrics", "api", request.remote_addr or "")
    session = db.session()
    try:
        counts = dashboard.counts(session, actor)
        locked = dashboard.count_locked_admins(session, actor)
    except SQLAlchemyError:
        db.session.remove()
        return {DATABASE_UP: 0}
    return {
        DATABASE_UP: 1,
        DOMAINS: counts.domains or 0,
        USERS: counts.users or 0,
        ALIASES: counts.aliases or 0,
        ADMINS: counts.admins or 0,
        LOCKED: locked,
    }


def _sums() -> Mapping[Key, float] | None:
    """What all processes of this server counted, or None where that cannot be known."""
    counting = _counting()
    if counting is None:
        return None
    try:
        return counting.counters.sums()
    except OSError as error:
        _tell(counting, error)
        return None


def _of(count: Count, sums: Mapping[Key, float]) -> dict[Key, float]:
    """The numbers of one count, by the values of its labels."""
    counted = {key[1:]: sums[key] for key in sorted(sums) if key[0] == count.name}
    return count.at_first() | counted


def _buckets(endpoint: str, sums: Mapping[Key, float]) -> list[tuple[str, float]]:
    """The histogram of one endpoint: how many requests took at most so long."""
    buckets = []
    total = 0.0
    for bound in (*BOUNDS, float("inf")):
        total += sums.get((DURATION, endpoint, str(bound)), 0)
        buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
    return buckets
