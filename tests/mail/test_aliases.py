"""Aliases: mail reaches each destination, within and outside, and nobody else."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from postmaster.rules import aliases, users
from postmaster.rules.aliases import Orphans
from tests.mail.behaviour import bounced, recipients
from tests.mail.rows import alias_id, user_id
from tests.mail.server import UNKNOWN_USER, MailServer
from tests.pages.browsing import Browser

Do = Callable[..., Any]


def test_an_alias_delivers_to_each_destination_within_and_outside(
    linode: MailServer, do: Do
) -> None:
    assert linode.rcpt("press@example.com").code == UNKNOWN_USER
    for destination in ("ana@example.com", "dmitri@example.org", "agency@elsewhere.example"):
        do(aliases.create, source="press@example.com", destination=destination)
    linode.deliver("press@example.com", subject="news")
    for email in ("ana@example.com", "dmitri@example.org"):
        assert linode.inbox(email, "password") == ["news"]
    (outside,) = linode.sink.received()
    assert outside.addresses == ["agency@elsewhere.example"]
    assert outside.recipients[0].original == "press@example.com"
    assert outside.subject == "news"
    assert linode.inbox("bob@example.com", "password") == []


def test_an_alias_of_an_alias_reaches_everybody_once(linode: MailServer, do: Do) -> None:
    do(aliases.create, source="all@example.com", destination="chain@example.com")
    do(aliases.create, source="all@example.com", destination="sales@example.com")
    assert recipients(linode, "all@example.com") == [
        "ana@example.com",
        "bob@example.com",
        "someone@elsewhere.example",
    ]


def test_a_destination_that_is_taken_away_gets_no_more(linode: MailServer, do: Do) -> None:
    do(aliases.remove, alias_id("team@example.com", "bob@example.com"))
    assert recipients(linode, "team@example.com") == [
        "ana@example.com",
        "someone@elsewhere.example",
    ]
    do(aliases.remove, alias_id("sales@example.com", "ana@example.com"))
    assert linode.rcpt("sales@example.com").code == UNKNOWN_USER


def test_a_changed_destination_gets_the_mail(linode: MailServer, do: Do) -> None:
    changed = alias_id("sales@example.com", "ana@example.com")
    do(aliases.change, changed, destination="bob@example.com")
    assert recipients(linode, "sales@example.com") == ["bob@example.com"]
    do(aliases.change, changed, source="shop@example.org")
    assert recipients(linode, "shop@example.org") == ["bob@example.com"]
    assert linode.rcpt("sales@example.com").code == UNKNOWN_USER


def test_a_renamed_alias_takes_all_its_destinations_along(linode: MailServer, do: Do) -> None:
    before = recipients(linode, "team@example.com")
    renamed = alias_id("team@example.com", "ana@example.com")
    do(aliases.rename, renamed, source="crew@example.com")
    assert recipients(linode, "crew@example.com") == before
    assert linode.rcpt("team@example.com").code == UNKNOWN_USER


def test_aliases_that_are_led_elsewhere_arrive_there(linode: MailServer, do: Do) -> None:
    rows = [
        alias_id("team@example.com", "ana@example.com"),
        alias_id("sales@example.com", "ana@example.com"),
    ]
    do(aliases.repoint, rows, replaced="ana@example.com", destination="dmitri@example.org")
    assert recipients(linode, "sales@example.com") == ["dmitri@example.org"]
    assert recipients(linode, "team@example.com") == [
        "bob@example.com",
        "dmitri@example.org",
        "someone@elsewhere.example",
    ]


def test_what_pointed_nowhere_is_sent_back_and_then_refused(linode: MailServer, do: Do) -> None:
    assert bounced(linode, "old@example.com") == ["old@example.com"]
    do(aliases.remove, alias_id("old@example.com", "gone@example.com"))
    assert linode.rcpt("old@example.com").code == UNKNOWN_USER


def test_orphans_go_or_stay_as_was_chosen(linode: MailServer, do: Do) -> None:
    do(users.remove, user_id("ana@example.com"), orphans=Orphans.KEEP)
    assert bounced(linode, "sales@example.com") == ["sales@example.com"]
    do(users.remove, user_id("bob@example.com"), orphans=Orphans.ALL)
    assert bounced(linode, "sales@example.com") == ["sales@example.com"]
    ends = {end.to: end.status for end in linode.deliver("chain@example.com")}
    assert ends == {"ana@example.com": "bounced", "someone@elsewhere.example": "sent"}


def test_forwarding_with_a_copy_reaches_both(linode: MailServer, do: Do) -> None:
    do(
        aliases.create,
        source="ana@example.com",
        destination="bob@example.com",
        keep_copy=True,
    )
    assert recipients(linode, "ana@example.com") == ["ana@example.com", "bob@example.com"]
    assert recipients(linode, "sales@example.com") == ["ana@example.com", "bob@example.com"]


def test_a_mailbox_joins_the_alias_of_its_name(linode: MailServer, do: Do) -> None:
    do(users.create, email="sales@example.com", password="password", keep_copy=True)
    assert recipients(linode, "sales@example.com") == ["ana@example.com", "sales@example.com"]
    assert linode.can_sign_in("sales@example.com", "password")


def test_a_catch_all_takes_only_unknown_addresses(linode: MailServer, do: Do) -> None:
    do(aliases.create, source="@example.com", destination="dmitri@example.org")
    for address in ("nobody@example.com", "nobody+tag@example.com"):
        (end,) = linode.deliver(address)
        assert (end.to.replace("+tag", ""), end.status) == ("dmitri@example.org", "sent")
    for email in ("ana@example.com", "bob@example.com", "Carla.Mixed@Example.com"):
        assert recipients(linode, email) == [email]
    assert recipients(linode, "sales@example.com") == ["ana@example.com"]


def test_aliases_are_kept_by_the_api(linode: MailServer, client: FlaskClient) -> None:
    body = {"source": "api@example.com", "destination": "ana@example.com"}
    place = client.post("/api/v1/aliases", json=body).headers["Location"]
    assert recipients(linode, "api@example.com") == ["ana@example.com"]
    client.patch(place, json={"destination": "bob@example.com"})
    assert recipients(linode, "api@example.com") == ["bob@example.com"]
    client.delete(place)
    assert linode.rcpt("api@example.com").code == UNKNOWN_USER


def test_a_user_forwards_by_the_page(linode: MailServer, client: FlaskClient) -> None:
    browser = Browser(client)
    with client.application.app_context():
        number = user_id("ana@example.com")
    browser.open(f"/users/{number}")
    browser.submit(f"/users/{number}/forward", destination="dmitri@example.org")
    assert recipients(linode, "ana@example.com") == ["ana@example.com", "dmitri@example.org"]
    browser.undo()
    assert recipients(linode, "ana@example.com") == ["ana@example.com"]
