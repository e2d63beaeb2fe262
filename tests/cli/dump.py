"""Everything that is in a database, to compare it before and after."""

from tests.mariadb import MariaDB

Dump = dict[str, tuple[str, list[tuple[object, ...]]]]


def of(server: MariaDB, database: str, *, only: tuple[str, ...] = ()) -> Dump:
    """Each table's own statement and its rows."""
    with server.cursor(database) as cursor:

        def rows(query: str) -> list[tuple[object, ...]]:
            cursor.execute(query)
            return list(cursor.fetchall())

        tables = [str(row[0]) for row in rows("SHOW TABLES")]
        return {
            table: (
                str(rows(f"SHOW CREATE TABLE {table}")[0][1]),
                rows(f"SELECT * FROM {table} ORDER BY 1"),
            )
            for table in tables
            if not only or table in only
        }
