"""The smallest tables that still show something."""

from collections.abc import Callable

from tests.mail.random_tables import Tables

MOST_TRIES = 150


def smallest(tables: Tables, shows: Callable[[Tables], bool], most: int = MOST_TRIES) -> Tables:
    """Drop rows, many at once and then one by one, as long as ``shows`` is true of the rest.

    ``shows`` is asked ``most`` times at most.
    """
    tries = 0
    count = max(len(tables) // 2, 1)
    while True:
        start, dropped = 0, False
        while start < len(tables):
            if tries >= most:
                return tables
            tries += 1
            fewer = tables.without(start, count)
            if shows(fewer):
                tables, dropped = fewer, True
            else:
                start += count
        if count == 1 and not dropped:
            return tables
        count = max(count // 2, 1)
