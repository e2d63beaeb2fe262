"""Users: whoever is in the table receives and signs in at once, whoever is not does neither."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from postmaster.models import User
from postmaster.rules import users
from tests.cli.conftest import Commands
from tests.mail.rows import user_id
from tests.mail.server import UNKNOWN_USER, MailServer
from tests.pages.browsing import Browser

Do = Callable[..., Any]


def test_a_new_user_receives_and_signs_in_at_once(linode: MailServer, do: Do) -> None:
    assert linode.rcpt("new@example.com").code == UNKNOWN_USER
    assert not linode.can_sign_in("new@example.com", "a new password")
    do(users.create, email="New@Example.com", password="a new password")
    linode.deliver("new@example.com", subject="welcome")
    assert linode.can_sign_in("new@example.com", "a new password")
    assert linode.inbox("new@example.com", "a new password") == ["welcome"]
    linode.deliver("NEW+tag@example.com", subject="tagged")
    assert linode.inbox("new@example.com", "a new password") == ["welcome", "tagged"]


@pytest.mark.parametrize("password", ["  blanks at the ends ", 'q"$`\\%:;wörter', "x" * 511])
def test_any_password_that_is_taken_signs_in(linode: MailServer, do: Do, password: str) -> None:
    do(users.change, user_id("ana@example.com"), password=password)
    assert linode.can_sign_in("ana@example.com", password)


def test_a_new_password_works_and_the_old_one_does_not(linode: MailServer, do: Do) -> None:
    do(users.change, user_id("ana@example.com"), password="another password")
    assert linode.can_sign_in("ana@example.com", "another password")
    assert not linode.can_sign_in("ana@example.com", "password")
    assert linode.can_sign_in("bob@example.com", "password")


def test_a_password_for_several_is_everybodys(linode: MailServer, do: Do) -> None:
    names = ["ana@example.com", "bob@example.com", "dmitri@example.org"]
    do(users.change_several, [user_id(name) for name in names], password="one for all")
    assert all(linode.can_sign_in(name, "one for all") for name in names)
    assert not linode.can_sign_in("dmitri@example.org", "password")


def test_a_deleted_user_is_refused_and_comes_back_with_mail_and_password(
    linode: MailServer, do: Do, take_back: Callable[[], None]
) -> None:
    linode.deliver("ana@example.com", subject="before")
    do(users.remove, user_id("ana@example.com"))
    assert linode.rcpt("ana@example.com").code == UNKNOWN_USER
    assert not linode.can_sign_in("ana@example.com", "password")
    assert linode.rcpt("sales@example.com").code == UNKNOWN_USER  # led to ana alone
    take_back()
    linode.deliver("sales@example.com", subject="after")
    assert linode.can_sign_in("ana@example.com", "password")
    assert linode.inbox("ana@example.com", "password") == ["before", "after"]


def test_rows_that_were_made_by_hand_work_with_every_spelling(linode: MailServer, do: Do) -> None:
    """Mixed case, and the schemes of ``guide-schema.sql``."""
    for email in (
        "carla.mixed@example.com",
        "CARLA.Mixed@EXAMPLE.com",
        "dmitri@EXAMPLE.org",
        "eva@xn--bcher-kva.example",
    ):
        linode.deliver(email, subject=email)
        assert linode.can_sign_in(email, "password")
        assert linode.inbox(email, "password")[-1] == email
    do(users.change, user_id("carla.mixed@example.com"), password="carla's new one")
    assert linode.inbox("carla.mixed@example.com", "carla's new one") == [
        "carla.mixed@example.com",
        "CARLA.Mixed@EXAMPLE.com",
    ]


def test_users_are_kept_by_the_api(linode: MailServer, client: FlaskClient) -> None:
    body = {"email": "api@example.com", "password": "first password"}
    place = client.post("/api/v1/users", json=body).headers["Location"]
    linode.deliver("api@example.com", subject="by API")
    assert linode.inbox("api@example.com", "first password") == ["by API"]
    client.patch(place, json={"password": "second password"})
    assert linode.can_sign_in("api@example.com", "second password")
    client.delete(place)
    assert linode.rcpt("api@example.com").code == UNKNOWN_USER
    assert not linode.can_sign_in("api@example.com", "second password")


def test_users_are_kept_by_the_pages(linode: MailServer, client: FlaskClient) -> None:
    browser = Browser(client)
    browser.open("/users")
    browser.submit("add", email="page@example.com", password="granite-harbour")
    number = browser.id_of(User, email="page@example.com")
    linode.deliver("page@example.com", subject="by page")
    assert linode.inbox("page@example.com", "granite-harbour") == ["by page"]
    browser.open(f"/users/{number}")
    browser.submit(f"/users/{number}/password", password="violin-harbour")
    assert linode.can_sign_in("page@example.com", "violin-harbour")
    browser.undo()
    assert linode.can_sign_in("page@example.com", "granite-harbour")
    browser.open(f"/users/{number}/delete")
    browser.submit(f"/users/{number}/delete")
    assert linode.rcpt("page@example.com").code == UNKNOWN_USER
    browser.undo()
    assert linode.inbox("page@example.com", "granite-harbour") == ["by page"]


def test_users_are_kept_by_the_commands(linode: MailServer, app: Flask) -> None:
    manage = Commands(app)
    manage("user", "add", "command@example.com", given="first password\n")
    linode.deliver("command@example.com", subject="by command")
    assert linode.inbox("command@example.com", "first password") == ["by command"]
    manage("user", "change", "command@example.com", given="second password\n")
    assert linode.can_sign_in("command@example.com", "second password")
    manage("user", "delete", "command@example.com", "--yes")
    assert linode.rcpt("command@example.com").code == UNKNOWN_USER
