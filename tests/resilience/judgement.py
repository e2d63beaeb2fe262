"""Do the tables, the history, and what the clients were told say the same?

The history is replayed over empty tables: what comes out must be the tables, so
that there is no change without its entry and no entry without its change.
"""

import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from passlib.hash import sha512_crypt

from tests.mariadb import MariaDB
from tests.resilience.writers import Attempt, Ledger, Outcome

TABLES = {
    "domain": ("virtual_domains", ("name",)),
    "user": ("virtual_users", ("domain_id", "email")),
    "alias": ("virtual_aliases", ("domain_id", "source", "destination")),
}
SECONDS_TO_ROLL_BACK = 30


@dataclass
class Entry:
    """One row of the history."""

    id: int
    part_of: int | None
    admin: str
    via: str
    action: str
    kind: str
    object_id: int
    name: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    secret: str | None

    @property
    def key(self) -> Any:
        """What the attempt behind it is known by; see Attempt."""
        if self.action == "create":
            return self.name
        if self.action == "change":
            return (self.object_id, (self.new or {}).get("source"))
        return self.object_id


Model = dict[str, dict[int, dict[str, Any]]]


@dataclass
class Judgement:
    """What was compared, and each thing that is wrong."""

    entries: int = 0
    rows: int = 0
    unknown_done: int = 0
    unknown_not_done: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass
class Evidence:
    """What the database holds: the history, the mail tables, the users' hashes."""

    entries: list[Entry]
    tables: Model
    hashes: dict[int, str]


# What an item has beside what the history records of a new row.
BARE: dict[str, dict[str, object]] = {
    "domain": {"note": ""},
    "user": {"note": "", "suspended": None},
    "alias": {"note": ""},
}


def judge(mariadb: MariaDB, database: str, ledger: Ledger) -> Judgement:
    """Compare everything, once no transaction of a dead server is left."""
    wait_for_rollbacks(mariadb, database)
    return compare(read(mariadb, database), ledger)


def compare(evidence: Evidence, ledger: Ledger) -> Judgement:
    """Find each thing that does not fit."""
    entries, tables, hashes = evidence.entries, evidence.tables, evidence.hashes
    judgement = Judgement(len(entries), sum(len(rows) for rows in tables.values()))
    judgement.faults += ledger.faults
    model = replay(entries, judgement.faults)
    for kind, rows in tables.items():
        for item_id in sorted(rows.keys() | model[kind].keys()):
            row, replayed = rows.get(item_id), model[kind].get(item_id)
            if row != replayed:
                judgement.faults.append(f"{kind} {item_id} is {row}, by its history {replayed}")
    compare_attempts(entries, ledger.attempts, judgement)
    compare_passwords(entries, hashes, ledger.attempts, judgement.faults)
    return judgement


def wait_for_rollbacks(mariadb: MariaDB, database: str) -> None:
    query = "SELECT COUNT(*) FROM information_schema.innodb_trx"
    deadline = time.monotonic() + SECONDS_TO_ROLL_BACK
    while mariadb.rows(database, query) != [(0,)]:
        if time.monotonic() > deadline:
            raise RuntimeError("a transaction does not end")
        time.sleep(0.05)


def read(mariadb: MariaDB, database: str) -> Evidence:
    """The evidence, in queries of a program that is not PostMaster."""
    entries = [
        Entry(*row[:8], *(json.loads(side) if side else None for side in row[8:10]), row[10])
        for row in mariadb.rows(
            database,
            "SELECT h.id, part_of, admin, via, action, kind, object_id, object_name, old, new,"
            " password FROM postmaster_history h LEFT JOIN postmaster_history_secrets s"
            " ON s.entry_id = h.id WHERE kind IN ('domain', 'user', 'alias') ORDER BY h.id",
        )
    ]
    tables: Model = {}
    for kind, (table, columns) in TABLES.items():
        found = mariadb.rows(database, f"SELECT id, {', '.join(columns)} FROM {table}")
        tables[kind] = {row[0]: dict(zip(columns, row[1:], strict=True)) for row in found}
    hashes = dict(mariadb.rows(database, "SELECT id, password FROM virtual_users"))
    return Evidence(entries, tables, hashes)


