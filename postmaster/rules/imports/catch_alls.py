"""The mailboxes whose mail the catch-alls of an import take, where there is no email2email map."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from .. import alias_rules, consequences, settings
from ..actions import Kind
from .order import Order
from .present import Planned
from .verdicts import Line, Reason, Verdict
from .wanted import Wanted

ONE, SEVERAL = consequences.SENTENCES[consequences.Kind.SWALLOWED]


def is_warning(line: Line) -> bool:
    """Whether a line that would be done is one to think about first."""
    return line.reason is not None and line.reason.template in (ONE, SEVERAL)


class CatchAlls:
    """What the catch-alls of a plan mean for the mailboxes that are there, or would be."""

    def __init__(self, session: Session, order: Order, planned: Planned) -> None:
        self._session = session
        self._planned = planned
        has_map = settings.value_of(session, settings.EMAIL2EMAIL_MAP)
        domains = frozenset() if has_map else order.catch_all_domains
        self._new: dict[str, set[str]] = {domain: set() for domain in domains}
        self._there: dict[str, set[str]] = {}
        self._sources = order.sources_in(domains) if domains else set()

    def fetch(self, batch: Sequence[Wanted]) -> None:
        """Look up the mailboxes of the domains that these lines give a catch-all."""
        domains = {wanted.domain for wanted in batch if self._is_one(wanted)}
        self._there = {domain: set() for domain in domains}
        for name, user in alias_rules.swallowed_in(self._session, domains) if domains else ():
            self._there.setdefault(name.strip().lower(), set()).add(user.email.lower())

    def _is_one(self, wanted: Wanted) -> bool:
        is_catch_all = wanted.kind == Kind.ALIAS and wanted.name.startswith("@")
        return is_catch_all and wanted.domain in self._new

    def note(self, wanted: Wanted, verdict: Verdict) -> None:
        """Remember a user that would be made."""
        if wanted.kind == Kind.USER and verdict is Verdict.CREATE and wanted.domain in self._new:
            self._new[wanted.domain].add(wanted.name)

    def reason(self, wanted: Wanted, verdict: Verdict) -> Reason | None:
        """What a new catch-all takes, if this is one and takes any."""
        if verdict is not Verdict.CREATE or not self._is_one(wanted):
            return None
        found = self._there[wanted.domain] | self._new[wanted.domain]
        found -= self._sources | self._planned.without_mail | {wanted.destination}
        if not found:
            return None
        return Reason(
            ONE if len(found) == 1 else SEVERAL,
            {"address": min(found), "count": len(found), "goes_to": wanted.destination},
        )
