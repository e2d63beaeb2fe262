"""What was asked of a directory step by step, for whoever sets it up."""

from dataclasses import dataclass
from typing import Any

from ..errors import Phrase, RuleError

CONNECTION = Phrase("Connection")
BIND_ACCOUNT = Phrase("Bind account")
PASSWORD = Phrase("Password")
USER = Phrase("User")
GROUP = Phrase("Group")
ACCOUNT = Phrase("Account")
VERDICT = Phrase("Verdict")


@dataclass(frozen=True)
class Step:
    """One step: what it was, what was found, and what to do if it failed."""

    title: Phrase
    said: RuleError
    passed: bool
    advice: Phrase | None = None
    detail: str = ""  # the server's own words


class Trail:
    """The steps so far. The one that has begun fails when an error comes."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._title = CONNECTION
        self._last_failure: RuleError | None = None

    def begin(self, title: Phrase) -> None:
        """Say what comes now."""
        self._title = title

    def passed(self, template: str, **values: Any) -> None:
        """The step that has begun went well; ``template`` says what was found."""
        self.steps.append(Step(self._title, RuleError(template, **values), passed=True))

    def failed(self, error: RuleError) -> None:
        """The step that has begun did not. The same failure is told once."""
        if error is self._last_failure:
            return
        self._last_failure = error
        advice, detail = getattr(error, "advice", None), getattr(error, "detail", "")
        self.steps.append(Step(self._title, error.for_operators(), False, advice, detail))
