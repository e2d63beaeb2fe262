"""A real PostMaster: gunicorn and its workers in processes of their own, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

ROOT = Path(__file__).parent.parent.parent
SECRET_KEY = "a key for the servers of the tests"
PASSWORD = "PostMaster"
SECONDS_TO_START = 60
SECONDS_TO_ANSWER = 60

AS_SHIPPED = "postmaster:create_app()"
# Cheap admin passwords, and a short patience with a frozen database.
QUICK = "tests.resilience.quick:create_app()"


class Server:
    """The server, from start to stop; it can be killed and started between.

    The listening socket belongs to this process, so a server that starts again has
    its old port, and who connects meanwhile waits in the socket's queue. ``options`` are more of
    gunicorn's.
    """

    def __init__(
        self,
        uri: str,
        folder: Path,
        *,
        application: str = AS_SHIPPED,
        workers: int = 2,
        threads: int = 4,
        options: Sequence[str] = (),
        **settings: str,
    ) -> None:
        self.application = application
        self.workers = workers
        self.threads = threads
        self.options = options
        self.output = folder / "gunicorn"
        self.log = folder / "postmaster.log"
        self.environment = {
            "POSTMASTER_CONFIG": str(folder / "postmaster.toml"),
            "POSTMASTER_DATABASE_URI": uri,
            "POSTMASTER_SECRET_KEY": SECRET_KEY,
            "POSTMASTER_LOG_FILE": str(self.log),
            "MALLOC_ARENA_MAX": "2",  # as ops/serve has it
        } | {f"POSTMASTER_{name.upper()}": value for name, value in settings.items()}
        self.process: subprocess.Popen[bytes] | None = None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.listener.close()

    def start(self) -> None:
        """Start all processes, and wait until one of them answers."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gunicorn",
                    f"--bind=fd://{self.listener.fileno()}",
                    f"--workers={self.workers}",
                    f"--threads={self.threads}",
                    "--no-control-socket",
                    "--forwarded-allow-ips=",
                    "--log-level=warning",
                    "--graceful-timeout=5",
                    *self.options,
                    self.application,
                ],
                cwd=ROOT,
                env=os.environ | self.environment,
                pass_fds=[self.listener.fileno()],
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                requests.get(f"{self.url}/healthz", timeout=5)
            except requests.RequestException:
                continue
            return
        raise RuntimeError(f"The server does not start:\n{self.output.read_text()}")

    def kill(self) -> None:
        """SIGKILL every process of the server at once: nothing is finished or cleaned up."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """Stop the server in order."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    def worker_ids(self) -> set[int]:
        """The process ids of the workers: the main process's children."""
        if self.process is None:
            return set()
        main = self.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii")
        return set(map(int, children.split()))

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request over a connection of its own."""
        options = {"timeout": SECONDS_TO_ANSWER, "allow_redirects": False} | options
        return requests.request(method, f"{self.url}{path}", **options)

    def sign_in(self, username: str = "admin", password: str = PASSWORD) -> dict[str, str]:
        """The cookies of a new session."""
        form = {"username": username, "password": password}
        response = self.ask("POST", "/login", data=form)
        if response.status_code != 302:
            raise RuntimeError(f"{username} cannot sign in: {response.status_code} {response.text}")
        return dict(response.cookies)
