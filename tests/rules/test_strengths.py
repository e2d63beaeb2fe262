"""How hard a password is to guess: an estimate for people to look at."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postmaster.rules import strengths


@pytest.mark.parametrize("password", ["", "password", "12345678", "aaaaaaaa", "qwertyui"])
def test_what_everybody_tries_first_is_worth_nothing(password: str) -> None:
    assert strengths.score(password) == 0


def test_words_that_nobody_puts_together_are_strong() -> None:
    assert strengths.score("granite-harbour-violin") == 4


def test_better_passwords_never_score_less() -> None:
    scores = [
        strengths.score(word) for word in ("monkey", "monkey7q", "monkey7q!Vx", "m7q!Vx2#kPz9w")
    ]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


@pytest.mark.parametrize("password", ["x" * 5_000, "aB3$" * 1_000, "\U0001f600" * 300])
def test_only_the_beginning_of_a_long_one_is_looked_at(password: str) -> None:
    assert strengths.score(password) == strengths.score(password[: strengths.LOOKED_AT])


@settings(max_examples=40, deadline=None)
@given(password=st.text(st.characters(), max_size=70))
def test_no_text_breaks_the_estimate(password: str) -> None:
    assert strengths.score(password) in range(5)
