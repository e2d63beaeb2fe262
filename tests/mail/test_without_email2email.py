"""The guide without the email2email map: there a catch-all takes the mailboxes' mail too."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from postmaster.rules import aliases, users
from tests.mail.behaviour import recipients
from tests.mail.server import UNKNOWN_USER, MailServer
from tests.pages.browsing import Browser

Do = Callable[..., Any]
MAILBOXES = ("ana@example.com", "bob@example.com", "carla.mixed@example.com")


def test_a_catch_all_takes_the_mailboxes_mail_unless_it_is_told_not_to(
    digitalocean: MailServer, do: Do
) -> None:
    catch_all = {"source": "@example.com", "destination": "dmitri@example.org"}
    made = do(aliases.create, **catch_all)
    for email in MAILBOXES:
        assert recipients(digitalocean, email) == ["dmitri@example.org"]
    do(aliases.remove, made.id)
    do(aliases.create, **catch_all, keep_mailboxes=True)
    for email in MAILBOXES:
        (end,) = digitalocean.deliver(email)
        assert (end.to.lower(), end.status) == (email, "sent")
        assert len(digitalocean.inbox(email, "password")) == 1
    assert recipients(digitalocean, "nobody@example.com") == ["dmitri@example.org"]
    assert recipients(digitalocean, "sales@example.com") == ["ana@example.com"]


def test_what_the_page_offers_leaves_the_mailboxes_their_mail(
    digitalocean: MailServer, client: FlaskClient
) -> None:
    browser = Browser(client)
    browser.open("/aliases")
    browser.submit("add", source="@example.com", destination="dmitri@example.org")
    for email in MAILBOXES:
        assert [end.to.lower() for end in digitalocean.deliver(email)] == [email]
    browser.undo()
    assert digitalocean.rcpt("nobody@example.com").code == UNKNOWN_USER
    assert recipients(digitalocean, "ana@example.com") == ["ana@example.com"]


def test_forwarding_with_a_copy_reaches_both(digitalocean: MailServer, do: Do) -> None:
    do(
        aliases.create,
        source="ana@example.com",
        destination="bob@example.com",
        keep_copy=True,
    )
    assert recipients(digitalocean, "ana@example.com") == ["ana@example.com", "bob@example.com"]


def test_users_need_no_map_to_receive(digitalocean: MailServer, do: Do) -> None:
    do(users.create, email="new@example.com", password="a new password")
    digitalocean.deliver("new@example.com", subject="welcome")
    assert digitalocean.inbox("new@example.com", "a new password") == ["welcome"]
    assert digitalocean.rcpt("new+tag@example.com").code == UNKNOWN_USER  # has no delimiter either