def replay(entries: list[Entry], faults: list[str]) -> Model:
    """The tables as the history says they are."""
    model: Model = {kind: {} for kind in TABLES}
    for entry in entries:
        rows = model[entry.kind]
        if rows.get(entry.object_id) != entry.old and entry.action != "change password":
            faults.append(f"{entry} changes {rows.get(entry.object_id)}")
        if entry.action == "delete":
            rows.pop(entry.object_id, None)
        elif entry.action == "change password":
            if entry.object_id not in rows:
                faults.append(f"{entry} is of no user")
        else:
            rows[entry.object_id] = entry.new or {}
    return model


def compare_attempts(entries: list[Entry], attempts: list[Attempt], judgement: Judgement) -> None:
    """Each acknowledged change has its entry, each entry its change; passwords come later."""
    by_key: dict[Any, list[Entry]] = defaultdict(list)
    for entry in entries:
        if (entry.admin, entry.via) != ("admin", "api"):
            judgement.faults.append(f"{entry} is by nobody of the test")
        if entry.part_of is None and entry.action != "change password":
            by_key[entry.action, entry.kind, entry.key].append(entry)
    for attempt in attempts:
        if attempt.action == "change password":
            continue
        found = by_key.pop((attempt.action, attempt.kind, attempt.key), [])
        if len(found) > 1:
            judgement.faults.append(f"{attempt} is in the history {len(found)} times")
        if attempt.outcome is Outcome.ACKNOWLEDGED and not says_the_same(attempt, found):
            judgement.faults.append(f"{attempt} was acknowledged; the history has {found}")
        elif attempt.outcome is Outcome.REFUSED and found:
            judgement.faults.append(f"{attempt} was refused; the history has {found}")
        elif attempt.outcome is Outcome.UNKNOWN:
            judgement.unknown_done += bool(found)
            judgement.unknown_not_done += not found
    judgement.faults += [f"nobody asked for {found}" for found in by_key.values()]


def says_the_same(attempt: Attempt, found: list[Entry]) -> bool:
    """Whether the one entry has what the client was shown."""
    if len(found) != 1:
        return False
    if attempt.item is None:
        return True
    # None of the writers writes a note or suspends; the history keeps those apart.
    recorded = {"id": found[0].object_id, **BARE[attempt.kind], **(found[0].new or {})}
    return recorded == attempt.item


def compare_passwords(
    entries: list[Entry], hashes: dict[int, str], attempts: list[Attempt], faults: list[str]
) -> None:
    """Follow each user's hashes from the first to the last: each was asked for, in order.

    An entry keeps the hash that its change replaced, so a changed hash without an
    entry, or an entry without a changed hash, breaks the row of them.
    """
    asked: dict[int, list[Attempt]] = defaultdict(list)
    created = {a.key: a for a in attempts if (a.action, a.kind) == ("create", "user")}
    chains: dict[int, list[str | None]] = defaultdict(list)
    for entry in entries:
        if entry.kind == "user" and entry.action == "create" and entry.name in created:
            asked[entry.object_id].append(created[entry.name])
        elif entry.kind == "user" and entry.action != "create":
            chains[entry.object_id].append(entry.secret)
    for user_id, hashed in hashes.items():
        chains[user_id].append(hashed)
    for attempt in attempts:
        if attempt.action == "change password" and attempt.outcome is not Outcome.REFUSED:
            asked[attempt.key].append(attempt)
    for user_id in asked.keys() | chains.keys():
        follow(user_id, asked[user_id], chains[user_id], faults)


def follow(user_id: int, asked: list[Attempt], chain: list[str | None], faults: list[str]) -> None:
    """One user's hashes. An unknown change may be missing, an acknowledged one not."""
    missed = []
    remaining = iter(asked)
    for hashed in chain:
        for attempt in remaining:
            if hashed and sha512_crypt.verify(attempt.password or "", hashed):
                break
            missed.append(attempt)
        else:
            faults.append(f"user {user_id} had a password that nobody asked for")
    missed += remaining
    faults.extend(
        f"{attempt} was acknowledged and is not there"
        for attempt in missed
        if attempt.outcome is Outcome.ACKNOWLEDGED
    )
