"""An import that runs: what is there already, passwords, interruptions, and undo as one."""

import csv
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from passlib.hash import sha512_crypt

from postmaster.db import db, transact
from postmaster.errors import Conflict, Invalid
from postmaster.models import Alias, HistoryEntry, Import, Note, Suspension, User
from postmaster.rules import suspension_acts, suspensions, undo, users
from postmaster.rules.imports import hashing, planning, running, writing
from postmaster.rules.imports.password_file import PasswordFile
from postmaster.rules.imports.verdicts import Options
from tests.mariadb import MariaDB
from tests.rules.bulk import ADMIN, ANOTHER_HASH, HASH, order_of, plan, run, said
from tests.rules.mail import by_hand, fill, newest, rows_now
from tests.rules.statements import counted

Do = Callable[..., Any]
USERS = 700
OWN_TABLES = ("postmaster_notes", "postmaster_suspensions")
MAIL_TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")


@pytest.fixture
def mail(context: None) -> None:
    fill()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small file is done in many steps."""
    monkeypatch.setattr(planning, "BATCH", 5)


def stored(email: str) -> str:
    db.session.remove()
    return db.session.query(User.password).filter_by(email=email).scalar()


def a_file(users: int = 23) -> str:
    """Some of everything."""
    lines = ["domain,new.example,,,,,a note on it"]
    lines += [f"user,user{n}@new.example,,,{HASH},," for n in range(users)]
    lines += [f"user,slept@new.example,,,{HASH},all,a note on a user"]
    lines += [f"alias,alias{n}@new.example,user{n}@new.example,,,,note {n}" for n in range(7)]
    lines += ["alias,all@new.example,alias1@new.example,,,,"]
    return "\n".join([*lines, ""])


# --- what is there already ------------------------------------------------------


def test_what_is_there_stays_as_it_is(mail: None) -> None:
    before = rows_now()
    lines, record = run(
        f"user,ana@one.example,,,{HASH},,a note\nuser,bob@one.example,,a new one,,,\n"
    )
    assert {line.verdict for line in lines} == {"skip"}
    assert rows_now() == before
    assert db.session.query(Note).count() == 0
    assert record.head_id is None, "nothing was changed, and nothing is in the history"
    assert record.finished is not None


def test_updates_change_what_differs_and_nothing_else(mail: None) -> None:
    text = f"""\
