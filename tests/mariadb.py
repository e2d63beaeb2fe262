"""A throw-away MariaDB: its own folder, its own free port, gone after the tests."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql
from pymysql.cursors import Cursor

SECONDS_TO_START = 60
PASSWORD = "root-of-the-tests"
# Several run at once on a small machine; the kernel's asynchronous I/O is limited there.
MODEST = (
    "--innodb-use-native-aio=0",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
    # What is committed outlives the server, if not the machine.
    "--innodb-flush-log-at-trx-commit=2",
)
# Nothing waits for the disk, and no page is written twice. For a server that is only ever
# stopped in order, and whose rows no other machine and no later day has to find.
HASTY = ("--innodb-flush-method=nosync", "--debug-no-sync", "--innodb-doublewrite=0")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """The path of a server's program; ops/test installs those that are missing."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        raise RuntimeError(f"{name} is not installed: start the tests with ops/test")
    return found


class MariaDB:
    """The server, from start to stop; it can be stopped and started between."""

    def __init__(
        self, port: int | None = None, *, hasty: bool = False, options: Sequence[str] = MODEST
    ) -> None:
        """``hasty``: no test kills it, or asks what of it is on the disk."""
        self.folder = Path(tempfile.mkdtemp(prefix="postmaster-mariadb-"))
        # Of its own: a server that starts removes all temporary tables that it finds there,
        # also those of another that is just being made.
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir(mode=0o700)
        self.log = self.folder / "log.err"  # the server would put .err to a name without it
        self.port = free_port() if port is None else port
        self.options = (*options, *(HASTY if hasty else ()))
        self.process: subprocess.Popen[bytes] | None = None
        self.account = ["--user=root"] if os.geteuid() == 0 else []

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _make(self) -> None:
        self.install()
        self.start()
        self.set_password()

    def install(self) -> None:
        """Make the server's own tables, in its folder."""
        made = subprocess.run(
            [
                program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self.folder / 'data'}",
                f"--tmpdir={self.temporary}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *self.options,
                *self.account,
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode != 0:
            raise RuntimeError(f"No database can be made:\n{made.stdout}{made.stderr}")

    def set_password(self) -> None:
        """Give the root of a server that is new its password."""
        with self.cursor(password="") as cursor:
            cursor.execute(f"ALTER USER root@localhost IDENTIFIED BY '{PASSWORD}'")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def socket(self) -> str:
        return str(self.folder / "socket")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.wait_until_it_listens()

    def command(self) -> list[str]:
        """The server's program and its options."""
        return [
            program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--tmpdir={self.temporary}",
            f"--socket={self.socket}",
            f"--port={self.port}",
            f"--log-error={self.log}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            *self.options,
            *self.account,
        ]

    def wait_until_it_listens(self) -> None:
        """Until the process that was just started takes connections."""
        assert self.process is not None
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(self.socket) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"MariaDB does not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        """Stop the server in order."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(SECONDS_TO_START)
            self.process = None

    @contextmanager
    def cursor(self, database: str | None = None, password: str = PASSWORD) -> Iterator[Cursor]:
        """A cursor of the server's root, for what an operator would type."""
        connection = pymysql.connect(
            unix_socket=self.socket,
            user="root",
            password=password,
            database=database,
            autocommit=True,
            charset="utf8mb4",
            client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
        )
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def rows(self, database: str, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """What a query of another program finds, such as Postfix's."""
        with self.cursor(database) as cursor:
            cursor.execute(query, arguments or None)
            return list(cursor.fetchall())

    def run(self, database: str, script: str) -> None:
        """Several statements, as an operator would load a file."""
        with self.cursor(database) as cursor:
            cursor.execute(script)
            while cursor.nextset():
                pass

    def dump(self, database: str, *tables: str) -> str:
        """What mariadb-dump writes of some tables: their form and every row, without a date."""
        return subprocess.run(
            [
                program("mariadb-dump"),
                "--no-defaults",
                f"--socket={self.socket}",
                "--user=root",
                f"--password={PASSWORD}",
                "--skip-dump-date",
                "--skip-extended-insert",
                database,
                *tables,
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def create_database(self, name: str, grants: str = "ALL") -> str:
        """An empty database with a user of the same name; the URI of both."""
        with self.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}")
            cursor.execute(f"CREATE OR REPLACE USER {name}@'127.0.0.1' IDENTIFIED BY 'pw-{name}'")
            cursor.execute(f"GRANT {grants} ON {name}.* TO {name}@'127.0.0.1'")
        return f"mysql://{name}:pw-{name}@127.0.0.1:{self.port}/{name}"
