"""PostMaster as docs/installation.md installs it, in a tree beside a mail server's database."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import GUIDE_SCHEMA
from tests.install import guide
from tests.install.tree import Tree
from tests.mariadb import MariaDB

PAGE = "installation.md"
ROOT = Path(__file__).parent.parent.parent
URL = "http://127.0.0.1:8082"
DATABASE = "servermail"
# The port of the page's URI, which is free in the tree.
PORT = 3306
PASSWORD = "pw-of-the-guide"
REPOSITORY = "/srv/postmaster"
CONFIGURATION = "/opt/postmaster/git/postmaster.toml"
SITE = "/etc/apache2/sites-available/postmaster.conf"
# Steps that fetch what is installed; all others go without the world.
FETCHING = ("2. Packages", "3. PostMaster and its Python packages")
INSTALLING = (
    *FETCHING,
    "4. The database",
    "5. Owner and modes",
    "6. Apache",
)


@contextmanager
def mail_database(tree: Tree) -> Iterator[MariaDB]:
    """The database server of the tree, with the guides' tables and rows."""
    with tree.network(), MariaDB(PORT, hasty=True) as mariadb:
        with mariadb.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {DATABASE}")
        mariadb.run(DATABASE, GUIDE_SCHEMA)
        yield mariadb


def system(tree: Tree) -> str:
    """What the page calls the tree's system: debian-12, ubuntu-24.04, ..."""
    return tree.run('. /etc/os-release; echo "$ID-$VERSION_ID"').strip()


def filled_in(text: str) -> str:
    """A block with what the operator puts in the place of the page's words."""
    return text.replace("PASSWORD", PASSWORD)


def follow(tree: Tree, mariadb: MariaDB) -> None:
    """Do what the page says, from the database user to Apache."""
    for statement in statements("1. A database user"):
        mariadb.run("mysql", statement)
    for heading in INSTALLING:
        commands(tree, heading, online=heading in FETCHING)
        if heading == FETCHING[0]:  # which brings git
            put_repository(tree)


def commands(tree: Tree, heading: str, label: str = "", *, online: bool = False) -> None:
    """Run the commands below a heading of the page, those for the tree's system or a purpose."""
    for block in guide.under(PAGE, heading, "sh", label or system(tree)):
        tree.run(f"REPOSITORY={REPOSITORY}\n{filled_in(block)}", online=online)


def statements(heading: str, label: str = "") -> list[str]:
    """The SQL below a heading of the page."""
    return [filled_in(block) for block in guide.under(PAGE, heading, "sql", label)]


def put_repository(tree: Tree) -> None:
    """A repository in the tree with the files of this working copy, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            target = tree.root / REPOSITORY.lstrip("/") / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    tree.run(
        f"cd {REPOSITORY}; git init --quiet; git add --all;"
        " git -c user.name=Test -c user.email=test@localhost commit --quiet --message=all"
    )