user,ana@one.example,,,{HASH},,a note
user,bob@one.example,,a new password,,,
user,dora@two.example,,,,,another note
user,eva@two.example,,,$6$salt$hash22,,
"""
    words = said(plan(text, update=True))
    assert words == {
        2: "change",
        3: "change: It gets this password, unless it has it already",
        4: "change",
        5: "skip: It is there already and has this password",
    }
    _lines, record = run(text, update=True)
    assert stored("ana@one.example") == HASH
    assert sha512_crypt.verify("a new password", stored("bob@one.example"))
    assert stored("dora@two.example").endswith("21")
    assert record.counts == {"change": 3, "skip": 1}
    notes = {note.name: note.text for note in db.session.query(Note)}
    assert notes == {"ana@one.example": "a note", "dora@two.example": "another note"}
    before = rows_now()
    lines, record = run(text, update=True)
    assert {line.verdict for line in lines} == {"skip"}, "once is enough"
    assert record.head_id is None
    assert rows_now() == before


def test_a_suspended_user_gets_the_hash_that_it_will_come_back_with(mail: None) -> None:
    run(f"user,new@one.example,,,{HASH},all,\n")
    run(f"user,new@one.example,,,{ANOTHER_HASH},,\n", update=True)
    assert db.session.query(Suspension.password).scalar() == ANOTHER_HASH
    assert stored("!new@one.example") == "!suspended"


def test_the_mark_of_a_suspended_user_is_no_hash(do: Do, mail: None) -> None:
    before = rows_now()
    lines, _record = run("user,ana@one.example,,,!suspended,,\n", update=True)
    assert "is no password hash" in said(lines)[2]
    assert rows_now() == before


def test_an_exported_user_without_a_kept_hash_is_made_so_and_takes_nobodys(
    do: Do, mail: None
) -> None:
    do(suspension_acts.suspend, 11, mode=suspensions.Mode.SIGN_IN)
    before = db.session.query(Suspension.password).scalar()
    text = "user,ana@one.example,,,!suspended,sign-in,\nuser,new@one.example,,,!suspended,all,\n"
    lines, _record = run(text, update=True)
    assert [line.verdict for line in lines] == ["skip", "create"]
    assert db.session.query(Suspension.password).scalar() == before
    assert stored("!new@one.example") == "!suspended"


SUSPENDING = f"""\
user,ana@one.example,,,{HASH},all,
user,bob@one.example,,a new password,,sign-in,
user,dora@two.example,,,,sign-in,
user,eva@two.example,,,$6$salt$hash22,all,
alias,new@one.example,ana@one.example,,,,
"""


def test_an_update_suspends_as_the_file_says_and_undo_resumes(do: Do, mail: None) -> None:
    keeps = "skip: It is there already, and its password and its state stay as they are"
    assert [*said(plan(SUSPENDING)).values()] == [keeps] * 4 + ["create"]
    before = rows_now()
    planned = said(plan(SUSPENDING, update=True))
    assert planned == {
        2: "change: It gets another password and will be suspended: all",
        3: "change: It gets this password, unless it has it already, and will be suspended: "
        "sign-in",
        4: "change: It will be suspended: sign-in",
        5: "change: It will be suspended: all",
        6: "create",
    }
    lines, record = run(SUSPENDING, update=True)
    assert {**planned, 3: "change: It gets another password and will be suspended: sign-in"} == (
        said(lines)
    )
    assert stored("!ana@one.example") == stored("bob@one.example") == "!suspended"
    assert stored("!eva@two.example") == stored("dora@two.example") == "!suspended"
    kept = {each.email: each.password for each in db.session.query(Suspension)}
    assert kept["ana@one.example"] == HASH
    assert kept["eva@two.example"] == "$6$salt$hash22"
    assert sha512_crypt.verify("a new password", kept["bob@one.example"])
    again, _record = run(SUSPENDING + "\n", update=True)
    assert [line.verdict for line in again] == ["skip"] * 5
    do(undo.undo, record.head_id, log_is_writable=lambda: True)
    assert rows_now() == before
    assert db.session.query(Suspension).count() == 0


def test_a_user_without_mail_gets_mail_again_unless_an_alias_takes_it(do: Do, mail: None) -> None:
    text = "user,ana@one.example,,,,{},\n"
    run(text.format("all"), update=True)
    by_hand(Alias(id=900, domain_id=1, source="ana@one.example", destination="bob@one.example"))
    assert said(plan(text.format("sign-in"), update=True))[2].startswith("conflict: There is an")
    assert stored("!ana@one.example") == "!suspended"
    db.session.query(Alias).filter_by(id=900).delete()
    db.session.commit()
    lines, record = run(text.format("sign-in") + "alias,x@one.example,ana@one.example,,,,\n",
                        update=True)  # fmt: skip
    assert {line.verdict for line in lines} == {"change", "create"}
    assert stored("ana@one.example") == "!suspended"
    do(undo.undo, record.head_id, log_is_writable=lambda: True)
    assert stored("!ana@one.example") == "!suspended"


# --- interruptions --------------------------------------------------------------


def test_an_interrupted_import_goes_on_and_is_one(mail: None, small_batches: None) -> None:
    before = rows_now()
    steps = 0
    while True:
        steps += 1
        _lines, record = run(a_file(), most_batches=2)
        if record.finished is not None:
            break
    assert steps > 3
    assert record.counts == {"create": 33}
    assert db.session.query(Import).count() == 1
    head = newest()
    assert (head.id, head.action, head.object_name) == (record.head_id, "import", "file.csv")
    assert (head.new or {})["count"] == db.session.query(HistoryEntry).count() - 1 == 42
    emails = [row[3] for row in rows_now()["virtual_users"]]
    assert len(emails) == len(set(emails)) == 4 + 24
    transact(undo.undo, ADMIN, head.id, log_is_writable=lambda: True)
    assert rows_now() == before
    assert db.session.query(Note).count() == db.session.query(Suspension).count() == 0


def test_other_options_or_another_file_are_another_import(mail: None, small_batches: None) -> None:
    _lines, first = run(a_file(), most_batches=2)
    _lines, second = run(a_file(), most_batches=2, update=True)
    _lines, third = run(a_file(22), most_batches=2)
    assert len({first.id, second.id, third.id}) == 3


def test_what_was_undone_is_not_gone_on_with(mail: None, small_batches: None) -> None:
    before = rows_now()
    _lines, first = run(a_file(), most_batches=3)
    transact(undo.undo, ADMIN, first.head_id, log_is_writable=lambda: True)
    assert rows_now() == before
    _lines, second = run(a_file())
    assert second.id != first.id
    assert second.counts == {"create": 33}


def test_the_same_import_twice_at_once_writes_nothing_twice(mail: None) -> None:
    options = Options()
    order = order_of(a_file(), options)
    start = {"name": "f", "digest": order.digest(), "options": options, "total": order.total}
    record = transact(running.start, ADMIN, **start)
    assert transact(running.start, ADMIN, **start).id == record.id
    other = running.Run(ADMIN, record, order, options, hashing.OneByOne())
    run(a_file())
    before = rows_now()
    with pytest.raises(Conflict, match="somebody else"):
        other.go(lambda _written: None, lambda: False)
    assert rows_now() == before


def test_an_undo_in_the_middle_ends_the_import(mail: None, small_batches: None) -> None:
    options = Options()
    order = order_of(a_file(), options)
    record = transact(
        running.start, ADMIN, name="f", digest=order.digest(), options=options, total=order.total
    )
    running_one = running.Run(ADMIN, record, order, options, hashing.OneByOne())
    before = rows_now()

    def undo_after_some(written: writing.Written) -> None:
        if written.done >= 10:
            transact(undo.undo, ADMIN, newest().id, log_is_writable=lambda: True)

    with pytest.raises(Conflict, match="undone meanwhile"):
        running_one.go(undo_after_some, lambda: False)
    assert rows_now() == before


@pytest.mark.parametrize("app", ["mariadb"], indirect=True)
def test_a_transaction_that_loses_to_another_begins_anew_with_half_its_lines(
    app: Flask, mariadb: MariaDB, mail: None
) -> None:
    options = Options()
    order = order_of("".join(f"user,u{n}@one.example,,,{HASH},,\n" for n in range(60)))
    record = transact(
        running.start, ADMIN, name="f", digest=order.digest(), options=options, total=order.total
    )
    one = running.Run(ADMIN, record, order, options, hashing.OneByOne())
    told: list[int] = []

    def import_it() -> None:
        with app.app_context():
            one.go(lambda written: told.append(written.done), lambda: False)

    importing = threading.Thread(target=import_it)
    waiting = (
        "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'UPDATE postmaster_imports%'"
    )
    with mariadb.cursor("shared") as rival:
        rival.execute("BEGIN")
        # InnoDB ends the transaction that changed less.
        rival.execute(
            "INSERT INTO virtual_aliases (domain_id, source, destination)"
            " SELECT 1, CONCAT(seq, '@one.example'), 'ana@one.example' FROM seq_1_to_5000"
        )
        rival.execute("SELECT id FROM postmaster_imports FOR UPDATE")
        importing.start()
        while not mariadb.rows("shared", waiting):
            assert importing.is_alive(), "it did not wait for the other"
        rival.execute("UPDATE postmaster_turns SET taken = taken + 1")
        rival.execute("ROLLBACK")
    importing.join()
    assert told == [30, 60]
    assert db.session.query(User).filter(User.email.like("u%@one.example")).count() == 60


# --- undo and the database ------------------------------------------------------


def test_undo_brings_the_tables_back_byte_for_byte(mariadb: MariaDB, mail: None) -> None:
    is_mariadb = db.engine.dialect.name != "sqlite"
    database = db.engine.url.database or ""

    def everything() -> object:
        if not is_mariadb:
            return rows_now()
        # The next ids go on; the rows are what they were.
        dump = mariadb.dump(database, *MAIL_TABLES, *OWN_TABLES)
        return [line for line in dump.splitlines() if "AUTO_INCREMENT=" not in line]

    before = everything()
    text = a_file() + f"user,ana@one.example,,,{HASH},,a note\n"
    _lines, record = run(text, update=True)
    assert everything() != before
    transact(undo.undo, ADMIN, record.head_id, log_is_writable=lambda: True)
    assert everything() == before


def test_an_import_is_recorded_as_the_acts_record(do: Do, mail: None) -> None:
    """Users are copied into the history by the database; it is to hold what the acts keep."""

    def newest_of(name: str) -> dict[str, Any]:
        entry = db.session.query(HistoryEntry).filter_by(object_name=name).one()
        columns = ("admin_id", "admin", "ip", "action", "kind", "old", "new", "undoes", "undone_by")
        return {column: getattr(entry, column) for column in columns} | {
            "has an id": entry.object_id > 0
        }

    do(users.create, email="one@one.example", password="a password")
    run(f"user,two@one.example,,,{HASH},,\n")
    one, two = newest_of("one@one.example"), newest_of("two@one.example")
    assert one["new"] == {"domain_id": 1, "email": "one@one.example"}
    assert two == one | {"new": {"domain_id": 1, "email": "two@one.example"}}
    raw = "SELECT COUNT(*) FROM postmaster_history WHERE part_of IS NOT NULL AND old IS NULL"
    assert db.session.execute(db.text(raw)).scalar() == 1, "not a JSON null"


def test_with_auditing_each_row_is_in_the_log(mail: None, app: Any) -> None:
    db.session.execute(
        db.text(
            "UPDATE postmaster_configuration SET value = 'True' "
            "WHERE setting = 'Mail Database Auditing'"
        )
    )
    db.session.commit()
    run(a_file(2))
    messages = app.extensions["postmaster_log"].path.read_text()
    assert r"The user \"user1@new.example\" was created" in messages
    assert r"The alias \"all@new.example -> alias1@new.example\" was created" in messages


def test_a_thousand_rows_take_a_few_statements(mail: None) -> None:
    lines = [f"user,user{n}@one.example,,,{HASH},," for n in range(USERS)]
    lines += [f"alias,a{n}@one.example,user{n}@one.example,,,," for n in range(USERS)]
    with counted() as statements:
        run("\n".join(lines) + "\n")
    assert len(statements) < 70, len(statements)
    assert len(rows_now()["virtual_aliases"]) == USERS + 9


# --- passwords ------------------------------------------------------------------


def test_generated_passwords_are_in_the_file_before_the_users_are_there(
    mail: None, tmp_path: Path
) -> None:
    path = tmp_path / "passwords.csv"
    text = "user,new@one.example,,,,,\nuser,-odd@one.example,,,,,\nuser,ana@one.example,,,,,\n"
    run(
        text + "user,lost@three.example,,,,,\n",
        keeper=PasswordFile(path, goes_on=False),
        generate=True,
    )
    with path.open(newline="") as file:
        kept = dict(csv.reader(file))
    assert list(kept) == ["address", "new@one.example"]
    assert sha512_crypt.verify(kept["new@one.example"], stored("new@one.example"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_password_file_is_never_overwritten_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "passwords.csv"
    first = PasswordFile(path, goes_on=False)
    first.keep([("ana@one.example", "a password")])
    with pytest.raises(Invalid, match="there already"):
        PasswordFile(path, goes_on=False)
    second = PasswordFile(path, goes_on=True)
    assert second.password_for("ana@one.example") == "a password"
    assert second.password_for("bob@one.example") != second.password_for("bob@one.example")
    second.keep([("ana@one.example", "a password"), ("bob@one.example", "another one")])
    assert (
        path.read_text()
        == "address,password\nana@one.example,a password\nbob@one.example,another one\n"
    )


def test_hashing_on_all_cores_is_the_same_as_one_by_one() -> None:
    hashed = sha512_crypt.using(rounds=5000).hash("password 1")
    tasks = [
        hashing.Task(f"password {n}", hashed if n == 1 else None) for n in range(hashing.FEW + 25)
    ]
    with hashing.AllCores() as cores:
        found = cores.begin(tasks).result()
    assert found[1] is None
    checked = [0, 20, hashing.FEW + 24]
    assert all(sha512_crypt.verify(f"password {n}", found[n]) for n in checked)
    assert "password 1" not in repr(tasks)
    assert hashing.OneByOne().begin(tasks[1:2]).result() == [None]


def test_no_password_or_hash_shows_in_an_item_or_a_line(mail: None) -> None:
    text = f"user,new@one.example,,a secret password,,,\nuser,x@one.example,,,{HASH},,\n"
    shown = repr([*order_of(text).lines(), *plan(text)])
    assert "secret" not in shown
    assert HASH not in shown


def test_a_hash_as_doveadm_prints_it_finds_room(do: Do, mail: None) -> None:
    hashed = "$6$saltsaltsaltsalt$" + "x" * 86
    run(f"user,new@one.example,,,{{SHA512-CRYPT}}{hashed},,\n")
    assert stored("new@one.example") == hashed
    lines, _record = run(f"user,long@one.example,,,{{BLF-CRYPT}}{hashed},,\n")
    assert "too long" in said(lines)[2]
