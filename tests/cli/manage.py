"""Runs the real manage.py, as an operator would."""

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SECONDS = 120


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    status: int
    output: str
    error: str

    @property
    def refusal(self) -> str:
        """The one line that a refused command prints."""
        lines = self.error.splitlines()
        assert self.status == 1, self
        assert len(lines) == 1, self
        assert lines[0].startswith("Error: "), self
        return lines[0]


def use_database(folder: Path, uri: str) -> None:
    """The configuration file as ``manage.py setdburi URI`` leaves it, without waiting for that."""
    (folder / "postmaster.toml").write_text(f'database_uri = "{uri}"\n', encoding="utf-8")


def run(folder: Path, *arguments: str, **environment: str) -> Result:
    """``manage.py ARGUMENTS`` with its configuration file in this folder.

    A process of its own, forked where all imports are done: see ``zygote``.
    """
    with (
        Path(os.devnull).open() as nothing,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as error,
    ):
        status = _forked(
            {
                "arguments": arguments,
                "environment": _environment(folder, environment),
                "folder": str(Path.cwd()),
            },
            [file.fileno() for file in (nothing, output, error)],
        )
        output.seek(0)
        error.seek(0)
        return Result(status, output.read().decode(), error.read().decode())


def start(folder: Path, *arguments: str, **environment: str) -> Result:
    """The same from the very start: a Python that reads manage.py and every module for it."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=_environment(folder, environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def _environment(folder: Path, added: dict[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("POSTMASTER_")}
    return kept | {"POSTMASTER_CONFIG": str(folder / "postmaster.toml")} | added


@functools.cache
def _zygote() -> socket.socket:
    """The socket to the process that forks; one for each process of the tests."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "zygote.py"), str(its.fileno())],
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        process.wait(SECONDS)

    atexit.register(end)
    ours.settimeout(SECONDS)
    return ours


def _forked(command: dict[str, object], descriptors: list[int]) -> int:
    """Have a command run on these three descriptors; its exit status, as subprocess counts."""
    zygote = _zygote()
    socket.send_fds(zygote, [json.dumps(command).encode()], descriptors)
    number = int(zygote.recv(64))
    try:
        status = zygote.recv(64)
    except TimeoutError:
        os.kill(number, signal.SIGKILL)
        zygote.recv(64)
        raise
    return os.waitstatus_to_exitcode(int(status))
