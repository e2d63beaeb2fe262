"""What was found in the mail server's configuration, and how bad it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ...errors import Phrase, Translate, fill
from .masking import shortened


class Severity(StrEnum):
    """``ERROR``: mail or sign-ins go wrong, or what PostMaster writes does not count."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.OK)


@dataclass(frozen=True)
class Kind:
    """One thing that can be so: its code for scripts, what is so, what it means for mail.

    A kind without a meaning takes that of the finding: the same fault means something
    else in another map.
    """

    code: str
    severity: Severity
    what: Phrase
    meaning: Phrase | None = None


@dataclass(frozen=True)
class OwnSetting:
    """A setting of PostMaster itself, which stands in none of the texts, and its right value.

    ``id`` is that of its row; None while there is none.
    """

    id: int | None
    name: str
    value: str

    def plain(self) -> dict[str, Any]:
        """For scripts."""
        return {"id": self.id, "name": str(self.name), "value": self.value}


@dataclass(frozen=True)
class Finding:
    """A kind that was found: in which text, with which values, and the lines to write there.

    ``own_setting`` is what to change instead, where it is PostMaster that does not fit.
    """

    kind: Kind
    where: str
    values: Mapping[str, Any] = field(default_factory=dict)
    write: tuple[str, ...] = ()
    means: Phrase | None = None
    own_setting: OwnSetting | None = None

    @property
    def code(self) -> str:
        """The kind's code."""
        return self.kind.code

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.kind.severity

    def sentence(self, translate: Translate = str) -> str:
        """What is so."""
        return fill(self.kind.what, self.values, translate)

    def meaning(self, translate: Translate = str) -> str:
        """What it means for mail."""
        phrase = self.means or self.kind.meaning
        return fill(phrase, self.values, translate) if phrase else ""

    def shown(self, change: Any) -> "Finding":
        """The same with each text among its values changed, as a page needs it."""
        values = {
            name: change(value) if type(value) is str else value
            for name, value in self.values.items()
        }
        return replace(self, values=values)


def found(
    kind: Kind,
    where: str,
    *write: str,
    means: Phrase | None = None,
    own_setting: OwnSetting | None = None,
    **values: str | int | Phrase | Sequence[str],
) -> Finding:
    """A finding with these values, those of the texts at a length that can be read."""
    short = {
        name: shortened(value) if type(value) is str else value for name, value in values.items()
    }
    return Finding(kind, where, short, write, means, own_setting)


@dataclass(frozen=True)
class ReadText:
    """A text that was given, and what it was taken for."""

    name: str
    kind: Phrase


@dataclass(frozen=True)
class Report:
    """All findings, the worst first.

    ``has_email2email`` and ``mail_folder`` (such as ``/var/mail/vhosts/%d/%n``) are None
    where the texts do not tell.
    """

    findings: tuple[Finding, ...]
    texts: tuple[ReadText, ...]
    has_email2email: bool | None = None
    mail_folder: str | None = None

    @property
    def worst(self) -> Severity:
        """The worst severity among the findings."""
        present = {finding.severity for finding in self.findings}
        return next((severity for severity in WORST_FIRST if severity in present), Severity.OK)

    def plain(self) -> dict[str, Any]:
        """For scripts: texts, lists and truth values, in English."""
        return {
            "worst": str(self.worst),
            "findings": [
                {
                    "severity": str(finding.severity),
                    "code": finding.code,
                    "where": finding.where,
                    "sentence": finding.sentence(),
                    "meaning": finding.meaning(),
                    "write": list(finding.write),
                    "setting": finding.own_setting.plain() if finding.own_setting else None,
                }
                for finding in self.findings
            ],
            "texts": [{"name": text.name, "kind": str(text.kind)} for text in self.texts],
            "email2email": self.has_email2email,
            "mail_folder": self.mail_folder,
        }

    def count(self, severity: Severity) -> int:
        """How many findings of this severity there are."""
        return sum(finding.severity == severity for finding in self.findings)


def sorted_by_severity(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The worst first, each once, otherwise in the order in which they were found."""
    unique: list[Finding] = []
    for finding in findings:
        if finding not in unique:
            unique.append(finding)
    return tuple(sorted(unique, key=lambda finding: WORST_FIRST.index(finding.severity)))
