"""PostMaster's own JSON: an object with the lists domains, users and aliases.

It is read item by item, so that a large file needs no more memory than a small one.
"""

import codecs
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...errors import Invalid
from .. import addresses
from . import csv_rows, fields
from .items import BadItem, Item, Source

LISTS: Mapping[str, str] = {"domains": "domain", "users": "user", "aliases": "alias"}
# What the address of each kind is called, beside "address".
NAMES: Mapping[str, str] = {"domain": "name", "user": "email", "alias": "source"}
BLANKS = " \t\r\n"
PIECE = 65536  # bytes
LONGEST_ITEM = 131072  # characters, as in CSV


def recognises(beginnings: Sequence[tuple[str, bytes]]) -> bool:
    """Whether all files begin as a JSON object does."""
    return all(
        beginning.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{")
        for _name, beginning in beginnings
    )


def read(sources: Sequence[Source]) -> Iterator[Item]:
    """The items of the files. Raises Invalid where one is not such JSON."""
    for number, source in enumerate(sources):
        text = _Text(source)
        for kind, line, value in _values(text):
            yield _item(kind, line, value, number)


def _item(kind: str, line: int, value: Any, file: int) -> Item:
    if kind == "domain" and isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        return BadItem(line, Invalid("This is not a JSON object"), file)
    if not csv_rows.is_utf_8([*value, *(each for each in value.values() if isinstance(each, str))]):
        half = Invalid("A text in it has half of a character (a lone surrogate)")
        return BadItem(line, half, file)
    found = {"kind": kind}
    for key, each in value.items():
        field = "address" if key == NAMES[kind] else key
        if field == "kind" or field not in fields.COLUMNS:
            unknown = Invalid('There is no field "%(name)s" here', name=addresses.shown(key))
            return BadItem(line, unknown, file)
        if each is not None and not isinstance(each, str):
            return BadItem(line, Invalid('"%(name)s" must be a text', field=field, name=key), file)
        found[field] = each or ""
    return fields.item(line, found, file)


def _values(text: "_Text") -> Iterator[tuple[str, int, Any]]:
    """Each item of each list, with its kind and line."""
    text.take("{")
    more = not text.try_take("}")
    while more:
        key = text.value()
        if not isinstance(key, str) or key not in LISTS:
            text.refuse()
        text.take(":")
        text.take("[")
        while not text.try_take("]"):
            text.skip_blanks()
            line = text.line
            yield LISTS[key], line, text.value()
            if not text.try_take(","):
                text.take("]")
                break
        more = text.try_take(",")
        if not more:
            text.take("}")
    if not text.is_at_end():
        text.refuse()


class _Text:
    """The text of a file, of which only a piece is in memory."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.stream = source.stream
        self.stream.seek(0)
        self.decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        # A number is refused whatever it is, and one of many digits could not be an int.
        self.scan = json.JSONDecoder(parse_int=float).raw_decode
        self.piece = ""
        self.at = 0
        self.line = 1
        self.ended = False

    def value(self) -> Any:
        """The JSON value that stands here."""
        self.skip_blanks()
        while True:
            try:
                value, end = self.scan(self.piece, self.at)
            except (json.JSONDecodeError, RecursionError):
                end = len(self.piece)
            else:
                if end < len(self.piece) or self.ended:  # else a number may go on
                    self._pass(end)
                    return value
            if self.ended or end - self.at > LONGEST_ITEM or not self._read_on():
                self.refuse()

    def take(self, sign: str) -> None:
        """Pass the sign that has to stand here."""
        if not self.try_take(sign):
            self.refuse()

    def try_take(self, sign: str) -> bool:
        """Pass a sign if it stands here."""
        self.skip_blanks()
        if not self.piece.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def is_at_end(self) -> bool:
        """Whether nothing but blanks is left."""
        self.skip_blanks()
        return self.at == len(self.piece)

    def skip_blanks(self) -> None:
        """Go on to what is no blank."""
        while True:
            at = self.at
            while at < len(self.piece) and self.piece[at] in BLANKS:
                at += 1
            self._pass(at)
            if at < len(self.piece) or not self._read_on():
                return

    def refuse(self) -> None:
        """Raise Invalid, which names the line."""
        raise Invalid(
            'Line %(line)s of "%(name)s" cannot be read: the file must be a JSON object with '
            'the lists "domains", "users" and "aliases"',
            field="file",
            line=self.line,
            name=self.name,
        )

    def _pass(self, end: int) -> None:
        self.line += self.piece.count("\n", self.at, end)
        self.at = end

    def _read_on(self) -> bool:
        """Read another piece; False at the end of the file."""
        content = self.stream.read(PIECE)
        self.ended = not content
        try:
            more = self.decode(content, self.ended)
        except UnicodeDecodeError:
            raise Invalid(
                'The file "%(name)s" is not UTF-8: save it as UTF-8', field="file", name=self.name
            ) from None
        self.piece, self.at = self.piece[self.at :] + more, 0
        return not self.ended
