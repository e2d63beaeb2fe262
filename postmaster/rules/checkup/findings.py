"""What the checkup can find, and what it found. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ...errors import Phrase, fill

MOST_SAMPLES = 10  # rows that are shown of each finding


class Severity(StrEnum):
    """``ERROR``: mail is lost or refused, or somebody cannot sign in, or anybody can.

    ``WARNING``: it works, but not as somebody may think. ``NOTE``: good to know.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True)
class Kind:
    """One thing that can be found.

    ``code`` is its name for scripts, ``what`` its name for people, ``meaning`` what it means
    for mail and what to do; ``repair`` is what PostMaster would do about it, if it can.
    """

    code: str
    severity: Severity
    what: Phrase
    meaning: Phrase
    repair: Phrase | None = None


@dataclass(frozen=True)
class Sample:
    """One of the rows that were found: its noun, its id, and what people know it by.

    What has no page of its own, such as a column, has the id 0.
    """

    noun: str
    id: int
    text: str

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"kind": self.noun, "id": self.id, "name": self.text}


@dataclass(frozen=True)
class Finding:
    """A kind that was found, how often, and the first of its rows.

    ``statements`` are for the operator to run. ``values`` fill the places of the meaning.
    """

    kind: Kind
    count: int
    sample: Sequence[Sample] = ()
    statements: Sequence[str] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The kind's code."""
        return self.kind.code

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.kind.severity

    def plain(self) -> dict[str, Any]:
        """In English, as JSON has it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "what": self.kind.what,
            "count": self.count,
            "meaning": fill(self.kind.meaning, self.values),
            "sample": [sample.plain() for sample in self.sample],
            "statements": list(self.statements),
            "repair": self.kind.repair,
        }


@dataclass(frozen=True)
class SchemeCount:
    """How many users' passwords are in one scheme.

    ``state`` says what Dovecot makes of them (``rules/schemes``).
    """

    scheme: str
    state: str
    is_weak: bool
    count: int


@dataclass(frozen=True)
class Report:
    """All that was found, the worst first, and how many passwords are in which scheme.

    Not ``complete`` if the form of the tables kept the rows from being compared.
    """

    findings: Sequence[Finding]
    schemes: Sequence[SchemeCount]
    complete: bool = True

    def count(self, severity: Severity | str) -> int:
        """How many kinds of this severity were found."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def is_well(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return not self.count(Severity.ERROR) and not self.count(Severity.WARNING)

    def plain(self) -> dict[str, Any]:
        """In English, as JSON has it."""
        return {
            "well": self.is_well,
            "complete": self.complete,
            "findings": [finding.plain() for finding in self.findings],
            "schemes": [
                {"scheme": s.scheme, "state": s.state, "weak": s.is_weak, "users": s.count}
                for s in self.schemes
            ],
        }

    def finding(self, code: str) -> Finding | None:
        """The finding with this code, if there is one."""
        return next((finding for finding in self.findings if finding.code == code), None)


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, else as they were looked for."""
    return sorted(findings, key=lambda finding: WORST_FIRST.index(finding.severity))
