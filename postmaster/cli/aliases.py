"""manage.py alias"""

from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..errors import Invalid
from ..models import Alias
from ..rules import (
    aliases,
    domains,
    overviews,
    paging,
    patches,
    planned_acts,
)
from ..rules.actions import Kind
from ..rules.aliases import Orphans
from . import surface

COLUMNS = ("id", "domain_id", "source", "destination", "note")


@click.group()
def alias() -> None:
    """List, add, change and delete aliases."""


@alias.command("list")
@surface.list_options
@click.option("--domain", help="Only the aliases of this domain.")
@with_appcontext
def list_aliases(as_json: bool, domain: str | None, **criteria: Any) -> None:
    """List the aliases."""
    operator = surface.operator()
    domain_ids = [domains.by_name(db.session(), operator, domain).id] if domain else None
    page = overviews.find_alias_rows(
        db.session(), operator, paging.Criteria(**criteria), domain_ids=domain_ids
    )
    surface.show_page(page, COLUMNS, as_json=as_json)


@alias.command()
@click.argument("source")
@click.argument("destination")
@click.option("--keep-copy", is_flag=True, help="Where SOURCE is a mailbox: it gets its mail too.")
@click.option(
    "--keep-mailboxes", is_flag=True, help="For a catch-all: the mailboxes get their own mail."
)
@surface.note_option
@surface.json_option
@with_appcontext
def add(
    source: str,
    destination: str,
    keep_copy: bool,
    keep_mailboxes: bool,
    note: str | None,
    as_json: bool,
) -> None:
    """Add an alias, or one more destination to it."""
    planned = planned_acts.creating_alias(
        db.session(),
        surface.operator(),
        source=source,
        destination=destination,
        keep_copy=keep_copy,
        keep_mailboxes=keep_mailboxes,
    )
    foretold = surface.foretold(planned)
    added = transact(
        patches.create_alias,
        surface.operator(),
        source=source,
        destination=destination,
        keep_copy=keep_copy,
        keep_mailboxes=keep_mailboxes,
        **surface.fields_of(note=note),
    )
    _show(added.id, as_json=as_json)
    for line in foretold:
        click.echo(line, err=True)


@alias.command()
@click.argument("source")
@click.argument("destination")
@click.option("--source", "new_source", help="The new source.")
@click.option("--destination", "new_destination", help="The new destination.")
@surface.json_option
@with_appcontext
def change(
    source: str,
    destination: str,
    new_source: str | None,
    new_destination: str | None,
    as_json: bool,
) -> None:
    """Change an alias, named by its SOURCE and DESTINATION."""
    changed = transact(
        aliases.change,
        surface.operator(),
        _one(source, destination).id,
        source=new_source,
        destination=new_destination,
    )
    _show(changed.id, as_json=as_json)


@alias.command()
@click.argument("source")
@click.argument("text", required=False)
@surface.json_option
@with_appcontext
def note(source: str, text: str | None, as_json: bool) -> None:
    """Show the note on an alias, or write TEXT in its place; an empty one deletes it."""
    found = aliases.matching(db.session(), surface.operator(), source)
    surface.show_note(Kind.ALIAS, found[0].id, text, as_json=as_json)


def _show(alias_id: int, *, as_json: bool) -> None:
    row = overviews.get_alias_row(db.session(), surface.operator(), alias_id)
    surface.show_one(row, COLUMNS, as_json=as_json)


@alias.command()
@click.argument("source")
@click.argument("destination", required=False)
@surface.yes_option
@with_appcontext
def delete(source: str, destination: str | None, yes: bool) -> None:
    """Delete one destination of an alias, or, without DESTINATION, all of them."""
    operator = surface.operator()
    found = aliases.matching(db.session(), operator, source, destination)
    gone = aliases.goes_with(db.session(), operator, [row.id for row in found])
    planned = planned_acts.removing(gone, Orphans.MAILBOX, aliases=found)
    rows = [f"  alias {row.source} -> {row.destination}" for row in found]
    surface.confirm(["This deletes:", *rows, *surface.foretold(planned)], yes=yes)
    transact(aliases.remove_several, operator, [row.id for row in found])
    click.echo(f"Deleted: {surface.counted(len(found), 'alias', 'aliases')}.")


def _one(source: str, destination: str) -> Alias:
    found = aliases.matching(db.session(), surface.operator(), source, destination)
    if len(found) > 1:
        raise Invalid("This alias is there %(count)s times; delete one first", count=len(found))
    return found[0]
