"""The short form of kill.py (the long one is run by hand), and a judge who can be trusted."""

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.mariadb import MariaDB
from tests.resilience import judgement, kill
from tests.resilience.judgement import Evidence
from tests.resilience.server import QUICK, Server
from tests.resilience.writers import Ledger, Outcome, start_writers, stop_writers


def test_killed_in_the_middle_of_writes_it_loses_and_halves_nothing(tmp_path: Path) -> None:
    summary = kill.run(kills=4, writes=100, seed=random.randrange(2**32), folder=tmp_path)
    said = "\n".join(summary.lines())
    assert not summary.judgement.faults, said
    assert not summary.surprises, said
    assert summary.ledger.acknowledged >= 100
    assert summary.ledger.count(Outcome.UNKNOWN) >= 4, f"it was not killed while it wrote: {said}"


@pytest.fixture(scope="module")
def written(
    mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Evidence, Ledger]]:
    """What clients left behind who were not disturbed."""
    folder = tmp_path_factory.mktemp("judged")
    uri = mariadb.create_database("judged")
    kill.prepare(uri, folder)
    ledger = Ledger()
    with Server(uri, folder, application=QUICK) as server:
        writers = start_writers(4, server.url, server.sign_in(), ledger, seed=1)
        ledger.wait_for(lambda: {"change password", "delete"} <= acknowledged_actions(ledger))
        stop_writers(writers)
    judgement.wait_for_rollbacks(mariadb, "judged")
    yield judgement.read(mariadb, "judged"), ledger


def acknowledged_actions(ledger: Ledger) -> set[str]:
    return {a.action for a in ledger.attempts if a.outcome is Outcome.ACKNOWLEDGED}


def lose_a_row(evidence: Evidence, _ledger: Ledger) -> None:
    evidence.tables["user"].popitem()


def lose_an_entry(evidence: Evidence, _ledger: Ledger) -> None:
    evidence.entries.pop()


def halve_a_change(evidence: Evidence, _ledger: Ledger) -> None:
    next(iter(evidence.tables["user"].values()))["domain_id"] += 1


def lose_a_change_and_its_entry(evidence: Evidence, _ledger: Ledger) -> None:
    lost = next(entry for entry in evidence.entries if entry.action == "create")
    evidence.entries = [e for e in evidence.entries if e.object_id != lost.object_id]
    evidence.tables[lost.kind].pop(lost.object_id, None)


def lose_a_password_and_its_entry(evidence: Evidence, _ledger: Ledger) -> None:
    lost = next(entry for entry in evidence.entries if entry.action == "change password")
    evidence.entries.remove(lost)
    evidence.hashes[lost.object_id] = lost.secret or ""


def change_a_password_without_an_entry(evidence: Evidence, _ledger: Ledger) -> None:
    one, other, *_ = evidence.hashes
    evidence.hashes[one] = evidence.hashes[other]


def do_what_was_refused(_evidence: Evidence, ledger: Ledger) -> None:
    done = next(a for a in ledger.attempts if a.outcome is Outcome.ACKNOWLEDGED)
    done.outcome = Outcome.REFUSED


def do_what_nobody_asked_for(_evidence: Evidence, ledger: Ledger) -> None:
    ledger.attempts = [a for a in ledger.attempts if a.action != "delete"]


def test_the_judge_acquits_what_was_not_disturbed(written: tuple[Evidence, Ledger]) -> None:
    assert not judgement.compare(*written).faults


@pytest.mark.parametrize(
    "crime",
    [
        lose_a_row,
        lose_an_entry,
        halve_a_change,
        lose_a_change_and_its_entry,
        lose_a_password_and_its_entry,
        change_a_password_without_an_entry,
        do_what_was_refused,
        do_what_nobody_asked_for,
    ],
    ids=lambda crime: crime.__name__,
)
def test_the_judge_notices_each_kind_of_loss(
    written: tuple[Evidence, Ledger], crime: Callable[[Evidence, Ledger], None]
) -> None:
    evidence, ledger = written
    tampered = copy.deepcopy(evidence)
    told = Ledger(copy.deepcopy(ledger.attempts))
    crime(tampered, told)
    assert judgement.compare(tampered, told).faults
