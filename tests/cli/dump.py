"""Everything that is in a database, to compare it before and after."""

from tests.mariadb import MariaDB

Dump = dict[str, tuple[str, list[tuple[object, ...]]]]


def of(server: MariaDB, database: str, *, only: tuple[str, ...] = ()) -> Dump:
    """Each table's own statement and its rows."""
    tables = [row[0] for row in server.rows(database, "SHOW TABLES")]
    return {
        table: (
            server.rows(database, f"SHOW CREATE TABLE {table}")[0][1],
            server.rows(database, f"SELECT * FROM {table} ORDER BY 1"),
        )
        for table in tables
        if not only or table in only
    }
