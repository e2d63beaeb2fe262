"""The Debian package: installed, upgraded, upgraded in vain, removed and purged, for real."""

from pathlib import Path

import pytest
import requests

from postmaster.version import VERSION
from tests.install import packages
from tests.install.installation import DATABASE, PASSWORD, mail_database, statements
from tests.install.packages import Packages
from tests.install.panel import DEFAULT_PASSWORD, NEW_PASSWORD, Panel, signed_in
from tests.install.tree import Tree
from tests.mariadb import MariaDB

URI = f"mysql://postmasteruser:{PASSWORD}@127.0.0.1:3306/{DATABASE}"
MAIL_TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")
DEPENDENCIES = "apache2 libapache2-mod-wsgi-py3 python3-venv"
TOOLS = "apt-utils gpg gpg-agent"  # of whoever makes a repository
SOURCES = "/etc/apt/sources.list.d/postmaster.list"
# Only our own repository: the tree has no way to the others.
OURS = (
    f"-o Dir::Etc::SourceList={SOURCES} -o Dir::Etc::SourceParts=- -o APT::Update::Error-Mode=any"
)


def test_from_the_installation_to_the_purge(tree: Tree, tmp_path: Path) -> None:
    """One test, since each step needs what those before it have made."""
    tree.run(f"apt-get update -qq; apt-get install -y -qq {DEPENDENCIES} {TOOLS}", online=True)
    python = tree.run("python3 -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'").strip()
    built = packages.build(python, tmp_path)
    # From here on nothing is fetched, and packages start and stop Apache as they do anywhere.
    tree.policy("exit 0")
    with mail_database(tree) as mariadb:
        check_installation(tree, mariadb, built)
        mail = mariadb.dump(DATABASE, *MAIL_TABLES)
        for check in (
            check_upgrade,
            check_an_upgrade_that_fails,
            check_removal_and_return,
            check_purge,
        ):
            check(tree, mariadb, built)
            assert mariadb.dump(DATABASE, *MAIL_TABLES) == mail, check.__name__


def install(tree: Tree, package: Path) -> str:
    """What apt says while it installs a package file."""
    return tree.run(f"apt-get install -y {packages.put(tree, package)}")


def revision(mariadb: MariaDB) -> str:
    ((found,),) = mariadb.rows(DATABASE, "SELECT version_num FROM alembic_version")
    return str(found)


def own_tables(mariadb: MariaDB) -> str:
    names = [name for (name,) in mariadb.rows(DATABASE, "SHOW TABLES")]
    return mariadb.dump(DATABASE, *(name for name in names if name not in MAIL_TABLES))


