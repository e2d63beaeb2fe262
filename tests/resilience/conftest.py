"""A MariaDB that a test may stop, freeze and misconfigure."""

from collections.abc import Iterator

import pytest

from tests.mariadb import MariaDB


@pytest.fixture(scope="module")
def own_mariadb() -> Iterator[MariaDB]:
    """Of this module alone; the shared one goes on answering the other tests."""
    with MariaDB() as server:
        yield server
