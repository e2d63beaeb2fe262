"""What is odd about users' passwords, and how many are in which scheme.

A million hashes are not fetched. The database groups them by their shape (scheme, lengths,
whether there is a character that most schemes do not have), one of each group is looked at
by ``rules.schemes``, and the others are taken to be like it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from ...errors import Phrase
from ...models import User
from .. import rows, schemes
from ..schemes import State, Stored
from .findings import MOST_SAMPLES, Finding, Kind, SchemeCount, Severity
from .users import sample

CANNOT_SIGN_IN = Phrase("Nobody can sign in with any password. Give these users a new one.")
EMPTY = Kind("password-empty", Severity.ERROR, Phrase("Users without password"), CANNOT_SIGN_IN)
PLAIN = Kind(
    "password-plain",
    Severity.ERROR,
    Phrase("Passwords that are stored as they are typed"),
    Phrase(
        "Dovecot takes the text for a hash and refuses the password, and whoever reads the "
        "table reads the passwords."
    ),
    Phrase(
        "Hashes each by SHA512-CRYPT. What stands in the row now is the password from then on. "
        "The history keeps the old text for undo, where no page shows it."
    ),
)
CUT = Kind(
    "password-cut",
    Severity.ERROR,
    Phrase("Passwords whose hash is cut or damaged"),
    CANNOT_SIGN_IN,
)
UNKNOWN = Kind(
    "password-unknown",
    Severity.ERROR,
    Phrase("Passwords in a scheme that Dovecot does not read"),
    CANNOT_SIGN_IN,
)
WEAK = Kind(
    "password-weak",
    Severity.WARNING,
    Phrase("Passwords in a weak scheme"),
    Phrase(
        "They work, but whoever gets hold of the table guesses them quickly. A new password is "
        "stored by SHA512-CRYPT."
    ),
)
KINDS: Mapping[State, Kind] = {
    State.EMPTY: EMPTY,
    State.PLAIN: PLAIN,
    State.CUT: CUT,
    State.UNKNOWN: UNKNOWN,
}
LONGEST_SCHEME, LONGEST_CRYPT = 20, 10
MOST_GROUPS = 2000
# SHA512-CRYPT as PostMaster and the guides write it.
USUAL = "^[$]6[$][./0-9A-Za-z]{16}[$][./0-9A-Za-z]{86}$"
PLAIN_CHARACTERS = "^[./0-9A-Za-z$]*$"
DES = "^[./0-9A-Za-z]{13}$"


@dataclass(frozen=True)
class Group:
    """The users whose passwords have one shape, and what the first one's is."""

    shape: tuple[Any, ...]
    count: int
    stored: Stored

    @property
    def kind(self) -> Kind | None:
        """What is wrong with them, if something is."""
        if self.stored.state in KINDS:
            return KINDS[self.stored.state]
        return WEAK if self.stored.is_readable and self.stored.is_weak else None


@dataclass(frozen=True)
class Passwords:
    """What was found: the findings, and the census, weak ones first."""

    findings: list[Finding]
    schemes: list[SchemeCount]


def find(session: Session) -> Passwords:
    """Look at all passwords."""
    groups = _groups(session)
    findings = []
    for kind in (*KINDS.values(), WEAK):
        odd = [group for group in groups if group.kind is kind]
        if odd:
            first = session.scalars(_users(odd).limit(MOST_SAMPLES))
            count = sum(group.count for group in odd)
            findings.append(Finding(kind, count, [sample(user) for user in first]))
    return Passwords(findings, _census(groups, _usual(session, groups)))


def plain(session: Session, most: int) -> list[User]:
    """The first users whose password stands in the row as it is typed."""
    odd = [group for group in _groups(session) if group.kind is PLAIN]
    return list(session.scalars(_users(odd).limit(most))) if odd else []


def _usual(session: Session, unusual: Sequence[Group]) -> int:
    every = session.scalar(select(func.count()).select_from(User)) or 0
    return max(every - sum(group.count for group in unusual), 0)


def _census(groups: Sequence[Group], usual: int) -> list[SchemeCount]:
    counts: dict[tuple[str, State, bool], int] = {}
    if usual:
        counts[schemes.DEFAULT, State.READABLE, False] = usual
    for group in groups:
        stored = group.stored
        key = (stored.scheme, stored.state, stored.is_weak)
        counts[key] = counts.get(key, 0) + group.count
    every = [SchemeCount(*key, count) for key, count in counts.items()]
    return sorted(every, key=lambda one: (not one.is_weak, -one.count, one.scheme, one.state))


# --- shapes ---------------------------------------------------------------------


def _groups(session: Session) -> list[Group]:
    shape = _shape()
    labelled = [column.label(f"shape{number}") for number, column in enumerate(shape)]
    query = (
        select(*labelled, func.count(), func.min(User.id))
        .where(~User.password.regexp_match(USUAL))
        .group_by(*(column.name for column in labelled))
        .limit(MOST_GROUPS)
    )
    found = list(session.execute(query))
    firsts = {
        user.id: user.password for user in rows.present(session, User, [row[-1] for row in found])
    }
    return [
        Group(tuple(values), count, schemes.of(firsts[first]))
        for *values, count, first in found
        if first in firsts
    ]


def _shape() -> tuple[ColumnElement[Any], ...]:
    """Scheme, beginning of the hash, sort of text, and the lengths of the end and the whole."""
    password = User.password
    brace = func.instr(password, "}", type_=Integer)
    has_scheme = and_(password.startswith("{"), brace.between(2, LONGEST_SCHEME + 2))
    scheme = case((has_scheme, func.upper(func.substr(password, 1, brace))), else_="")
    rest = case((has_scheme, func.substr(password, brace + 1)), else_=password.expression)
    second = func.instr(func.substr(rest, 2), "$", type_=Integer)
    is_crypt = rest.like("$%")
    crypt = case(
        (and_(is_crypt, second.between(1, LONGEST_CRYPT)), func.substr(rest, 1, second + 1)),
        (is_crypt, "$"),
        else_="",
    )
    is_bare = and_(~has_scheme, ~is_crypt)
    sort = case(
        (func.char_length(password) == 0, 0),
        (func.substr(rest, 1, 1).in_(("!", "*")), 1),
        (and_(is_bare, password.regexp_match(DES)), 2),
        (is_bare, 3),
        (rest.regexp_match(PLAIN_CHARACTERS), 4),
        else_=5,
    )
    has_lengths = ~or_(is_bare, func.char_length(password) == 0)
    end = func.char_length(func.substring_index(rest, "$", -1))
    return (
        scheme,
        crypt,
        sort,
        case((has_lengths, end), else_=literal(0)),
        case((has_lengths, func.char_length(password)), else_=literal(0)),
    )


def _users(groups: Sequence[Group]) -> Select[User]:
    """The users of some groups, in the order of their ids."""
    shape = _shape()
    conditions = [
        and_(*(column == value for column, value in zip(shape, group.shape, strict=True)))
        for group in groups
    ]
    return select(User).where(or_(*conditions)).order_by(User.id)
