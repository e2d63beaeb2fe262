"""The guides' tables with as many rows as are asked for, put there by plain SQL."""

from collections.abc import Callable, Iterator

from pymysql.cursors import Cursor

# Of no password, as long as a real one.
HASH = "$6$" + "s" * 16 + "$" + "h" * 86
CHUNK = 50_000  # rows of one statement

DOMAINS = "INSERT INTO virtual_domains (id, name) SELECT seq, CONCAT('domain', seq, '.example')"
USERS = (
    "INSERT INTO virtual_users (id, domain_id, email, password) SELECT seq, 1 + seq % {domains},"
    " CONCAT('user', seq, '@domain', 1 + seq % {domains}, '.example'), '" + HASH + "'"
)
# Alias n leads to user n, of the same domain.
ALIASES = (
    "INSERT INTO virtual_aliases (id, domain_id, source, destination)"
    " SELECT seq, 1 + seq % {domains},"
    " CONCAT('alias', seq, '@domain', 1 + seq % {domains}, '.example'),"
    " CONCAT('user', seq, '@domain', 1 + seq % {domains}, '.example')"
)
# As a server does by itself after a while.
SETTLE = "ANALYZE TABLE virtual_domains, virtual_users, virtual_aliases"


def fill(
    cursor: Cursor,
    *,
    domains: int,
    users: int,
    aliases: int,
    told: Callable[[int], object] = lambda _rows: None,
) -> None:
    """Fill empty tables; ``told`` hears how many rows each statement has added.

    User n is ``user<n>@domain<1 + n % domains>.example``, in the domain of that id.
    """
    for statement, count in ((DOMAINS, domains), (USERS, users), (ALIASES, aliases)):
        for first, last in _chunks(count):
            cursor.execute(f"{statement.format(domains=domains)} FROM seq_{first}_to_{last}")
            told(last - first + 1)
    cursor.execute(SETTLE)


def _chunks(count: int) -> Iterator[tuple[int, int]]:
    for first in range(1, count + 1, CHUNK):
        yield first, min(first + CHUNK - 1, count)
