"""What several processes count, and whose file they write."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postmaster.counters import RECORD_BYTES, Counters

ROOT = Path(__file__).parent.parent
ADDED = ("added",)
# Each line that it reads is so much more; it answers when that is written.
PROCESS = """
import sys
from pathlib import Path
from postmaster.counters import Counters
counters = Counters(Path(sys.argv[1]))
for line in sys.stdin:
    counters.add({("added",): float(line)})
    print("done", flush=True)
"""
# Counts, forks, and both go on.
FORKING = """
import os, sys
from pathlib import Path
from postmaster.counters import Counters
counters = Counters(Path(sys.argv[1]))
counters.add({("added",): 1})
child = os.fork()
for _ in range(500):
    counters.add({("added",): 1})
if child:
    os.waitpid(child, 0)
    print(int(counters.sums()["added",]))
"""


class Process:
    """Another process that counts in the same folder."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def add(self, amount: float) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{amount}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "metrics"


@pytest.fixture
def counters(folder: Path) -> Counters:
    return Counters(folder)


@pytest.fixture
def other(folder: Path) -> Iterator[Process]:
    process = Process(folder)
    yield process
    process.kill()


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.counts"))


def test_what_is_added_is_there(counters: Counters) -> None:
    counters.add({ADDED: 2, ("seconds", "ä page"): 0.25})
    counters.add({ADDED: 3})
    assert counters.sums() == {ADDED: 5, ("seconds", "ä page"): 0.25}


def test_nothing_is_made_before_something_is_counted(counters: Counters, folder: Path) -> None:
    assert not folder.parent.exists()
    counters.add({ADDED: 1})
    assert folder.stat().st_mode & 0o027 == 0
    assert all(path.stat().st_mode & 0o137 == 0 for path in files(folder))


def test_the_sum_is_that_of_all_processes(counters: Counters, other: Process) -> None:
    counters.add({ADDED: 1})
    other.add(10)
    counters.add({ADDED: 100})
    assert counters.sums() == {ADDED: 111}


def test_a_new_process_goes_on_where_a_killed_one_was(
    counters: Counters, folder: Path, other: Process
) -> None:
    counters.add({ADDED: 1})
    other.add(10)
    other.kill()
    assert counters.sums() == {ADDED: 11}
    successor = Process(folder)
    successor.add(100)
    assert counters.sums() == {ADDED: 111}
    assert len(files(folder)) == 2, "the dead process's file is used again"
    successor.kill()


def test_a_new_server_begins_at_nothing(counters: Counters, folder: Path, other: Process) -> None:
    other.add(10)
    other.kill()
    counters.add({ADDED: 1})
    assert counters.sums() == {ADDED: 1}
    assert len(files(folder)) == 1


def test_a_forked_process_does_not_write_its_parents_file(folder: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", FORKING, str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert process.stdout == "1001\n"


def test_what_is_no_record_is_passed_over(counters: Counters, folder: Path, other: Process) -> None:
    """A full disk leaves gaps, and half a record at the end."""
    counters.add({ADDED: 1})
    other.add(10)
    other.kill()
    (left,) = [path for path in files(folder) if f"{other.process.pid}-" in path.name]
    with left.open("ab") as file:
        file.write(bytes(8) + b"1".ljust(RECORD_BYTES - 8))  # what JSON knows, but no key
        file.write(bytes(RECORD_BYTES) + b"half")
    assert counters.sums() == {ADDED: 11}
    successor = Process(folder)
    successor.add(100)
    assert counters.sums() == {ADDED: 111}
    successor.kill()


@contextmanager
def no_room() -> Iterator[None]:
    """No file of this process grows any more, as if its disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (RECORD_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_could_not_be_written_is_written_later(counters: Counters) -> None:
    counters.add({ADDED: 1})
    with no_room(), pytest.raises(OSError, match="too large"):
        counters.add({("new",): 5})
    assert counters.sums() == {ADDED: 1}
    counters.add({("new",): 2})
    assert counters.sums() == {ADDED: 1, ("new",): 7}


def test_a_folder_that_was_deleted_is_made_again(counters: Counters, folder: Path) -> None:
    counters.add({ADDED: 1})
    shutil.rmtree(folder)
    assert counters.sums() == {}
    counters.add({ADDED: 1})
    assert counters.sums() == {ADDED: 1}


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    counters = Counters(tmp_path / "file" / "metrics")
    with pytest.raises(NotADirectoryError):
        counters.add({ADDED: 1})
    with pytest.raises(NotADirectoryError):
        counters.sums()
    os.unlink(tmp_path / "file")
    counters.add({ADDED: 1})
    assert counters.sums() == {ADDED: 1}
