"""What a file to import is made of, whatever its format. Pure.

A reader goes through its files from the beginning each time it is called, and yields one
item for each thing that they name. It holds no more of them than one line needs, since a
file may have a million. Nothing here is normalised or checked yet: that is the plan's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ...errors import Invalid, Phrase


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, and how to call it. The stream can be read from the beginning again."""

    name: str
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class DomainItem:
    """A domain that is to be there."""

    line: int
    name: str
    note: str | None = None
    file: int = 0  # which of several files it stands in


@dataclass(frozen=True, slots=True)
class UserItem:
    """A mailbox that is to be there.

    ``password`` is plain, ``hashed`` as Dovecot reads it: at most one of them. With neither,
    ``generate`` asks for a password of our making. ``suspended`` is a suspension's mode.
    """

    line: int
    email: str
    password: str | None = field(default=None, repr=False)
    hashed: str | None = field(default=None, repr=False)
    generate: bool = False
    note: str | None = None
    suspended: str | None = None
    file: int = 0


@dataclass(frozen=True, slots=True)
class AliasItem:
    """One destination of one source that is to be there."""

    line: int
    source: str
    destination: str
    note: str | None = None
    file: int = 0


@dataclass(frozen=True, slots=True)
class BadItem:
    """A line that cannot be read."""

    line: int
    error: Invalid
    file: int = 0


@dataclass(frozen=True, slots=True)
class SkippedItem:
    """A line that can be read and is left out on purpose, with the reason.

    ``reason`` may have ``%(name)s`` places, which are filled from ``values``.
    """

    line: int
    name: str
    reason: Phrase
    values: Mapping[str, Any] = field(default_factory=dict)
    file: int = 0


Item = DomainItem | UserItem | AliasItem | BadItem | SkippedItem
Reader = Callable[[Sequence[Source]], Iterator[Item]]


@dataclass(frozen=True)
class Format:
    """A sort of file that can be imported.

    ``recognises`` says whether files are of this sort, from their names and beginnings.
    A reader raises Invalid if a file as a whole is not what it should be.
    """

    name: str
    read: Reader
    recognises: Callable[[Sequence[tuple[str, bytes]]], bool]
