"""What becomes of each line of an import, and why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from ...errors import Phrase, RuleError, Translate, fill


class Verdict(StrEnum):
    """What becomes of a line."""

    CREATE = "create"
    CHANGE = "change"
    SKIP = "skip"  # nothing is to be done, or it is left out on purpose
    CONFLICT = "conflict"  # it contradicts what is there, or another line
    ERROR = "error"  # it breaks a rule by itself


REFUSED = (Verdict.CONFLICT, Verdict.ERROR)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a sentence that a page can translate."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, error: RuleError) -> "Reason":
        """The reason that a rule gives for its refusal."""
        return cls(error.template, error.values)

    def sentence(self, translate: Translate = str) -> str:
        """The reason in English, or as ``translate`` gives it."""
        return fill(self.template, self.values, translate)


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one line; ``kind`` is empty where the line cannot be read."""

    file: int
    line: int
    kind: str
    name: str
    verdict: Verdict
    reason: Reason | None = None


@dataclass(frozen=True)
class Options:
    """What an import may do.

    ``update``: users that are there get the password of the file, and are suspended where it
    says so. ``create_domains``: the domains of addresses are made where they are missing.
    ``generate``: users without a password get one of our making.
    """

    update: bool = False
    create_domains: bool = False
    generate: bool = False

    def stored(self) -> dict[str, bool]:
        """The options as the database keeps them."""
        return asdict(self)


EXISTS = Phrase("It is there already")
KEEPS_PASSWORD = Phrase("It is there already and keeps its password")
KEEPS_STATE = Phrase("It is there already, and its password and its state stay as they are")
HAS_PASSWORD = Phrase("It is there already and has this password")
IS_TWICE = Phrase("Line %(line)s says the same already")
CONTRADICTS = Phrase("Line %(line)s says something else of it already")
NEW_PASSWORD = Phrase("It gets this password, unless it has it already")
SUSPENDED = Phrase("It will be suspended: %(mode)s")
NEW_PASSWORD_TOO = Phrase(
    "It gets this password, unless it has it already, and will be suspended: %(mode)s"
)
ANOTHER_TOO = Phrase("It gets another password and will be suspended: %(mode)s")
NO_PASSWORD = Phrase(
    "The user has neither a password nor a hash: give one, or let passwords be generated"
)
GENERATED = Phrase("It gets a generated password")
