"""Mail tables as chance makes them, of so few names that rows meet one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

HERE = ("one.example", "two.example", "three.example")
ELSEWHERE = "far.example"
NAMES = ("a", "b", "c", "d", "e", "f")
# Without a delimiter, + is a letter like others. Postfix does not take owner-… and …-request
# apart, so with - as the delimiter they are among the names.
MARK = "+"
OWNER, REQUEST = "owner", "request"
HASH = "$6$salt$hash"
SUSPENDED = "!suspended"
MOST_USERS = 9
MOST_ALIASES = 16

# A table of domains without rows is as good as one with a name that nobody asks for, and the
# other tables' rows need one.
NO_DOMAIN = "none.example"

Row = tuple[str, str]
Kind = TypeVar("Kind", str, Row)


@dataclass(frozen=True)
class Tables:
    """The three tables: names of domains, addresses with passwords, sources with destinations."""

    domains: tuple[str, ...] = ()
    users: tuple[Row, ...] = ()
    aliases: tuple[Row, ...] = ()

    def __len__(self) -> int:
        return len(self.domains) + len(self.users) + len(self.aliases)

    def without(self, start: int, count: int) -> "Tables":
        """The tables without some rows, counted through all three."""
        aliases = _without(self.aliases, start, count)
        start -= len(self.aliases)
        users = _without(self.users, start, count)
        start -= len(self.users)
        return Tables(_without(self.domains, start, count), users, aliases)

    def statements(self) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """What fills the empty tables: a statement with its rows, for each table.

        All users and aliases are of the first domain: the mail server asks for none.
        """
        domains = self.domains or (NO_DOMAIN,)
        return [
            (
                "INSERT INTO virtual_domains (id, name) VALUES (%s, %s)",
                list(enumerate(domains, 1)),
            ),
            (
                "INSERT INTO virtual_users (domain_id, email, password) VALUES (1, %s, %s)",
                list(self.users),
            ),
            (
                "INSERT INTO virtual_aliases (domain_id, source, destination) VALUES (1, %s, %s)",
                list(self.aliases),
            ),
        ]

    def sql(self) -> str:
        """The same as an operator would type it."""
        return "\n".join(
            f"{statement % tuple(map(_quoted, row))};"
            for statement, rows in self.statements()
            for row in rows
        )


def _without(rows: tuple[Kind, ...], start: int, count: int) -> tuple[Kind, ...]:
    return rows[: max(start, 0)] + rows[max(start + count, 0) :]


def _quoted(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace("'", "''")
    text = text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    return f"'{text}'"


class Dice:
    """Makes tables, and addresses to try on them."""

    def __init__(self, seed: str, delimiter: str = "") -> None:
        self._random = Random(seed)
        self._here: tuple[str, ...] = HERE
        self._mark = mark = delimiter or MARK
        self._names = (*NAMES, OWNER) if mark == "-" else NAMES
        second = REQUEST if mark == "-" else "y"
        self._extensions = ("", f"{mark}x", f"{mark}{second}", f"{mark}x{mark}y")

    def tables(self) -> Tables:
        """Two or three domains, some users, some aliases."""
        self._here = tuple(self._random.sample(HERE, self._random.choice((2, 2, 3))))
        domains = [self._spelled(name) for name in self._here]
        if self._happens(0.15):
            domains.append(self._spelled(self._random.choice(domains)))
        users: dict[str, Row] = {}
        for _ in range(self._random.randint(0, MOST_USERS)):
            email, password = self._user()
            users.setdefault(email.lower().rstrip(" "), (email, password))
        aliases: list[Row] = []
        for _ in range(self._random.randint(0, MOST_ALIASES)):
            again = aliases and self._happens(0.08)
            aliases.append(self._random.choice(aliases) if again else self._alias())
        return Tables(tuple(domains), tuple(users.values()), tuple(aliases))

    def addresses(self, count: int) -> list[str]:
        """Different addresses to send to, most of them of domains that are here."""
        elsewhere = [name for name in (*HERE, ELSEWHERE) if name not in self._here]
        others = self._random.sample(self._all_at(elsewhere), 3)
        if self._mark != "-":  # which may not stand first
            others.append(f"{self._mark}x@{self._random.choice(self._here)}")
        found = self._random.sample(self._all_at(self._here), count - len(others)) + others
        return [self._in_capitals(address) for address in found]

    # --- rows -----------------------------------------------------------------------

    def _user(self) -> Row:
        email = self._address(0.1, 0.02)
        if self._happens(0.1):
            return f"!{self._spelled(email)}", SUSPENDED
        return self._spelled(email), SUSPENDED if self._happens(0.1) else HASH

    def _alias(self) -> Row:
        source = self._address(0.12, 0.05)
        if self._happens(0.2):
            source = f"@{source.partition('@')[2]}"
        if self._happens(0.08) and not source.startswith("@"):
            return self._spelled(source), self._spelled(source)
        destination = self._destination()
        if self._happens(0.12):
            others = [self._destination() for _ in range(self._random.choice((1, 1, 2)))]
            between = self._random.choice((", ", ",", ";", "\r\n", " "))
            destination = between.join([destination, *others])
        return self._spelled(source), self._spelled(destination)

    def _destination(self) -> str:
        address = self._address(0.15, 0.15)
        if self._happens(0.04):
            return self._random.choice((f"Ann Lee <{address}>", f"<{address}>", " ", ""))
        return f"@{address.partition('@')[2]}" if self._happens(0.1) else address

    def _address(self, with_extension: float, elsewhere: float) -> str:
        extension = (
            self._random.choice(self._extensions[1:]) if self._happens(with_extension) else ""
        )
        domain = self._random.choice(self._here)
        if self._happens(elsewhere):
            domain = self._random.choice((ELSEWHERE, *HERE))
        return f"{self._random.choice(self._names)}{extension}@{domain}"

    # --- spellings ------------------------------------------------------------------

    def _spelled(self, text: str) -> str:
        """The text, in some capitals or with a blank at an end now and then."""
        if self._happens(0.03):
            text = self._random.choice((f"{text} ", f" {text}"))
        return self._in_capitals(text) if self._happens(0.12) else text

    def _in_capitals(self, text: str) -> str:
        if self._happens(0.8):
            return text
        return self._random.choice((text.upper(), text.title(), text.swapcase()))

    def _all_at(self, domains: Sequence[str]) -> list[str]:
        return [
            f"{name}{extension}@{domain}"
            for name in self._names
            for extension in self._extensions
            for domain in domains
        ]

    def _happens(self, how_often: float) -> bool:
        return self._random.random() < how_often
