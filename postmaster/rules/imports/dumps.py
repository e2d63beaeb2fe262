"""What the dumps of PostfixAdmin and of ViMbAdmin have in common: their tables as CSV.

A table is known by its header, whatever its file is called. Both programs keep a list of
destinations in one alias, an alias for each mailbox that leads to itself, and a mark for
what is not active.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import Invalid, Phrase
from .. import passwords, suspensions
from . import csv_rows
from .items import AliasItem, BadItem, DomainItem, Item, SkippedItem, Source, UserItem

DOMAIN, MAILBOX, ALIAS, ALIAS_DOMAIN = "domain", "mailbox", "alias", "alias_domain"
# As MySQL's and PostgreSQL's programs write a NULL.
NULLS = frozenset({"NULL", r"\N"})
# What ``mysql --batch`` writes in place of what would end the cell or the line.
ESCAPED = re.compile(r"\\([tn0\\])")
ESCAPES = {"t": "\t", "n": "\n", "0": "\0", "\\": "\\"}
OFF = frozenset({"0", "f", "false", "n", "no", ""})

PLAIN_SCHEMES = re.compile(r"\{(?:PLAIN|CLEAR|CLEARTEXT)\}", re.IGNORECASE)
MD5 = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
# A hash whose scheme only the other program's configuration tells: DES, or base64.
WITHOUT_SCHEME = re.compile(r"[./0-9A-Za-z]{13}|[+/0-9A-Za-z]{24,}={0,2}")

NOT_ACTIVE = Phrase("It is not active there")
DOMAIN_NOT_ACTIVE = Phrase("Its domain is not active there")
IS_BACKUP = Phrase("That server is only a backup MX for the domain, which has no mailboxes")
DOMAIN_IS_BACKUP = Phrase("Its domain is only relayed there, as a backup MX")
NO_DOMAIN = Phrase("It stands for all domains and is none itself")
LEADS_TO_ITSELF = Phrase("A mailbox gets its own mail without such an alias")
IS_VACATION = Phrase("Vacation replies are not taken over")
NO_DESTINATION = Phrase("It has no destination")
IS_RENAMED = Phrase(
    "Each address of %(target)s gets an alias in %(domain)s; one that is added later needs an "
    "alias of its own"
)


@dataclass(frozen=True)
class Program:
    """A program whose tables can be read: each by columns that only it has.

    ``skipped``: why a mailbox is left out, if it is, for reasons of this program alone.
    """

    name: str
    tables: Mapping[str, frozenset[str]]
    absent: frozenset[str] = frozenset()
    skipped: Callable[[Mapping[str, str]], Phrase | None] = lambda _row: None

    def table_of(self, header: Sequence[str]) -> str | None:
        """Which table has this header."""
        columns = set(header)
        for name, needed in self.tables.items():
            if needed <= columns and not self.absent & columns:
                return name
        return None

    def recognises(self, beginnings: Sequence[tuple[str, bytes]]) -> bool:
        """Whether all files are tables of this program; ``mysql`` writes nothing for no rows."""
        headers = [csv_rows.header_of(beginning) for _name, beginning in beginnings]
        return any(headers) and all(self.table_of(each) for each in headers if each)

    def read(self, sources: Sequence[Source]) -> Iterator[Item]:
        """The items of the tables. Raises Invalid if a file is none of them."""
        tables = [
            (number, source, self._known(source))
            for number, source in enumerate(sources)
            if csv_rows.table(source).header
        ]
        about = _survey(tables)
        for number, source, name in tables:
            for line, row in _rows(source):
                yield from self._items(name, number, line, row, about)
        if about.renamed:
            yield from _renamed(tables, about)

    def _known(self, source: Source) -> str:
        header = csv_rows.table(source).header
        name = self.table_of(header)
        if name is None:
            raise Invalid(
                'The file "%(name)s" is no table of %(program)s that can be imported: they are '
                "%(tables)s, each as CSV with its header",
                field="file",
                name=source.name,
                program=self.name,
                tables=list(self.tables),
            )
        return name

    def _items(
        self, table: str, file: int, line: int, row: Mapping[str, str] | None, about: "_About"
    ) -> Iterator[Item]:
        if row is None:
            yield BadItem(line, Invalid("There are more cells than columns in the header"), file)
        elif not csv_rows.is_utf_8([*row.values()]):
            yield BadItem(line, Invalid("This is not UTF-8: save the file as UTF-8"), file)
        elif table == DOMAIN:
            yield _domain(file, line, row)
        elif table == MAILBOX:
            yield self._mailbox(file, line, row, about)
        elif table == ALIAS:
            yield from _aliases(file, line, row, about)
        else:
            yield _domain_alias(file, line, row, about)

    def _mailbox(self, file: int, line: int, row: Mapping[str, str], about: "_About") -> Item:
        address = row["username"].strip()
        reason = about.without(address) or self.skipped(row)
        if reason is not None:
            return SkippedItem(line, address, reason, file=file)
        try:
            password, hashed = _secret(row["password"])
        except Invalid as error:
            return BadItem(line, error, file)
        suspended = None if _is_on(row) else str(suspensions.Mode.ALL)
        note = _note(row.get("name", ""))
        return UserItem(line, address, password, hashed, False, note, suspended, file)


# --- what has to be known first -------------------------------------------------


@dataclass
class _About:
    """The domains that are left out, with the reason for what is in them; those with a
    catch-all, in which the aliases of mailboxes to themselves are needed; and which domains
    have the same addresses as one, each with its file and line.
    """

    left_out: dict[str, Phrase] = field(default_factory=dict)
    caught: set[str] = field(default_factory=set)
    renamed: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)

    def without(self, address: str) -> Phrase | None:
        """Why what has this address is left out."""
        return self.left_out.get(_domain_of(address))


def _survey(tables: Sequence[tuple[int, Source, str]]) -> _About:
    about = _About()
    for number, source, name in tables:
        if name == MAILBOX:
            continue
        for line, row in _rows(source):
            if row is None:
                continue
            if name == DOMAIN:
                reason = _left_out(row, DOMAIN_NOT_ACTIVE, DOMAIN_IS_BACKUP)
                if reason is not None:
                    about.left_out[row["domain"].strip().lower()] = reason
            elif name == ALIAS_DOMAIN:
                if _is_on(row):
                    target = row["target_domain"].strip().lower()
                    place = (number, line, row["alias_domain"].strip().lower())
                    about.renamed.setdefault(target, []).append(place)
            elif row["address"].strip().startswith("@") and _is_on(row):
                about.caught.add(_domain_of(row["address"]))
    return about


def _left_out(row: Mapping[str, str], inactive: Phrase, backup: Phrase) -> Phrase | None:
    if not _is_on(row):
        return inactive
    return backup if row.get("backupmx", "0").strip().lower() not in OFF else None


def _domain_of(address: str) -> str:
    return address.strip().rpartition("@")[2].lower()


def _is_on(row: Mapping[str, str]) -> bool:
    return row["active"].strip().lower() not in OFF


# --- rows -----------------------------------------------------------------------


def _domain(file: int, line: int, row: Mapping[str, str]) -> Item:
    name = row["domain"].strip()
    reason = _left_out(row, NOT_ACTIVE, IS_BACKUP)
    if name.upper() == "ALL":
        reason = NO_DOMAIN
    if reason is not None:
        return SkippedItem(line, name, reason, file=file)
    return DomainItem(line, name, _note(row.get("description", "")), file)


def _domain_alias(file: int, line: int, row: Mapping[str, str], about: _About) -> Item:
    domain, target = row["alias_domain"].strip(), row["target_domain"].strip()
    reason = about.without(f"@{domain}") or about.without(f"@{target}") or IS_RENAMED
    values = {"domain": domain, "target": target}
    if not _is_on(row):
        reason = NOT_ACTIVE
    return SkippedItem(line, f"@{domain} -> @{target}", reason, values, file)


def _renamed(tables: Sequence[tuple[int, Source, str]], about: _About) -> Iterator[Item]:
    """The addresses of a domain again in those that are another name for it.

    One alias of all addresses, as PostfixAdmin has it, would make the mail server take mail
    for addresses that are not there, and send it back to senders who never sent it.
    """
    seen: set[str] = set()
    for _number, source, name in tables:
        if name not in (MAILBOX, ALIAS):
            continue
        for _line, row in _rows(source):
            if row is None or not _is_on(row):
                continue
            address = row["username" if name == MAILBOX else "address"].strip().lower()
            local_part, _at, target = address.rpartition("@")
            if address in seen or about.without(address) is not None:
                continue
            for file, line, domain in about.renamed.get(target, ()):
                seen.add(address)
                if about.without(f"@{domain}") is None:
                    aimed = _destinations(row["goto"]) if not local_part else [address]
                    for destination in aimed:
                        yield AliasItem(line, f"{local_part}@{domain}", destination, file=file)


def _aliases(file: int, line: int, row: Mapping[str, str], about: _About) -> Iterator[Item]:
    address = row["address"].strip()
    reason = about.without(address) or (None if _is_on(row) else NOT_ACTIVE)
    if reason is not None:
        yield SkippedItem(line, address, reason, file=file)
        return
    every = wanted = _destinations(row["goto"])
    replies = [each for each in wanted if _is_vacation(address, each)]
    for reply in replies:
        yield SkippedItem(line, f"{address} -> {reply}", IS_VACATION, file=file)
    wanted = [each for each in wanted if each not in replies]
    is_own = [each.lower() for each in wanted] == [address.lower()]
    if is_own and _domain_of(address) not in about.caught:
        yield SkippedItem(line, address, LEADS_TO_ITSELF, file=file)
        return
    if not every:
        yield SkippedItem(line, address, NO_DESTINATION, file=file)
    for destination in wanted:
        yield AliasItem(line, address, destination, file=file)


def _destinations(goto: str) -> list[str]:
    return [*dict.fromkeys(each.strip() for each in goto.split(",") if each.strip())]


def _is_vacation(address: str, destination: str) -> bool:
    """Whether it leads to the vacation program, as user#domain@autoreply.domain."""
    return destination.rpartition("@")[0].lower() == address.lower().replace("@", "#")


