"""What the commands share: the operator, passwords, and rows as a table or JSON."""

import getpass
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click
from tabulate import tabulate

from ..rules import paging
from ..rules.actor import Actor

Command = TypeVar("Command", bound=Callable[..., Any])


def operator() -> Actor:
    """Whoever runs the command, by the name of the system's account."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "operator"
    return Actor(None, name, "command")


def asked_password() -> str:
    """The password from the terminal, twice, or the first line of standard input.

    It is no option of a command, where every process list would show it.
    """
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def confirm(what: Sequence[str], *, yes: bool) -> None:
    """Say what a command is going to do, and stop unless that is wanted."""
    for line in what:
        click.echo(line)
    if not yes:
        click.confirm("Go on?", abort=True)


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


json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def show_page(page: paging.Page[Any], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a page of rows."""
    show(page.items, columns, as_json=as_json)
    if not as_json:
        click.echo(f"page {page.number} of {max(page.pages, 1)}, {page.total} in all", err=True)


def show(rows: Iterable[Any], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    values = [[_plain(getattr(row, column)) for column in columns] for row in rows]
    if as_json:
        items = [dict(zip(columns, value, strict=True)) for value in values]
        click.echo(json.dumps(items, indent=2, ensure_ascii=False))
    else:
        click.echo(tabulate(values, headers=columns, disable_numparse=True))


def show_one(row: Any, columns: Sequence[str], *, as_json: bool) -> None:
    """Print one row."""
    if as_json:
        item = {column: _plain(getattr(row, column)) for column in columns}
        click.echo(json.dumps(item, indent=2, ensure_ascii=False))
    else:
        show([row], columns, as_json=False)


def _plain(value: Any) -> Any:
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value
