"""What the commands share: the operator, passwords, and rows as a table or JSON."""

import getpass
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from tabulate import tabulate

from ..db import db, transact
from ..errors import Invalid
from ..rules import consequences, foresight, notes, paging
from ..rules.actions import Kind
from ..rules.actor import Actor
from ..rules.consequences import Planned

MOST_NAMED = 10  # addresses in a line
Command = TypeVar("Command", bound=Callable[..., Any])


def operator() -> Actor:
    """Whoever runs the command, by the name of the system's account."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "operator"
    return Actor(None, name, "command")


def asked_password(*, twice: bool = True) -> str:
    """The password from the terminal, a new one twice, or the first line of standard input.

    It is no option of a command, where every process list would show it.
    """
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=twice))
    return sys.stdin.readline().rstrip("\n")


def asked_secret(*, twice: bool = True) -> str:
    """The same, where nothing is no password."""
    secret = asked_password(twice=twice)
    if not secret:
        raise click.ClickException("No password came: nothing was done")
    return secret


def name_of(path: Path) -> str:
    """A file's name as it can be shown and kept: one may be no UTF-8."""
    return os.fsencode(path.name).decode(errors="replace")


def counted(number: int, one: str, several: str = "") -> str:
    """A number with its noun: "1 alias", "2 aliases"; without ``several`` an s is added."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def confirm(what: Sequence[str], *, yes: bool) -> None:
    """Say what a command is going to do, and stop unless that is wanted."""
    for line in what:
        click.echo(line)
    if not yes:
        click.confirm("Go on?", abort=True)


def foretold_of(plan: Callable[..., Planned], *arguments: Any, **fields: Any) -> list[str]:
    """The same for what a command was given; nothing where the act is going to refuse it."""
    try:
        planned = plan(db.session(), operator(), *arguments, **fields)
    except Invalid:
        return []
    return foretold(planned)


def say(lines: Iterable[str]) -> None:
    """Print lines beside the item, so that its JSON stays whole."""
    for line in lines:
        click.echo(line, err=True)


def foretold(planned: Planned) -> list[str]:
    """What a change would mean for mail, in lines; at most some of the addresses are named."""
    foreseen = foresight.of(db.session(), operator(), planned)
    lines = []
    for one in foreseen.always:
        named = one.addresses[:MOST_NAMED] if len(one.addresses) > 1 else ()
        more = len(one.addresses) - len(named) if named else 0
        names = [*named, f"{more} more"] if more else named
        lines.append(f"  {one.sentence()}{': ' if names else ''}{', '.join(names)}.")
        if one.kind is consequences.Kind.UNREACHED:
            lines += [
                f"  So that it gets its mail: manage.py alias add {address} {address}"
                for address in map(shlex.quote, one.addresses)
            ]
    if foreseen.unseen:
        lines.append(
            f"  {foreseen.unseen} more addresses may be affected; they were not looked at."
        )
    return ["For mail this means:", *lines] if lines else []


def list_options(command: Command) -> Command:
    """The options of every ``list``."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="JSON instead of a table."),
        click.option("--order", type=click.Choice(paging.ORDERS), default="asc"),
        click.option("--sort", help="The column to sort by."),
        click.option("--per-page", type=click.IntRange(1, paging.MOST_PER_PAGE), default=100),
        click.option("--page", type=click.IntRange(1), default=1),
        click.option("--search", default="", help="A part of the name."),
    ):
        command = option(command)
    return command


note_option = click.option("--note", help="What to remember of it.")
json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def show_page(page: paging.Page[Any], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a page of rows."""
    show(page.items, columns, as_json=as_json)
    if not as_json:
        click.echo(
            f"page {page.number} of {max(page.pages or 0, 1)}, {page.total} in all", err=True
        )


def show(rows: Iterable[Any], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    values = [[_plain(getattr(row, column)) for column in columns] for row in rows]
    if as_json:
        items = [dict(zip(columns, value, strict=True)) for value in values]
        click.echo(json.dumps(items, indent=2, ensure_ascii=False))
    else:
        cells = [[_in_a_line(value) for value in row] for row in values]
        click.echo(tabulate(cells, headers=columns, disable_numparse=True))


def show_one(row: Any, columns: Sequence[str], *, as_json: bool) -> None:
    """Print one row."""
    if as_json:
        item = {column: _plain(getattr(row, column)) for column in columns}
        click.echo(json.dumps(item, indent=2, ensure_ascii=False))
    else:
        show([row], columns, as_json=False)


def show_note(kind: Kind, object_id: int, text: str | None, *, as_json: bool) -> None:
    """Write a note if there is a text for it, and print the note."""
    if text is None:
        kept = notes.on(db.session(), operator(), kind, object_id)
    else:
        kept = transact(notes.set_note, operator(), kind, object_id, text=text)
    if as_json:
        click.echo(json.dumps({"note": kept}, ensure_ascii=False))
    elif kept:
        click.echo(kept)


def fields_of(**fields: Any) -> dict[str, Any]:
    """The fields that were given on the command line."""
    return {name: value for name, value in fields.items() if value is not None}


def _in_a_line(value: Any) -> Any:
    """A note may have several lines; JSON has all of it."""
    is_long = isinstance(value, str) and "\n" in value
    return f"{value.splitlines()[0]} ..." if is_long else value


def _plain(value: Any) -> Any:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value
