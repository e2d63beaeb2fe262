"""The log: whole lines from many processes, read from the end."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from postmaster.logfile import LogFile

WRITER = """
import sys
from pathlib import Path
from postmaster.logfile import LogFile

log = LogFile(Path(sys.argv[1]))
for number in range(500):
    log.write("audit", f"writer {sys.argv[2]}", f"{number} " + "x" * (number % 300))
"""
ROOT = Path(__file__).parent.parent
GIGABYTE = 1024**3


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return LogFile(tmp_path / "logs" / "postmaster.log")


def messages(log: LogFile, most: int = 100) -> list[str]:
    return [line.message for line in log.newest(most)]


def test_a_line_is_one_json_object(log: LogFile) -> None:
    log.write("auth", "ana", 'quotes " and\nline ends ü', ip="192.0.2.1")
    (line,) = log.path.read_text().splitlines()
    found = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("timestamp"))
    assert found == {
        "category": "auth",
        "admin": "ana",
        "message": 'quotes " and\nline ends ü',
        "ip": "192.0.2.1",
    }


def test_lines_of_eight_processes_do_not_mix(log: LogFile) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(log.path), str(n)], cwd=ROOT)
        for n in range(8)
    ]
    assert [writer.wait() for writer in writers] == [0] * 8
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert len(lines) == 8 * 500
    for number in range(8):
        of_one = [line["message"] for line in lines if line["admin"] == f"writer {number}"]
        assert of_one == [f"{n} " + "x" * (n % 300) for n in range(500)]


def test_a_rotation_from_outside_is_noticed(log: LogFile) -> None:
    log.write("audit", None, "before")
    log.path.rename(log.path.with_suffix(".1"))
    log.write("audit", None, "between")
    os.truncate(log.path, 0)
    log.write("audit", None, "after")
    assert messages(log) == ["after"]


@pytest.mark.parametrize("place", ["a file/log", "/dev/full"])
def test_a_log_that_cannot_be_written_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (tmp_path / "a file").touch()
    log = LogFile(tmp_path / place)
    log.write("audit", "ana", "what happened")
    assert "what happened" in capsys.readouterr().err


def test_it_says_whether_it_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    assert LogFile(tmp_path / "new folder" / "log").is_writable()
    assert not LogFile(tmp_path / "a file" / "log").is_writable()


def test_the_end_of_a_gigabyte_is_read_without_the_rest(
    log: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.path.parent.mkdir()
    with log.path.open("wb") as file:  # a hole, so that it takes no room
        file.truncate(GIGABYTE)
        file.seek(GIGABYTE)
        file.write(b"\n")
    for number in range(60):
        log.write("audit", None, f"line {number}")
    before = _bytes_read()
    assert messages(log, 50) == [f"line {number}" for number in range(59, 9, -1)]
    assert _bytes_read() - before < 1024 * 1024


def _bytes_read() -> int:
    """How much this process has read by now."""
    counters = Path("/proc/self/io").read_text()
    return int(counters.split("rchar: ")[1].split("\n")[0])


def test_long_lines_across_the_blocks_are_whole(log: LogFile) -> None:
    written = [f"{number} " + "y" * 7000 for number in range(40)]
    for message in written:
        log.write("audit", None, message)
    assert messages(log) == written[::-1]


def test_what_is_no_line_of_ours_is_passed_over(log: LogFile) -> None:
    log.write("audit", None, "first")
    with log.path.open("ab") as file:
        file.write(b'{"half a li\n\xff\xfe\n[1, 2]\n\n' + b"[" * 100_000 + b"\n{}\n")
    log.write("audit", None, "last")
    with log.path.open("ab") as file:
        file.write(b'{"message": "without a line end"}')
    assert messages(log) == ["without a line end", "last", "", "first"]


def test_no_log_and_an_empty_one_have_no_lines(log: LogFile) -> None:
    assert log.newest(10) == []
    log.path.parent.mkdir()
    log.path.touch()
    assert log.newest(10) == []


def test_lines_are_chosen_among_the_newest(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    for number in range(10):
        log.write("audit" if number % 2 else "auth", None, str(number))
    assert [line.message for line in log.newest(2, lambda line: line.category == "auth")] == [
        "8",
        "6",
    ]
    assert log.newest(5, lambda line: line.message == "0", among=5) == []


def test_lines_are_counted_up_to_a_limit(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log")
    assert log.count(5) == 0
    for number in range(7):
        log.write("auth", None, str(number))
    assert log.count(10) == 7
    assert log.count(5) == 5


def test_a_log_that_cannot_be_read_counts_nothing(tmp_path: Path) -> None:
    assert LogFile(tmp_path).count(5) == 0
