"""/metrics: who may read it, what is counted, and what the dashboard asks for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.orm import Session

from postmaster import create_app
from postmaster.db import db, transact
from postmaster.logfile import LogFile
from postmaster.metrics import BOUNDS, COUNTS
from postmaster.rules.login import Outcome
from postmaster.version import VERSION
from tests.api.test_admins import secret_of, turn_on
from tests.cli.conftest import Commands
from tests.conftest import Prepared, dispose, make_app, set_setting, sign_in
from tests.mariadb import MariaDB
from tests.pages.browsing import Browser

ROOT = Path(__file__).parent.parent
READER = "192.0.2.90"
NAME = re.compile(r"\bpostmaster_[a-z_]+")
# Of a histogram there are these, and of the counts their totals.
SUFFIX = re.compile(r"_(bucket|sum|count)$")

Labels = frozenset[tuple[str, str]]


class Scraped:
    """One answer, as Prometheus reads it."""

    def __init__(self, answer: str) -> None:
        self.text = answer
        self.types: dict[str, str] = {}
        self.samples: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(answer):
            self.types[family.name] = family.type
            assert family.documentation.endswith("."), family.name
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, key
                self.samples[key] = sample.value

    def names(self) -> set[str]:
        return {name for name, _labels in self.samples}

    def value(self, name: str, **labels: str) -> float:
        return self.samples["postmaster_" + name, frozenset(labels.items())]

    def sum(self, name: str, **labels: str) -> float:
        """Over all samples that have these labels and others."""
        return sum(
            value
            for (each, found), value in self.samples.items()
            if each == "postmaster_" + name and frozenset(labels.items()) <= found
        )

    def differing(self, name: str) -> dict[str, float]:
        """The samples of one label that are not 0, by that label's value."""
        return {
            next(iter(labels))[1]: value
            for (each, labels), value in self.samples.items()
            if each == "postmaster_" + name and value
        }


def scrape(app: Flask) -> Scraped:
    answer = app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": READER})
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return Scraped(answer.text)


def status(app: Flask, ip: str, **headers: str) -> int:
    environ = {"REMOTE_ADDR": ip}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get("/metrics", environ_base=environ, headers=named).status_code


def counting(app: Flask, folder: Path, **keys: Any) -> Flask:
    """An application that counts, on the other one's database."""
    uri = app.config["SQLALCHEMY_DATABASE_URI"].render_as_string(hide_password=False)
    return make_app(uri, folder, **({"metrics": [READER]} | keys))


@pytest.fixture
def counted(app: Flask, tmp_path: Path) -> Iterator[Flask]:
    """An application whose counts one address may read."""
    made = counting(app, tmp_path)
    yield made
    dispose(made)


@pytest.fixture
def on_sqlite(prepared_sqlite: Prepared) -> Flask:
    prepared_sqlite.reset()
    return prepared_sqlite.app


@pytest.fixture
def on_mariadb(prepared_mariadb: Prepared, tmp_path: Path) -> Iterator[Flask]:
    prepared_mariadb.reset()
    made = counting(prepared_mariadb.app, tmp_path)
    yield made
    dispose(made)


def attempt(browser: FlaskClient, ip: str = "127.0.0.1", **fields: str) -> None:
    form = {"username": "admin", "password": "PostMaster"} | fields
    browser.post("/login", data=form, environ_base={"REMOTE_ADDR": ip})


# --- who may read it ------------------------------------------------------------


def test_as_long_as_nobody_is_listed_there_is_nothing(on_sqlite: Flask, tmp_path: Path) -> None:
    app = counting(on_sqlite, tmp_path, metrics=[])
    sign_in(app).get("/users")
    assert status(app, READER) == 404
    assert not (tmp_path / "metrics").exists()
    dispose(app)


