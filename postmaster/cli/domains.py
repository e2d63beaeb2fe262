"""manage.py domain"""

from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..rules import (
    domains,
    overviews,
    paging,
    patches,
    planned_acts,
)
from ..rules.actions import Kind
from ..rules.aliases import Orphans
from ..rules.suspensions import address_of
from . import surface

COLUMNS = ("id", "name", "note")


@click.group()
def domain() -> None:
    """List, add, rename and delete domains."""


@domain.command("list")
@surface.list_options
@with_appcontext
def list_domains(as_json: bool, **criteria: Any) -> None:
    """List the domains."""
    page = overviews.find_domains(db.session(), surface.operator(), paging.Criteria(**criteria))
    surface.show_page(page, COLUMNS, as_json=as_json)


@domain.command()
@click.argument("name")
@surface.note_option
@surface.json_option
@with_appcontext
def add(name: str, note: str | None, as_json: bool) -> None:
    """Add a domain."""
    fields = surface.fields_of(note=note)
    added = transact(patches.create_domain, surface.operator(), name=name, **fields)
    _show(added.id, as_json=as_json)


@domain.command()
@click.argument("name")
@click.argument("new_name")
@surface.json_option
@with_appcontext
def change(name: str, new_name: str, as_json: bool) -> None:
    """Rename a domain that has no users or aliases."""
    found = domains.by_name(db.session(), surface.operator(), name)
    changed = transact(domains.change, surface.operator(), found.id, name=new_name)
    _show(changed.id, as_json=as_json)


@domain.command()
@click.argument("name")
@click.argument("text", required=False)
@surface.json_option
@with_appcontext
def note(name: str, text: str | None, as_json: bool) -> None:
    """Show the note on a domain, or write TEXT in its place; an empty one deletes it."""
    found = domains.by_name(db.session(), surface.operator(), name)
    surface.show_note(Kind.DOMAIN, found.id, text, as_json=as_json)


def _show(domain_id: int, *, as_json: bool) -> None:
    row = overviews.get_domain(db.session(), surface.operator(), domain_id)
    surface.show_one(row, COLUMNS, as_json=as_json)


@domain.command()
@click.argument("name")
@surface.yes_option
@with_appcontext
def delete(name: str, yes: bool) -> None:
    """Delete a domain with all its users and aliases."""
    operator = surface.operator()
    found = domains.by_name(db.session(), operator, name)
    gone = domains.goes_with(db.session(), operator, found.id)
    summary = (
        f"This deletes the domain {found.name} with its "
        f"{surface.counted(len(gone.users), 'user')} and "
        f"{surface.counted(len(gone.aliases), 'alias', 'aliases')}, and "
        f"{surface.counted(len(gone.leading_here), 'alias', 'aliases')} elsewhere "
        "leading to its users. The mail on the server's disk stays."
    )
    users = [f"  user {address_of(user)}" for user in gone.users]
    aliases = [
        f"  alias {alias.source} -> {alias.destination}"
        for alias in [*gone.aliases, *gone.leading_here]
    ]
    planned = planned_acts.removing(gone, Orphans.MAILBOX, domains=[found])
    surface.confirm([summary, *users, *aliases, *surface.foretold(planned)], yes=yes)
    transact(domains.remove, operator, found.id, seen=gone.version)
    click.echo(f"The domain {found.name} was deleted.")
