"""What the mail server does with an address, case by case, on the rows of ``mail.py``."""

from typing import Any

import pytest

from postmaster.db import db
from postmaster.errors import Invalid
from postmaster.models import Alias, Domain, User
from postmaster.rules import expansion, settings, trace, traces
from postmaster.rules.expansion import Server
from postmaster.rules.trace_words import State, Verdict
from postmaster.rules.traces import Node, Trace
from tests.conftest import ADMIN
from tests.rules.conftest import alter_setting
from tests.rules.mail import HASH, by_hand, fill
from tests.rules.statements import counted


@pytest.fixture(autouse=True)
def mail(context: None) -> None:
    fill()


def traced(address: str) -> Trace:
    return trace.of(db.session(), ADMIN, address)


def drawn(node: Node) -> Any:
    """The tree in short: an address with its state, or with what it leads to."""
    if node.state is not None:
        return (node.address, str(node.state))
    return (node.address, [drawn(child) for child in node.children])


def test_an_alias_of_aliases() -> None:
    found = traced("All@Two.example")
    assert found.verdict is Verdict.DELIVERED
    assert found.sentence.say() == (
        "Mail to all@two.example is delivered to 2 mailboxes here: ana@one.example, eva@two.example"
    )
    assert drawn(found.tree) == (
        "all@two.example",
        [
            (
                "info@two.example",
                [("sales@two.example", [("ana@one.example", "mailbox")])],
            ),
            ("eva@two.example", "mailbox"),
        ],
    )
    assert found.tree.alias_id == 203
    assert found.tree.children[1].user_id == 22
    assert set(found.recipients) == {"ana@one.example", "eva@two.example"}


def test_a_mailbox_that_keeps_a_copy() -> None:
    found = traced("bob@one.example")
    assert drawn(found.tree) == (
        "bob@one.example",
        [("bob@one.example", "mailbox"), ("eva@two.example", "mailbox")],
    )


@pytest.mark.parametrize(
    ("address", "verdict", "words"),
    [
        ("ana@one.example", Verdict.DELIVERED, "is delivered to the mailbox ana@one.example"),
        ("gone@one.example", Verdict.REFUSED, "there is no such user or alias, and no catch-all"),
        ("ana@three.example", Verdict.REFUSED, "the domain three.example is not here"),
        ("@one.example", Verdict.REFUSED, "Mail to @one.example is refused"),
        ("old@one.example", Verdict.SENT_BACK, "nobody is at gone@one.example"),
        ("ring@one.example", Verdict.PUT_OFF, "goes round in a circle"),
        ("half@one.example", Verdict.PARTLY, "arrives in part: nobody is at gone@one.example"),
        ("out@one.example", Verdict.DELIVERED, "passed on to another server, to x@far.example"),
        (
            "both@one.example",
            Verdict.DELIVERED,
            "delivered here, to ana@one.example, and passed on",
        ),
        ("quiet@one.example", Verdict.REFUSED, "the user is suspended without mail"),
        ("toquiet@one.example", Verdict.SENT_BACK, "nobody is at quiet@one.example"),
        ("self@one.example", Verdict.SENT_BACK, "nobody is at this address"),
        ("list@one.example", Verdict.DELIVERED, "to 2 mailboxes here: ana@one.example, bob@"),
        ("dash@one.example", Verdict.SENT_BACK, "nobody is at -x@far.example"),
        ("blank@one.example", Verdict.PUT_OFF, "an alias in whose destination is no address"),
        ("accent@one.example", Verdict.SENT_BACK, "nobody is at odd#name@one.example"),
    ],
)
def test_the_verdict_is_one_sentence(address: str, verdict: Verdict, words: str) -> None:
    pairs = [
        ("old", "gone@one.example"),
        ("ring", "rang@one.example"),
        ("rang", "ring@one.example"),
        ("half", "gone@one.example"),
        ("half", "ana@one.example"),
        ("out", "x@far.example"),
        ("both", "x@far.example"),
        ("both", "ana@one.example"),
        ("toquiet", "quiet@one.example"),
        ("self", "self@one.example"),
        ("list", "Ana <ana@one.example>; bob@one.example"),
        ("bob", "bob@one.example"),
        ("dash", "-x@far.example"),
        ("blank", " "),
        ("accent", "odd#name@one.example"),
    ]
    by_hand(
        User(id=90, domain_id=1, email="!quiet@one.example", password="!suspended"),
        User(id=91, domain_id=1, email="odd#name@one.example", password=HASH),
        *(
            Alias(domain_id=1, source=f"{name}@one.example", destination=destination)
            for name, destination in pairs
        ),
    )
    if address == "list@one.example":  # else bob forwards
        db.session.delete(db.session.get_one(Alias, 104))
        db.session.commit()
    found = traced(address)
    assert found.verdict is verdict
    assert words in found.sentence.say()
    if verdict is Verdict.REFUSED:
        assert found.recipients == found.lost == ()


@pytest.mark.parametrize(
    ("delimiter", "ends"),
    [("+", [("ana+x@one.example", "mailbox"), ("dora+x@two.example", "mailbox")]), ("none", None)],
)
def test_an_extension_goes_along_if_there_are_any(delimiter: str, ends: Any) -> None:
    alter_setting(settings.RECIPIENT_DELIMITER, delimiter)
    found = traced("team+x@one.example")
    if ends is None:
        assert found.verdict is Verdict.REFUSED
    else:
        assert drawn(found.tree) == ("team+x@one.example", ends)
        assert found.tree.key == "team@one.example"