def test_who_is_not_listed_is_told_where_to_be(counted: Flask) -> None:
    answer = counted.test_client().get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.91"})
    assert answer.status_code == 403
    assert answer.mimetype == "text/plain"
    assert answer.text == (
        "192.0.2.91 is not listed under the key metrics of PostMaster's configuration\n"
    )


def test_a_session_is_no_way_to_them(counted: Flask) -> None:
    assert sign_in(counted).get("/metrics").status_code == 403


def test_only_reading_is_answered(counted: Flask) -> None:
    for method, expected in (("HEAD", 200), ("OPTIONS", 405), ("POST", 405)):
        answer = counted.test_client().open(
            "/metrics", method=method, environ_base={"REMOTE_ADDR": READER}
        )
        assert answer.status_code == expected


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("10.2.0.1", 403),
        ("2001:db8::5", 200),
        ("2001:db9::5", 403),
        ("", 403),
        ("a socket", 403),
    ],
)
def test_networks_are_listed_too(on_sqlite: Flask, tmp_path: Path, ip: str, expected: int) -> None:
    app = counting(on_sqlite, tmp_path, metrics=["10.1.0.0/16", "2001:db8::/32"])
    assert status(app, ip) == expected
    dispose(app)


def test_a_listed_proxy_says_who_asks(on_sqlite: Flask, tmp_path: Path) -> None:
    app = counting(on_sqlite, tmp_path, proxies=["127.0.0.1"])
    assert status(app, "127.0.0.1", X_Forwarded_For=READER) == 200
    assert status(app, "127.0.0.1", X_Forwarded_For="192.0.2.91") == 403
    assert status(app, "127.0.0.1") == 403
    assert status(app, "192.0.2.91", X_Forwarded_For=READER) == 403, "it is no proxy"
    dispose(app)


# --- what is counted ------------------------------------------------------------


def test_requests_are_counted_by_page_and_never_by_path(counted: Flask) -> None:
    browser = sign_in(counted)
    for _ in range(3):
        browser.get("/users?search=secret-search")
    browser.get("/users/1")
    browser.get("/secret-path")
    counted.test_client().get("/api/v1/users")
    counted.test_client().open("/login", method="BREW")
    found = scrape(counted)
    requests = "http_requests_total"
    assert found.value(requests, method="GET", endpoint="users.find", status="200") == 3
    assert found.value(requests, method="GET", endpoint="users.get", status="404") == 1
    assert found.value(requests, method="GET", endpoint="none", status="404") == 1
    assert found.value(requests, method="GET", endpoint="api_users.find", status="401") == 1
    assert found.value(requests, method="other", endpoint="none", status="405") == 1
    assert found.value(requests, method="POST", endpoint="login.sign_in", status="302") == 1
    assert found.sum(requests) == 8
    assert "secret" not in found.text
    assert scrape(counted).sum(requests) == 9, "the one before counts as well"


