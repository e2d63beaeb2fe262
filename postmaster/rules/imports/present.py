"""What the mail tables have of the things that some lines of an import name.

A few queries for a batch of lines. Addresses compare in lower case, as everywhere; where the
database's own comparison is wider still (accents), what it takes for equal counts.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...models import Alias, Domain, User
from .. import addresses, lengths, mail_tables, notes, rows, settings, suspensions
from ..actions import Kind
from ..expansion import Server
from .wanted import Wanted


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A user that is there, with its hash, also while it is suspended."""

    id: int
    hashed: str
    mode: suspensions.Mode | None

    @property
    def without_mail(self) -> bool:
        """Whether it is suspended without mail."""
        return self.mode is suspensions.Mode.ALL


@dataclass
class Planned:
    """What lines before these would have made, where nothing was written yet."""

    domains: set[str] = field(default_factory=set)
    users: set[int] = field(default_factory=set)  # hashes of the addresses
    without_mail: set[str] = field(default_factory=set)
    aliases: dict[str, list[str]] = field(default_factory=dict)


class Present:
    """What is there, and what the lines before made of it."""

    def __init__(self, session: Session, planned: Planned) -> None:
        self._session = session
        self._planned = planned
        self._domains: dict[str, int | None] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._looked_for: set[str] = set()
        self._leads: dict[str, list[str]] = {}
        self._looked_up: set[str] = set()
        self._notes: dict[str, str] = {}
        self._permits_elsewhere = settings.value_of(session, settings.EXTERNAL_DESTINATIONS)
        self._server = mail_tables.server(session)
        without_mail = select(User.id).where(suspensions.gets_no_mail()).limit(1)
        self._some_are_without_mail = session.scalar(without_mail) is not None

    # --- fetching ---------------------------------------------------------------

    def fetch(self, batch: Sequence[Wanted]) -> None:
        """Look up all that these lines, of one kind, will ask for."""
        needed = [wanted for wanted in batch if wanted.verdict is None]
        if not needed:
            return
        kind = Kind(needed[0].kind)
        self._fetch_domains({wanted.domain for wanted in needed})
        names = {wanted.name for wanted in needed}
        if kind is Kind.USER:
            self._fetch_mailboxes(names)
            self._fetch_leads(names)
        elif kind is Kind.ALIAS:
            destinations = {wanted.destination for wanted in needed}
            self._fetch_domains({addresses.split(each)[1] for each in destinations})
            self._fetch_mailboxes(names | destinations)
            self._fetch_leads(names)
            self._follow(destinations)
        noted = {wanted.name for wanted in needed if wanted.note is not None}
        if noted:
            self._notes |= notes.texts_of(self._session, kind, noted)

    def _fetch_domains(self, names: Collection[str]) -> None:
        for some in rows.chunks({name for name in names if name not in self._domains}):
            found = select(Domain.name, Domain.id).where(Domain.name.in_(some))
            self._domains |= dict.fromkeys(some)
            # Of several rows with one name the first counts.
            for name, domain_id in self._session.execute(found.order_by(Domain.id.desc())):
                for each in self._meant(Domain.name, Domain.id, name, domain_id, some):
                    self._domains[each] = domain_id

    def _fetch_mailboxes(self, wanted: Collection[str]) -> None:
        new = set(wanted) - self._looked_for
        self._looked_for |= new
        for some in rows.chunks(new):
            spellings = suspensions.spellings(some) if self._some_are_without_mail else some
            known = set(spellings)
            found = select(User.id, User.email, User.password).where(User.email.in_(spellings))
            users = list(self._session.execute(found))
            hashes = self._kept_hashes([row.id for row in users if _is_marked(row.password)])
            for user_id, email, password in users:
                mode = suspensions.mode_of_row(email, password)
                mailbox = Mailbox(user_id, hashes.get(user_id, password), mode)
                for each in self._meant(User.email, User.id, email, user_id, known):
                    name = each.removeprefix(suspensions.SIGN)
                    if name not in self._mailboxes or not mailbox.without_mail:
                        self._mailboxes[name] = mailbox

    def _kept_hashes(self, user_ids: Collection[int]) -> dict[int, str]:
        suspended = rows.present(self._session, User, user_ids)
        return suspensions.hashes_of(self._session, suspended)

    def _fetch_leads(self, sources: Collection[str]) -> None:
        new = set(sources) - self._looked_up
        self._looked_up |= new
        for some in rows.chunks(new):
            found = select(Alias.id, Alias.source, Alias.destination).where(Alias.source.in_(some))
            known = set(some)
            for alias_id, source, destination in self._session.execute(found):
                for each in self._meant(Alias.source, Alias.id, source, alias_id, known):
                    self._leads.setdefault(each, []).append(destination.lower())

    def _follow(self, destinations: Collection[str]) -> None:
        """Look up where destinations lead, and so on, step by step for all of them."""
        ahead = set(destinations)
        seen: set[str] = set()
        while ahead:
            seen |= ahead
            keys = ahead | {f"@{addresses.split(address)[1]}" for address in ahead}
            found = self.leads(keys)
            ahead = {each for targets in found.values() for each in targets} - seen
        if self._server.email2email:
            self._fetch_mailboxes(seen)

    def _meant(
        self,
        column: InstrumentedAttribute[str],
        key: InstrumentedAttribute[int],
        text: str,
        row_id: int,
        wanted: Collection[str],
    ) -> Iterable[str]:
        """Which of the texts that were asked for a row was found by."""
        plain = text.lower().rstrip(" ")
        if plain in wanted:
            return (plain,)
        return self._meant_by_the_database(select(key).where(key == row_id), column, list(wanted))

    def _meant_by_the_database(
        self, row: Select[int], column: InstrumentedAttribute[str], wanted: list[str]
    ) -> list[str]:
        """By halves, since only the database knows; such rows are rare."""
        if not wanted or self._session.scalar(row.where(column.in_(wanted))) is None:
            return []
        if len(wanted) == 1:
            return wanted
        half = len(wanted) // 2
        return self._meant_by_the_database(row, column, wanted[:half]) + (
            self._meant_by_the_database(row, column, wanted[half:])
        )

    # --- what is known, for the verdicts ----------------------------------------

    def domain_id(self, name: str) -> int | None:
        """The id of a domain, if it is in the tables."""
        return self._domains.get(name)

    def mailbox(self, address: str) -> Mailbox | None:
        """The user of this address, suspended ones too, if it is in the tables."""
        return self._mailboxes.get(address)

    def note(self, name: str) -> str | None:
        """The note on what has this name."""
        return self._notes.get(name)

    def manages(self, domain: str) -> bool:
        """Whether this server has the domain."""
        return self._domains.get(domain) is not None or domain in self._planned.domains

    def permits_elsewhere(self) -> bool:
        """Whether destinations may be on other servers."""
        return self._permits_elsewhere

    def server(self) -> Server:
        """How Postfix is set up."""
        return self._server

    def is_mailbox(self, address: str) -> bool:
        """Whether there is a mailbox of exactly this address."""
        if address in self._planned.without_mail:
            return False
        mailbox = self._mailboxes.get(address)
        if mailbox is not None and not mailbox.without_mail:
            return True
        return hash(address) in self._planned.users

    def is_without_mail(self, address: str) -> bool:
        """Whether there is a mailbox that is suspended without mail."""
        if address in self._planned.without_mail:
            return True
        mailbox = self._mailboxes.get(address)
        is_there = mailbox is not None and mailbox.without_mail
        return is_there and hash(address) not in self._planned.users

    def most_of_an_address(self) -> int:
        """How many characters an address may have in this database."""
        return lengths.in_database(self._session, User.email)

    def restores(self) -> bool:
        """An export holds the aliases of suspended mailboxes, and has to read back."""
        return True

    def is_source(self, address: str) -> bool:
        """Whether there is an alias of exactly this address."""
        return bool(self.leads([address]))

    def has_pair(self, source: str, destination: str) -> bool:
        """Whether this source leads to this destination already."""
        return destination in self.leads([source]).get(source, ())

    def leads(self, sources: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Where those of the sources lead to that are there."""
        if not self._looked_up.issuperset(sources):
            self._fetch_leads(sources)
        found = {}
        for source in sources:
            targets = [*self._leads.get(source, ()), *self._planned.aliases.get(source, ())]
            if targets:
                found[source] = targets
        return found

    def mailboxes(self, wanted: Collection[str]) -> Collection[str]:
        """Those of the addresses that are mailboxes."""
        self._fetch_mailboxes(wanted)
        return [address for address in wanted if self.is_mailbox(address)]


def _is_marked(password: str) -> bool:
    return password == suspensions.MARKER