def test_an_extension_is_delivered_to_the_mailbox_itself() -> None:
    by_hand(Alias(id=300, domain_id=1, source="lists@one.example", destination="ana+x@one.example"))
    for address in ("ana+news@one.example", "lists@one.example"):
        found = traced(address)
        assert found.sentence.say().endswith(" is delivered to the mailbox ana@one.example")
        assert found.recipients == ("ana@one.example",)
    assert (found.tree.children[0].address, found.tree.children[0].delivered_to) == (
        "ana+x@one.example",
        "ana@one.example",
    )
    assert found.steps[-1].sentence.say() == (
        "ana+x@one.example is delivered to the mailbox ana@one.example: "
        "Dovecot cuts the extension off"
    )


def test_a_suspended_mailbox_is_so_with_an_extension_too() -> None:
    by_hand(User(id=90, domain_id=1, email="!quiet@one.example", password="!suspended"))
    assert "is suspended without mail" in traced("quiet+x@one.example").sentence.say()


@pytest.mark.parametrize(("has_map", "reaches"), [("True", "dora@"), ("False", "ana@one")])
def test_a_catch_all_takes_mailboxes_where_there_is_no_map(has_map: str, reaches: str) -> None:
    by_hand(Alias(id=300, domain_id=2, source="@two.example", destination="ana@one.example"))
    alter_setting(settings.EMAIL2EMAIL_MAP, has_map)
    assert traced("dora@two.example").recipients[0].startswith(reaches)
    assert traced("@two.example").recipients == ("ana@one.example",)
    assert traced("@two.example").address == "@two.example"
    assert traced("sales@two.example").recipients == ("ana@one.example",)


def test_a_domain_alias_keeps_the_name() -> None:
    by_hand(
        Domain(id=3, name="old.example"),
        Alias(id=300, domain_id=3, source="@old.example", destination="@one.example"),
    )
    assert traced("ana@old.example").recipients == ("ana@one.example",)
    assert traced("gone@old.example").verdict is Verdict.SENT_BACK
    assert traced("ana+x@old.example").recipients == ("ana@one.example",)


def test_why_nobody_signs_in_is_told_without_the_password() -> None:
    by_hand(
        User(id=90, domain_id=1, email="plain@one.example", password="a secret in plain"),
        User(id=91, domain_id=1, email="off@one.example", password="!suspended"),
    )
    found = traced("plain@one.example")
    mailbox = found.tree.mailbox
    assert mailbox is not None
    assert mailbox.unreadable == "plain"
    assert "secret" not in str(traces.as_item(found))
    mailbox = traced("off@one.example").tree.mailbox
    assert mailbox is not None
    assert mailbox.suspended == "sign-in"


def test_the_queries_are_the_guides_with_the_value_in_them() -> None:
    found = traced("o'hara@one.example")
    asked = [traces.sql(asked) for step in found.steps for asked in step.asked]
    assert asked == [
        "SELECT 1 FROM virtual_domains WHERE name='one.example'",
        "SELECT destination FROM virtual_aliases WHERE source='o''hara@one.example'",
        "SELECT destination FROM virtual_aliases WHERE source='@one.example'",
        "SELECT 1 FROM virtual_users WHERE email='o''hara@one.example'",
        "SELECT 1 FROM virtual_users WHERE email='@one.example'",
    ]


@pytest.mark.parametrize(
    "address", ["", " ", "ana", "a b@one.example", "a!b@one.example", "@", "@one"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid) as refusal:
        traced(address)
    assert refusal.value.field == "address"


def test_mariadb_takes_accents_and_capitals_for_the_same() -> None:
    if db.engine.dialect.name == "sqlite":
        pytest.skip("its columns tell accents apart")
    by_hand(
        User(id=90, domain_id=1, email="JosÉ@one.example", password=HASH),
        Alias(id=300, domain_id=1, source="Büro@one.example", destination="ana@one.example"),
    )
    assert traced("buro@one.example").recipients == ("ana@one.example",)
    found = traced("jose@one.example")
    assert found.verdict is Verdict.SENT_BACK
    assert found.tree.state is State.UNDELIVERABLE


def test_a_large_tree_is_cut_and_counted() -> None:
    by_hand(
        *(
            Alias(domain_id=1, source="big@one.example", destination=f"u{n}@far.example")
            for n in range(400)
        )
    )
    found = traced("big@one.example")
    assert len(found.tree.children) == trace.MOST_NODES - 1
    assert found.tree.cut == 400 - len(found.tree.children)
    assert len(found.recipients) == 400


def test_postfix_gives_up_over_its_limits() -> None:
    server = Server(email2email=False, delimiter="+")
    rows = {f"a{n}@x.example": f"a{n + 1}@x.example" for n in range(1100)}
    known = expansion.Known(
        aliases={
            source: [expansion.AliasRow(1, source, destination)]
            for source, destination in rows.items()
        }
    )
    assert expansion.expand("a0@x.example", server, known) == ([], expansion.Failure.CIRCLE)
    assert expansion.expand("a900@x.example", server, known) == (["a1100@x.example"], None)
    many = [expansion.AliasRow(n, "m@x.example", f"u{n}@x.example") for n in range(1001)]
    known = expansion.Known(aliases={"m@x.example": many})
    assert expansion.expand("m@x.example", server, known)[1] is expansion.Failure.TOO_MANY


def test_the_statements_grow_with_the_depth_only() -> None:
    by_hand(
        *(
            Alias(domain_id=1, source="wide@one.example", destination=f"w{n}@one.example")
            for n in range(300)
        ),
        *(
            Alias(domain_id=1, source=f"w{n}@one.example", destination="ana@one.example")
            for n in range(300)
        ),
    )
    taken = []
    for address in ("press@two.example", "wide@one.example"):
        db.session.remove()  # the settings are read once in a transaction
        with counted() as seen:
            traced(address)
        taken.append(len([one for one in seen if one != "BEGIN"]))
    assert taken[0] == taken[1] <= 6, taken