def _secret(stored: str) -> tuple[str | None, str | None]:
    """The password or else the hash that a table holds. Raises Invalid if it may be either."""
    plain = PLAIN_SCHEMES.match(stored)
    if plain:
        return stored[plain.end() :], None
    if passwords.STORED_HASH.fullmatch(stored):
        return None, passwords.without_default_scheme(stored)
    if MD5.fullmatch(stored):
        return None, f"{{PLAIN-MD5}}{stored.lower()}"
    if WITHOUT_SCHEME.fullmatch(stored):
        raise Invalid(
            "This may be a plain password or a hash without its scheme: write {PLAIN} or the "
            "scheme, such as {DES-CRYPT}, in front of it",
            field="password",
        )
    return stored, None


def _note(text: str) -> str | None:
    """A name or a description, where it can be kept as a note."""
    note = " ".join(text.split())
    return note if note and note.isprintable() else None


# --- tables ---------------------------------------------------------------------


def _rows(source: Source) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Each row by its columns, with its line; None where it has too many cells."""
    is_batch = _is_batch(source)
    table = csv_rows.table(source)
    header = table.header
    rows = _unquoted(source) if is_batch else table.rows
    for line, cells in rows:
        if len(cells) > len(header):
            yield line, None
            continue
        filled = [*cells, *[""] * (len(header) - len(cells))]
        values = ("" if cell in NULLS else cell for cell in filled)
        yield line, dict(zip(header, values, strict=True))


def _is_batch(source: Source) -> bool:
    """Whether it was written as ``mysql --batch`` writes: tabs, and nothing is quoted."""
    source.stream.seek(0)
    first = source.stream.readline()
    source.stream.seek(0)
    return b"\t" in first and b'"' not in first


def _unquoted(source: Source) -> Iterator[tuple[int, list[str]]]:
    source.stream.seek(0)
    text = io.TextIOWrapper(
        source.stream, encoding="utf-8-sig", errors="surrogateescape", newline="\n"
    )
    try:
        reader = csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
        for cells in reader:
            if reader.line_num > 1 and cells:
                yield reader.line_num, [_unescaped(cell) for cell in cells]
    except csv.Error:
        raise Invalid(
            'Line %(line)s of "%(name)s" cannot be read',
            field="file",
            line=reader.line_num,
            name=source.name,
        ) from None
    finally:
        text.detach()


def _unescaped(cell: str) -> str:
    return cell if cell in NULLS else ESCAPED.sub(lambda found: ESCAPES[found[1]], cell)
