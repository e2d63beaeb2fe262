"""The log: whole lines from many processes, read from the end."""

import contextlib
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes, as if its disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_half_a_line_does_not_join_the_next(
    log: LogFile, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write("audit", None, "before")
    with room_for(log.path.stat().st_size + 10):
        log.write("audit", None, "found room for ten bytes")
        log.write("audit", None, "found none")
    error_output = capsys.readouterr().err
    assert "found room for ten bytes" in error_output
    assert "found none" in error_output
    log.write("audit", None, "after")
    text = log.path.read_text()
    assert text.count("\n") == 4
    assert text.endswith("\n")
    assert messages(log) == [
        "after",
        "Before this line, 2 could not be written (File too large): "
        "the server's error output has what is missing",
        "before",
    ]


def test_half_a_line_of_another_process_is_ended_too(log: LogFile) -> None:
    log.path.parent.mkdir()
    log.path.write_bytes(b'{"message": "half')
    log.write("audit", None, "after")
    assert messages(log) == ["after"]


def test_what_is_wrong_with_it_is_known_until_it_can_be_written(log: LogFile) -> None:
    assert log.problem() == ""
    assert not log.path.parent.exists()
    log.write("audit", None, "before")
    assert log.problem() == ""
    with room_for(log.path.stat().st_size):
        log.write("audit", None, "lost")
        assert log.problem() == "File too large"
    assert log.problem() == ""
    assert messages(log)[0].startswith("Before this line, 1 could not be written")
    assert len(messages(log)) == 2


@pytest.mark.parametrize(
    ("place", "reason"), [("a file/log", "Not a directory"), (".", "Is a directory")]
)
def test_what_is_wrong_with_its_place_is_known_before_a_line_is_lost(
    tmp_path: Path, place: str, reason: str
) -> None:
    (tmp_path / "a file").touch()
    assert LogFile(tmp_path / place).problem() == reason


def test_an_error_output_without_room_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        LogFile(tmp_path).write("audit", None, "lost")
        with contextlib.suppress(OSError):
            full.close()


@pytest.mark.parametrize("place", ["/dev/full", "/dev/stdout"])
def test_a_device_takes_lines_and_has_none(place: str) -> None:
    """Reading one may never end."""
    log = LogFile(Path(place))
    assert log.newest(10) == []
    assert log.count(10) == 0
    assert b"".join(log.content()) == b""


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
