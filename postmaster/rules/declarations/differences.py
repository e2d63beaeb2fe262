"""What would make the tables equal to a declaration: what goes, what changes, what comes.

Judged by the rules of the acts, for what would be there in the end. What a file leaves as it
is, is not judged: it may have been made by hand.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.orm import Session

from ...errors import Invalid, Phrase, RuleError
from ...models import Alias, Domain, User
from .. import (
    addresses,
    alias_rules,
    alias_verdicts,
    aliases,
    domains,
    mail_tables,
    passwords,
    rows,
    settings,
    suspension_acts,
    suspensions,
    users,
)
from ..actions import Kind
from ..actor import Actor
from . import belonging
from .afterwards import Afterwards
from .document import NOT_SUSPENDED, Declaration, DeclaredAlias, DeclaredUser, at_line

VERSION_LENGTH = 16

NEW_HASH = Phrase("another password")
GENERATED = Phrase("a password is generated")
SUSPENDED = Phrase("suspended: %(mode)s")
RESUMED = Phrase("not suspended any more")


class Sign(StrEnum):
    """What becomes of a thing."""

    DELETE = "delete"
    CHANGE = "change"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is deleted, changed or created; ``line`` is None where the file has none."""

    sign: Sign
    kind: Kind
    name: str
    line: int | None = None
    details: tuple[str, ...] = ()


@dataclass
class Plan:
    """All that would be done, the deletions first, and the rows that it is about.

    ``refusals`` are the rules that it would break: with any of them nothing is done.
    ``warnings`` are what it would mean for others. ``seen`` tells the tables' state.
    """

    seen: str
    steps: list[Step] = field(default_factory=list)
    refusals: list[Invalid] = field(default_factory=list)
    warnings: list[Invalid] = field(default_factory=list)
    generated: list[str] = field(default_factory=list)

    gone_aliases: list[Alias] = field(default_factory=list)
    gone_users: list[User] = field(default_factory=list)
    gone_domains: list[Domain] = field(default_factory=list)
    new_domains: list[str] = field(default_factory=list)
    new_hashes: list[tuple[User, str]] = field(default_factory=list)
    new_modes: list[tuple[User, suspensions.Mode | None]] = field(default_factory=list)
    new_users: list[DeclaredUser] = field(default_factory=list)
    new_aliases: list[DeclaredAlias] = field(default_factory=list)

    def count(self, sign: Sign) -> int:
        """How many things are deleted, changed or created."""
        return sum(step.sign is sign for step in self.steps)


def plan(session: Session, actor: Actor, declaration: Declaration) -> Plan:
    """What would make the tables equal to the declaration; nothing is written."""
    present = _Present(session, declaration)
    found = Plan(present.version())
    _compare_domains(found, present, declaration)
    _compare_users(found, present, declaration)
    _compare_aliases(found, present, declaration)
    found.steps.sort(key=_order)
    _Judge(session, found, present, declaration).judge()
    return found


def _order(step: Step) -> tuple[int, int, str]:
    """Deletions from the inside out, then changes, then what comes from the outside in."""
    kinds = [Kind.DOMAIN, Kind.USER, Kind.ALIAS]
    rank = kinds.index(step.kind)
    return list(Sign).index(step.sign), -rank if step.sign is Sign.DELETE else rank, step.name


# --- what is there --------------------------------------------------------------


class _Present:
    """The rows of the domains that are governed, by what a declaration calls them.

    ``alike`` are domains that the database alone takes for one of them.
    """

    def __init__(self, session: Session, declaration: Declaration) -> None:
        self._governed = declaration.governs
        self.domains, self.alike = belonging.domains(session, declaration.governs)
        self.users = belonging.rows_of(session, User, declaration.governs, self.domains)
        self.aliases = belonging.rows_of(session, Alias, declaration.governs, self.domains)
        self.hashes = suspensions.hashes_of(session, self.users)

    def is_own(self, row: User | Alias) -> bool:
        """Whether it can stand in a file: its address is in one of the domains."""
        if isinstance(row, Alias) and "@" not in row.destination:
            return False
        return belonging.domain_of(row) in self._governed

    def version(self) -> str:
        """Changes with every row."""
        state = [
            sorted((each.id, each.name) for some in self.domains.values() for each in some),
            sorted((each.id, each.email, self.hashes[each.id]) for each in self.users),
            sorted((each.id, each.source, each.destination) for each in self.aliases),
        ]
        return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:VERSION_LENGTH]


# --- what differs ---------------------------------------------------------------


def _compare_domains(found: Plan, present: _Present, declaration: Declaration) -> None:
    for name in declaration.governs:
        there = present.domains.get(name, [])
        if name not in declaration.domains:
            found.gone_domains += there
            found.steps += [Step(Sign.DELETE, Kind.DOMAIN, each.name) for each in there]
        elif not there:
            found.new_domains.append(name)
            line = declaration.domains[name]
            found.steps.append(Step(Sign.CREATE, Kind.DOMAIN, name, line))


