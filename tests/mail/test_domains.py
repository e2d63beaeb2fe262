"""Domains: mail for one that is in the table is taken, and for any other refused."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from postmaster.rules import aliases, domains, users
from tests.mail.rows import domain_id
from tests.mail.server import NOT_HERE, UNKNOWN_USER, MailServer

Do = Callable[..., Any]


@pytest.mark.parametrize(
    ("name", "written"), [("new.example", "NEW.example"), ("xn--mller-kva.example", None)]
)
def test_a_new_domain_is_served_at_once(
    linode: MailServer, do: Do, name: str, written: str | None
) -> None:
    assert linode.rcpt(f"ana@{name}").code == NOT_HERE
    do(domains.create, name=written or "müller.example")
    assert linode.rcpt(f"ana@{name}").code == UNKNOWN_USER
    do(users.create, email=f"ana@{written or name}", password="password")
    linode.deliver(f"ana@{name}", subject="first")
    assert linode.inbox(f"ana@{name}", "password") == ["first"]


def test_a_deleted_domains_mail_is_refused_and_undo_brings_all_of_it_back(
    linode: MailServer, do: Do, take_back: Callable[[], None]
) -> None:
    do(aliases.create, source="sales@example.org", destination="ana@example.com")
    linode.deliver("ana@example.com", "sales@example.org", subject="before")
    do(domains.remove, domain_id("example.com"))
    for address in ("ana@example.com", "sales@example.com", "nobody@example.com"):
        assert linode.rcpt(address).code == NOT_HERE
    assert not linode.can_sign_in("ana@example.com", "password")
    # The alias elsewhere went too, and the catch-all has its mail.
    linode.deliver("sales@example.org", subject="caught")
    assert linode.inbox("dmitri@example.org", "password") == ["caught"]
    take_back()
    linode.deliver("sales@example.org", "team@example.com", subject="after")
    assert set(linode.inbox("ana@example.com", "password")) == {"before", "after"}
    assert linode.inbox("bob@example.com", "password") == ["after"]
    assert linode.inbox("dmitri@example.org", "password") == ["caught"]


def test_an_empty_domain_changes_its_name(linode: MailServer, do: Do) -> None:
    do(domains.change, domain_id("empty.example"), name="full.example")
    assert linode.rcpt("ana@empty.example").code == NOT_HERE
    do(users.create, email="ana@full.example", password="password")
    linode.deliver("ana@full.example", subject="moved in")
    assert linode.inbox("ana@full.example", "password") == ["moved in"]


def test_a_domain_of_another_case_is_the_same(linode: MailServer, do: Do) -> None:
    """``Example.ORG`` is written so by hand."""
    do(users.create, email="new@example.org", password="password")
    linode.deliver("new@EXAMPLE.org", subject="here")
    assert linode.inbox("new@example.org", "password") == ["here"]


def test_domains_are_kept_by_the_api(linode: MailServer, client: FlaskClient) -> None:
    place = client.post("/api/v1/domains", json={"name": "api.example"}).headers["Location"]
    client.post("/api/v1/users", json={"email": "ana@api.example", "password": "password"})
    linode.deliver("ana@api.example", subject="by API")
    assert linode.inbox("ana@api.example", "password") == ["by API"]
    client.delete(place)
    assert linode.rcpt("ana@api.example").code == NOT_HERE
    assert not linode.can_sign_in("ana@api.example", "password")
