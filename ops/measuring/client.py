"""A client of the panel, and the record of what all clients were answered."""

import http.client
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

API = "/api/v1"
SECONDS_TO_ANSWER = 60
# Gunicorn hangs up after two seconds without a request; no request may meet that moment.
LONGEST_IDLE = 1.0
SHOWN = 300  # characters of an answer that was not as it had to be
MARKUP = re.compile(r"<[^>]*>|\s+")
# Each counts as failed until its password was looked at, and five failures lock the account.
SIGN_INS_AT_ONCE = threading.BoundedSemaphore(4)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ADMIN = {"username": "admin", "password": "PostMaster"}


class UnexpectedAnswer(Exception):
    """It is on record; what was to follow it makes no sense any more."""


@dataclass(frozen=True)
class Fault:
    """Something that was not as it had to be."""

    seconds: float  # since the load began
    request: str
    status: int  # HTTP's; 0 where there was no answer
    expected: str
    seen: str

    def __str__(self) -> str:
        told = f"{self.status} {self.seen}" if self.status else self.seen
        return f"{self.seconds:6.1f} s  {self.request}: expected {self.expected}; {told}"


@dataclass(frozen=True)
class Answer:
    """What was answered to which request."""

    request: str
    status: int
    text: str

    @property
    def json(self) -> Any:
        """The answer's object."""
        return json.loads(self.text)


class Record:
    """How long each kind of call took, and what went wrong."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.times: dict[str, list[float]] = defaultdict(list)
        self.faults: list[Fault] = []
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Since the load began."""
        return time.monotonic() - self.begun

    @property
    def calls(self) -> int:
        """How many were answered so far."""
        with self._lock:
            return sum(len(times) for times in self.times.values())

    def took(self, kind: str, seconds: float) -> None:
        """One call of this kind was answered."""
        with self._lock:
            self.times[kind].append(seconds)

    def fault(self, request: str, expected: str, seen: str, status: int = 0) -> None:
        """Something was not as it had to be."""
        with self._lock:
            self.faults.append(Fault(self.seconds, request, status, expected, words_of(seen)))


class Quiet:
    """Many write at once, or nobody does while totals of whole tables are looked at."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._writing = 0
        self._wanted = False

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One of those who write."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanted)
            self._writing += 1
        try:
            yield
        finally:
            with self._changed:
                self._writing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The only one who writes. One thread alone may ask for this."""
        with self._changed:
            self._wanted = True
            self._changed.wait_for(lambda: not self._writing)
        try:
            yield
        finally:
            with self._changed:
                self._wanted = False
                self._changed.notify_all()


class Client:
    """One signed-in session, over one connection as long as the server keeps it."""

    def __init__(self, url: str, record: Record) -> None:
        self.record = record
        self.cookies: dict[str, str] = {}
        self._connection = http.client.HTTPConnection(
            urlsplit(url).netloc, timeout=SECONDS_TO_ANSWER
        )
        self._last_used = 0.0

    def close(self) -> None:
        """End the connection; the next request opens another."""
        self._connection.close()

    def sign_in(self) -> None:
        """Begin a session. Raises UnexpectedAnswer."""
        self.cookies.clear()
        with SIGN_INS_AT_ONCE:
            self.ask("sign in", "POST", "/login", HTTPStatus.FOUND, urlencode(ADMIN), FORM)

    def ask(
        self,
        kind: str,
        method: str,
        path: str,
        status: HTTPStatus = HTTPStatus.OK,
        body: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request, answered with this status. Raises UnexpectedAnswer."""
        began = time.perf_counter()
        try:
            answer = self._send(method, path, body, headers or {})
        except (OSError, http.client.HTTPException) as error:
            self.close()
            self.record.fault(f"{method} {path}", str(int(status)), repr(error))
            raise UnexpectedAnswer from error
        self.record.took(kind, time.perf_counter() - began)
        self.require(answer, answer.status == status, str(int(status)))
        return answer

    def require(self, answer: Answer, holds: bool, expected: str) -> None:
        """Put it on record where this does not hold of an answer, and raise UnexpectedAnswer."""
        if not holds:
            self.record.fault(answer.request, expected, answer.text, answer.status)
            raise UnexpectedAnswer

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        if time.monotonic() - self._last_used > LONGEST_IDLE:
            self.close()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._connection.request(method, path, body, headers | {"Cookie": cookies})
        response = self._connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        self._last_used = time.monotonic()
        for header in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
        return Answer(f"{method} {path}", response.status, text)


def words_of(answer: str) -> str:
    """The beginning of an answer; of a page, what it says beside its menu."""
    text = answer.partition("<main")[2].partition(">")[2] or answer
    return " ".join(MARKUP.sub(" ", text).split())[:SHOWN]


def listing(noun: str, **query: object) -> str:
    """The path of a list of the API."""
    return f"{API}/{noun}?{urlencode(query)}"
