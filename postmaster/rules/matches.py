"""What a search finds first: what begins with the text, or lies in the domain that it names.

A search is for a text anywhere in a column, which takes a scan of a whole index. These rows
come from a small range of one, and mostly they are what was meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..models import Alias, Domain, User
from . import suspensions

# With more domains than that, their rows are no small range.
MOST_DOMAINS = 5


@dataclass(frozen=True)
class First:
    """The condition for what comes first, and the one for all else, where that is as simple."""

    condition: ColumnElement[bool]
    others: ColumnElement[bool] | None = None

    def beside(
        self, key: InstrumentedAttribute[Any], conditions: Sequence[ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """The condition for all else, of rows or groups with this key and these conditions.

        By the key, which is in the index that is walked then; the columns of the condition are
        not all in it.
        """
        if self.others is not None:
            return self.others
        before = select(key).where(*conditions, self.condition).correlate(None)
        return key.not_in(before)


def of_users(session: Session, text: str) -> First | None:
    """What comes first among the users."""
    return _of(session, User, User.email, text, before=("", suspensions.SIGN))


def of_aliases(session: Session, text: str) -> First | None:
    """What comes first among the aliases, by their source."""
    return _of(session, Alias, Alias.source, text)


def _of(
    session: Session,
    model: type[User] | type[Alias],
    column: InstrumentedAttribute[str],
    text: str,
    before: tuple[str, ...] = ("",),
) -> First | None:
    # What is not ASCII is compared in another character set, where no index serves.
    if not text.isascii() or "\0" in text:
        return None
    local_part, at, domain = text.rpartition("@")
    if not local_part:
        first = _in_domains(session, model, column, domain, is_begun=bool(at))
        if first is not None or at:
            return first
    begins = or_(*(column.startswith(sign + text, autoescape=True) for sign in before))
    return First(begins, ~begins)


def _in_domains(
    session: Session,
    model: type[User] | type[Alias],
    column: InstrumentedAttribute[str],
    text: str,
    *,
    is_begun: bool,
) -> First | None:
    """``is_begun``: the text begins a domain's name; otherwise it is a whole one."""
    named = Domain.name.startswith(text, autoescape=True) if is_begun else Domain.name == text
    if not text or (not is_begun and "." not in text):
        return None
    ids = session.scalars(select(Domain.id).where(named).limit(MOST_DOMAINS + 1)).all()
    if not 0 < len(ids) <= MOST_DOMAINS:
        return None
    return First(
        and_(model.domain_id.in_(ids), column.contains(f"@{text}", autoescape=True)),
    )
