"""The guides' queries as Postfix's map files, and which of them which guide uses."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.mariadb import MariaDB

QUERIES = {
    "virtual-mailbox-domains": "SELECT 1 FROM virtual_domains WHERE name='%s'",
    "virtual-mailbox-maps": "SELECT 1 FROM virtual_users WHERE email='%s'",
    "virtual-alias-maps": "SELECT destination FROM virtual_aliases WHERE source='%s'",
    "virtual-email2email": "SELECT email FROM virtual_users WHERE email='%s'",
}
SIGN_IN = "SELECT email AS user, password FROM virtual_users WHERE email='%u'"

# As the guides advise, the mail server's own database user may only read.
READER = "mailreader"
PASSWORD = "reads-only"


@dataclass(frozen=True)
class Flavour:
    """What the two guides do differently."""

    alias_maps: tuple[str, ...]
    delimiter: str
    # Settings of main.cf that are not the guides', if a test needs some.
    others: Mapping[str, str] = field(default_factory=dict)


FLAVOURS = {
    "linode": Flavour(("virtual-alias-maps", "virtual-email2email"), "+"),
    "digitalocean": Flavour(("virtual-alias-maps",), ""),
}


def allow_reading(mariadb: MariaDB) -> None:
    """The mail server's database user, who reads every database of the tests."""
    with mariadb.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE USER {READER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        cursor.execute(f"GRANT SELECT ON *.* TO {READER}@'127.0.0.1'")


def path(folder: Path, name: str) -> Path:
    """Where the file of a map is."""
    return folder / f"mysql-{name}.cf"


def table(folder: Path, name: str) -> str:
    """The map as Postfix names it."""
    return f"mysql:{path(folder, name)}"


def write_file(file: Path, text: str) -> None:
    """A file for Postfix, which lets files lie for two seconds, lest they are half written."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, (0, 0))


def write(folder: Path, port: int, database: str) -> None:
    """The map files, for one database."""
    for name, query in QUERIES.items():
        write_file(
            path(folder, name),
            f"user = {READER}\n"
            f"password = {PASSWORD}\n"
            f"hosts = 127.0.0.1:{port}\n"
            f"dbname = {database}\n"
            f"query = {query}\n",
        )
