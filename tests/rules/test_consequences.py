"""What differs between two outcomes, and the sentences for it. The acts are in test_foresight."""

import pytest

from postmaster.models import User
from postmaster.rules.consequences import (
    Kind,
    Outcome,
    Planned,
    differences,
    grouped,
)

ANA, BOB, EVA, TEAM = (f"{name}@one.example" for name in ("ana", "bob", "eva", "team"))


def arrives(*reaches: str, lost: tuple[str, ...] = ()) -> Outcome:
    return Outcome(True, False, frozenset(reaches), frozenset(lost))


REFUSED = Outcome(False, False, frozenset(), frozenset())
SENT_BACK = Outcome(True, False, frozenset(), frozenset({TEAM}))
ENDLESS = Outcome(True, True, frozenset(), frozenset())


@pytest.mark.parametrize(
    ("address", "before", "after", "sentences"),
    [
        (TEAM, arrives(ANA), arrives(ANA), []),
        (TEAM, REFUSED, REFUSED, []),
        (TEAM, SENT_BACK, SENT_BACK, []),
        (TEAM, ENDLESS, ENDLESS, []),
        (TEAM, ENDLESS, REFUSED, []),
        (TEAM, SENT_BACK, REFUSED, []),
        (
            TEAM,
            arrives(ANA),
            REFUSED,
            ["Nobody will receive mail to team@one.example any more: it is refused"],
        ),
        (
            TEAM,
            arrives(ANA),
            SENT_BACK,
            ["Nobody will receive mail to team@one.example: it is taken and then sent back"],
        ),
        (
            TEAM,
            REFUSED,
            SENT_BACK,
            ["Nobody will receive mail to team@one.example: it is taken and then sent back"],
        ),
        (
            TEAM,
            arrives(ANA),
            ENDLESS,
            [
                "Mail to team@one.example would go round in a circle: senders try again for days, "
                "in vain"
            ],
        ),
        (TEAM, REFUSED, arrives(ANA), ["Mail to team@one.example will go to ana@one.example"]),
        (TEAM, ENDLESS, arrives(ANA), ["Mail to team@one.example will go to ana@one.example"]),
        (
            TEAM,
            arrives(ANA),
            arrives(ANA, BOB),
            ["Mail to team@one.example will also go to bob@one.example"],
        ),
        (
            TEAM,
            arrives(ANA, BOB),
            arrives(ANA),
            ["Mail to team@one.example will not go to bob@one.example any more"],
        ),
        (
            TEAM,
            arrives(ANA, BOB),
            arrives(ANA, EVA),
            ["Mail to team@one.example will go to eva@one.example instead of bob@one.example"],
        ),
        (
            TEAM,
            arrives(ANA, BOB),
            arrives(ANA, lost=(BOB,)),
            ["Mail to team@one.example will partly be sent back: nobody is at bob@one.example"],
        ),
        (
            BOB,
            arrives(BOB),
            arrives(EVA),
            ["The mailbox bob@one.example will get no mail any more: it goes to eva@one.example"],
        ),
        (
            BOB,
            arrives(BOB),
            arrives(BOB, EVA),
            ["Mail to bob@one.example will also go to eva@one.example"],
        ),
    ],
)
def test_one_address(address: str, before: Outcome, after: Outcome, sentences: list[str]) -> None:
    changes = differences({address: before}, {address: after}, Planned())
    assert [found.sentence() for found in grouped(changes)] == sentences


def test_a_mailbox_under_a_new_catch_all_is_swallowed() -> None:
    planned = Planned(new_aliases=[("@one.example", EVA)])
    changes = differences({BOB: arrives(BOB)}, {BOB: arrives(EVA)}, planned)
    (found,) = grouped(changes)
    assert found.kind is Kind.SWALLOWED
    assert "takes the mail of the mailbox bob@one.example" in found.sentence()


def test_a_deleted_mailbox_is_not_said_to_be_shadowed() -> None:
    planned = Planned(gone_users=[User(email=BOB.upper())])
    changes = differences({BOB: arrives(BOB, EVA)}, {BOB: arrives(EVA)}, planned)
    assert [found.kind for found in grouped(changes)] == [Kind.LESS]


def test_the_same_change_is_said_once_and_the_worst_first() -> None:
    before = {ANA: arrives(ANA), TEAM: arrives(ANA), BOB: arrives(BOB)}
    after = {ANA: REFUSED, TEAM: REFUSED, BOB: arrives(BOB, EVA)}
    found = grouped(differences(before, after, Planned()))
    assert [one.addresses for one in found] == [(ANA, TEAM), (BOB,)]
    assert found[0].sentence() == "This stops mail to 2 addresses: it is refused"
    assert [one.is_harmless for one in found] == [False, True]


def test_many_places_are_counted() -> None:
    places = [f"u{number}@one.example" for number in range(5)]
    (found,) = grouped(differences({TEAM: REFUSED}, {TEAM: arrives(*places)}, Planned()))
    assert found.sentence() == (
        "Mail to team@one.example will go to u0@one.example, u1@one.example, u2@one.example, 2 more"
    )


def test_addresses_are_shown_as_the_reader_asks() -> None:
    (found,) = grouped(differences({TEAM: REFUSED}, {TEAM: arrives(ANA)}, Planned()))
    assert found.sentence(shown=str.upper) == f"Mail to {TEAM.upper()} will go to {ANA.upper()}"


def test_a_new_mailbox_that_gets_its_own_mail_is_no_news() -> None:
    before = {ANA: REFUSED, TEAM: SENT_BACK}
    after = {ANA: arrives(ANA), TEAM: arrives(ANA)}
    found = grouped(differences(before, after, Planned(new_users=[ANA])))
    assert [one.addresses for one in found] == [(TEAM,)]
