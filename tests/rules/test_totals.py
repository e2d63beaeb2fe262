"""Totals that are remembered: never wrong, whoever wrote since, by whatever means.

The server's clock goes on when a test says so, by Debian's libfaketime, so that nothing waits
until a table is settled. What an operator does by hand goes over a connection of its own.
"""

import time
from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

import pytest
from flask import Flask
from pymysql.cursors import Cursor
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from postmaster.db import db
from postmaster.models import Alias, Domain, User
from postmaster.rules import totals
from tests.conftest import Prepared, dispose
from tests.rules.clocked_mariadb import ClockedMariaDB
from tests.rules.mail import HASH, fill
from tests.rules.statements import counted

DATABASE = "totals"
A_WHILE = 60  # seconds after which every table is settled
# Never the address of a row that was deleted just now: who puts it back locks what is beside it.
ONE_MORE = (
    "INSERT INTO virtual_users (domain_id, email, password)"
    f" VALUES (1, CONCAT('new', UUID_SHORT(), '@one.example'), '{HASH}')"
)


@pytest.fixture(scope="module")
def server() -> Iterator[ClockedMariaDB]:
    with ClockedMariaDB() as server:
        yield server


@pytest.fixture(scope="module")
def prepared(
    server: ClockedMariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    prepared = Prepared(server.create_database(DATABASE), tmp_path_factory.mktemp("totals"))
    yield prepared
    dispose(prepared.app)


@pytest.fixture
def app(prepared: Prepared) -> Flask:
    """Instead of everybody's: on the server of this module."""
    prepared.reset()
    return prepared.app


@pytest.fixture
def by_hand(
    server: ClockedMariaDB, context: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Run a script as the operator does. Four users are there, and nobody wrote for a while."""
    monkeypatch.setattr(totals, "_memories", WeakKeyDictionary())
    fill()
    server.pass_time(A_WHILE)
    yield lambda script: server.run(DATABASE, script)
    db.session.remove()


def counting(*conditions: ColumnElement[bool]) -> totals.Counting:
    return totals.Counting(select(func.count()).select_from(User).where(*conditions))


USERS = counting()


def total(of: totals.Counting = USERS, *, waits: bool = True) -> int | None:
    """The total as a request finds it."""
    db.session.remove()
    try:
        return totals.of(db.session(), of, waits=waits)
    finally:
        db.session.remove()


def times_counted(ask: Callable[[], object]) -> int:
    """How many of the statements that something takes do count."""
    with counted() as seen:
        ask()
    return len([statement for statement in seen if "count(" in statement])


# --- remembering ----------------------------------------------------------------


def test_a_total_is_counted_once_and_then_remembered(by_hand: object) -> None:
    assert times_counted(total) == 1
    assert [times_counted(total) for _ in range(3)] == [0, 0, 0]
    assert total() == 4


@pytest.mark.parametrize(("seconds", "is_remembered"), [(0, 0), (1, 0), (4, 1), (3600, 1)])
def test_just_after_a_change_nothing_is_remembered(
    server: ClockedMariaDB, by_hand: Callable[[str], None], seconds: int, is_remembered: int
) -> None:
    by_hand(ONE_MORE)
    server.pass_time(seconds)
    assert total() == 5
    assert times_counted(total) == 1 - is_remembered
    assert total() == 5


def test_each_condition_has_a_total_of_its_own(by_hand: object) -> None:
    wanted = {
        counting(User.domain_id == 1): 2,
        counting(User.domain_id == 3): 0,
        counting(User.domain_id.in_([1])): 2,
        counting(User.domain_id.in_([1, 2])): 4,
        counting(User.email.contains("o")): 4,
        counting(User.email.contains("one")): 2,
        counting(User.email == "ana@one.example"): 1,
        counting(User.email == "1"): 0,
        counting(User.id == 11): 1,
        totals.Counting(select(func.count()).select_from(Domain)): 2,
        totals.Counting(select(func.count(Alias.source.distinct()))): 6,
        totals.Counting(select(func.count()).select_from(Alias)): 9,
    }
    for _ in range(2):
        assert {asked: total(asked) for asked in wanted} == wanted
    assert times_counted(lambda: [total(asked) for asked in wanted]) == 0


def test_the_same_condition_said_anew_is_the_same_total(by_hand: object) -> None:
    assert total(counting(User.email.contains("one"))) == 2
    assert times_counted(lambda: total(counting(User.email.contains("one")))) == 0


def test_several_totals_are_one_question(by_hand: Callable[[str], None]) -> None:
    asked = [USERS, counting(User.domain_id == 1), counting(User.domain_id == 2)]

    def ask() -> list[int | None]:
        db.session.remove()
        return totals.of_all(db.session(), asked)

    total(asked[1])
    assert times_counted(ask) == 1
    assert times_counted(ask) == 0
    assert ask() == [4, 2, 2]
    by_hand(ONE_MORE)
    assert ask() == [5, 3, 2]


def test_what_is_remembered_is_bounded(by_hand: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "MOST_REMEMBERED", 3)
    asked = [counting(User.id > number) for number in range(5)]
    for each in asked:
        total(each)
    assert [times_counted(lambda each=each: total(each)) for each in asked[2:]] == [0, 0, 0]
    assert times_counted(lambda: total(asked[0])) == 1
    (memory,) = totals._memories.values()
    assert len(memory.totals) == 3


# --- what others change ---------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (ONE_MORE, 5),
        ("DELETE FROM virtual_users WHERE id = 11", 3),
        ("DELETE FROM virtual_domains WHERE id = 1", 2),
        ("DELETE FROM virtual_users", 0),
        ("TRUNCATE virtual_users", 0),
        (f"BEGIN; {ONE_MORE}; {ONE_MORE}; COMMIT", 6),
        (f"BEGIN; {ONE_MORE}; ROLLBACK; {ONE_MORE}", 5),
        (f"SET autocommit = 0; {ONE_MORE}; COMMIT", 5),
        (f"{ONE_MORE}; ALTER TABLE virtual_users FORCE", 5),
        (f"ALTER TABLE virtual_users FORCE; {ONE_MORE}", 5),
        ("DELETE FROM virtual_users; OPTIMIZE TABLE virtual_users", 0),
        (f"FLUSH TABLES; {ONE_MORE}; FLUSH TABLES", 5),
    ],
)
def test_what_is_changed_by_hand_shows_in_the_next_total(
    server: ClockedMariaDB, by_hand: Callable[[str], None], script: str, found: int
) -> None:
    assert (total(), times_counted(total)) == (4, 0)
    by_hand(script)
    assert total() == found
    server.pass_time(A_WHILE)
    assert [total(), total()] == [found, found], "also once it is remembered"


def test_a_row_that_moves_shows_in_the_totals_of_both_domains(
    by_hand: Callable[[str], None],
) -> None:
    both = [counting(User.domain_id == domain_id) for domain_id in (1, 2)]
    assert [total(each) for each in both * 2] == [2, 2, 2, 2]
    by_hand("UPDATE virtual_users SET domain_id = 2 WHERE id = 11")
    assert [total(each) for each in both] == [1, 3]


def in_another_second(by_hand: Callable[[str], None], script: str) -> None:
    """Than the server's last file was made in: that is as exact as its times are."""
    now = int(time.time())
    deadline = time.monotonic() + 5
    while int(time.time()) == now:
        assert time.monotonic() < deadline
    by_hand(script)


@pytest.mark.parametrize("is_started_anew", [False, True])
def test_another_table_in_a_tables_place_has_its_own_total(
    server: ClockedMariaDB, by_hand: Callable[[str], None], is_started_anew: bool
) -> None:
    if is_started_anew:
        restart(server)
    assert [times_counted(total), times_counted(total), total()] == [1, 0, 4]
    in_another_second(by_hand, "CREATE TABLE others LIKE virtual_users")
    by_hand("RENAME TABLE virtual_users TO put_away, others TO virtual_users")
    try:
        assert total() == 0
    finally:
        by_hand("DROP TABLE virtual_users; RENAME TABLE put_away TO virtual_users")


@pytest.mark.parametrize(
    "asked",
    [
        totals.Counting(
            select(func.count()).select_from(Alias).where(Alias.destination.in_(select(User.email)))
        ),
        totals.Counting(
            select(func.count()).select_from(Alias).where(Alias.destination == aliased(User).email)
        ),
    ],
    ids=["a subquery", "an alias"],
)
def test_a_change_of_any_table_that_is_read_shows(
    by_hand: Callable[[str], None], asked: totals.Counting
) -> None:
    assert asked.tables == ("virtual_aliases", "virtual_users")
    assert [total(asked), total(asked)] == [6, 6]
    by_hand("UPDATE virtual_users SET email = 'new@one.example' WHERE email = 'ana@one.example'")
    assert total(asked) == 4
    by_hand("DELETE FROM virtual_aliases WHERE destination = 'eva@two.example'")
    assert total(asked) == 2


# --- transactions ---------------------------------------------------------------


def begin(cursor: Cursor) -> None:
    """A transaction with one more user, which somebody else will commit later."""
    for statement in ("BEGIN", ONE_MORE):  # the second one is executed when this returns
        cursor.execute(statement)


@pytest.mark.parametrize("seconds", [0, 5, A_WHILE])
def test_what_is_committed_after_the_count_shows_however_long_ago_it_began(
    server: ClockedMariaDB, by_hand: object, seconds: int
) -> None:
    with server.cursor(DATABASE) as cursor:
        begin(cursor)
        server.pass_time(seconds)
        assert [total(), total()] == [4, 4]
        cursor.execute("COMMIT")
    assert total() == 5


def test_of_two_that_began_in_the_same_second_the_later_one_shows_before_long(
    server: ClockedMariaDB, by_hand: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What MariaDB keeps is the same for both: only the time that a total is remembered helps."""
    with server.cursor(DATABASE) as cursor:
        begin(cursor)
        by_hand(ONE_MORE)
        server.pass_time(A_WHILE)
        assert [total(), total()] == [5, 5]
        cursor.execute("COMMIT")
    monkeypatch.setattr(totals, "LONGEST", 0.0)
    assert total() == 6


@pytest.mark.parametrize("seconds", [0, 5, A_WHILE])
def test_who_reads_an_older_state_remembers_nothing_wrong(
    server: ClockedMariaDB, by_hand: Callable[[str], None], seconds: int
) -> None:
    """A request that takes long: its transaction sees what was when it began."""
    session = db.session()
    session.scalar(USERS.statement)
    by_hand(ONE_MORE)
    server.pass_time(seconds)
    assert totals.of(session, USERS) in (4, 5)  # as it was, or as it is
    assert [total(), total()] == [5, 5]


@pytest.mark.parametrize("seconds", [0, 5, A_WHILE])
def test_nor_if_what_it_does_not_see_took_long_itself(
    server: ClockedMariaDB, by_hand: object, seconds: int
) -> None:
    """A long deletion or import, committed while somebody just looks."""
    with server.cursor(DATABASE) as cursor:
        begin(cursor)
        server.pass_time(seconds)
        session = db.session()
        session.scalar(USERS.statement)
        cursor.execute("COMMIT")
    assert totals.of(session, USERS) in (4, 5)  # as it was, or as it is
    assert [total(), total()] == [5, 5]


OF_USERS = f"database_name = '{DATABASE}' AND table_name = 'virtual_users'"

# --- a restart ------------------------------------------------------------------


def restart(server: ClockedMariaDB) -> None:
    """The server forgets when its tables were last changed; it knows how many rows they have."""
    server.run(DATABASE, "ANALYZE TABLE virtual_domains, virtual_users, virtual_aliases")
    server.stop()
    server.start()
    db.engine.dispose()


def test_after_a_restart_each_connection_remembers_for_itself(
    server: ClockedMariaDB, by_hand: Callable[[str], None]
) -> None:
    assert total() == 4
    restart(server)
    assert [times_counted(total) for _ in range(2)] == [1, 0]
    db.engine.dispose()
    assert [times_counted(total) for _ in range(2)] == [1, 0]
    by_hand(ONE_MORE)
    assert total() == 5


def test_truncated_after_a_restart_it_shows_also_if_its_rows_were_not_looked_for(
    server: ClockedMariaDB, by_hand: Callable[[str], None]
) -> None:
    server.run(DATABASE, "ALTER TABLE virtual_users STATS_AUTO_RECALC = 0")
    server.run("mysql", f"UPDATE innodb_table_stats SET n_rows = 0 WHERE {OF_USERS}")
    server.stop()
    server.start()
    db.engine.dispose()
    try:
        assert [times_counted(total) for _ in range(2)] == [1, 0]
        by_hand("TRUNCATE virtual_users")
        assert total() == 0
    finally:
        server.run(DATABASE, "ALTER TABLE virtual_users STATS_AUTO_RECALC = DEFAULT")


def test_what_was_changed_before_a_restart_shows_after_it(
    server: ClockedMariaDB, by_hand: Callable[[str], None]
) -> None:
    restart(server)
    assert [total(), total()] == [4, 4]
    by_hand(ONE_MORE)
    restart(server)
    assert total() == 5


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("DELETE FROM virtual_domains WHERE id = 1", 2),
        ("TRUNCATE virtual_users", 0),
        (f"ALTER TABLE virtual_users FORCE; {ONE_MORE}", 5),
    ],
)
def test_the_first_change_after_a_restart_shows(
    server: ClockedMariaDB, by_hand: Callable[[str], None], script: str, found: int
) -> None:
    restart(server)
    assert [total(), total()] == [4, 4]
    by_hand(script)
    assert total() == found


# --- who does not wait ----------------------------------------------------------


def test_who_does_not_wait_is_told_that_a_large_table_was_not_counted(
    by_hand: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand("ANALYZE TABLE virtual_users, virtual_domains")  # it knows how many they are
    monkeypatch.setattr(totals, "FEW_ROWS", 3)
    assert total(waits=False) is None
    assert times_counted(lambda: total(waits=False)) == 0
    domains = totals.Counting(select(func.count()).select_from(Domain))
    assert total(domains, waits=False) == 2
    db.session.remove()
    assert totals.of_all(db.session(), [domains, USERS], waits=False) == [2, None]
    total()
    assert total(waits=False) == 4, "what is remembered needs no waiting"
    by_hand(ONE_MORE)
    assert total(waits=False) is None, "and what is not true any more is not told"


def test_of_a_table_that_was_large_just_now_nothing_is_asked(
    by_hand: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand("ANALYZE TABLE virtual_users")
    monkeypatch.setattr(totals, "FEW_ROWS", 3)
    assert total(waits=False) is None
    ones = counting(User.email.contains("one"))
    with counted() as seen:
        assert total(ones, waits=False) is None
    assert seen == []
    assert total(ones) == 2
    assert total(ones, waits=False) == 2, "it may be told now"
    by_hand("DELETE FROM virtual_users WHERE id > 11; ANALYZE TABLE virtual_users")
    total()
    assert total(counting(User.email.contains("one")), waits=False) == 1, "and is small now"


def test_the_size_is_that_of_all_tables_that_would_be_read(
    by_hand: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand("ANALYZE TABLE virtual_users, virtual_domains")
    monkeypatch.setattr(totals, "FEW_ROWS", 5)
    both = totals.Counting(
        select(func.count()).select_from(Domain).where(Domain.id.in_(select(User.domain_id)))
    )
    assert total(both, waits=False) is None
    assert total(both) == 2


# --- a database that says nothing -----------------------------------------------


def test_on_sqlite_each_total_is_counted_each_time(
    prepared_sqlite: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "FEW_ROWS", 0)
    prepared_sqlite.reset()
    with prepared_sqlite.app.app_context():
        fill()
        with counted() as seen:
            assert [total(), total(), total(waits=False)] == [4, 4, 4]
        asked = [statement for statement in seen if statement != "BEGIN"]
        assert len(asked) == 3
        assert all("count(" in statement for statement in asked)
