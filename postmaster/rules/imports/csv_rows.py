"""CSV as spreadsheets and database programs write it, row by row, and safe for spreadsheets.

Separated by commas, semicolons or tabs; UTF-8, with or without a byte order mark.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from ...errors import Invalid
from .items import Source

SEPARATORS = (",", ";", "\t")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What a spreadsheet takes for the beginning of a formula, also in full width (OWASP, "CSV
# Injection"). The mark in front of it makes it a text.
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
MARK = "'"


def neutralised(text: str) -> str:
    """The text as a cell that no spreadsheet runs as a formula."""
    return f"{MARK}{text}" if text.startswith((*FORMULA, MARK)) else text


def restored(cell: str) -> str:
    """The text that a cell stands for: undoes ``neutralised``, and leaves other texts alone."""
    return cell[1:] if cell.startswith(MARK) and cell[1:].startswith((*FORMULA, MARK)) else cell


@dataclass(frozen=True)
class Table:
    """A CSV file: the header's names in lower case, and the rows with the line they begin on.

    Bytes that are no UTF-8 stand as lone surrogates; ``is_utf_8`` tells.
    """

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]


def is_utf_8(cells: Sequence[str]) -> bool:
    """Whether a row was UTF-8 in the file."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def header_of(beginning: bytes) -> list[str]:
    """The names in the first line of a file, of which this is the beginning; none if unreadable."""
    first = beginning.decode("utf-8-sig", errors="replace").partition("\n")[0]
    try:
        return _names(next(csv.reader([first], delimiter=_separator(first)), []))
    except csv.Error:
        return []


def table(source: Source) -> Table:
    """The file from its beginning. Raises Invalid where it cannot be read as CSV."""
    beginning = _rewound(source.stream)
    if beginning.startswith(UTF_16_MARKS):
        raise Invalid(
            'The file "%(name)s" is UTF-16: save it as "CSV UTF-8"', field="file", name=source.name
        )
    rows = _rows(source)
    _line, names = next(rows, (0, []))
    return Table(_names(names), rows)


def _rewound(stream: BinaryIO) -> bytes:
    stream.seek(0)
    beginning = stream.read(2)
    stream.seek(0)
    return beginning


def _names(cells: Sequence[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]


def _separator(first_line: str) -> str:
    return max(SEPARATORS, key=first_line.count)


def _rows(source: Source) -> Iterator[tuple[int, list[str]]]:
    text = io.TextIOWrapper(
        source.stream, encoding="utf-8-sig", errors="surrogateescape", newline=""
    )
    try:
        first = text.readline()
        reader = csv.reader(chain([first], text), delimiter=_separator(first), strict=True)
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error:
            raise Invalid(
                'Line %(line)s of "%(name)s" cannot be read: is a quotation mark missing?',
                field="file",
                line=line,
                name=source.name,
            ) from None
    finally:
        if not text.closed:  # else it would close the file, which is read again
            text.detach()
