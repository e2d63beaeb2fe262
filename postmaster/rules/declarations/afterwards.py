"""What the mail tables would hold after a plan: the file's word for the domains that it
governs, the database's for all others.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Alias, Domain
from .. import alias_rules, mail_tables, rows, settings, suspensions
from ..expansion import Server


class Afterwards:
    """Knows the tables as they would be, for the verdicts on aliases (``alias_verdicts``).

    ``mailboxes``: the governed domains' addresses, and whether they get mail.
    """

    def __init__(
        self,
        session: Session,
        *,
        governed: Collection[str],
        domains: Collection[str],
        mailboxes: Mapping[str, bool],
        pairs: Sequence[tuple[str, str]],
    ) -> None:
        self._session = session
        self._server = mail_tables.server(session)
        self._governed = governed
        self._domains = domains
        self._mailboxes = mailboxes
        self._leads: dict[str, list[str]] = {}
        for source, destination in pairs:
            self._leads.setdefault(source, []).append(destination)
        self._elsewhere: dict[str, list[str]] = {}
        self._managed: dict[str, bool] = {}

    def _governs(self, address: str) -> bool:
        return address.rpartition("@")[2].lower() in self._governed

    def manages(self, domain: str) -> bool:
        """Whether this server has the domain."""
        if domain in self._governed:
            return domain in self._domains
        if domain not in self._managed:
            found = select(Domain.id).where(Domain.name == domain)
            self._managed[domain] = self._session.scalar(found.limit(1)) is not None
        return self._managed[domain]

    def permits_elsewhere(self) -> bool:
        """Whether destinations may be on other servers."""
        return settings.value_of(self._session, settings.EXTERNAL_DESTINATIONS)

    def server(self) -> Server:
        """How Postfix is set up."""
        return self._server

    def is_mailbox(self, address: str) -> bool:
        """Whether there is a mailbox of exactly this address."""
        if self._governs(address):
            return self._mailboxes.get(address, False)
        return alias_rules.is_mailbox(self._session, address)

    def is_without_mail(self, address: str) -> bool:
        """Whether there is a mailbox that is suspended without mail."""
        if self._governs(address):
            return not self._mailboxes.get(address, True)
        return suspensions.is_without_mail(self._session, address)

    def restores(self) -> bool:
        """An export holds the aliases of suspended mailboxes, and has to read back."""
        return True

    def is_source(self, address: str) -> bool:
        """Whether there is an alias of exactly this address."""
        return bool(self.leads([address]))

    def has_pair(self, source: str, destination: str) -> bool:
        """Whether this source leads to this destination."""
        return destination in self.leads([source]).get(source, ())

    def leads(self, sources: Collection[str]) -> Mapping[str, Sequence[str]]:
        """Where those of the sources lead to that are there."""
        own = {source for source in sources if self._governs(source)}
        new = {source for source in sources if source not in own} - self._elsewhere.keys()
        if new:
            self._elsewhere |= {source: [] for source in new}
            for alias in rows.where_in(self._session, Alias, Alias.source, new):
                targets = self._elsewhere.setdefault(alias.source.lower(), [])
                targets.append(alias.destination.lower())
        found = {}
        for source in sources:
            there = self._leads if source in own else self._elsewhere
            if there.get(source):
                found[source] = there[source]
        return found

    def mailboxes(self, wanted: Collection[str]) -> Collection[str]:
        """Those of the addresses that are mailboxes."""
        return [address for address in wanted if self.is_mailbox(address)]

    def swallowed(self, domains: Collection[str]) -> dict[str, list[str]]:
        """The mailboxes of these domains whose mail a catch-all takes, where there is one."""
        found: dict[str, list[str]] = {}
        for address, gets_mail in sorted(self._mailboxes.items()):
            domain = address.rpartition("@")[2]
            is_caught = domain in domains and f"@{domain}" in self._leads
            if gets_mail and is_caught and address not in self._leads:
                found.setdefault(domain, []).append(address)
        return found
