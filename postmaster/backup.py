"""PostMaster's own tables in a file, as they are before an upgrade."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pymysql
from sqlalchemy import Select, inspect, literal_column, select
from sqlalchemy import table as table_of
from sqlalchemy.engine import Connection

from .errors import RuleError
from .revisions import VERSIONS
from .snapshot import OWN_PREFIX
from .version import VERSION

ROWS_AT_ONCE = 20  # in memory; one may be a quarter of a megabyte
# Characters of one statement, from which on another begins. A server takes 16 MB by default.
LONGEST_STATEMENT = 500_000


def own_tables(connection: Connection) -> list[str]:
    """The names of PostMaster's own tables, whatever version made them."""
    names = inspect(connection).get_table_names()
    return sorted(name for name in names if name.startswith(OWN_PREFIX) or name == VERSIONS.name)


def write(connection: Connection, path: Path) -> int:
    """Write the own tables into a new file; how many they are.

    Without any there is no file. For MySQL and MariaDB it is SQL for their own client, of one
    moment, which puts the tables back as they were; for SQLite it is a copy of the whole
    database. Only its owner can read it, since it holds hashes. Raises RuleError if the file is
    there already or cannot be written.
    """
    tables = own_tables(connection)
    if not tables:
        return 0
    unfinished = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        unfinished.unlink(missing_ok=True)  # of a backup that was cut off
        try:
            _write(connection, tables, unfinished)
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RuleError(
            "The backup %(path)s cannot be written: %(reason)s",
            path=str(path),
            reason=error.strerror or str(error),
        ) from None
    return len(tables)


def _write(connection: Connection, tables: list[str], path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    # The driver writes bytes as such characters.
    with os.fdopen(
        descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="\n"
    ) as file:
        if connection.dialect.name == "sqlite":
            _copy(connection, path)
        else:
            file.writelines(_statements(connection, tables))
            _settle(file)


def _settle(file: IO[str]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _copy(connection: Connection, path: Path) -> None:
    source = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    target = sqlite3.connect(path)
    try:
        source.backup(target)
    finally:
        target.close()


def _statements(connection: Connection, tables: list[str]) -> Iterator[str]:
    """The file, line by line. A client runs it whatever its own settings are."""
    # Values are written as this connection reads them: with backslashes, as the file says below.
    connection.exec_driver_sql("SET SESSION sql_mode = ''")
    connection.detach()  # nobody else gets a connection with this mode
    connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")
    yield f"-- PostMaster's own tables, by PostMaster {VERSION}. The mail tables are not in here.\n"
    yield "SET NAMES utf8mb4;\n"
    yield "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\n"
    yield "SET SESSION foreign_key_checks = 0;\n"
    for table in tables:
        made_by = connection.exec_driver_sql(f"SHOW CREATE TABLE `{table}`").one()[1]
        yield f"DROP TABLE IF EXISTS `{table}`;\n{made_by};\n"
        yield from _rows(connection, table)
    yield "SET SESSION foreign_key_checks = 1;\n"


def _rows(connection: Connection, table: str) -> Iterator[str]:
    """A table's rows, many to a statement."""
    everything: Select[Any] = select(literal_column("*")).select_from(table_of(table))
    found = connection.execution_options(stream_results=True).execute(everything)
    places = f"({', '.join(['%s'] * len(found.keys()))})"
    own = cast("pymysql.Connection[Any]", connection.connection.dbapi_connection)
    write_values = own.cursor(pymysql.cursors.Cursor).mogrify
    values: list[str] = []
    length = 0
    for row in found.yield_per(ROWS_AT_ONCE):
        values.append(write_values(places, tuple(row)))
        length += len(values[-1])
        if length > LONGEST_STATEMENT:
            yield _insert(table, values)
            values, length = [], 0
    if values:
        yield _insert(table, values)


def _insert(table: str, values: list[str]) -> str:
    together = ",\n".join(values)
    return f"INSERT INTO `{table}` VALUES\n{together};\n"
