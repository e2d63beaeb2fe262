"""manage.py domain"""

from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..rules import domains, paging
from . import surface

COLUMNS = ("id", "name")


@click.group()
def domain() -> None:
    """List, add, rename and delete domains."""


@domain.command("list")
@surface.list_options
@with_appcontext
def list_domains(as_json: bool, **criteria: Any) -> None:
    """List the domains."""
    page = domains.find(db.session(), surface.operator(), paging.Criteria(**criteria))
    surface.show_page(page, COLUMNS, as_json=as_json)


@domain.command()
@click.argument("name")
@surface.json_option
@with_appcontext
def add(name: str, as_json: bool) -> None:
    """Add a domain."""
    added = transact(domains.create, surface.operator(), name=name)
    surface.show_one(added, COLUMNS, as_json=as_json)


@domain.command()
@click.argument("name")
@click.argument("new_name")
@surface.json_option
@with_appcontext
def change(name: str, new_name: str, as_json: bool) -> None:
    """Rename a domain that has no users or aliases."""
    found = domains.by_name(db.session(), surface.operator(), name)
    changed = transact(domains.change, surface.operator(), found.id, name=new_name)
    surface.show_one(changed, COLUMNS, as_json=as_json)


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
        f"This deletes the domain {found.name} with its {len(gone.users)} users and "
        f"{len(gone.aliases)} aliases, and {len(gone.leading_here)} aliases elsewhere "
        "that lead to its users. The mail on the server's disk stays."
    )
    users = [f"  user {user.email}" for user in gone.users]
    aliases = [
        f"  alias {alias.source} -> {alias.destination}"
        for alias in [*gone.aliases, *gone.leading_here]
    ]
    surface.confirm([summary, *users, *aliases], yes=yes)
    transact(domains.remove, operator, found.id, seen=gone.version)
    click.echo(f"The domain {found.name} was deleted.")
