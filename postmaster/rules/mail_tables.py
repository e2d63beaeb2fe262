"""The mail tables as expansion asks for them: as they are, or as they would be.

The database compares, since its collation decides what the mail server finds: MySQL takes
capitals, accents and blanks at the end for the same, SQLite capitals only.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..models import Alias, Domain, User
from . import addresses, paging, rows, schemes, settings, suspensions
from .expansion import AliasRow, MailboxRow, Server, Tables

Value = TypeVar("Value")


def server(session: Session) -> Server:
    """How this installation's Postfix is set up, as the settings say."""
    found = settings.values_of(session, settings.EMAIL2EMAIL_MAP, settings.RECIPIENT_DELIMITER)
    delimiter = found[settings.RECIPIENT_DELIMITER] or settings.NO_DELIMITER
    return Server(
        email2email=found[settings.EMAIL2EMAIL_MAP],
        delimiter="" if delimiter == settings.NO_DELIMITER else delimiter,
    )


class StoredTables:
    """The tables of the database. What was asked for once is remembered.

    ``besides``: ids of domains whose aliases and users are left out.
    """

    def __init__(self, session: Session, besides: Collection[int] = ()) -> None:
        def others(domain_id: InstrumentedAttribute[int]) -> list[ColumnElement[bool]]:
            return [domain_id.not_in(besides)] if besides else []

        alias = (Alias.id, Alias.source, Alias.destination)
        user = (User.id, User.email, User.password)
        domain = (Domain.id, Domain.name)
        apart = others(Alias.domain_id)
        self._aliases = _Memory(session, alias, Alias.source, _alias, apart)
        self._leading = _Memory(session, alias, Alias.destination, _alias, apart)
        self._mailboxes = _Memory(session, user, User.email, _mailbox, others(User.domain_id))
        self._domains = _Memory(session, domain, Domain.name, lambda row: int(row.id), [])

    def aliases(self, keys: Collection[str]) -> Mapping[str, Sequence[AliasRow]]:
        """The rows of these sources."""
        return self._aliases.of(keys)

    def leading_to(self, keys: Collection[str]) -> Mapping[str, Sequence[AliasRow]]:
        """The rows of these destinations."""
        return self._leading.of(keys)

    def know_leading_to(self, places: Mapping[str, Sequence[Alias]]) -> None:
        """Remember rows that were read elsewhere, by their destination, as ``leading_to`` would."""
        for place, leading in places.items():
            self._leading.know(place, leading)

    def mailboxes(self, keys: Collection[str]) -> Mapping[str, MailboxRow]:
        """The rows of these addresses; there is one of each."""
        return {key: some[0] for key, some in self._mailboxes.of(keys).items()}

    def domains(self, keys: Collection[str]) -> Mapping[str, Sequence[int]]:
        """The ids of the rows with these names."""
        return self._domains.of(keys)


class _Memory(Generic[Value]):
    """The rows of a table, by the values of one column, as far as they were asked for."""

    def __init__(
        self,
        session: Session,
        columns: Sequence[InstrumentedAttribute[Any]],
        column: InstrumentedAttribute[str],
        read: Callable[[Any], Value],
        conditions: Sequence[ColumnElement[bool]],
    ) -> None:
        self._session = session
        self._columns = columns  # the id is the first
        self._column = column
        self._read = read
        self._conditions = conditions
        self._found: dict[str, list[Value]] = {}

    def of(self, keys: Collection[str]) -> dict[str, list[Value]]:
        """The rows, by the key that each is found by; in the order of the ids."""
        found = self._found
        unknown = sorted(key for key in keys if key and key not in found)
        for key in unknown:
            found[key] = []
        for key, row in self._matching(unknown):
            found[key].append(self._read(row))
        return {key: found[key] for key in keys if found.get(key)}

    def know(self, key: str, found: Sequence[Any]) -> None:
        """Take these for all rows that are found by a key."""
        self._found[key] = [self._read(row) for row in found]

    def _matching(self, keys: Sequence[str]) -> list[tuple[str, Any]]:
        plain = [key for key in keys if key.isascii()]
        matching: list[tuple[str, Any]] = []
        for row in rows.columns_in(
            self._session, self._columns, self._column, plain, *self._conditions
        ):
            name = str(getattr(row, self._column.key))
            key = addresses.folded(name)
            if name.isascii() and key in self._found:
                matching.append((key, row))
            else:  # another spelling was asked for: with other letters, or a blank at its end
                matching += [(key, row) for key in self._keys_of(row.id, plain)]
        for key in set(keys) - set(plain):
            same = paging.comparable(self._column, key) == key
            asked = select(*self._columns).where(same, *self._conditions)
            matching += [(key, row) for row in self._session.execute(asked)]
        return sorted(matching, key=lambda pair: pair[1].id)

    def _keys_of(self, row_id: int, keys: Sequence[str]) -> list[str]:
        matches: list[ColumnElement[Any]] = [self._column == key for key in keys]
        answers = self._session.execute(select(*matches).where(self._columns[0] == row_id)).one()
        return [key for key, is_same in zip(keys, answers, strict=True) if is_same]


def _alias(row: Any) -> AliasRow:
    return AliasRow(row.id, row.source, row.destination)


def _mailbox(row: Any) -> MailboxRow:
    stored = schemes.of(row.password)
    return MailboxRow(
        row.id,
        row.email,
        scheme=stored.scheme,
        unreadable="" if stored.is_readable else str(stored.state),
        suspended=str(suspensions.mode_of_row(row.email, row.password) or ""),
    )


class Changed:
    """Other tables with some rows gone and others added."""

    def __init__(
        self,
        tables: Tables,
        *,
        without_aliases: Collection[int] = (),
        with_aliases: Collection[tuple[str, str]] = (),
        without_users: Collection[int] = (),
        with_users: Collection[str] = (),
        without_domains: Collection[int] = (),
        with_domains: Collection[str] = (),
    ) -> None:
        self._tables = tables
        self._gone_aliases = set(without_aliases)
        self._gone_users = set(without_users)
        self._gone_domains = set(without_domains)
        self._new_aliases: dict[str, list[AliasRow]] = {}
        for source, destination in with_aliases:
            added = self._new_aliases.setdefault(source.lower(), [])
            added.append(AliasRow(None, source, destination))
        self._new_users = {email.lower(): MailboxRow(None, email) for email in with_users}
        self._new_domains = {name.lower() for name in with_domains}

    def aliases(self, keys: Collection[str]) -> Mapping[str, Sequence[AliasRow]]:
        """The rows of these sources, the new ones last."""
        found = {
            key: [row for row in some if row.id not in self._gone_aliases]
            for key, some in self._tables.aliases(keys).items()
        }
        for key in keys:
            if key in self._new_aliases:
                found[key] = [*found.get(key, ()), *self._new_aliases[key]]
        return {key: some for key, some in found.items() if some}

    def mailboxes(self, keys: Collection[str]) -> Mapping[str, MailboxRow]:
        """The rows of these addresses."""
        found = {
            key: row
            for key, row in self._tables.mailboxes(keys).items()
            if row.id not in self._gone_users
        }
        return found | {key: self._new_users[key] for key in keys if key in self._new_users}

    def domains(self, keys: Collection[str]) -> Mapping[str, Sequence[int]]:
        """The ids of the rows with these names; none for one that is new."""
        found: dict[str, Sequence[int]] = {}
        for key, ids in self._tables.domains(keys).items():
            kept = [one for one in ids if one not in self._gone_domains]
            if kept:
                found[key] = kept
        return found | {key: [] for key in keys if key in self._new_domains}
