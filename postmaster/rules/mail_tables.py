"""The mail tables as expansion asks for them: as they are, or as they would be.

The database compares, since its collation decides what the mail server finds: MySQL takes
capitals, accents and blanks at the end for the same, SQLite capitals only.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..models import Alias, Domain, User
from . import paging, rows, schemes, settings, suspensions
from .expansion import AliasRow, MailboxRow, Server, Tables

Row = TypeVar("Row", Alias, User, Domain)
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
    """The tables of the database. What was asked for once is remembered."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._aliases: dict[str, list[AliasRow]] = {}
        self._leading: dict[str, list[AliasRow]] = {}
        self._mailboxes: dict[str, list[MailboxRow]] = {}
        self._domains: dict[str, list[int]] = {}

    def aliases(self, keys: Collection[str]) -> Mapping[str, Sequence[AliasRow]]:
        """The rows of these sources."""
        return self._remembered(self._aliases, keys, Alias, Alias.source, _alias)

    def leading_to(self, keys: Collection[str]) -> Mapping[str, Sequence[AliasRow]]:
        """The rows of these destinations."""
        return self._remembered(self._leading, keys, Alias, Alias.destination, _alias)

    def mailboxes(self, keys: Collection[str]) -> Mapping[str, MailboxRow]:
        """The rows of these addresses; there is one of each."""
        found = self._remembered(self._mailboxes, keys, User, User.email, _mailbox)
        return {key: some[0] for key, some in found.items()}

    def domains(self, keys: Collection[str]) -> Mapping[str, Sequence[int]]:
        """The ids of the rows with these names."""
        return self._remembered(self._domains, keys, Domain, Domain.name, lambda row: row.id)

    def _remembered(
        self,
        memory: dict[str, list[Value]],
        keys: Collection[str],
        model: type[Row],
        column: InstrumentedAttribute[str],
        read: Callable[[Row], Value],
    ) -> dict[str, list[Value]]:
        unknown = sorted(key for key in keys if key and key not in memory)
        for key in unknown:
            memory[key] = []
        for key, row in self._matching(model, column, unknown):
            memory[key].append(read(row))
        return {key: memory[key] for key in keys if memory.get(key)}

    def _matching(
        self, model: type[Row], column: InstrumentedAttribute[str], keys: Sequence[str]
    ) -> list[tuple[str, Row]]:
        """Each row with the key that it is found by, in the order of the ids."""
        plain = [key for key in keys if key.isascii()]
        found: list[tuple[str, Row]] = []
        for row in rows.where_in(self._session, model, column, plain):
            name = str(getattr(row, column.key))
            found += [(key, row) for key in self._keys_of(row, column, name, plain)]
        for key in set(keys) - set(plain):
            same = paging.comparable(column, key) == key
            found += [(key, row) for row in self._session.scalars(select(model).where(same))]
        return sorted(found, key=lambda pair: pair[1].id)

    def _keys_of(
        self, row: Row, column: InstrumentedAttribute[str], name: str, keys: Sequence[str]
    ) -> list[str]:
        if name.isascii():
            return [name.rstrip(" ").lower()]
        matches: list[ColumnElement[Any]] = [column == key for key in keys]
        asked = select(*matches).where(rows.key_of(type(row)) == row.id)
        answers = self._session.execute(asked).one()
        return [key for key, is_same in zip(keys, answers, strict=True) if is_same]


def _alias(row: Alias) -> AliasRow:
    return AliasRow(row.id, row.source, row.destination)


def _mailbox(row: User) -> MailboxRow:
    stored = schemes.of(row.password)
    return MailboxRow(
        row.id,
        row.email,
        scheme=stored.scheme,
        unreadable="" if stored.is_readable else str(stored.state),
        suspended=str(suspensions.mode_of(row) or ""),
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