def test_how_long_they_took(counted: Flask) -> None:
    browser = sign_in(counted)
    for _ in range(3):
        browser.get("/users")
    found = scrape(counted)
    duration = "http_request_duration_seconds"
    assert found.value(f"{duration}_count", endpoint="users.find") == 3
    assert 0 < found.value(f"{duration}_sum", endpoint="users.find") < 3 * max(BOUNDS)
    buckets = [
        found.value(f"{duration}_bucket", endpoint="users.find", le=bound)
        for bound in (*map(str, BOUNDS), "+Inf")
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 3


def test_a_request_for_another_host_is_counted(on_sqlite: Flask, tmp_path: Path) -> None:
    app = counting(on_sqlite, tmp_path, hosts=["localhost"])
    answer = app.test_client().get("/users", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400
    assert scrape(app).sum("http_requests_total", status="400") == 1
    dispose(app)


def test_sign_ins_are_counted_by_how_they_ended(counted: Flask) -> None:
    admin = sign_in(counted)
    set_setting(admin, "Account Lockout Threshold", "4")
    attempt(counted.test_client(), password="")
    attempt(counted.test_client(), password="wrong")
    attempt(counted.test_client(), username="nobody")
    assert scrape(counted).differing("sign_ins_total") == {
        "accepted": 1,
        "incomplete": 1,
        "wrong_password": 2,
    }
    recovery = turn_on(admin)
    in_steps = counted.test_client()
    attempt(in_steps, steps="2")
    in_steps.post("/login", data={"step": "code", "two_factor": "000000"})
    attempt(counted.test_client(), two_factor=recovery[0])
    used = pyotp.TOTP(secret_of(admin, 1)).now()
    for _ in range(5):  # a code that turned it on counts no more
        attempt(counted.test_client(), two_factor=used)
    found = scrape(counted)
    assert found.differing("sign_ins_total") == {
        "accepted": 2,
        "incomplete": 1,
        "wrong_password": 2,
        "code_wanted": 1,
        "wrong_code": 5,
        "locked": 1,
    }
    assert found.value("lockouts_total") == 1
    assert found.value("locked_admins") == 1
    assert set(Outcome) == {
        dict(labels)["outcome"] for name, labels in found.samples if name.endswith("sign_ins_total")
    }


def test_a_wrong_present_password_is_a_refused_try(counted: Flask) -> None:
    browser = Browser(sign_in(counted))
    browser.open("/account")
    assert browser.submit("password-form", present="wrong", new="another password").status == 400
    assert scrape(counted).differing("sign_ins_total") == {
        "accepted": 1,
        "wrong_present_password": 1,
    }


def test_throttled_ones_are_counted(on_sqlite: Flask, tmp_path: Path) -> None:
    app = counting(on_sqlite, tmp_path, sign_in_failures_per_hour=2)
    for _ in range(5):
        attempt(app.test_client(), username="nobody")
    assert scrape(app).differing("sign_ins_total") == {"wrong_password": 2, "throttled": 3}
    dispose(app)


def test_how_many_rows_there_are(counted: Flask) -> None:
    browser = sign_in(counted)
    for name in ("one.example", "two.example"):
        browser.post("/api/v1/domains", json={"name": name})
    browser.post("/api/v1/users", json={"email": "ana@one.example", "password": "long enough"})
    for source in ("a", "b", "c"):
        browser.post(
            "/api/v1/aliases",
            json={"source": f"{source}@two.example", "destination": "ana@one.example"},
        )
    found = scrape(counted)
    assert [found.value(name) for name in ("domains", "users", "aliases", "admins")] == [2, 1, 3, 1]
    assert (found.value("locked_admins"), found.value("database_up")) == (0, 1)
    assert found.value("build_info", version=VERSION) == 1
    assert ".example" not in found.text


def test_an_act_that_begins_anew_is_counted(on_mariadb: Flask) -> None:
    tries: list[int] = []

    def act(session: Session) -> None:
        tries.append(1)
        if len(tries) < 3:
            session.execute(text("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213"))

    with on_mariadb.app_context():
        transact(act)
    found = scrape(on_mariadb)
    assert found.value("database_retries_total") == 2
    assert found.differing("database_errors_total") == {}


def test_a_database_that_is_away(on_mariadb: Flask, mariadb: MariaDB) -> None:
    """Whatever does not need it is answered all the same."""
    browser = sign_in(on_mariadb)
    mariadb.stop()
    try:
        assert browser.get("/users").status_code == 503
        assert browser.get("/api/v1/users").status_code == 503
        found = scrape(on_mariadb)
    finally:
        mariadb.start()
    assert found.value("database_up") == 0
    assert "postmaster_users" not in found.names()
    assert found.differing("database_errors_total") == {"away": 2}
    assert found.value("http_requests_total", method="GET", endpoint="users.find", status="503")
    assert scrape(on_mariadb).value("database_up") == 1


def test_a_database_that_is_read_only(on_mariadb: Flask, mariadb: MariaDB) -> None:
    browser = sign_in(on_mariadb)
    with on_mariadb.app_context():
        db.session.execute(text("SELECT 1"))
        db.session.connection().exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        db.session.remove()
    answer = browser.post("/api/v1/domains", json={"name": "one.example"})
    assert answer.status_code == 503, answer.text
    assert scrape(on_mariadb).differing("database_errors_total") == {"read_only": 1}


def test_counts_that_cannot_be_written_do_not_stop_the_panel(
    on_sqlite: Flask, tmp_path: Path
) -> None:
    (tmp_path / "metrics").touch()
    app = counting(on_sqlite, tmp_path)
    browser = sign_in(app)
    assert browser.get("/users").status_code == 200
    found = scrape(app)
    assert (found.value("counters_up"), found.value("users")) == (0, 0)
    assert "postmaster_http_requests_total" not in found.names()
    log: LogFile = app.extensions["postmaster_log"]
    (line,) = log.newest(100)
    assert line.category == "error"
    assert "The counts for /metrics cannot be written" in line.message
    (tmp_path / "metrics").unlink()
    browser.get("/users")
    found = scrape(app)
    assert found.value("counters_up") == 1
    assert found.value("http_requests_total", method="GET", endpoint="users.find", status="200")
    dispose(app)


def test_commands_count_nothing(on_sqlite: Flask, tmp_path: Path) -> None:
    uri = on_sqlite.config["SQLALCHEMY_DATABASE_URI"].render_as_string(hide_password=False)
    settings = {"database_uri": uri, "log_file": str(tmp_path / "log"), "metrics": [READER]}
    app = create_app(settings, serving=False)
    Commands(app).run("domain", "add", "one.example")
    assert not (tmp_path / "metrics").exists()
    dispose(app)


# --- what is said of it ---------------------------------------------------------


@pytest.fixture
def names(on_sqlite: Flask, tmp_path: Path) -> Iterator[set[str]]:
    """The names of all metrics that are answered."""
    app = counting(on_sqlite, tmp_path)
    scrape(app)
    yield scrape(app).names()
    dispose(app)


def test_every_metric_is_of_a_known_form(on_sqlite: Flask, tmp_path: Path) -> None:
    app = counting(on_sqlite, tmp_path)
    scrape(app)
    found = scrape(app)
    assert {count.name.removesuffix("_total") for count in COUNTS} == {
        name for name, kind in found.types.items() if kind == "counter"
    }
    assert found.types["postmaster_http_request_duration_seconds"] == "histogram"
    assert set(found.types.values()) == {"counter", "gauge", "histogram"}
    dispose(app)


def test_the_page_about_them_has_each_metric_and_no_other(names: set[str]) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(postmaster_[a-z_]+)`", page, re.MULTILINE))
    assert listed == {SUFFIX.sub("", name) for name in names}
    assert {name for name in NAME.findall(page) if name not in listed} <= names


def test_the_dashboard_asks_for_metrics_that_there_are(names: set[str]) -> None:
    dashboard = json.loads((ROOT / "ops" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    targets = [target for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert targets
    for target in targets:
        assert target["datasource"]["uid"] == "${datasource}"
        asked = set(NAME.findall(target["expr"]))
        assert asked <= names, target["expr"]
        assert asked or "up{" in target["expr"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_the_dashboards_labels_are_those_of_the_metrics() -> None:
    """A label that does not exist would select nothing, and show nothing."""
    written = (ROOT / "ops" / "grafana-dashboard.json").read_text(encoding="utf-8")
    known = {label for count in COUNTS for label in count.labels}
    known |= {"endpoint", "le", "version", "instance", "job"}
    expressions = re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', written)
    for expression in expressions:
        used = set(re.findall(r"(\w+)(?:=|!=|=~|!~)\\\"", expression))
        for grouped in re.findall(r"\bby \(([^)]*)\)", expression):
            used |= {label.strip() for label in grouped.split(",")}
        assert used <= known, expression
