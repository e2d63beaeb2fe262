"""A server's process: started, waited for until it greets, and stopped with all its children."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

SECONDS_TO_START = 20
SECONDS_TO_STOP = 10
PAUSE = 0.02  # seconds between two greetings that were not answered


class Daemon:
    """One process and its children; what they print goes to a file."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], greet: Callable[[], None]) -> bool:
        """Start it. True once ``greet`` raises no OSError, False if that does not come."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a group of its own, which ends as one
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                greet()
            except OSError:
                time.sleep(PAUSE)
            else:
                return True
        return False

    def stop(self) -> None:
        """End it, in order if it does so in time; then whatever is left of its children."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_STOP)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


def end_of(*files: Path, lines: int = 60) -> str:
    """The last lines of log files, for the message of a failing test."""
    texts = [file.read_text("utf-8", "replace") for file in files if file.exists()]
    return "\n".join("\n".join(texts).splitlines()[-lines:])
