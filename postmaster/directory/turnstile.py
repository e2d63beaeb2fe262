"""How many may wait for the directory at once, and which of its servers is asked first.

A directory that hangs would otherwise hold every thread of the web server.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

from ..errors import Phrase
from .faults import NotAnswered
from .plan import Server

MOST_WAITING = 4
# A server that did not answer is asked last for so long.
REST_SECONDS = 30

_places = threading.BoundedSemaphore(MOST_WAITING)
_resting: dict[str, float] = {}


@contextlib.contextmanager
def place(patience: float = 0) -> Iterator[None]:
    """A place among those who wait; NotAnswered if none comes free within ``patience`` seconds.

    The places are those of this process.
    """
    if not _places.acquire(timeout=patience):
        raise NotAnswered(
            Phrase("The directory is slow: %(count)s requests wait for it already"),
            Phrase("Try again in a moment, or name another server too"),
            others_may=False,
            count=MOST_WAITING,
        )
    try:
        yield
    finally:
        _places.release()


def in_order(servers: Sequence[Server]) -> list[Server]:
    """The servers as they were named, but those that lately did not answer last."""
    return sorted(servers, key=is_resting)


def is_resting(server: Server) -> bool:
    """Whether this server did not answer a moment ago."""
    return _resting.get(server.url, 0) > time.monotonic()


def let_rest(server: Server) -> None:
    """Remember that it did not answer."""
    _resting[server.url] = time.monotonic() + REST_SECONDS


def wake(server: Server) -> None:
    """It answered."""
    _resting.pop(server.url, None)
