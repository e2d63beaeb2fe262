"""An operator who writes into the mail tables by SQL, and looks at once what the panel says.

All is in domains of its own, so that each answer is known beforehand: the item, the list of its
domain with the total, and what a search finds. Totals of whole tables are known while nobody
else writes. The panel remembers totals for as long as a table is left alone, so once in a
while it is, before the next row comes in by hand.
"""

import itertools
import threading
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from random import Random
from typing import Any

import pymysql

from ops.measuring.client import API, Answer, Client, UnexpectedAnswer, listing
from ops.measuring.sessions import HASH, Work
from tests.mariadb import MariaDB

PAUSE = 0.3  # seconds between two writes
TIMES = 3  # that each question is asked, of whichever worker takes the new connection
TIMES_BEFORE = 6  # so that every worker has seen how it was
# Nobody writes for so long now and then; the panel trusts a time of change after two seconds.
LEFT_ALONE = 3.5
MOST_DOMAINS, MOST_IN_ALL = 4, 40
MOST_TRIES = 5
MYSQL_DEADLOCK = 1213
TABLES = {"domains": "virtual_domains", "users": "virtual_users", "aliases": "virtual_aliases"}
NAMES = {"domains": "name", "users": "email", "aliases": "source"}

Row = dict[str, Any]  # as the API shows it, without its id, note and suspension


