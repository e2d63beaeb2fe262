"""What a repair would do, row by row, before it does it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import Conflict, Phrase, RuleError, fill
from ...models import Alias, Domain, User
from .. import aliases, domains, users
from ..history import Action
from ..history import Kind as Noun
from .findings import Kind, Sample

MOST_ROWS = 10_000  # that one repair changes at a go
# Of what takes a moment for each row: a hash, or a look at what an alias leads to.
MOST_SLOW_ROWS = 500
VERSION_LENGTH = 16
Row = Domain | User | Alias


@dataclass(frozen=True)
class Step:
    """One row that is made, changed or deleted, with its values before and after.

    A row that is to be made has the id 0. A new password is in neither of the values.
    """

    action: Action
    noun: Noun
    id: int
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None

    @property
    def before(self) -> str:
        """What people know the row by before; empty if it is to be made."""
        return _in_words(self.noun, self.old)

    @property
    def after(self) -> str:
        """What people will know the row by; empty if it is to be deleted."""
        return _in_words(self.noun, self.new)

    @property
    def moves(self) -> bool:
        """Whether only the domain that it belongs to changes."""
        return self.action is Action.CHANGE and self.before == self.after

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "action": self.action,
            "kind": self.noun,
            "id": self.id,
            "before": self.before or None,
            "after": self.after or None,
            "old": self.old,
            "new": self.new,
        }


@dataclass(frozen=True)
class Left:
    """A row that the repair leaves, and why."""

    row: Sample
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """In English, as JSON has it."""
        return self.row.plain() | {"reason": fill(self.reason, self.values)}

    @classmethod
    def because(cls, row: Sample, error: RuleError) -> "Left":
        """As an act would refuse it."""
        return cls(row, error.template, error.values)


@dataclass(frozen=True)
class Plan:
    """What is done about one finding. Not ``is_whole``: there are more rows, for another go."""

    kind: Kind
    steps: Sequence[Step]
    left: Sequence[Left] = ()
    is_whole: bool = True

    @property
    def version(self) -> str:
        """Changes as soon as another row would change, or another way."""
        steps = [[s.action, s.noun, s.id, s.old, s.new] for s in self.steps]
        text = json.dumps(steps, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:VERSION_LENGTH]

    def plain(self) -> dict[str, Any]:
        """In English, as JSON has it."""
        return {
            "code": self.kind.code,
            "what": self.kind.what,
            "repair": self.kind.repair,
            "version": self.version,
            "count": len(self.steps),
            "whole": self.is_whole,
            "steps": [step.plain() for step in self.steps],
            "left": [left.plain() for left in self.left],
        }

    def check(self, seen: str | None) -> None:
        """Refuse to do something else than what was shown. Raises Conflict."""
        if seen is not None and seen != self.version:
            raise Conflict(
                "What would be repaired is not what was shown any more: somebody changed it. "
                "Look at it again"
            )
        if not self.steps:
            raise Conflict("There is nothing to repair here any more")


def changed(row: Row, **new: object) -> Step:
    """A row that gets some other values."""
    old = recorded(row)
    return Step(Action.CHANGE, noun_of(row), row.id, old, old | new)


def deleted(row: Row) -> Step:
    """A row that goes."""
    return Step(Action.DELETE, noun_of(row), row.id, recorded(row))


def made(noun: Noun, **new: object) -> Step:
    """A new row."""
    return Step(Action.CREATE, noun, 0, None, new)


def reset(user: User) -> Step:
    """A user whose password is hashed."""
    old = recorded(user)
    return Step(Action.CHANGE_PASSWORD, Noun.USER, user.id, old, old)


def noun_of(row: Row) -> Noun:
    """What a row is."""
    if isinstance(row, Domain):
        return Noun.DOMAIN
    return Noun.USER if isinstance(row, User) else Noun.ALIAS


def recorded(row: Row) -> dict[str, object]:
    """A row as the history keeps it."""
    if isinstance(row, Domain):
        return domains.as_recorded(row)
    return users.as_recorded(row) if isinstance(row, User) else aliases.as_recorded(row)


def _in_words(noun: Noun, values: Mapping[str, Any] | None) -> str:
    if values is None:
        return ""
    if noun is Noun.DOMAIN:
        return str(values["name"])
    if noun is Noun.USER:
        return str(values["email"])
    return f"{values['source']} -> {values['destination']}"


LOOKS_LIKE_A_HASH = Phrase("it looks like a hash of another program; give the user a new password")
ALIKE = Phrase("only the database takes it for another one; to people the two names differ")
NOT_AN_ADDRESS = Phrase('"%(text)s" is not an address')
