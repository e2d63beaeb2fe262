"""Read main.cf, ``postconf -n`` and the files of its maps, as postconf(5) describes them.

Lines of blanks, and those whose first character is a ``#``, are left out; a line that
begins with a blank goes on with the one before; the last value of a name counts.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from .masking import is_secret, masked, masked_query

MOST_EXPANSIONS = 200  # of one value, so that circles end
SQL_TYPES = ("mysql", "sqlite")

_OF_QUERIES = ("query", "select_field", "where_field", "additional_conditions")
_NAME = re.compile(r"[A-Za-z_][\w-]*")
# $name, ${name} and $(name); the conditional forms with ? and : are left as they are.
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|\(([A-Za-z_]\w*)\)|([A-Za-z_]\w*))")


@dataclass(frozen=True)
class Parameters:
    """The wanted parameters of a text, expanded; ``unread`` are numbers of lines."""

    where: str
    values: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[int, ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """A parameter's value; one that is not there has its default."""
        return self.values.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def items_of(self, name: str, default: str = "") -> list[str]:
        """The members of a list: apart by commas or blanks, braces keep together."""
        return split_list(self.get(name, default))

    def is_on(self, name: str, *, default: bool = False) -> bool:
        """A parameter that is yes or no."""
        return self.get(name, "yes" if default else "no").lower() == "yes"


def read(where: str, content: str, wanted: Collection[str]) -> Parameters:
    """The parameters that are wanted. No other value is kept."""
    everything: dict[str, str] = {}
    unread = []
    for number, line in _logical_lines(content):
        name, sign, value = line.partition("=")
        name = name.strip()
        if not sign or not _NAME.fullmatch(name):
            unread.append(number)
        else:
            everything[name] = value.strip()
    values = {
        name: (masked_query if name in _OF_QUERIES else masked)(_expanded(value, everything))
        for name, value in everything.items()
        if name in wanted
    }
    return Parameters(where, values, tuple(unread))


def _logical_lines(content: str) -> Iterator[tuple[int, str]]:
    number, parts = 0, list[str]()
    for count, line in enumerate(content.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and parts:
            parts.append(line.strip())
            continue
        if parts:
            yield number, " ".join(parts)
        number, parts = count, [line.strip()]
    if parts:
        yield number, " ".join(parts)


def _expanded(value: str, everything: Mapping[str, str]) -> str:
    """The value with the parameters it names put in, as far as they were given."""
    for _ in range(MOST_EXPANSIONS):
        reference = next(
            (
                found
                for found in _REFERENCE.finditer(value)
                if (name := _name_of(found)) in everything and not is_secret(name)
            ),
            None,
        )
        if reference is None or len(value) > 100_000:
            break
        put_in = everything[_name_of(reference)]
        value = value[: reference.start()] + put_in + value[reference.end() :]
    return value


def _name_of(reference: re.Match[str]) -> str:
    return reference[1] or reference[2] or reference[3]


def split_list(value: str) -> list[str]:
    """The members of a list."""
    members, current, depth = list[str](), list[str](), 0
    for character in value:
        depth = max(0, depth + {"{": 1, "}": -1}.get(character, 0))
        if depth == 0 and (character.isspace() or character == ","):
            if current:
                members.append("".join(current))
            current = []
        else:
            current.append(character)
    return [*members, "".join(current)] if current else members


@dataclass(frozen=True)
class MapName:
    """A map as a list names it: ``proxy:mysql:/etc/postfix/mysql-virtual-alias-maps.cf``."""

    written: str
    is_proxied: bool
    type: str
    name: str

    @property
    def is_sql(self) -> bool:
        """Whether it asks a database that PostMaster can be over."""
        return self.type in SQL_TYPES


def map_name(written: str) -> MapName:
    """What a list's member names; a member without a type has an empty one."""
    is_proxied = written.startswith("proxy:")
    kind, colon, name = written.removeprefix("proxy:").partition(":")
    return MapName(written, is_proxied, kind if colon else "", name if colon else kind)
