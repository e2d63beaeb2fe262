"""A real PostfixAdmin, of Debian's package, that fills a database by its own command.

``ops/test`` unpacks the package; nothing of it is installed, and no web server runs.
"""

import shutil
import subprocess
from pathlib import Path

from tests.mariadb import PASSWORD, MariaDB, program

UNPACKED = Path(__file__).parent / ".postfixadmin"


class PostfixAdmin:
    """PostfixAdmin on a database of the tests' MariaDB."""

    def __init__(self, mariadb: MariaDB, database: str, folder: Path, encrypt: str) -> None:
        self._mariadb = mariadb
        self._database = database
        self._program = folder / "postfixadmin"
        shutil.copytree(
            UNPACKED / "usr/share/postfixadmin",
            self._program,
            ignore=shutil.ignore_patterns("config.*.php", "templates_c"),
        )
        configuration = UNPACKED / "etc/postfixadmin/config.inc.php"
        shutil.copy(configuration, self._program / "config.inc.php")
        access = {
            "dbtype": "mysqli",
            "dbserver": "localhost",
            "dbuser": "root",
            "dbpass": PASSWORD,
            "dbname": database,
        }
        self._write("dbconfig.inc.php", {f"${name}": value for name, value in access.items()})
        own = {
            "database_socket": mariadb.socket,
            "encrypt": encrypt,
            "emailcheck_resolve_domain": "NO",
        }
        self._write("config.local.php", {f"$CONF['{name}']": value for name, value in own.items()})
        self._php("public/upgrade.php")

    def _write(self, name: str, values: dict[str, str]) -> None:
        lines = [f"{variable} = '{value}';" for variable, value in values.items()]
        (self._program / name).write_text("\n".join(["<?php", *lines, ""]), encoding="utf-8")

    def _php(self, script: str, *arguments: str) -> str:
        done = subprocess.run(
            [program("php"), "-q", self._program / script, *arguments],
            cwd=self._program,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0 or done.stderr:
            raise RuntimeError(f"{script} {arguments}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def add(self, noun: str, name: str, /, **fields: str) -> None:
        """Add a domain, a mailbox or an alias."""
        options = [part for key, value in fields.items() for part in (f"--{key}", value)]
        self._php("scripts/postfixadmin-cli.php", noun, "add", name, *options)

    def dump(self, table: str, folder: Path) -> Path:
        """A table as ``mariadb --batch`` writes it."""
        written = folder / f"{table}.csv"
        command = [
            program("mariadb"),
            "--no-defaults",
            "--batch",
            f"--socket={self._mariadb.socket}",
            "--user=root",
            f"--password={PASSWORD}",
            "--execute",
            f"SELECT * FROM {table}",
            self._database,
        ]
        with written.open("wb") as output:
            subprocess.run(command, check=True, stdout=output)
        return written
