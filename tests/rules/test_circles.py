"""The rule against circles of aliases, compared with a plain model of Postfix."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st

from postmaster.db import db
from postmaster.errors import Invalid
from postmaster.models import Alias, Domain, SettingRow, User
from postmaster.rules import aliases, settings

ADDRESSES = [f"{name}@{domain}.example" for domain in "xy" for name in "abc"]
CATCH_ALLS = ["@x.example", "@y.example"]
Pair = tuple[str, str]
PAIRS = st.tuples(st.sampled_from(ADDRESSES + CATCH_ALLS), st.sampled_from(ADDRESSES))


def lookup(address: str, rows: set[Pair], mailboxes: set[str], email2email: bool) -> list[str]:
    """The alias map, then the mailbox itself, then the catch-all; none: it is final."""
    for key in (address, "@" + address.partition("@")[2]):
        found = [destination for source, destination in sorted(rows) if source == key]
        if found:
            return found
        if key == address and email2email and address in mailboxes:
            return [address]
    return []


def runs_in_a_circle(rows: set[Pair], mailboxes: set[str], email2email: bool) -> bool:
    """Whether any address comes back to itself, other than by being its own destination."""

    def visit(address: str, path: tuple[str, ...]) -> bool:
        found = lookup(address, rows, mailboxes, email2email)
        if address in found:  # Postfix stops at an address that leads to itself
            return False
        return address in path or any(visit(each, (*path, address)) for each in found)

    return any(visit(address, ()) for address in ADDRESSES)


@options(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    mailboxes=st.sets(st.sampled_from(ADDRESSES)),
    wanted=st.lists(PAIRS, max_size=8),
    email2email=st.booleans(),
)
def test_no_sequence_of_accepted_aliases_runs_in_a_circle(
    app: Flask,
    do: Callable[..., Any],
    mailboxes: set[str],
    wanted: list[Pair],
    email2email: bool,
) -> None:
    for model in (Alias, User, Domain):
        db.session.query(model).delete()
    domains = {name: Domain(name=f"{name}.example") for name in "xy"}
    db.session.add_all(domains.values())
    db.session.flush()
    for email in sorted(mailboxes):
        domain_id = domains[email.partition("@")[2][0]].id
        db.session.add(User(domain_id=domain_id, email=email, password="*"))
    row = db.session.query(SettingRow).filter_by(setting=settings.EMAIL2EMAIL_MAP.name).one()
    row.value = str(email2email)
    db.session.commit()
    rows: set[Pair] = set()
    for source, destination in wanted:
        circle = runs_in_a_circle(rows | {(source, destination)}, mailboxes, email2email)
        try:
            do(aliases.create, source=source, destination=destination)
        except Invalid as refusal:
            assert circle or "circle" not in str(refusal), (rows, source, destination)
        else:
            assert not circle, (rows, source, destination)
            rows.add((source, destination))
