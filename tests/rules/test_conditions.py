"""Statements that are built once, and the values that they are asked with."""

from itertools import count

from postmaster.models import Domain, User
from postmaster.rules.conditions import MOST_KEPT, Kept, Where, literally

FIXED = Domain.id > 1


def build_times(*asked: Where) -> list[int]:
    """Which of the built statements each of these got."""
    kept, numbers = Kept(), count(1)
    return [kept.get(where, build=lambda: next(numbers)) for where in asked]


def test_what_is_fixed_is_built_once_whatever_its_values() -> None:
    assert build_times(Where((FIXED,), {"a": 1}), Where((FIXED,), {"a": 2})) == [1, 1]
    assert build_times(Where(), Where()) == [1, 1]


def test_other_clauses_are_another_statement() -> None:
    other = User.id > 1
    asked = [Where((FIXED,)), Where((other,)), Where((FIXED, other)), Where((other, FIXED))]
    assert build_times(*asked, *asked) == [1, 2, 3, 4, 1, 2, 3, 4]


def test_the_oldest_make_room() -> None:
    kept, numbers = Kept(), count(1)
    for name in range(MOST_KEPT + 1):
        kept.get(Where(), name, build=lambda: next(numbers))
    last = kept.get(Where(), MOST_KEPT, build=lambda: next(numbers))
    first = kept.get(Where(), 0, build=lambda: next(numbers))
    assert (last, first) == (MOST_KEPT + 1, MOST_KEPT + 2)


def test_both_together_have_the_clauses_and_values_of_both() -> None:
    both = Where((FIXED,), {"a": 1}) + Where((), {"b": 2})
    assert both == Where((FIXED,), {"a": 1, "b": 2})


def test_signs_of_a_pattern_mean_themselves() -> None:
    assert literally("10%_a/b") == "10/%/_a//b"
