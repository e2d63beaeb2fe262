"""An import that is killed at random moments and run again makes the file's rows, once."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.manage import ROOT
from tests.mariadb import MariaDB
from tests.resilience.kill import prepare

DATABASE = "import_kill"
USERS, PLAIN, KILLS = 1500, 25, 3
HASH = "$6$saltsaltsaltsalt$" + "x" * 86
MAIL_TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")


def a_file(path: Path) -> None:
    lines = ["kind,address,destination,password,hash", "domain,big.example,,,"]
    lines += [f"user,user{n}@big.example,,,{HASH}" for n in range(USERS)]
    lines += [f"user,plain{n}@big.example,,password {n}," for n in range(PLAIN)]
    lines += [f"user,made{n}@big.example,,," for n in range(PLAIN)]
    lines += [f"alias,alias{n}@big.example,user{n}@big.example,," for n in range(USERS)]
    path.write_text("\n".join([*lines, ""]))


def command(folder: Path, uri: str, *arguments: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("POSTMASTER_")}
    own = {
        "POSTMASTER_CONFIG": str(folder / "postmaster.toml"),
        "POSTMASTER_DATABASE_URI": uri,
        "POSTMASTER_LOG_FILE": str(folder / "log"),
    }
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=kept | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def uri(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database at head."""
    made = mariadb.create_database(DATABASE)
    prepare(made, tmp_path_factory.mktemp("prepared"))
    return made


def done_so_far(mariadb: MariaDB) -> int:
    return int(
        mariadb.rows(DATABASE, "SELECT COALESCE(SUM(done), 0) FROM postmaster_imports")[0][0]
    )


def kill_at(mariadb: MariaDB, process: subprocess.Popen[str], wanted: int, pause: float) -> None:
    """Kill it, whatever it is doing, some time after this many lines are done."""
    while process.poll() is None and done_so_far(mariadb) < wanted:
        time.sleep(0.03)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_killed_and_run_again_it_makes_each_row_once(
    mariadb: MariaDB, uri: str, tmp_path: Path
) -> None:
    before = mariadb.dump(DATABASE, *MAIL_TABLES)
    file, passwords = tmp_path / "people.csv", tmp_path / "passwords.csv"
    a_file(file)
    total = 1 + 2 * USERS + 2 * PLAIN
    run = ("import", str(file), "--yes", "--passwords-to", str(passwords))
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    for number in range(KILLS):
        wanted = moments.randrange(number * total // KILLS + 1, (number + 1) * total // KILLS)
        kill_at(mariadb, command(tmp_path, uri, *run), wanted, moments.uniform(0, 0.05))
    last = command(tmp_path, uri, *run)
    said, _ = last.communicate(timeout=120)
    assert last.returncode == 0, f"seed {seed}: {said}"

    emails = Counter(row[0] for row in mariadb.rows(DATABASE, "SELECT email FROM virtual_users"))
    assert set(emails.values()) == {1}
    assert len(emails) == USERS + 2 * PLAIN
    pairs = mariadb.rows(DATABASE, "SELECT source, destination FROM virtual_aliases")
    assert sorted(pairs) == sorted(
        (f"alias{n}@big.example", f"user{n}@big.example") for n in range(USERS)
    )
    kept = passwords.read_text().splitlines()[1:]
    assert len({line.partition(",")[0] for line in kept}) == len(kept) == PLAIN, f"seed {seed}"
    heads = mariadb.rows(
        DATABASE, "SELECT id, new FROM postmaster_history WHERE part_of IS NULL AND kind = 'mail'"
    )
    assert len(heads) == 1, f"seed {seed}: {heads}"
    assert str(total) in heads[0][1]

    undone = command(tmp_path, uri, "undo", str(heads[0][0]))
    said, _ = undone.communicate(timeout=120)
    assert undone.returncode == 0, said
    assert without_next_ids(mariadb.dump(DATABASE, *MAIL_TABLES)) == without_next_ids(before)


def without_next_ids(dump: str) -> str:
    return re.sub(r" AUTO_INCREMENT=\d+", "", dump)


def test_told_to_stop_it_finishes_its_batch_and_says_how_to_go_on(
    mariadb: MariaDB, uri: str, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    lines = [f"user,user{n}@big.example,,password {n}," for n in range(800)]
    header = "kind,address,destination,password,hash\ndomain,big.example,,,\n"
    file.write_text(header + "\n".join(lines))
    before = done_so_far(mariadb)
    running = command(tmp_path, uri, "import", str(file), "--yes")
    while done_so_far(mariadb) < before + 100:
        time.sleep(0.03)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "Run the same command again to go on" in said
    assert "Traceback" not in said
    rows = mariadb.rows(DATABASE, "SELECT COUNT(*) FROM virtual_users")[0][0]
    assert rows + 1 == done_so_far(mariadb) - before
