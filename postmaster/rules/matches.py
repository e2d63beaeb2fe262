"""What a search finds first: what begins with the text, or lies in the domain that it names.

A search is for a text anywhere in a column, which takes a scan of a whole index. These rows
come from a small range of one, and mostly they are what was meant.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..models import Alias, Domain, User
from . import suspensions
from .conditions import Kept, Where, begins, contains, literally

# With more domains than that, their rows are no small range.
MOST_DOMAINS = 5

_kept = Kept()


@dataclass(frozen=True)
class First:
    """The condition for what comes first, and the one for all else, where that is as simple."""

    where: Where
    others: Where | None = None

    def beside(self, key: InstrumentedAttribute[Any], conditions: Where) -> Where:
        """The condition for all else, of rows or groups with this key and these conditions.

        By the key, which is in the index that is walked then; the columns of the condition are
        not all in it.
        """
        if self.others is not None:
            return self.others
        before = conditions + self.where

        def build() -> ColumnElement[bool]:
            return key.not_in(select(key).where(*before.clauses).correlate(None))

        clause = _kept.get(before, key, build=build)
        return Where((clause,), before.values)


def of_users(session: Session, text: str) -> First | None:
    """What comes first among the users."""
    return _of(session, User, User.email, text, ("", suspensions.SIGN))


def of_aliases(session: Session, text: str) -> First | None:
    """What comes first among the aliases, by their source."""
    return _of(session, Alias, Alias.source, text, ("",))


def _of(
    session: Session,
    model: type[User] | type[Alias],
    column: InstrumentedAttribute[str],
    text: str,
    before: tuple[str, ...],
) -> First | None:
    """``before``: what may stand before an address in its column."""
    # What is not ASCII is compared in another character set, where no index serves.
    if not text.isascii() or "\0" in text:
        return None
    local_part, at, domain = text.rpartition("@")
    if not local_part:
        first = _in_domains(session, model, column, domain, is_begun=bool(at))
        if first is not None or at:
            return first
    values = {f"begins{n}": literally(sign + text) for n, sign in enumerate(before)}
    begun, other = _begun(column, len(before))
    return First(Where((begun,), values), Where((other,), values))


@cache
def _begun(
    column: InstrumentedAttribute[str], ways: int
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    begun = or_(*(begins(column, f"begins{number}") for number in range(ways)))
    return begun, ~begun


def _in_domains(
    session: Session,
    model: type[User] | type[Alias],
    column: InstrumentedAttribute[str],
    text: str,
    *,
    is_begun: bool,
) -> First | None:
    """``is_begun``: the text begins a domain's name; otherwise it is a whole one."""
    if not text or (not is_begun and "." not in text):
        return None
    name = literally(text) if is_begun else text
    ids = session.scalars(_named(is_begun), {"domain": name}).all()
    if not 0 < len(ids) <= MOST_DOMAINS:
        return None
    values = {"domain_ids": ids, "in_domain": literally(f"@{text}")}
    return First(Where(_there(model, column), values))


@cache
def _named(is_begun: bool) -> Select[int]:
    named = begins(Domain.name, "domain") if is_begun else Domain.name == bindparam("domain")
    return select(Domain.id).where(named).limit(MOST_DOMAINS + 1)


@cache
def _there(
    model: type[User] | type[Alias], column: InstrumentedAttribute[str]
) -> tuple[ColumnElement[bool], ...]:
    there = model.domain_id.in_(bindparam("domain_ids", expanding=True))
    return there, contains(column, "in_domain")