class ByHand(threading.Thread):
    """The operator, with one connection to the database and one session of the panel."""

    def __init__(self, mariadb: MariaDB, database: str, work: Work, between_quiets: float) -> None:
        super().__init__(name="by hand", daemon=True)
        self.mariadb = mariadb
        self.database = database
        self.work = work
        self.between_quiets = between_quiets
        self.chance = Random(f"{work.seed} by hand")  # noqa: S311 -- chooses what is written
        self.client = Client(work.url, work.record)
        self.numbers = itertools.count(1)
        self.rows: dict[str, dict[int, Row]] = {noun: {} for noun in TABLES}
        self.written = 0
        self.checked = 0
        self.quiets = 0

    def run(self) -> None:
        """Write and look until all are told to stop; then delete all, and look once more."""
        try:
            with self.mariadb.cursor(self.database) as self.cursor:
                self.go()
        except Exception as error:  # noqa: BLE001 -- the thread's error is the bench's
            self.work.record.fault(self.name, "no exception", repr(error))
        finally:
            self.client.close()

    def go(self) -> None:
        """Each write with what follows it; one after the other."""
        self.attempt(self.client.sign_in)
        next_quiet = time.monotonic() + self.between_quiets / 2
        while not self.work.stopping.wait(PAUSE):
            self.attempt(self.write_something)
            if time.monotonic() > next_quiet and self.rows["domains"]:
                self.attempt(self.write_into_quiet)
                next_quiet = time.monotonic() + self.between_quiets
        for number in [*self.rows["domains"]]:
            self.attempt(partial(self.delete, "domains", number))

    def attempt(self, act: Callable[[], None]) -> None:
        """What goes wrong is on record; the next write is another matter."""
        try:
            act()
        except UnexpectedAnswer:
            if not self.client.cookies:
                self.work.stopping.wait(PAUSE)

    # --- writing ------------------------------------------------------------------

    def write_something(self) -> None:
        """One statement of SQL, and everything that shows it."""
        acts: dict[Callable[[], None], int] = {
            self.new_domain: 1,
            self.new_user: 6,
            self.new_alias: 4,
            self.rename_domain: 1,
            self.rename_user: 3,
            self.move_user: 2,
            self.lead_alias_elsewhere: 2,
            self.rename_alias: 1,
            self.delete_user: 3,
            self.delete_alias: 2,
            self.delete_domain: 1,
        }
        if not self.rows["domains"]:
            self.new_domain()
        elif sum(map(len, self.rows.values())) > MOST_IN_ALL:
            self.delete_domain()
        else:
            self.chance.choices([*acts], [*acts.values()])[0]()

    def new_domain(self) -> None:
        """Another domain, if there are not enough."""
        if len(self.rows["domains"]) < MOST_DOMAINS:
            self.insert("domains", name=self.fresh_domain())

    def new_user(self) -> None:
        """Another user."""
        domain_id = self.any_of("domains")
        self.insert("users", domain_id=domain_id, email=self.fresh_address(domain_id))

    def new_alias(self) -> None:
        """Another alias, to whomever."""
        domain_id = self.any_of("domains")
        source = self.fresh_address(domain_id)
        self.insert("aliases", domain_id=domain_id, source=source, destination=self.somebody())

    def rename_domain(self) -> None:
        """Another name; those in it keep theirs, which is as wrong as it may be by hand."""
        self.update("domains", self.any_of("domains"), name=self.fresh_domain())

    def rename_user(self) -> None:
        """Another address in the same domain."""
        if self.rows["users"]:
            number = self.any_of("users")
            domain_id = self.rows["users"][number]["domain_id"]
            self.update("users", number, email=self.fresh_address(domain_id))

    def move_user(self) -> None:
        """Another domain, with the address or, as it happens by hand, without."""
        if self.rows["users"]:
            number, domain_id = self.any_of("users"), self.any_of("domains")
            values: Row = {"domain_id": domain_id}
            if self.chance.random() < 0.5:
                values["email"] = self.fresh_address(domain_id)
            self.update("users", number, **values)

    def lead_alias_elsewhere(self) -> None:
        """Another destination."""
        if self.rows["aliases"]:
            self.update("aliases", self.any_of("aliases"), destination=self.somebody())

    def rename_alias(self) -> None:
        """Another source."""
        if self.rows["aliases"]:
            number = self.any_of("aliases")
            domain_id = self.rows["aliases"][number]["domain_id"]
            self.update("aliases", number, source=self.fresh_address(domain_id))

    def delete_user(self) -> None:
        """One user less; the aliases that lead to it stay."""
        if self.rows["users"]:
            self.delete("users", self.any_of("users"))

    def delete_alias(self) -> None:
        """One alias less."""
        if self.rows["aliases"]:
            self.delete("aliases", self.any_of("aliases"))

    def delete_domain(self) -> None:
        """A domain with all in it."""
        self.delete("domains", self.any_of("domains"))

    def any_of(self, noun: str) -> int:
        """The id of one of its own rows."""
        return self.chance.choice([*self.rows[noun]])

    def somebody(self) -> str:
        """A destination."""
        return self.work.filled.user(self.chance.randint(1, self.work.filled.users))

    def fresh_domain(self) -> str:
        """A name that is part of no other."""
        return f"byhand{next(self.numbers)}.example"

    def fresh_address(self, domain_id: int) -> str:
        """An address that is part of no other."""
        return f"byhand{next(self.numbers)}@{self.rows['domains'][domain_id]['name']}"

    # --- statements ---------------------------------------------------------------

    def insert(self, noun: str, **row: Any) -> None:
        """A new row, and what shows it."""
        number = self.put(noun, row)
        self.rows[noun][number] = row
        self.look(noun, number, None, row)

    def put(self, noun: str, row: Row) -> int:
        """A new row; its id."""
        columns = row | ({"password": HASH} if noun == "users" else {})
        places = ", ".join(["%s"] * len(columns))
        self.execute(
            f"INSERT INTO {TABLES[noun]} ({', '.join(columns)}) VALUES ({places})",
            *columns.values(),
        )
        return int(self.cursor.lastrowid)

    def update(self, noun: str, number: int, **values: Any) -> None:
        """Other values in a row, and what shows them."""
        places = ", ".join(f"{column} = %s" for column in values)
        self.execute(
            f"UPDATE {TABLES[noun]} SET {places} WHERE id = %s",
            *values.values(),
            number,
        )
        before = self.rows[noun][number]
        self.rows[noun][number] = before | values
        self.look(noun, number, before, self.rows[noun][number])

    def delete(self, noun: str, number: int) -> None:
        """A row less, with what the database takes along, and what shows that."""
        self.execute(f"DELETE FROM {TABLES[noun]} WHERE id = %s", number)
        before = self.rows[noun].pop(number)
        along = {"users": [], "aliases": []} if noun != "domains" else self.forget_all_in(number)
        self.look(noun, number, before, None)
        for of_noun, numbers in along.items():
            for gone in numbers:
                self.is_gone(of_noun, gone)

    def forget_all_in(self, domain_id: int) -> dict[str, list[int]]:
        """What went with a domain."""
        along: dict[str, list[int]] = {}
        for noun in ("users", "aliases"):
            along[noun] = self.ids_in(noun, domain_id)
            for number in along[noun]:
                del self.rows[noun][number]
        return along

    def ids_in(self, noun: str, domain_id: int) -> list[int]:
        """Its own rows in a domain."""
        rows = self.rows[noun].items()
        return sorted(number for number, row in rows if row["domain_id"] == domain_id)

    def execute(self, statement: str, *values: Any) -> None:
        """One statement; typed once more where it was the victim of a deadlock."""
        for tried in range(1, MOST_TRIES + 1):
            try:
                self.cursor.execute(statement, values)
            except pymysql.err.OperationalError as error:
                if error.args[0] != MYSQL_DEADLOCK or tried == MOST_TRIES:
                    raise
            else:
                self.written += 1
                return

    # --- looking ------------------------------------------------------------------

    def look(self, noun: str, number: int, before: Row | None, after: Row | None) -> None:
        """All answers that a change of one row shows in, several times."""
        name = NAMES[noun]
        names = {row[name]: int(row is after) for row in (before, after) if row}
        domain_ids = {number} if noun == "domains" else set()
        domain_ids |= {row["domain_id"] for row in (before, after) if row and "domain_id" in row}
        of_nouns = ("users", "aliases") if noun == "domains" else (noun,)
        for _time in range(TIMES):
            if after is None:
                self.is_gone(noun, number)
            else:
                self.is_shown(noun, number, after)
            for text, total in names.items():
                self.has_total("search", listing(noun, search=text), total)
            for domain_id, of_noun in itertools.product(sorted(domain_ids), of_nouns):
                self.are_listed(of_noun, domain_id)

    def is_shown(self, noun: str, number: int, row: Row) -> None:
        """The item has these values."""
        answer = self.ask("item", f"{API}/{noun}/{number}")
        item = answer.json
        self.check(answer, {column: item[column] for column in row}, row)

    def is_gone(self, noun: str, number: int) -> None:
        """There is no such item."""
        self.ask("no item", f"{API}/{noun}/{number}", HTTPStatus.NOT_FOUND)
        self.checked += 1

    def are_listed(self, noun: str, domain_id: int) -> None:
        """A domain's own list has just these rows, and this total where it has a second page."""
        ids = self.ids_in(noun, domain_id)
        answer = self.ask("list", listing(noun, domain_id=domain_id, per_page=100))
        self.check(answer, sorted(item["id"] for item in answer.json["items"]), ids)
        self.has_total("list", listing(noun, domain_id=domain_id, per_page=1), len(ids))

    def has_total(self, kind: str, path: str, total: int) -> None:
        """A list has so many rows."""
        answer = self.ask(kind, path)
        self.check(answer, f"total {answer.json['meta']['total']}", f"total {total}")

    def check(self, answer: Answer, seen: object, expected: object) -> None:
        """Compare. Raises UnexpectedAnswer."""
        self.checked += 1
        self.client.require(answer, seen == expected, f"{expected}, not {seen}")

    def ask(self, kind: str, path: str, status: HTTPStatus = HTTPStatus.OK) -> Answer:
        """One question over a new connection, which any worker may take."""
        self.client.close()
        return self.client.ask(f"after SQL: {kind}", "GET", path, status)

    # --- whole tables -------------------------------------------------------------

    def write_into_quiet(self) -> None:
        """Let all totals be remembered, write, and see whether they are counted anew."""
        with self.work.quiet.alone():
            self.work.stopping.wait(LEFT_ALONE)
            self.look_at_totals(TIMES_BEFORE)
            if self.chance.random() < 0.5:
                self.write_something()
            else:
                self.commit_late()
            self.look_at_totals(TIMES)
            self.write_something()
            self.look_at_totals(TIMES)
        self.quiets += 1

    def commit_late(self) -> None:
        """A new user that is written first, and committed once totals are remembered without."""
        domain_id = self.any_of("domains")
        row = {"domain_id": domain_id, "email": self.fresh_address(domain_id)}
        self.cursor.connection.begin()
        number = self.put("users", row)
        try:
            self.work.stopping.wait(LEFT_ALONE)
            self.look_at_totals(TIMES_BEFORE)
        finally:
            self.cursor.connection.commit()
            self.rows["users"][number] = row
        self.look("users", number, None, row)

    def look_at_totals(self, times: int) -> None:
        """The totals of whole tables and of its own domains, and the newest row of all."""
        for noun, table in TABLES.items():
            total, newest = self.newest_of(table)
            path = listing(noun, per_page=1, sort="id", order="desc")
            for _time in range(times):
                answer = self.ask("whole table", path)
                seen = answer.json["meta"]["total"], answer.json["items"][0]["id"]
                self.check(answer, seen, (total, newest))
        for domain_id, noun in itertools.product([*self.rows["domains"]], ("users", "aliases")):
            path = listing(noun, domain_id=domain_id, per_page=1)
            for _time in range(times):
                self.has_total("list", path, len(self.ids_in(noun, domain_id)))

    def newest_of(self, table: str) -> tuple[int, int]:
        """How many rows everybody sees in a table, and the highest id."""
        query = f"SELECT COUNT(*), MAX(id) FROM {table}"
        [(total, newest)] = self.mariadb.rows(self.database, query)
        return total, newest
