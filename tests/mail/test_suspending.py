"""Suspended users, seen by the mail server: without sign-in, or without mail too."""

import imaplib
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from postmaster.db import db
from postmaster.models import User
from postmaster.rules import aliases, suspension_acts, users
from postmaster.rules.suspensions import MARKER, Mode
from tests.mail.behaviour import bounced, recipients
from tests.mail.rows import user_id
from tests.mail.server import UNKNOWN_USER, MailServer

Do = Callable[..., Any]
ANA = "ana@example.com"


def test_without_sign_in_mail_still_arrives(linode: MailServer, do: Do) -> None:
    do(suspension_acts.suspend, user_id(ANA), mode=Mode.SIGN_IN)
    for password in ("password", MARKER, ""):
        assert not linode.can_sign_in(ANA, password)
    linode.deliver(ANA, "sales@example.com", subject="meanwhile")
    do(suspension_acts.resume, user_id(ANA))
    assert linode.inbox(ANA, "password")[-1] == "meanwhile"
    assert linode.can_sign_in(ANA, "password")


def test_without_mail_it_is_refused_and_aliases_send_it_back(linode: MailServer, do: Do) -> None:
    linode.deliver(ANA, subject="before")
    number = user_id(ANA)
    do(suspension_acts.suspend, number, mode=Mode.ALL)
    for address in (ANA, "ana+tag@example.com"):
        assert linode.rcpt(address).code == UNKNOWN_USER
    assert not linode.rcpt(f"!{ANA}").accepted
    assert bounced(linode, "sales@example.com") == ["sales@example.com"]
    for name in (ANA, f"!{ANA}"):
        assert not linode.can_sign_in(name, "password")
    do(suspension_acts.resume, number)
    linode.deliver(ANA, subject="after")
    assert linode.inbox(ANA, "password") == ["before", "after"]


def test_a_password_that_is_set_meanwhile_works_afterwards(linode: MailServer, do: Do) -> None:
    do(suspension_acts.suspend, user_id(ANA), mode=Mode.SIGN_IN)
    do(users.change, user_id(ANA), password="another password")
    assert not linode.can_sign_in(ANA, "another password")
    do(suspension_acts.resume, user_id(ANA))
    assert linode.can_sign_in(ANA, "another password")
    assert not linode.can_sign_in(ANA, "password")


def test_an_open_session_goes_on_until_the_command_ends_it(linode: MailServer, do: Do) -> None:
    session = imaplib.IMAP4("127.0.0.1", linode.dovecot.port, timeout=20)
    try:
        session.login(ANA, "password")
        do(suspension_acts.suspend, user_id(ANA), mode=Mode.SIGN_IN)
        assert session.noop()[0] == "OK"
        command = suspension_acts.ending_sessions(db.session.get_one(User, user_id(ANA)))
        doveadm = f"doveadm -c {linode.dovecot.file}"
        subprocess.run(["sh", "-c", command.replace("doveadm", doveadm, 1)], check=True)
        with pytest.raises((imaplib.IMAP4.abort, OSError)):
            for _ in range(100):
                session.noop()
    finally:
        session.shutdown()


def test_what_it_forwards_goes_on(linode: MailServer, do: Do) -> None:
    do(aliases.create, source=ANA, destination="bob@example.com", keep_copy=True)
    do(suspension_acts.suspend, user_id(ANA), mode=Mode.ALL)
    ends = linode.deliver(ANA)
    assert {(end.to, end.status) for end in ends} == {(ANA, "bounced"), ("bob@example.com", "sent")}


def test_its_catch_all_gets_its_mail_until_that_is_undone(
    linode: MailServer, do: Do, take_back: Callable[[], None]
) -> None:
    do(aliases.create, source="@example.com", destination="bob@example.com")
    do(suspension_acts.suspend, user_id(ANA), mode=Mode.ALL)
    assert recipients(linode, ANA) == ["bob@example.com"]
    take_back()
    assert recipients(linode, ANA) == [ANA]
    assert linode.can_sign_in(ANA, "password")
