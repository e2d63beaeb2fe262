"""docs/installation.md, done as it stands there, ends in a panel on 8082 and in real mail."""

import pytest
import requests

from tests.install import apache
from tests.install.installation import (
    CONFIGURATION,
    DATABASE,
    URL,
    commands,
    follow,
    mail_database,
    statements,
)
from tests.install.load import check_disturbed
from tests.install.panel import DEFAULT_PASSWORD, NEW_PASSWORD, Panel, signed_in
from tests.install.tree import Tree
from tests.mail.server import MailServer
from tests.mariadb import MariaDB

MAIL_TABLES = ("virtual_domains", "virtual_users", "virtual_aliases")
# Two indexes on the aliases come to the tables themselves, and go again.
ROWS = ("--no-create-info", *MAIL_TABLES)
LOGS = "/opt/postmaster/logs"
APACHES = "/var/log/apache2"  # and /run
# Longer than what is kept in memory by habit (500 kB).
LARGE_IMPORT = "kind,address,password\n" + "".join(
    f"user,user{n}@empty.example,a password that is good {n:>30}\n" for n in range(9000)
)


def test_the_guide_ends_in_a_panel_and_real_mail(tree: Tree) -> None:
    """One test, since each step needs what those before it have made."""
    with mail_database(tree) as mariadb:
        mail = mariadb.dump(DATABASE, *ROWS)
        follow(tree, mariadb)
        assert mariadb.dump(DATABASE, *ROWS) == mail
        check_owners_and_modes(tree)
        check_the_first_sign_in(tree)
        check_a_user_gets_mail(mariadb)
        check_that_only_logs_are_written(tree)
        check_restarts_under_load(tree, mariadb)
        apache.check_static_files(tree)
        apache.check_https(tree)
        apache.check_a_path(tree)
        apache.check_a_proxy(tree)
        check_removal(tree, mariadb)


def check_owners_and_modes(tree: Tree) -> None:
    """As the page's table has them; www-data can change none of it."""
    found = tree.run(
        "cd /opt/postmaster; stat -c '%n %U %G %a' . git git/postmaster git/ops/serve"
        f" git/manage.py env/bin git/postmaster/db.py {CONFIGURATION}"
        " logs logs/postmaster.log logs/apache"
    )
    assert found.splitlines() == [
        ". root www-data 550",
        "git root www-data 550",
        "git/postmaster root www-data 550",
        "git/ops/serve root www-data 550",
        "git/manage.py root www-data 550",
        "env/bin root www-data 550",
        "git/postmaster/db.py root www-data 440",
        f"{CONFIGURATION} root www-data 440",
        "logs root www-data 1770",
        "logs/postmaster.log www-data www-data 640",
        "logs/apache root adm 750",
    ]
    assert tree.attempt(f"echo >> {CONFIGURATION}", user="www-data").returncode != 0
    link = f"mv {LOGS}/apache {LOGS}/moved"
    assert tree.attempt(link, user="www-data").returncode != 0
    assert tree.attempt(f"cat {CONFIGURATION}", user="nobody").returncode != 0


def check_the_first_sign_in(tree: Tree) -> None:
    """On 8082, served by www-data; the password is changed by the page's command."""
    panel = Panel()
    panel.sign_in()
    assert "PostMaster" in panel.ask("GET", "/").text
    serving = tree.run("ps -eo user:20,args").splitlines()
    daemons = [line.split()[0] for line in serving if "(wsgi:postmaster)" in line]
    assert daemons == ["www-data"] * 2
    tree.run(
        "/opt/postmaster/env/bin/python /opt/postmaster/git/manage.py resetadminpassword admin",
        text=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n",
    )
    assert panel.ask("GET", "/").status_code == 302, "the old session goes on"
    form = {"username": "admin", "password": DEFAULT_PASSWORD}
    assert Panel().ask("POST", "/login", data=form).status_code == 200


def check_a_user_gets_mail(mariadb: MariaDB) -> None:
    """A real Postfix and Dovecot on the same database know a new user at once."""
    signed_in().create("users", email="new@example.com", password="a good password")
    with MailServer(mariadb) as mail_server:
        mail_server.use(DATABASE)
        (delivery,) = mail_server.deliver("new@example.com", subject="welcome")
        assert delivery.status == "sent"
        assert mail_server.inbox("new@example.com", "a good password") == ["welcome"]


def check_that_only_logs_are_written(tree: Tree) -> None:
    """All works while every other place is read-only, but for two that are Apache's own."""
    panel = signed_in()
    tree.run(
        f"service apache2 stop; mount --bind {LOGS} {LOGS}; mount -t tmpfs tmpfs {APACHES};"
        " mount -o remount,bind,ro /; mount -o remount,ro /tmp; apache2ctl start"
    )
    try:
        assert tree.attempt("touch /var/tmp/anything").returncode != 0
        panel.create("domains", name="while-read-only.example")
        for path in ("/", "/users", "/aliases", "/history", "/logs", "/checkup", "/configs"):
            assert panel.ask("GET", path).status_code == 200, path
        uploaded = panel.ask(
            "POST",
            "/import",
            data={"csrf_token": panel.token("/import")},
            files={"files": ("users.csv", LARGE_IMPORT)},
        )
        assert uploaded.status_code == 303, uploaded.text
        panel.turn_on("Mail Database Auditing")
        panel.create("domains", name="in-the-log.example")
        assert "in-the-log.example" in tree.run(f"cat {LOGS}/postmaster.log")
    finally:
        tree.run(
            "service apache2 stop; mount -o remount,bind,rw /; mount -o remount,rw /tmp;"
            f" umount {LOGS} {APACHES}; service apache2 start"
        )


def check_restarts_under_load(tree: Tree, mariadb: MariaDB) -> None:
    """Apache restarted, reloaded and killed under fifty clients loses nothing that it confirmed."""
    check_disturbed(
        signed_in(),
        [
            lambda: tree.run("service apache2 restart"),
            lambda: tree.run("service apache2 reload"),
            lambda: tree.run("pkill -KILL -x apache2; service apache2 start"),
        ],
        mariadb,
        DATABASE,
    )


def check_removal(tree: Tree, mariadb: MariaDB) -> None:
    """What the page removes is gone; of the mail tables nothing is."""
    rows = mariadb.dump(DATABASE, *ROWS)
    commands(tree, "Removing PostMaster", "remove")
    for statement in statements("Removing PostMaster", "remove"):
        mariadb.run("mysql", statement)
    assert mariadb.dump(DATABASE, *ROWS) == rows
    assert mariadb.rows(DATABASE, "SHOW TABLES") == [(name,) for name in sorted(MAIL_TABLES)]
    with pytest.raises(requests.ConnectionError):
        Panel(URL).ask("GET", "/login")
    assert tree.attempt("ls /opt/postmaster").returncode != 0
