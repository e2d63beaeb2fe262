"""Read an SQL query of the mail server, as far as the guides' kind of query goes.

One table, some columns, conditions joined by AND: more than that is not understood, and
then nothing is claimed about it.
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|%\{[^}]*\}|%[A-Za-z0-9]|"
    r"[A-Za-z_]\w*|\d+|<>|!=|<=|>=|\S",
    re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_COMPARISONS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">=", "LIKE"})
_KEYWORDS = frozenset({"SELECT", "FROM", "WHERE", "AND", "OR", "AS", "LIMIT", "ORDER", "UNION"})
_DOVECOT_LONG = re.compile(r"%\{([^}]*)\}")
_DOVECOT_SHORT = re.compile(r"%-?[0-9.]{0,8}[LUEXRNHMDT]{0,4}([a-z])")
_BY_NAME = {"user": "%u", "username": "%n", "domain": "%d", "password": "%w"}


@dataclass(frozen=True)
class Condition:
    """``column = 'value'``; ``quoted`` is whether the value stands in quotes."""

    column: str
    operator: str
    value: str
    quoted: bool


@dataclass(frozen=True)
class Result:
    """A part of what is returned: a column, or None for anything else, and its name."""

    column: str | None
    text: str
    alias: str


@dataclass(frozen=True)
class Question:
    """A query that was understood."""

    table: str
    database: str | None
    results: tuple[Result, ...]
    conditions: tuple[Condition, ...] = field(default=())
    limit: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that it names, in order."""
        named = [result.column for result in self.results if result.column]
        return list(dict.fromkeys([*named, *(c.column for c in self.conditions)]))


class _NotUnderstoodError(Exception):
    """The query is more than this module reads."""


def dovecot_places(query: str) -> str:
    """Dovecot's variables in their short form, without what changes their case:
    ``%u`` the whole name, ``%n`` what is before the ``@``, ``%d`` the domain.
    """

    def by_name(match: re.Match[str]) -> str:
        name, *filters = (part.strip().lower() for part in match[1].split("|"))
        for part in filters:
            if part in ("username", "domain"):
                return _BY_NAME[part]
        return _BY_NAME.get(name, match[0])

    return _DOVECOT_SHORT.sub(r"%\1", _DOVECOT_LONG.sub(by_name, query))


def tables_of(query: str) -> list[str]:
    """The tables that any query names after FROM and JOIN."""
    tokens = _TOKEN.findall(query)
    found = []
    for at, word in enumerate(tokens):
        if word.upper() in ("FROM", "JOIN") and _is_name("".join(tokens[at + 1 : at + 2])):
            has_database = tokens[at + 2 : at + 3] == ["."] and len(tokens) > at + 3
            found.append(_bare(tokens[at + 3 if has_database else at + 1]))
    return found


def has_open_quote(query: str) -> bool:
    """Whether a quote is never closed."""
    return any(token in ("'", '"', "`") for token in _TOKEN.findall(query))


def read(query: str) -> Question | None:
    """The query's question; None if it is not understood."""
    tokens = _TOKEN.findall(query.strip().rstrip(";"))
    try:
        return _Reader(tokens).question()
    except _NotUnderstoodError:
        return None


def _is_name(token: str) -> bool:
    is_plain = _WORD.fullmatch(token) is not None and token.upper() not in _KEYWORDS
    return is_plain or (token.startswith("`") and len(token) > 2)


def _bare(name: str) -> str:
    return name.strip("`")


class _Reader:
    """Walks over the words of a query."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def question(self) -> Question:
        self._expect("SELECT")
        results = [self._result()]
        while self._accept(","):
            results.append(self._result())
        self._expect("FROM")
        database, table = self._qualified()
        conditions = []
        if self._accept("WHERE"):
            conditions.append(self._condition())
            while self._accept("AND"):
                conditions.append(self._condition())
        limit = self._next() if self._accept("LIMIT") else None
        if self.at < len(self.tokens):
            raise _NotUnderstoodError
        return Question(table, database, tuple(results), tuple(conditions), limit)

    def _result(self) -> Result:
        word = self._peek()
        if _is_name(word):
            _table, column = self._qualified()
            if self._peek() == "(":
                raise _NotUnderstoodError
            return Result(column, column, self._alias() or column)
        if word[:1] in ("'", '"', "*") or word.isdigit():
            self.at += 1
            return Result(None, word, self._alias() or word)
        raise _NotUnderstoodError

    def _alias(self) -> str:
        has_as = self._accept("AS")
        if _is_name(self._peek()):
            return _bare(self._next())
        if has_as:
            raise _NotUnderstoodError
        return ""

    def _condition(self) -> Condition:
        if not _is_name(self._peek()):  # 'value' = column
            value = self._next()
            self._expect("=")
            _table, column = self._qualified()
            return self._compared(column, "=", value)
        _table, column = self._qualified()
        operator = self._next().upper()
        if operator not in _COMPARISONS:
            raise _NotUnderstoodError
        return self._compared(column, operator, self._value())

    def _value(self) -> str:
        """One word; without quotes, also such as ``%u@%d``."""
        value = self._next()
        while value[0] not in "'\"" and self._peek()[:1] in ("@", "%", "."):
            value += self._next()
        return value

    @staticmethod
    def _compared(column: str, operator: str, value: str) -> Condition:
        is_quoted = len(value) > 1 and value[0] in "'\""
        if not is_quoted and not value.isdigit() and "%" not in value:
            raise _NotUnderstoodError
        return Condition(column, operator, value[1:-1] if is_quoted else value, is_quoted)

    def _qualified(self) -> tuple[str | None, str]:
        """A name, or two with a full stop between."""
        name = self._next()
        if not _is_name(name):
            raise _NotUnderstoodError
        if not self._accept("."):
            return None, _bare(name)
        second = self._next()
        if not _is_name(second):
            raise _NotUnderstoodError
        return _bare(name), _bare(second)

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        if self.at >= len(self.tokens):
            raise _NotUnderstoodError
        self.at += 1
        return self.tokens[self.at - 1]

    def _accept(self, word: str) -> bool:
        if self._peek().upper() != word:
            return False
        self.at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise _NotUnderstoodError
