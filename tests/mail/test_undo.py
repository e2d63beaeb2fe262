"""Every undo, by real mail: all addresses and sign-ins are as they were before the change."""

from collections.abc import Callable
from typing import Any

import pytest

from postmaster.rules import aliases, domains, suspension_acts, user_moves, users
from postmaster.rules.aliases import Orphans
from postmaster.rules.suspensions import Mode
from tests.mail import behaviour
from tests.mail.behaviour import Behaviour
from tests.mail.rows import alias_id, domain_id, user_id
from tests.mail.server import MailServer

Do = Callable[..., Any]
ADDRESSES = (
    *("ana@example.com", "bob@example.com", "carla.mixed@example.com", "nobody@example.com"),
    *("sales@example.com", "team@example.com", "chain@example.com", "old@example.com"),
    *("crew@example.com", "dmitri@example.org", "caught@example.org", "new@example.org"),
    *("eva@xn--bcher-kva.example", "ana@empty.example", "ana@three.example"),
)
# All of them sign in with it before the change.
USERS = ("ana@example.com", "carla.mixed@example.com", "dmitri@example.org")
PASSWORD = "password"


def ana_in(source: str) -> int:
    return alias_id(source, "ana@example.com")


CHANGES: dict[str, Callable[[Do], Any]] = {
    "a new domain": lambda do: do(domains.create, name="three.example"),
    "a renamed domain": lambda do: do(
        domains.change, domain_id("empty.example"), name="three.example"
    ),
    "a deleted domain": lambda do: do(domains.remove, domain_id("example.com")),
    "deleted domains": lambda do: do(
        domains.remove_several,
        [domain_id("example.com"), domain_id("example.org")],
        orphans=Orphans.ALL,
    ),
    "a new user": lambda do: do(users.create, email="new@example.org", password=PASSWORD),
    "a new user that joins an alias": lambda do: do(
        users.create, email="sales@example.com", password=PASSWORD, keep_copy=True
    ),
    "a new password": lambda do: do(
        users.change, user_id("carla.mixed@example.com"), password="another password"
    ),
    "new passwords": lambda do: do(
        users.change_several, [user_id(email) for email in USERS], password="another password"
    ),
    "a deleted user": lambda do: do(users.remove, user_id("ana@example.com"), orphans=Orphans.ALL),
    "deleted users": lambda do: do(users.remove_several, [user_id(email) for email in USERS]),
    "a user without sign-in": lambda do: do(
        suspension_acts.suspend, user_id("ana@example.com"), mode=Mode.SIGN_IN
    ),
    "users without mail": lambda do: do(
        suspension_acts.suspend_several, [user_id(email) for email in USERS], mode=Mode.ALL
    ),
    "a renamed user": lambda do: do(
        user_moves.rename, user_id("ana@example.com"), email="new@example.org", keep_alias=False
    ),
    "a renamed user that leaves an alias": lambda do: do(
        user_moves.rename, user_id("ana@example.com"), email="crew@example.com", keep_alias=True
    ),
    "a new alias": lambda do: do(
        aliases.create, source="crew@example.com", destination="team@example.com"
    ),
    "a copy": lambda do: do(
        aliases.create,
        source="ana@example.com",
        destination="bob@example.com",
        keep_copy=True,
    ),
    "a catch-all": lambda do: do(
        aliases.create,
        source="@example.com",
        destination="dmitri@example.org",
        keep_mailboxes=True,
    ),
    "a changed alias": lambda do: do(
        aliases.change, ana_in("sales@example.com"), destination="bob@example.com"
    ),
    "a renamed alias": lambda do: do(
        aliases.rename, ana_in("team@example.com"), source="crew@example.com"
    ),
    "aliases led elsewhere": lambda do: do(
        aliases.repoint,
        [ana_in("team@example.com"), ana_in("sales@example.com")],
        replaced=None,
        destination="bob@example.com",
    ),
    "a deleted alias": lambda do: do(
        aliases.remove, ana_in("sales@example.com"), orphans=Orphans.ALL
    ),
    "deleted aliases": lambda do: do(
        aliases.remove_several,
        [ana_in("team@example.com"), alias_id("@example.org", "dmitri@example.org")],
    ),
}


def observe(server: MailServer) -> Behaviour:
    return behaviour.of(server, ADDRESSES, USERS, PASSWORD)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_undo_brings_everything_back(
    linode: MailServer, do: Do, take_back: Callable[[], None], change: Callable[[Do], Any]
) -> None:
    before = observe(linode)
    assert before.answers == {250, 550, 554}
    assert all(before.signs_in.values())
    change(do)
    assert observe(linode) != before
    take_back()
    assert observe(linode) == before