def _compare_users(found: Plan, present: _Present, declaration: Declaration) -> None:
    gone_ids = {domain.id for domain in found.gone_domains}
    there: dict[str, User] = {}
    for user in present.users:
        if user.domain_id in gone_ids:
            found.gone_users.append(user)
        elif present.is_own(user):
            there[addresses.folded(suspensions.address_of(user))] = user
    for declared in declaration.users:
        row = there.pop(declared.written, None) or there.pop(declared.address, None)
        if row is None:
            found.new_users.append(declared)
            details = _modes(declared.suspended) if declared.suspended != NOT_SUSPENDED else ()
            if declared.hashed is None:
                found.generated.append(declared.address)
                details = (str(GENERATED), *details)
            step = Step(Sign.CREATE, Kind.USER, declared.address, declared.line, details)
            found.steps.append(step)
        else:
            _compare_user(found, present, row, declared)
    found.gone_users += there.values()
    found.steps += [
        Step(Sign.DELETE, Kind.USER, suspensions.address_of(user)) for user in found.gone_users
    ]


def _compare_user(found: Plan, present: _Present, row: User, declared: DeclaredUser) -> None:
    details: tuple[str, ...] = ()
    hashed = passwords.without_default_scheme(present.hashes[row.id])  # as the declared one is
    if declared.hashed is not None and declared.hashed != hashed:
        found.new_hashes.append((row, declared.hashed))
        details = (str(NEW_HASH),)
    mode = suspensions.mode_of(row)
    if declared.suspended is not None and declared.suspended != (mode or NOT_SUSPENDED):
        found.new_modes.append((row, _mode(declared.suspended)))
        details = (*details, *_modes(declared.suspended))
        if _mode(declared.suspended) is None and (declared.hashed or hashed) == suspensions.MARKER:
            not_kept = Invalid(suspension_acts.NOT_KEPT, email=suspensions.address_of(row))
            found.refusals.append(at_line(declared.line, not_kept))
    if details:
        address = suspensions.address_of(row)
        found.steps.append(Step(Sign.CHANGE, Kind.USER, address, declared.line, details))


def _mode(suspended: str | None) -> suspensions.Mode | None:
    return None if suspended in (None, NOT_SUSPENDED) else suspensions.Mode(suspended)


def _modes(suspended: str | None) -> tuple[str, ...]:
    if suspended is None:
        return ()
    return (str(RESUMED),) if suspended == NOT_SUSPENDED else (SUSPENDED % {"mode": suspended},)


def _compare_aliases(found: Plan, present: _Present, declaration: Declaration) -> None:
    gone_ids = {domain.id for domain in found.gone_domains}
    there: dict[tuple[str, str], list[Alias]] = {}
    for alias in present.aliases:
        if alias.domain_id in gone_ids:
            found.gone_aliases.append(alias)
        elif present.is_own(alias):
            pair = (addresses.folded(alias.source), alias.destination.lower())
            there.setdefault(pair, []).append(alias)
    for declared in declaration.aliases:
        pair = (declared.source, declared.destination)
        if there.pop(declared.written, None) or there.pop(pair, None):
            continue
        found.new_aliases.append(declared)
        name = f"{declared.source} -> {declared.destination}"
        found.steps.append(Step(Sign.CREATE, Kind.ALIAS, name, declared.line))
    found.gone_aliases += [alias for some in there.values() for alias in some]
    found.steps += [
        Step(Sign.DELETE, Kind.ALIAS, aliases.in_words(alias)) for alias in found.gone_aliases
    ]


# --- what the rules say ---------------------------------------------------------


