"""The lines of an import in the order in which they are done: always the same one.

First what cannot be read, then domains, users and aliases, whatever their order in the file.
A place in this order is a number, so that an import which was interrupted can go on there.
The file is read anew for each part; what is kept of its lines is little.
"""

import hashlib
from collections.abc import Iterator, Sequence

from ...errors import Invalid
from .. import addresses
from .. import domains as rules_domains
from ..actions import Kind
from .items import AliasItem, DomainItem, Format, Item, Source, UserItem
from .ranks import Ranks
from .verdicts import CONTRADICTS, IS_TWICE, Reason, Verdict
from .wanted import Normaliser, Wanted

MOST_UNREADABLE = 10_000
PIECE = 1 << 20  # bytes
SAYS_BITS = 32
SAYS = (1 << SAYS_BITS) - 1


class Order:
    """The lines of some files. Raises Invalid if a file as a whole cannot be read."""

    def __init__(
        self, sources: Sequence[Source], file_format: Format, normaliser: Normaliser
    ) -> None:
        self._sources = sources
        self._read = file_format.read
        self._normaliser = normaliser
        self._first: list[Wanted] = []  # what cannot be read, then the domains
        self._users = 0
        self._aliases = 0
        self._ranks: dict[int, int] = {}
        self._survey()

    @property
    def total(self) -> int:
        """How many lines there are."""
        return len(self._first) + self._users + self._aliases

    @property
    def has_aliases(self) -> bool:
        """Whether any line asks what the lines before it make."""
        return self._aliases > 0

    def digest(self) -> str:
        """The SHA-256 of all files, to know them again."""
        found = hashlib.sha256()
        for source in self._sources:
            source.stream.seek(0)
            while piece := source.stream.read(PIECE):
                found.update(piece)
            found.update(b"\0")
        return found.hexdigest()

    def lines(self, start: int = 0) -> Iterator[Wanted]:
        """The lines from this place on."""
        seen: dict[int, int] = {}
        for number, wanted in enumerate(self._all()):
            _settle_double(wanted, seen)
            if number >= start:
                yield wanted

    def _all(self) -> Iterator[Wanted]:
        yield from self._first
        wanted = self._normaliser.wanted
        if self._users:
            for item in self._read(self._sources):
                if isinstance(item, UserItem):
                    yield wanted(item)
        if self._aliases:
            later: list[tuple[int, int, Wanted]] = []
            aliases = (item for item in self._read(self._sources) if isinstance(item, AliasItem))
            for number, item in enumerate(aliases):
                rank = self._ranks.get(number, 0)
                if rank:
                    later.append((rank, number, wanted(item)))
                else:
                    yield wanted(item)
            later.sort(key=lambda one: one[:2])
            yield from (one for _rank, _number, one in later)

    def _survey(self) -> None:
        """Count, and find out what is needed before the lines can be put in order."""
        ranks = Ranks()
        domains: list[Wanted] = []
        needed = _Needed(self._normaliser.options.create_domains)
        for item in self._read(self._sources):
            if isinstance(item, UserItem):
                self._users += 1
                needed.add(item, item.email)
            elif isinstance(item, AliasItem):
                self._aliases += 1
                needed.add(item, item.source)
                ranks.add(_key(item.source), _key(item.destination))
            elif isinstance(item, DomainItem):
                domains.append(self._normaliser.wanted(item))
            else:
                self._first.append(self._normaliser.wanted(item))
                if len(self._first) > MOST_UNREADABLE:
                    raise Invalid(
                        "More than %(most)s lines cannot be read: is it the right format?",
                        field="file",
                        most=MOST_UNREADABLE,
                    )
        named = {wanted.name for wanted in domains if wanted.verdict is None}
        self._first += domains
        self._first += [wanted for name, wanted in needed.found.items() if name not in named]
        self._ranks = ranks.of_rows() if self._aliases else {}


class _Needed:
    """The domains of the addresses in a file, with the line that first needs each."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._spellings: set[str] = set()
        self.found: dict[str, Wanted] = {}

    def add(self, item: Item, address: str) -> None:
        spelling = address.rpartition("@")[2]
        if not self._wanted or spelling in self._spellings:
            return
        self._spellings.add(spelling)
        try:
            name = rules_domains.normalised(spelling)
        except Invalid:
            return  # the line itself is refused
        one = Wanted(item.file, item.line, Kind.DOMAIN, name, name, derived=True)
        self.found.setdefault(name, one)


def _key(address: str) -> str:
    """Enough of a normalised form to see that one alias leads to another."""
    local_part, at, domain = address.strip().lower().rpartition("@")
    if domain.isascii():
        return f"{local_part}{at}{domain}"
    try:
        return f"{local_part}{at}{addresses.domain_name(domain)}"
    except Invalid:
        return address


def _settle_double(wanted: Wanted, seen: dict[int, int]) -> None:
    """Settle a line that names what a line before it names.

    Of each line its number and a digest of what it says are kept, in one integer.
    """
    if wanted.verdict is not None or wanted.derived:
        return
    if wanted.kind == Kind.ALIAS and wanted.note is not None:
        # A note is the source's, whose first line that has one speaks for all.
        about = hash((wanted.kind, wanted.name))
        if seen.setdefault(about, wanted.line) != wanted.line:
            wanted.note = None
    key = hash((wanted.kind, wanted.name, wanted.destination))
    says = hash((wanted.password, wanted.hashed, wanted.note, wanted.suspended)) & SAYS
    before = seen.get(key)
    if before is None:
        seen[key] = wanted.line << SAYS_BITS | says
        return
    is_same = before & SAYS == says
    wanted.verdict = Verdict.SKIP if is_same else Verdict.CONFLICT
    wanted.reason = Reason(IS_TWICE if is_same else CONTRADICTS, {"line": before >> SAYS_BITS})
