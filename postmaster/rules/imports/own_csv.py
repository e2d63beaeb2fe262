"""PostMaster's own CSV: a header, then a line for each domain, user and alias."""

from collections.abc import Iterable, Iterator, Sequence

from ...errors import Invalid
from . import csv_rows, fields
from .items import BadItem, Item, Source

REQUIRED = ("kind", "address")


def recognises(beginnings: Sequence[tuple[str, bytes]]) -> bool:
    """Whether all files have the columns that are needed."""
    return all(
        set(REQUIRED) <= set(csv_rows.header_of(beginning)) for _name, beginning in beginnings
    )


def read(sources: Sequence[Source]) -> Iterator[Item]:
    """The items of the files. Raises Invalid if a header is not as it should be."""
    for number, source in enumerate(sources):
        table = csv_rows.table(source)
        _check_header(source.name, table.header)
        yield from _items(number, table)


def _items(file: int, table: csv_rows.Table) -> Iterator[Item]:
    header, width = table.header, len(table.header)
    for line, cells in table.rows:
        if not any(cells):
            continue
        if len(cells) > width and any(cells[width:]):
            more = Invalid("There are more cells than columns in the header")
            yield BadItem(line, more, file)
        elif not csv_rows.is_utf_8(cells):
            yield BadItem(line, Invalid("This is not UTF-8: save the file as UTF-8"), file)
        else:
            filled = zip(header, cells, strict=False)
            found = {column: csv_rows.restored(cell) for column, cell in filled if cell}
            yield fields.item(line, found, file)


def _check_header(name: str, header: Iterable[str]) -> None:
    header = list(header)
    missing = [column for column in REQUIRED if column not in header]
    unknown = [column for column in header if column not in fields.COLUMNS]
    if missing or unknown or len(set(header)) < len(header):
        raise Invalid(
            'The first line of "%(name)s" must name the columns, each once. They are: %(columns)s',
            field="file",
            name=name,
            columns=list(fields.COLUMNS),
        )
