"""Clients that write through the API without a pause, and remember what they were told."""

import itertools
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import requests

SECONDS_TO_ANSWER = 60


class Outcome(Enum):
    """What a client knows of a change."""

    ACKNOWLEDGED = auto()
    REFUSED = auto()  # so it may have left no trace
    UNKNOWN = auto()  # the answer never came, or was that the server is in trouble


@dataclass
class Attempt:
    """One change that a client asked for; no two of them ask for the same.

    ``key`` is how the history names it: an object made is known by its name, one
    deleted by its id, a changed alias by its id and the new source.
    """

    action: str
    kind: str
    key: Any
    password: str | None = None
    outcome: Outcome = Outcome.UNKNOWN
    status: int = 0  # HTTP's, 0 while there is no answer
    item: dict[str, Any] | None = None


@dataclass
class Ledger:
    """What all the clients did."""

    attempts: list[Attempt] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    acknowledged: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def begin(self, attempt: Attempt) -> None:
        with self.changed:
            self.attempts.append(attempt)

    def end(self, attempt: Attempt, status: int) -> None:
        with self.changed:
            self.statuses.append(status)
            attempt.status = status
            if attempt.outcome is Outcome.ACKNOWLEDGED:
                self.acknowledged += 1
            self.changed.notify_all()

    def wait_for(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until this holds of the ledger. Raises RuntimeError if nobody gets that far."""
        with self.changed:
            if not self.changed.wait_for(lambda: holds() or bool(self.faults), seconds):
                self.faults.append("the clients got no further")
        if self.faults:
            raise RuntimeError(self.faults[0])

    def count(self, outcome: Outcome) -> int:
        return sum(attempt.outcome is outcome for attempt in self.attempts)


@dataclass
class Rows:
    """What one client made and has not deleted, by id."""

    domains: dict[int, str] = field(default_factory=dict)
    users: dict[int, str] = field(default_factory=dict)
    aliases: dict[int, str] = field(default_factory=dict)


class Writer(threading.Thread):
    """One client. Others may delete what its aliases lead to, so it is refused at times."""

    def __init__(
        self, number: int, url: str, cookies: dict[str, str], ledger: Ledger, seed: int
    ) -> None:
        super().__init__(name=f"writer {number}", daemon=True)
        self.number = number
        self.url = f"{url}/api/v1"
        self.ledger = ledger
        self.random = random.Random(f"{seed} {number}")
        self.session = requests.Session()
        self.session.cookies.update(cookies)
        self.rows = Rows()
        self.neighbours: list[Rows] = []
        self.numbers = itertools.count(1)
        self.stopping = threading.Event()

    def run(self) -> None:
        acts: dict[Callable[[], None], int] = {
            self.create_domain: 10,
            self.create_user: 35,
            self.create_alias: 25,
            self.change_password: 10,
            self.change_alias: 10,
            self.delete_alias: 5,
            self.delete_user: 8,
            self.delete_domain: 3,
        }
        try:
            while not self.stopping.is_set():
                self.random.choices([*acts], [*acts.values()])[0]()
        except Exception as error:  # noqa: BLE001 -- a thread's error is the test's
            self.ledger.faults.append(f"{self.name}: {error!r}")
        finally:
            self.session.close()

    def unique(self, letter: str) -> str:
        return f"{letter}{self.number}-{next(self.numbers)}"

    def any_of(self, rows: dict[int, str]) -> int | None:
        return self.random.choice([*rows]) if rows else None

    def send(self, attempt: Attempt, method: str, path: str, body: Any = None) -> Attempt:
        """Ask for one change, and note what came of it."""
        self.ledger.begin(attempt)
        status = 0
        try:
            response = self.session.request(
                method, f"{self.url}/{path}", json=body, timeout=SECONDS_TO_ANSWER
            )
            status = response.status_code
            if response.ok:
                attempt.item = response.json() if status != HTTPStatus.NO_CONTENT else None
                attempt.outcome = Outcome.ACKNOWLEDGED
            elif status < HTTPStatus.INTERNAL_SERVER_ERROR:
                attempt.outcome = Outcome.REFUSED
        except requests.RequestException:
            pass  # cut off: the outcome stays unknown
        self.ledger.end(attempt, status)
        return attempt

    def create_domain(self) -> None:
        name = f"{self.unique('d')}.example"
        attempt = self.send(Attempt("create", "domain", name), "POST", "domains", {"name": name})
        if attempt.item:
            self.rows.domains[attempt.item["id"]] = name

    def create_user(self) -> None:
        domain_id = self.any_of(self.rows.domains)
        if domain_id is None:
            return self.create_domain()
        email = f"{self.unique('u')}@{self.rows.domains[domain_id]}"
        password = self.unique("first password ")
        attempt = Attempt("create", "user", email, password)
        self.send(attempt, "POST", "users", {"email": email, "password": password})
        if attempt.item:
            self.rows.users[attempt.item["id"]] = email
        return None

    def create_alias(self) -> None:
        domain_id = self.any_of(self.rows.domains)
        targets = [email for rows in self.neighbours for email in [*rows.users.values()]]
        if domain_id is None or not targets:
            return self.create_user()
        source = f"{self.unique('a')}@{self.rows.domains[domain_id]}"
        destination = self.random.choice(targets)
        attempt = Attempt("create", "alias", f"{source} -> {destination}")
        self.send(attempt, "POST", "aliases", {"source": source, "destination": destination})
        if attempt.item:
            self.rows.aliases[attempt.item["id"]] = source
        return None

    def change_password(self) -> None:
        user_id = self.any_of(self.rows.users)
        if user_id is not None:
            password = self.unique("next password ")
            attempt = Attempt("change password", "user", user_id, password)
            self.send(attempt, "PATCH", f"users/{user_id}", {"password": password})

    def change_alias(self) -> None:
        alias_id = self.any_of(self.rows.aliases)
        domain_id = self.any_of(self.rows.domains)
        if alias_id is not None and domain_id is not None:
            source = f"{self.unique('b')}@{self.rows.domains[domain_id]}"
            attempt = Attempt("change", "alias", (alias_id, source))
            self.send(attempt, "PATCH", f"aliases/{alias_id}", {"source": source})

    def delete_alias(self) -> None:
        self.delete("alias", "aliases", self.rows.aliases)

    def delete_user(self) -> None:
        self.delete("user", "users", self.rows.users)

    def delete_domain(self) -> None:
        if len(self.rows.domains) > 1:
            self.delete("domain", "domains", self.rows.domains)

    def delete(self, kind: str, path: str, rows: dict[int, str]) -> None:
        """Whatever comes of it, it is not asked for twice."""
        item_id = self.any_of(rows)
        if item_id is not None:
            del rows[item_id]
            self.send(Attempt("delete", kind, item_id), "DELETE", f"{path}/{item_id}")


def start_writers(
    count: int, url: str, cookies: dict[str, str], ledger: Ledger, seed: int
) -> list[Writer]:
    """Several clients who know one another's mailboxes, at work."""
    writers = [Writer(number, url, cookies, ledger, seed) for number in range(1, count + 1)]
    set_to_work(writers)
    return writers


def set_to_work(writers: Sequence[Writer]) -> None:
    """Start clients that know one another's mailboxes."""
    for writer in writers:
        writer.neighbours = [other.rows for other in writers]
        writer.start()


def stop_writers(writers: Sequence[Writer]) -> None:
    """Let every client finish what it is at."""
    for writer in writers:
        writer.stopping.set()
    for writer in writers:
        writer.join(SECONDS_TO_ANSWER)
        if writer.is_alive():
            raise RuntimeError(f"{writer.name} hangs")
