"""manage.py user"""

from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..rules import domains, paging, users
from ..rules.aliases import Orphans
from . import surface

COLUMNS = ("id", "domain_id", "email")


@click.group()
def user() -> None:
    """List, add, change and delete users (mailboxes)."""


@user.command("list")
@surface.list_options
@click.option("--domain", help="Only the users of this domain.")
@with_appcontext
def list_users(as_json: bool, domain: str | None, **criteria: Any) -> None:
    """List the users."""
    operator = surface.operator()
    domain_ids = [domains.by_name(db.session(), operator, domain).id] if domain else None
    page = users.find(db.session(), operator, paging.Criteria(**criteria), domain_ids=domain_ids)
    surface.show_page(page, COLUMNS, as_json=as_json)


@user.command()
@click.argument("email")
@click.option("--keep-copy", is_flag=True, help="Where an alias has this address: add to it.")
@surface.json_option
@with_appcontext
def add(email: str, keep_copy: bool, as_json: bool) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    added = transact(
        users.create,
        surface.operator(),
        email=email,
        password=surface.asked_password(),
        keep_copy=keep_copy,
    )
    surface.show_one(added, COLUMNS, as_json=as_json)


@user.command()
@click.argument("email")
@surface.json_option
@with_appcontext
def change(email: str, as_json: bool) -> None:
    """Change a user's password; it is asked for, or read from standard input."""
    found = users.by_email(db.session(), surface.operator(), email)
    changed = transact(
        users.change, surface.operator(), found.id, password=surface.asked_password()
    )
    surface.show_one(changed, COLUMNS, as_json=as_json)


@user.command()
@click.argument("email")
@surface.yes_option
@with_appcontext
def delete(email: str, yes: bool) -> None:
    """Delete a user and the aliases that lead to it."""
    operator = surface.operator()
    found = users.by_email(db.session(), operator, email)
    gone = users.goes_with(db.session(), operator, [found.id])
    leading = gone.aliases_gone(Orphans.MAILBOX)
    summary = (
        f"This deletes the user {found.email} and {len(leading)} aliases that lead to it. "
        "The mail on the server's disk stays."
    )
    aliases = [f"  alias {alias.source} -> {alias.destination}" for alias in leading]
    surface.confirm([summary, *aliases], yes=yes)
    transact(users.remove, operator, found.id, seen=gone.version)
    click.echo(f"The user {found.email} was deleted.")
