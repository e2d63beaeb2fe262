"""Mailboxes that a real PostfixAdmin made receive mail and sign in here, by their passwords."""

from pathlib import Path

import pytest
from flask import Flask

from postmaster.db import db
from tests.cli.conftest import Commands
from tests.conftest import set_setting, sign_in
from tests.mail.postfixadmin import PostfixAdmin
from tests.mail.server import MailServer
from tests.mariadb import MariaDB

PASSWORD = "correct horse 42"
TABLES = ("domain", "mailbox", "alias", "alias_domain")


def filled(admin: PostfixAdmin) -> None:
    """Two domains in use, one that is not, and what PostfixAdmin makes along with each."""
    admin.add("domain", "old.example", description="The old server's")
    admin.add("domain", "new.example")
    admin.add("domain", "gone.example", active="0")
    for name, active in (("ana", "1"), ("bob", "1"), ("left", "0")):
        admin.add(
            *("mailbox", f"{name}@old.example"),
            password=PASSWORD,
            password2=PASSWORD,
            name=name.title(),
            active=active,
            welcome_mail="0",
        )
    admin.add("alias", "team@old.example", goto="ana@old.example,bob@old.example")
    admin.add("alias", "@old.example", goto="bob@old.example")
    admin.add("aliasdomain", "new.example", target_domain="old.example")


@pytest.mark.parametrize("encrypt", ["md5crypt", "php_crypt:SHA512::{SHA512-CRYPT}"])
def test_what_postfixadmin_made_works_here(
    app: Flask, mariadb: MariaDB, mail_server: MailServer, tmp_path: Path, encrypt: str
) -> None:
    database = f"postfixadmin{len(encrypt)}"
    mariadb.create_database(database)
    admin = PostfixAdmin(mariadb, database, tmp_path, encrypt)
    filled(admin)
    files = [str(admin.dump(table, tmp_path)) for table in TABLES]
    set_setting(sign_in(app), "Allow External Alias Destinations", "True")
    output = Commands(app)("import", *files, "--yes")
    assert "error: 0" in output
    assert "conflict: 0" in output

    with app.app_context():
        mail_server.use(str(db.engine.url.database), "digitalocean")
    mail_server.forget()
    assert mail_server.can_sign_in("ana@old.example", PASSWORD)
    assert not mail_server.can_sign_in("ana@old.example", "another password")
    assert not mail_server.can_sign_in("left@old.example", PASSWORD)
    mail_server.deliver("ana@old.example", subject="to ana")
    mail_server.deliver("team@old.example", subject="to both")
    mail_server.deliver("unknown@old.example", subject="caught")
    mail_server.deliver("ana@new.example", subject="by the new name")
    assert mail_server.inbox("ana@old.example", PASSWORD) == [
        "to ana",
        "to both",
        "by the new name",
    ]
    assert mail_server.inbox("bob@old.example", PASSWORD) == ["to both", "caught"]
    assert mail_server.rcpt("ana@gone.example").code != 250
