"""Where the checkup finds that mail goes wrong, it does, and after the repair it does not."""

from collections.abc import Callable
from typing import Any

from postmaster.models import Alias, Domain, User
from postmaster.rules.checkup import repairs
from tests.mail.behaviour import bounced, recipients
from tests.mail.server import NOT_HERE, UNKNOWN_USER, MailServer
from tests.rules.mail import by_hand
from tests.rules.odd_rows import GOOD_HASH

Do = Callable[..., Any]
ANA, BOB = "ana@example.com", "bob@example.com"


def user(email: str, domain_id: int = 1, password: str = GOOD_HASH) -> User:
    return User(email=email, domain_id=domain_id, password=password)


def alias(source: str, destination: str, domain_id: int = 1) -> Alias:
    return Alias(source=source, destination=destination, domain_id=domain_id)


def test_who_could_not_be_reached_or_sign_in_can(linode: MailServer, do: Do) -> None:
    by_hand(
        Domain(id=21, name=" blank.example"),
        user("kim@blank.example", 21),
        user(" lea@example.com"),
        user("max@nowhere.example"),
        user("plain@example.com", password="password"),
        alias(" info@example.com", ANA),
        alias("info@nowhere.example", ANA),
    )
    refused = {
        "kim@blank.example": NOT_HERE,
        "lea@example.com": UNKNOWN_USER,
        "max@nowhere.example": NOT_HERE,
        "info@example.com": UNKNOWN_USER,
        "info@nowhere.example": NOT_HERE,
    }
    answers = linode.rcpts(list(refused))
    assert {address: reply.code for address, reply in answers.items()} == refused
    for email in ("lea@example.com", "plain@example.com"):
        assert not linode.can_sign_in(email, "password")

    for code in (
        "domain-never-found",
        "user-never-found",
        "user-no-domain",
        "password-plain",
        "alias-never-found",
    ):
        do(repairs.carry_out, code)
    for email in ("kim@blank.example", "lea@example.com", "max@nowhere.example"):
        assert recipients(linode, email) == [email]
    for source in ("info@example.com", "info@nowhere.example"):
        assert recipients(linode, source) == [ANA]
    for email in ("lea@example.com", "plain@example.com"):
        assert linode.can_sign_in(email, "password")
    assert len(linode.inbox("lea@example.com", "password")) == 1


def test_mail_that_came_back_or_went_round_arrives_or_is_refused_at_once(
    linode: MailServer, do: Do
) -> None:
    by_hand(
        alias("older@example.com", "old@example.com"),  # which leads nowhere
        alias("one@example.com", "two@example.com"),
        alias("two@example.com", ANA),
        alias("two@example.com", "one@example.com"),
        alias(BOB, "dmitri@example.org"),
    )
    assert bounced(linode, "older@example.com") == ["older@example.com"]
    sent = linode.send("one@example.com")
    assert sent.recipients["one@example.com"].accepted
    assert sent.data is not None
    assert sent.data.code == 451
    assert recipients(linode, BOB) == ["dmitri@example.org"]

    for code in ("alias-dangling", "alias-circle", "alias-over-mailbox"):
        do(repairs.carry_out, code)
    assert linode.rcpt("older@example.com").code == UNKNOWN_USER
    assert linode.rcpt("old@example.com").code == UNKNOWN_USER
    assert recipients(linode, "one@example.com") == [ANA]
    assert recipients(linode, BOB) == [BOB, "dmitri@example.org"]


def test_mailboxes_under_a_catch_all_get_their_mail(digitalocean: MailServer, do: Do) -> None:
    by_hand(alias("@example.com", "dmitri@example.org"))
    assert recipients(digitalocean, ANA) == ["dmitri@example.org"]
    do(repairs.carry_out, "mailbox-swallowed")
    assert recipients(digitalocean, ANA) == [ANA]
    assert recipients(digitalocean, "nobody@example.com") == ["dmitri@example.org"]


def test_what_should_change_nothing_for_mail_does_not(linode: MailServer, do: Do) -> None:
    by_hand(
        Domain(id=21, name="Example.com"),
        user("eva@example.com", 21),
        alias("list@example.com", f"{ANA}, {BOB}; Eva <eva@example.com>"),
        alias("named@example.com", f"Ana <{ANA}>"),
        alias("Mixed@example.com", f" {ANA} ", 4),
        alias("Mixed@example.com", "Bob@example.com"),
        alias("empty@example.com", ""),
        alias("sales@example.com", ANA),
    )
    sources = ("list@example.com", "named@example.com", "mixed@example.com", "sales@example.com")

    def ends() -> dict[str, list[str]]:
        return {source: [a.lower() for a in recipients(linode, source)] for source in sources}

    before = ends()
    assert before["list@example.com"] == [ANA, BOB, "eva@example.com"]
    for code in (
        "domain-mixed-case",
        "domain-double",
        "destination-empty",
        "destination-list",
        "destination-named",
        "alias-blanks",
        "alias-other-domain",
        "alias-mixed-case",
        "alias-double",
    ):
        do(repairs.carry_out, code)
    assert ends() == before
    assert linode.rcpt("empty@example.com").code == UNKNOWN_USER
