"""The rule against circles of aliases, compared with a plain model of Postfix."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, assume, given
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
MAILBOXES = st.sets(st.sampled_from(ADDRESSES), min_size=2)
MOST = 500  # far more than these few rows expand to without a circle
QUICK = options(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


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


def never_ends(rows: set[Pair], mailboxes: set[str], email2email: bool) -> bool:
    """Whether Postfix gives up on some address, step by step as its cleanup(8) goes.

    Each recipient is replaced by its first destination over and over, the others are
    appended; an address that was among its own destinations is not looked up again.
    """
    for address in ADDRESSES:
        recipients, expanded_into_themselves, at = [address], set(), 0
        while at < len(recipients):
            steps = 0
            while recipients[at] not in expanded_into_themselves:
                found = lookup(recipients[at], rows, mailboxes, email2email)
                if not found:
                    break
                steps += 1
                if recipients[at] in found:
                    expanded_into_themselves.add(recipients[at])
                recipients[at] = found[0]
                recipients += found[1:]
                if steps > MOST or len(recipients) > MOST:
                    return True
            at += 1
    return False


@given(rows=st.sets(PAIRS, max_size=8), mailboxes=MAILBOXES, email2email=st.booleans())
def test_the_plain_model_is_what_postfix_does(
    rows: set[Pair], mailboxes: set[str], email2email: bool
) -> None:
    assert runs_in_a_circle(rows, mailboxes, email2email) == never_ends(
        rows, mailboxes, email2email
    )


def fill(rows: set[Pair], mailboxes: set[str], email2email: bool) -> dict[Pair, int]:
    """Exactly these rows, inserted by hand; the ids of the aliases."""
    for model in (Alias, User, Domain):
        db.session.query(model).delete()
    domains = {name: Domain(name=f"{name}.example") for name in "xy"}
    db.session.add_all(domains.values())
    db.session.flush()

    def domain_id(address: str) -> int:
        return domains[address.partition("@")[2][0]].id

    for email in sorted(mailboxes):
        db.session.add(User(domain_id=domain_id(email), email=email, password="*"))
    found = {
        pair: Alias(domain_id=domain_id(pair[0]), source=pair[0], destination=pair[1])
        for pair in sorted(rows)
    }
    db.session.add_all(found.values())
    row = db.session.query(SettingRow).filter_by(setting=settings.EMAIL2EMAIL_MAP.name).one()
    row.value = str(email2email)
    db.session.commit()
    return {pair: alias.id for pair, alias in found.items()}


def without_circles(wanted: list[Pair], mailboxes: set[str], email2email: bool) -> set[Pair]:
    """As many of these rows as go together."""
    rows: set[Pair] = set()
    for pair in wanted:
        if not runs_in_a_circle(rows | {pair}, mailboxes, email2email):
            rows.add(pair)
    return rows


@pytest.mark.parametrize("email2email", [False, True])
@QUICK
@given(mailboxes=MAILBOXES, wanted=st.lists(PAIRS, min_size=2, max_size=9))
def test_an_alias_is_refused_for_a_circle_exactly_where_it_closes_one(
    app: Flask, do: Callable[..., Any], email2email: bool, mailboxes: set[str], wanted: list[Pair]
) -> None:
    rows = without_circles(wanted[:-1], mailboxes, email2email)
    source, destination = wanted[-1]
    fill(rows, mailboxes, email2email)
    circle = runs_in_a_circle(rows | {(source, destination)}, mailboxes, email2email)
    try:
        do(aliases.create, source=source, destination=destination)
    except Invalid as refusal:
        assert circle or "circle" not in str(refusal)
    else:
        assert not circle


@pytest.mark.parametrize("email2email", [False, True])
@QUICK
@given(
    mailboxes=MAILBOXES,
    wanted=st.lists(PAIRS, min_size=2, max_size=9),
    changed=st.sampled_from(["source", "destination", "both"]),
)
def test_a_change_is_refused_for_a_circle_exactly_where_it_closes_one(
    app: Flask,
    do: Callable[..., Any],
    email2email: bool,
    mailboxes: set[str],
    wanted: list[Pair],
    changed: str,
) -> None:
    rows = without_circles(wanted[:-1], mailboxes, email2email)
    old = min(rows, default=("a@x.example", "a@x.example"))
    new = (
        old[0] if changed == "destination" else wanted[-1][0],
        old[1] if changed == "source" else wanted[-1][1],
    )
    others = rows - {old}
    # A row that leaves its source may uncover a catch-all, as deleting it would: the
    # rule looks at what the change adds.
    assume(not runs_in_a_circle(others, mailboxes, email2email))
    number = fill(rows | {old}, mailboxes, email2email)[old]
    circle = runs_in_a_circle(others | {new}, mailboxes, email2email)
    try:
        do(aliases.change, number, source=new[0], destination=new[1])
    except Invalid as refusal:
        assert circle or "circle" not in str(refusal)
    else:
        assert not circle


@QUICK
@given(mailboxes=MAILBOXES, wanted=st.lists(PAIRS, max_size=8), email2email=st.booleans())
def test_no_sequence_of_accepted_aliases_runs_in_a_circle(
    app: Flask, do: Callable[..., Any], mailboxes: set[str], wanted: list[Pair], email2email: bool
) -> None:
    fill(set(), mailboxes, email2email)
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


def test_a_circle_that_was_made_by_hand_is_no_reason_to_refuse_others(
    do: Callable[..., Any],
) -> None:
    by_hand = {("a@x.example", "b@x.example"), ("b@x.example", "a@x.example")}
    number = fill(by_hand, {"c@y.example"}, email2email=False)[min(by_hand)]
    do(aliases.create, source="c@x.example", destination="a@x.example")
    with pytest.raises(Invalid, match="circle"):
        do(aliases.create, source="b@x.example", destination="c@x.example")
    do(aliases.change, number, destination="c@y.example")
    do(aliases.create, source="b@y.example", destination="c@x.example")


def test_a_long_chain_is_followed_to_its_end(do: Callable[..., Any]) -> None:
    fill(set(), {"c@y.example"}, email2email=False)
    domain_id = db.session.query(Domain.id).filter_by(name="x.example").scalar()
    db.session.add_all(
        Alias(domain_id=domain_id, source=f"n{i}@x.example", destination=f"n{i + 1}@x.example")
        for i in range(200)
    )
    db.session.commit()
    with pytest.raises(Invalid, match="circle"):
        do(aliases.create, source="n200@x.example", destination="n0@x.example")
    do(aliases.create, source="n200@x.example", destination="c@y.example")


@pytest.mark.parametrize("email2email", [False, True])
def test_its_own_row_takes_the_place_of_an_address_s_catch_all(
    do: Callable[..., Any], email2email: bool
) -> None:
    """Before, the catch-all leads b to itself; with the row, b leads to a and a to b."""
    rows = {("@x.example", "b@x.example"), ("a@x.example", "b@x.example")}
    fill(rows, {"c@y.example"}, email2email)
    with pytest.raises(Invalid, match="circle"):
        do(aliases.create, source="b@x.example", destination="a@x.example")


def test_a_circle_of_rows_in_capitals_is_one(do: Callable[..., Any]) -> None:
    by_hand = {("B@X.example", "C@Y.example"), ("A@X.example", "B@x.EXAMPLE")}
    fill(set(), {"c@y.example"}, email2email=False)
    domain_id = db.session.query(Domain.id).filter_by(name="x.example").scalar()
    rows = {p: Alias(domain_id=domain_id, source=p[0], destination=p[1]) for p in sorted(by_hand)}
    db.session.add_all(rows.values())
    db.session.commit()
    numbers = {pair: row.id for pair, row in rows.items()}
    first, second = sorted(by_hand)
    with pytest.raises(Invalid, match="circle"):
        do(aliases.change, numbers[second], destination="a@x.example")
    do(aliases.create, source="d@x.example", destination="a@x.example")
    with pytest.raises(Invalid, match="circle"):
        do(aliases.create, source="b@x.example", destination="d@x.example")
    do(aliases.create, source="c@x.example", destination="a@x.example")
    with pytest.raises(Invalid, match="circle"):
        do(aliases.change, numbers[first], destination="c@x.example")


@pytest.mark.parametrize("delimiter", ["+", "none"])
def test_an_extension_does_not_hide_a_circle(
    app: Flask, do: Callable[..., Any], delimiter: str
) -> None:
    """Postfix finds a+x@ as a@, unless it has no delimiter."""
    fill({("b@x.example", "a+x@x.example")}, {"c@x.example"}, email2email=False)
    row = db.session.query(SettingRow).filter_by(setting=settings.RECIPIENT_DELIMITER.name).one()
    row.value = delimiter
    db.session.commit()
    if delimiter == "none":
        do(aliases.create, source="a@x.example", destination="b@x.example")
    else:
        with pytest.raises(Invalid, match="would close a circle"):
            do(aliases.create, source="a@x.example", destination="b@x.example")
