"""The lines of an import in the order in which they are done: always the same one.

First what cannot be read, then domains, users and aliases, whatever their order in the file.
A place in this order is a number, so that an import which was interrupted can go on there.
The file is read anew for each part; what is kept of its lines is little.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence

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
    """The lines of some files. Raises Invalid if a file as a whole cannot be read.

    ``most``: how many lines there may be; a file with more is not read to its end.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        file_format: Format,
        normaliser: Normaliser,
        most: int | None = None,
    ) -> None:
        self._sources = sources
        self._read = file_format.read
        self._normaliser = normaliser
        self._most = most
        self._first: list[Wanted] = []  # what cannot be read, then the domains
        self._users = 0
        self._aliases = 0
        self._ranks: dict[int, int] = {}
        self._catch_alls: set[str] = set()  # as they are written
        self._survey()

    @property
    def total(self) -> int:
        """How many lines there are."""
        return len(self._first) + self._users + self._aliases

    @property
    def has_aliases(self) -> bool:
        """Whether any line asks what the lines before it make."""
        return self._aliases > 0

    @property
    def catch_all_domains(self) -> frozenset[str]:
        """The domains that some line gives a catch-all."""
        return frozenset(_key(source)[1:] for source in self._catch_alls)

    def sources_in(self, domains: Collection[str]) -> set[str]:
        """The sources, catch-alls too, that lines have in these domains."""
        items = self._read(self._sources)
        keys = (_key(item.source) for item in items if isinstance(item, AliasItem))
        return {key for key in keys if key.rpartition("@")[2] in domains}

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
                if item.source.lstrip().startswith("@"):
                    self._catch_alls.add(item.source)
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
            self._check_most(self.total + len(domains))
        self._first += domains
        named = {wanted.name for wanted in domains if wanted.verdict is None}
        for wanted in needed.domains():
            if wanted.name not in named:
                named.add(wanted.name)
                self._first.append(wanted)
                self._check_most(self.total)
        self._ranks = ranks.of_rows() if self._aliases else {}

    def _check_most(self, total: int) -> None:
        if self._most is not None and total > self._most:
            raise Invalid(
                "At most %(most)s lines can be imported here: use manage.py import for larger "
                "files",
                field="files",
                most=self._most,
            )


class _Needed:
    """The domains of the addresses in a file, with the line that first needs each."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._found: dict[str, tuple[int, int]] = {}  # by their spelling: file and line

    def add(self, item: Item, address: str) -> None:
        """Note what an item needs."""
        if self._wanted:
            self._found.setdefault(address.rpartition("@")[2], (item.file, item.line))

    def domains(self) -> Iterator[Wanted]:
        """The needed domains; one may come again, by another spelling."""
        for spelling, (file, line) in self._found.items():
            try:
                name = rules_domains.normalised(spelling)
            except Invalid:
                continue  # the line itself is refused
            yield Wanted(file, line, Kind.DOMAIN, name, name, derived=True)


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