class _Judge:
    """Judges a plan by what would be there in the end."""

    def __init__(
        self, session: Session, found: Plan, present: _Present, declaration: Declaration
    ) -> None:
        self._session = session
        self._plan = found
        self._present = present
        self._declaration = declaration
        self._after = Afterwards(
            session,
            governed=declaration.governs,
            domains=declaration.domains,
            mailboxes=dict(self._final_mailboxes()),
            pairs=[pair for pair, _line in self._final_pairs()],
        )

    def judge(self) -> None:
        """Fill in the refusals and the warnings."""
        self._judge_domains()
        self._judge_users()
        self._judge_aliases()
        lost = self._lost()
        for (source, destination), line in self._final_pairs():
            if destination in lost:
                self._refuse(
                    line,
                    Invalid(
                        'The alias "%(source)s" leads to "%(destination)s", which would not be '
                        "there any more",
                        source=source,
                        destination=destination,
                    ),
                )
        self._warn_of_others(lost)
        self._warn_of_catch_alls()

    def _refuse(self, line: int, error: RuleError) -> None:
        self._plan.refusals.append(at_line(line, error))

    def _final_mailboxes(self) -> Iterator[tuple[str, bool]]:
        """The mailboxes in the governed domains, and whether they get mail."""
        without = {user.id for user, mode in self._plan.new_modes if mode is suspensions.Mode.ALL}
        with_mail = {user.id for user, _mode in self._plan.new_modes} - without
        gone = {user.id for user in self._plan.gone_users}
        for user in self._present.users:
            if user.id not in gone:
                is_off = suspensions.mode_of(user) is suspensions.Mode.ALL
                is_off = (is_off or user.id in without) and user.id not in with_mail
                yield suspensions.address_of(user).lower(), not is_off
        for declared in self._plan.new_users:
            yield declared.address, declared.suspended != suspensions.Mode.ALL

    def _final_pairs(self) -> list[tuple[tuple[str, str], int]]:
        return [((each.source, each.destination), each.line) for each in self._declaration.aliases]

    def _judge_domains(self) -> None:
        """No name comes that the database takes for another's: it would find either row."""
        for name in mail_tables.StoredTables(self._session).domains(self._plan.new_domains):
            self._refuse(self._declaration.domains[name], domains.is_taken(name))
        for domain in self._present.alike:
            self._plan.warnings.append(
                Invalid(
                    'The domain "%(name)s" is left alone: only the database takes it for one that '
                    "the file governs; to people the two names differ",
                    name=addresses.shown(domain.name),
                )
            )

    def _judge_users(self) -> None:
        new = {declared.address: declared for declared in self._plan.new_users}
        spellings = suspensions.spellings(list(new))
        there = mail_tables.StoredTables(self._session).mailboxes(spellings)
        elsewhere = {spelling.removeprefix(suspensions.SIGN) for spelling in there}
        for address, declared in new.items():
            try:
                users.normalised(declared.address)
                if address in elsewhere:
                    raise users.is_taken(address)
            except Invalid as error:
                self._refuse(declared.line, error)

    def _judge_aliases(self) -> None:
        for declared in self._plan.new_aliases:
            source, destination = declared.source, declared.destination
            try:
                alias_rules.checked_source(source)
                alias_rules.checked_destination(destination)
                alias_verdicts.check_destination_exists(self._after, source, destination)
                alias_verdicts.check_closes_no_circle(self._after, [source], destination)
            except Invalid as error:
                self._refuse(declared.line, error)
        touched = {declared.source for declared in self._plan.new_aliases}
        touched |= {alias.source.lower() for alias in self._plan.gone_aliases}
        touched |= {declared.address for declared in self._plan.new_users}
        for (source, destination), line in self._final_pairs():
            if source in touched:
                try:
                    alias_verdicts.check_mailbox_keeps_its_mail(self._after, source, destination)
                except Invalid as error:
                    self._refuse(line, error)

    def _lost(self) -> set[str]:
        """The addresses that would be neither a mailbox nor an alias any more."""
        gone = {suspensions.address_of(user).lower() for user in self._plan.gone_users}
        gone |= {alias.source.lower() for alias in self._plan.gone_aliases}
        return {
            address
            for address in gone
            if not self._after.is_mailbox(address) and not self._after.is_source(address)
        }

    def _warn_of_others(self, lost: Collection[str]) -> None:
        own = {alias.id for alias in self._present.aliases}
        for alias in rows.where_in(self._session, Alias, Alias.destination, sorted(lost)):
            if alias.id not in own:
                self._plan.warnings.append(
                    Invalid(
                        'The alias "%(name)s", in a domain that the file does not govern, would '
                        "lead nowhere",
                        name=aliases.in_words(alias),
                    )
                )

    def _warn_of_catch_alls(self) -> None:
        if settings.value_of(self._session, settings.EMAIL2EMAIL_MAP):
            return
        new = {addresses.split(declared.address)[1] for declared in self._plan.new_users}
        new |= {each.source[1:] for each in self._plan.new_aliases if each.source[:1] == "@"}
        swallowed = self._after.swallowed(new)
        for domain, emails in sorted(swallowed.items()):
            self._plan.warnings.append(
                Invalid(
                    'The catch-all "@%(domain)s" takes the mail of the mailboxes that have no '
                    "alias to themselves, such as %(email)s (in all: %(count)s), as this server "
                    "has no email2email map",
                    domain=domain,
                    email=emails[0],
                    count=len(emails),
                )
            )


def managed(session: Session, names: Sequence[str]) -> Mapping[str, int]:
    """The domains of these names, with the id that counts."""
    found, _alike = belonging.domains(session, names)
    return {name: min(domain.id for domain in some) for name, some in found.items()}
