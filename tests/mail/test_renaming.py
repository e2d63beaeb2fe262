"""Renamed users, seen by the mail server: the new address is served, the old one as was chosen."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from postmaster.db import db
from postmaster.rules import aliases, settings, user_moves
from tests.mail.behaviour import recipients
from tests.mail.rows import user_id
from tests.mail.server import UNKNOWN_USER, MailServer
from tests.rules.conftest import alter_setting

Do = Callable[..., Any]
OLD, NEW = "ana@example.com", "anna@example.org"


def test_the_new_address_receives_and_signs_in_with_the_password(
    linode: MailServer, do: Do
) -> None:
    do(user_moves.rename, user_id(OLD), email=NEW)
    assert linode.rcpt(OLD).code == UNKNOWN_USER
    assert not linode.can_sign_in(OLD, "password")
    linode.deliver(NEW, "sales@example.com", subject="moved")
    assert linode.can_sign_in(NEW, "password")
    assert linode.inbox(NEW, "password")[0] == "moved"
    assert NEW in recipients(linode, "chain@example.com")


def test_the_old_address_leads_to_the_new_one_if_asked(linode: MailServer, do: Do) -> None:
    do(user_moves.rename, user_id(OLD), email=NEW, keep_alias=True)
    assert recipients(linode, OLD) == [NEW]
    assert not linode.can_sign_in(OLD, "password")


def test_forwarding_goes_along(linode: MailServer, do: Do) -> None:
    do(aliases.create, source=OLD, destination="bob@example.com", keep_copy=True)
    do(user_moves.rename, user_id(OLD), email=NEW)
    assert recipients(linode, NEW) == [NEW, "bob@example.com"]


@pytest.mark.parametrize("to", ["anna@example.com", NEW, "anna@mail.example.com"])
def test_the_commands_bring_the_old_mail_along(linode: MailServer, do: Do, to: str) -> None:
    alter_setting(settings.MAIL_FOLDER, f"{linode.dovecot.mail}/%d/%n")
    linode.deliver(OLD, subject="before")
    do(user_moves.rename, user_id(OLD), email=to)
    moved = user_moves.folders(db.session(), OLD, to)
    for command in moved.commands:
        subprocess.run(["sh", "-c", command], check=True)
    linode.deliver(to, subject="after")
    assert linode.inbox(to, "password") == ["before", "after"]


def test_where_mail_was_faster_the_old_is_taken_over(linode: MailServer, do: Do) -> None:
    alter_setting(settings.MAIL_FOLDER, f"{linode.dovecot.mail}/%d/%n")
    linode.deliver(OLD, subject="before")
    do(user_moves.rename, user_id(OLD), email="zoe@example.com")
    linode.deliver("zoe@example.com", subject="faster")
    moved = user_moves.folders(db.session(), OLD, "zoe@example.com")
    refused = subprocess.run(["sh", "-c", moved.commands[-1]], capture_output=True, check=False)
    assert refused.returncode != 0, "the new folder is not overwritten"
    doveadm = f"doveadm -c {linode.dovecot.file}"
    importing = moved.importing.replace("doveadm", doveadm, 1)
    subprocess.run(["sh", "-c", importing], check=True)
    assert sorted(linode.inbox("zoe@example.com", "password")) == ["before", "faster"]
