"""Administrators at work: each reads, searches, writes, imports, and signs in anew.

What a session makes it also looks at, at once, and deletes again.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from random import Random
from typing import Any

from ops.measuring.client import API, Answer, Client, Quiet, Record, UnexpectedAnswer, listing
from ops.measuring.reads import READS, Filled

IMPORTED_USERS, IMPORTED_ALIASES = 250, 50
HASH = "$6$" + "s" * 16 + "$" + "h" * 86  # of no password
MOST_STEPS = 100  # of one import
# Beside READS, whose weights come to 67. One of these is several calls.
WRITES: dict[str, float] = {
    "mailbox": 2.5,
    "alias": 2,
    "domain": 1,
    "imported": 0.15,
    "sign_in_anew": 0.5,
}


@dataclass(frozen=True)
class Work:
    """What all sessions have in common."""

    url: str
    filled: Filled
    record: Record
    quiet: Quiet
    stopping: threading.Event
    pause: float  # seconds between two calls, in the mean
    between_sign_ins: float  # at least so many seconds, of one session
    seed: int


class Session(threading.Thread):
    """One administrator's session."""

    def __init__(self, number: int, work: Work) -> None:
        super().__init__(name=f"session {number}", daemon=True)
        self.number = number
        self.work = work
        self.chance = Random(f"{work.seed} {number}")  # noqa: S311 -- chooses what is done
        self.client = Client(work.url, work.record)
        self.numbers = itertools.count(1)
        self.made: list[str] = []  # the paths of what is to be deleted again
        self.signed_in = float("-inf")

    def run(self) -> None:
        """Act until all are told to stop; what was begun is ended."""
        acts: dict[Callable[[], None], float] = {
            self.read: sum(read.weight for read in READS),
            **{getattr(self, name): weight for name, weight in WRITES.items()},
        }
        try:
            while not self.work.stopping.is_set():
                self.act(self.chance.choices([*acts], [*acts.values()])[0])
        except Exception as error:  # noqa: BLE001 -- the thread's error is the bench's
            self.work.record.fault(self.name, "no exception", repr(error))
        finally:
            self.client.close()

    def act(self, chosen: Callable[[], None]) -> None:
        """One act, and what it left behind if it went wrong. Needs a session first."""
        try:
            if self.client.cookies:
                chosen()
            else:
                self.sign_in()
        except UnexpectedAnswer:
            self.tidy()

    def get(self, kind: str, path: str, status: HTTPStatus = HTTPStatus.OK) -> Answer:
        """One answer of the API, after a pause."""
        self.wait()
        return self.client.ask(kind, "GET", path, status)

    def wait(self) -> None:
        """As somebody does who reads what was answered. Shorter than gunicorn's patience."""
        self.work.stopping.wait(self.chance.uniform(0, 2 * self.work.pause))

    def unique(self) -> str:
        """A name that is part of no other."""
        return f"load{self.number}x{next(self.numbers)}"

    def any_domain(self) -> tuple[int, str]:
        """One of the domains that were there, with its id."""
        number = self.chance.randint(1, self.work.filled.domains)
        return number, self.work.filled.domain(number)

    def any_user(self) -> str:
        """One of the users that were there."""
        return self.work.filled.user(self.chance.randint(1, self.work.filled.users))

    # --- reading ------------------------------------------------------------------

    def read(self) -> None:
        """One answer, which has to have the right words."""
        [read] = self.chance.choices(READS, [read.weight for read in READS])
        path, words = read.asked(self.chance, self.work.filled)
        self.wait()
        answer = self.client.ask(read.kind, "GET", path, headers=read.headers)
        self.client.require(answer, words in answer.text, f"an answer with {words}")

    def shows(self, path: str, **fields: object) -> None:
        """The item is there, with these values."""
        answer = self.get("API own item", path)
        item = answer.json
        same = all(item[name] == value for name, value in fields.items())
        self.client.require(answer, same, str(fields))

    def is_gone(self, path: str) -> None:
        """The item is not there any more."""
        self.get("API own item, gone", path, HTTPStatus.NOT_FOUND)

    def finds(self, noun: str, search: str, total: int, domain_id: int | None = None) -> None:
        """So many are found, in one domain or in the whole table."""
        within = {} if domain_id is None else {"domain_id": domain_id}
        kind = f"search: own, {'whole table' if domain_id is None else 'in a domain'}"
        answer = self.get(kind, listing(noun, search=search, **within))
        self.client.require(answer, answer.json["meta"]["total"] == total, f"total {total}")

    # --- writing ------------------------------------------------------------------

    def write(
        self, kind: str, method: str, path: str, status: HTTPStatus, body: Any = None
    ) -> Answer:
        """One change through the API, while nobody wants quiet."""
        self.wait()
        with self.work.quiet.writing():
            return self.client.ask(kind, method, path, status, body and json.dumps(body))

    def create(self, noun: str, **fields: str) -> str:
        """Make an item; its path."""
        kind = f"write: create {noun}"
        answer = self.write(kind, "POST", f"{API}/{noun}", HTTPStatus.CREATED, fields)
        path = f"{API}/{noun}/{answer.json['id']}"
        self.made.append(path)
        return path

    def change(self, path: str, **fields: str) -> None:
        """Change fields of an item."""
        self.write(f"write: change {', '.join(fields)}", "PATCH", path, HTTPStatus.OK, fields)

    def delete(self, path: str) -> None:
        """Delete an item."""
        noun = path.split("/")[-2]
        self.write(f"write: delete {noun}", "DELETE", path, HTTPStatus.NO_CONTENT)
        self.made.remove(path)

    def tidy(self) -> None:
        """Delete what an act that went wrong has left. Its fault is on record already."""
        for path in self.made:
            try:
                with self.work.quiet.writing():
                    self.client.ask("tidy", "DELETE", path, HTTPStatus.NO_CONTENT)
            except UnexpectedAnswer:
                continue
        self.made.clear()

    def mailbox(self) -> None:
        """A user's life: made, another password, a note, another address, deleted."""
        domain_id, domain = self.any_domain()
        email, later = f"{self.unique()}@{domain}", f"{self.unique()}@{domain}"
        path = self.create("users", email=email, password=f"password {email}")
        self.shows(path, email=email, domain_id=domain_id, note="")
        self.finds("users", email, 1, domain_id)
        self.change(path, password=f"another password {email}")
        self.change(path, note=f"since {email}")
        self.shows(path, note=f"since {email}")
        if self.chance.random() < 0.3:
            self.change(path, email=later, note="")
            self.finds("users", email, 0, domain_id)
            email = later
        if self.chance.random() < 0.1:
            self.finds("users", email, 1)
        self.delete(path)
        self.is_gone(path)
        self.finds("users", email, 0, domain_id)

    def alias(self) -> None:
        """An alias's life: made, led elsewhere, deleted."""
        domain_id, domain = self.any_domain()
        source, destination = f"{self.unique()}@{domain}", self.any_user()
        path = self.create("aliases", source=source, destination=destination)
        self.shows(path, source=source, destination=destination, domain_id=domain_id)
        self.finds("aliases", source, 1, domain_id)
        destination = self.any_user()
        self.change(path, destination=destination)
        self.shows(path, destination=destination)
        if self.chance.random() < 0.1:
            self.finds("aliases", source, 1)
        self.delete(path)
        self.is_gone(path)
        self.finds("aliases", source, 0, domain_id)

    def domain(self) -> None:
        """A domain's life: made, renamed, lived in, deleted with who is in it."""
        name, later = f"{self.unique()}.example", f"{self.unique()}.example"
        path = self.create("domains", name=name)
        self.shows(path, name=name)
        self.finds("domains", name, 1)
        self.change(path, name=later)
        self.finds("domains", name, 0)
        self.finds("domains", later, 1)
        user = self.create("users", email=f"somebody@{later}", password=f"password {later}")
        self.shows(user, email=f"somebody@{later}")
        self.delete(path)
        self.made.remove(user)  # it went with its domain
        self.is_gone(user)
        self.is_gone(path)
        self.finds("domains", later, 0)

    # --- importing ----------------------------------------------------------------

    def imported(self) -> None:
        """A file is planned, imported step by step, looked at, and its domain deleted."""
        name = f"{self.unique()}.example"
        file = {"name": f"{name}.csv", "text": csv_of(name)}
        kind = "import: plan"
        answer = self.write(kind, "POST", f"{API}/imports", HTTPStatus.CREATED, {"files": [file]})
        planned = {"create": 1 + IMPORTED_USERS + IMPORTED_ALIASES}
        self.client.require(answer, answer.json["planned"] == planned, f"planned {planned}")
        path = f"{API}/imports/{answer.json['id']}"
        self.run_to_its_end(path, planned)
        domain_path, domain_id = self.domain_named(name)
        self.made.append(domain_path)
        self.finds("users", f"@{name}", IMPORTED_USERS, domain_id)
        self.finds("aliases", f"@{name}", IMPORTED_ALIASES, domain_id)
        self.delete(domain_path)
        self.is_gone(domain_path)
        self.finds("users", f"@{name}", 0, domain_id)

    def run_to_its_end(self, path: str, counts: dict[str, int]) -> None:
        """Let an import go on until it is finished."""
        for _step in range(MOST_STEPS):
            answer = self.write("import: run", "POST", f"{path}/run", HTTPStatus.OK)
            if answer.json["finished"]:
                break
        item = answer.json
        self.client.require(answer, item["finished"] and item["counts"] == counts, str(counts))

    def domain_named(self, name: str) -> tuple[str, int]:
        """The path and the id of a domain that an import has made."""
        path = listing("domains", search=name)
        answer = self.get("search: own, whole table", path)
        items = answer.json["items"]
        self.client.require(answer, [item["name"] for item in items] == [name], f"just {name}")
        return f"{API}/domains/{items[0]['id']}", items[0]["id"]

    # --- signing in ---------------------------------------------------------------

    def sign_in(self) -> None:
        """Begin a session."""
        self.wait()
        self.client.sign_in()
        self.signed_in = time.monotonic()

    def sign_in_anew(self) -> None:
        """Sign out, be a stranger, and sign in again; not too often."""
        if time.monotonic() - self.signed_in < self.work.between_sign_ins:
            return
        self.get("sign out", "/logout", HTTPStatus.FOUND)
        self.get("API as a stranger", f"{API}/domains", HTTPStatus.UNAUTHORIZED)
        self.sign_in()


def csv_of(domain: str) -> str:
    """A file of a domain with its users and aliases."""
    users = (f"user,user{n}@{domain},,{HASH}" for n in range(IMPORTED_USERS))
    aliases = (f"alias,alias{n}@{domain},user{n}@{domain}," for n in range(IMPORTED_ALIASES))
    return "\n".join(("kind,address,destination,hash", f"domain,{domain},,", *users, *aliases, ""))