def check_installation(tree: Tree, mariadb: MariaDB, built: Packages) -> None:
    """The package says what is to be done next; after that one signs in on 8082."""
    rows = mariadb.dump(DATABASE, "--no-create-info", *MAIL_TABLES)
    for statement in statements("1. A database user"):
        mariadb.run("mysql", statement)
    tree.run("mkdir -p /opt/postmaster/git")
    refused = tree.attempt(f"apt-get install -y {packages.put(tree, built.before)}")
    assert "/opt/postmaster/git was installed by hand" in refused.stdout
    said = tree.run("rmdir /opt/postmaster/git; dpkg --configure postmaster")
    assert "postmaster setdburi" in said
    Panel().wait()
    form = {"username": "admin", "password": DEFAULT_PASSWORD}
    assert Panel().ask("POST", "/login", data=form).status_code == 503, "there is no database yet"
    tree.run(f"postmaster setdburi '{URI}'; postmaster existingdb; service apache2 reload")
    assert tree.run("postmaster version") == "2.0.0\n"
    Panel().wait().sign_in()
    tree.run("postmaster resetadminpassword admin", text=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n")
    assert mariadb.dump(DATABASE, "--no-create-info", *MAIL_TABLES) == rows
    modes = tree.run("stat -L -c '%U:%G %a' /opt/postmaster/git /etc/postmaster/postmaster.toml")
    assert modes.splitlines() == ["root:www-data 550", "root:www-data 640"]


def check_upgrade(tree: Tree, mariadb: MariaDB, built: Packages) -> None:
    """From a signed repository; the own tables are dumped first, and brought up to date."""
    before, tables = revision(mariadb), own_tables(mariadb)
    use_repository(tree, built.now)
    said = tree.run(f"apt-get install -y {OURS} postmaster")
    assert "Bringing the database up to date" in said
    assert tree.run("postmaster version") == f"{VERSION}\n"
    assert (revision(mariadb) != before) == built.is_older
    (dump,) = tree.run("ls /var/backups/postmaster").split()
    assert tree.run(f"stat -c %a /var/backups/postmaster/{dump}") == "600\n"
    assert before in tree.run(f"cat /var/backups/postmaster/{dump}")
    assert "postmaster_admins" in tables
    assert signed_in().ask("GET", "/users").status_code == 200


def use_repository(tree: Tree, package: Path) -> None:
    """A repository of one package, signed by a new key; a changed one is refused."""
    tree.write("/srv/build-repository", packages.REPOSITORY.read_text(encoding="utf-8"), 0o755)
    tree.run(
        "export GNUPGHOME=/srv/gnupg; mkdir -m 700 $GNUPGHOME;"
        " gpg --batch --quiet --passphrase '' --quick-generate-key test@localhost default default;"
        f" /srv/build-repository /srv/repository test@localhost {packages.put(tree, package)};"
        " gpgconf --kill all; mkdir -p /etc/apt/keyrings;"
        " cp /srv/repository/postmaster.gpg /etc/apt/keyrings/"
    )
    signed = "[signed-by=/etc/apt/keyrings/postmaster.gpg]"
    tree.write(SOURCES, f"deb {signed} file:/srv/repository ./\n")
    tree.run(
        "cp /srv/repository/InRelease /srv/kept; sed -i 's/^Origin: .*/Origin: Evil/'"
        " /srv/repository/InRelease"
    )
    refused = tree.attempt(f"apt-get update {OURS}")
    assert refused.returncode != 0
    assert "signature" in refused.stdout.lower()
    tree.run(f"cp /srv/kept /srv/repository/InRelease; apt-get update {OURS}")


def check_an_upgrade_that_fails(tree: Tree, mariadb: MariaDB, built: Packages) -> None:
    """The version before goes on serving, on the database as it was."""
    tables = own_tables(mariadb)
    broken = packages.repack(built.now, f"{VERSION}+broken", revision(mariadb))
    failed = tree.attempt(f"apt-get install -y {packages.put(tree, broken)}")
    assert failed.returncode != 0
    assert "The version before goes on serving" in failed.stdout
    assert own_tables(mariadb) == tables
    assert tree.run("postmaster version") == f"{VERSION}\n"
    tree.run("service apache2 restart")
    signed_in()
    assert tree.run("ls /opt/postmaster/releases").split() == ["2.0.0", VERSION]


def check_removal_and_return(tree: Tree, mariadb: MariaDB, built: Packages) -> None:
    """The configuration, the log and the tables stay, and are used again."""
    tables = own_tables(mariadb)
    tree.run("apt-get remove -y postmaster")
    with pytest.raises(requests.ConnectionError):
        Panel().ask("GET", "/login")
    kept = tree.run("ls -d /opt/postmaster/* /etc/postmaster/*")
    assert kept.split() == ["/etc/postmaster/postmaster.toml", "/opt/postmaster/logs"]
    assert own_tables(mariadb) == tables
    mended = packages.repack(built.now, f"{VERSION}+mended")
    install(tree, mended)
    assert tree.run("postmaster version") == f"{VERSION}+mended\n"
    signed_in()


def check_purge(tree: Tree, mariadb: MariaDB, built: Packages) -> None:
    """Nothing of PostMaster's is left but its tables, which are in the mail server's database."""
    tables = own_tables(mariadb)
    tree.run("apt-get purge -y postmaster")
    left = tree.attempt(
        "ls -d /opt/postmaster /etc/postmaster /var/backups/postmaster /usr/lib/postmaster"
        " /etc/apache2/sites-*/postmaster.conf /etc/logrotate.d/postmaster /usr/bin/postmaster"
        " 2>/dev/null"
    )
    assert left.stdout == ""
    assert own_tables(mariadb) == tables
