"""The log as two accounts write it: the web server's, whose folder it is, and root by commands."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from postmaster.appending import open_for_appending
from postmaster.logfile import LogFile

WWW_DATA = 33

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two accounts")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The log's folder as docs/installation.md makes it."""
    logs = tmp_path / "logs"
    logs.mkdir()
    os.chown(logs, 0, WWW_DATA)
    logs.chmod(0o1770)
    return logs


@pytest.fixture
def others_file(folder: Path) -> Iterator[Path]:
    """The log as the web server's account made it."""
    log = folder / "postmaster.log"
    log.write_text("a line\n", encoding="utf-8")
    os.chown(log, WWW_DATA, WWW_DATA)
    log.chmod(0o640)
    yield log


def test_root_appends_to_the_accounts_log(others_file: Path) -> None:
    log = LogFile(others_file)
    log.write("audit", "root", "by a command")
    assert "by a command" in others_file.read_text(encoding="utf-8")
    assert log.is_writable()
    assert others_file.stat().st_uid == WWW_DATA


def test_a_log_that_root_makes_is_the_accounts_too(folder: Path) -> None:
    LogFile(folder / "new.log").write("audit", "root", "first")
    state = (folder / "new.log").stat()
    assert (state.st_gid, stat.S_IMODE(state.st_mode)) == (WWW_DATA, 0o660)


def test_in_a_folder_of_its_own_it_is_for_owner_and_group_to_read(tmp_path: Path) -> None:
    LogFile(tmp_path / "new.log").write("audit", "root", "first")
    assert stat.S_IMODE((tmp_path / "new.log").stat().st_mode) == 0o640


@pytest.mark.parametrize("put", [os.symlink, os.link])
def test_root_writes_to_nothing_that_another_put_in_its_place(
    folder: Path, tmp_path: Path, put: object
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept\n", encoding="utf-8")
    assert callable(put)
    put(precious, folder / "postmaster.log")
    with pytest.raises(OSError, match=r"Too many levels|not permitted"):
        open_for_appending(folder / "postmaster.log")
    assert not LogFile(folder / "postmaster.log").is_writable()
    assert precious.read_text(encoding="utf-8") == "kept\n"


def test_a_link_that_leads_nowhere_makes_no_file(folder: Path, tmp_path: Path) -> None:
    (folder / "postmaster.log").symlink_to(tmp_path / "made")
    assert not LogFile(folder / "postmaster.log").is_writable()
    assert not (tmp_path / "made").exists()


def test_where_nobody_else_writes_a_link_is_the_operators_own(tmp_path: Path) -> None:
    (tmp_path / "link.log").symlink_to(tmp_path / "real.log")
    LogFile(tmp_path / "link.log").write("audit", "root", "followed")
    assert "followed" in (tmp_path / "real.log").read_text(encoding="utf-8")
