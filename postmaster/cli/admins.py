"""manage.py admin, unlockadmin and resetadminpassword"""

from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..rules import admins, paging, twofactor
from . import surface

COLUMNS = ("id", "username", "name", "source", "failed_attempts", "unlock_date", "otp_active")


@click.group()
def admin() -> None:
    """List, add, change and delete administrators."""


@admin.command("list")
@surface.list_options
@with_appcontext
def list_admins(as_json: bool, **criteria: Any) -> None:
    """List the administrators."""
    page = admins.find(db.session(), surface.operator(), paging.Criteria(**criteria))
    surface.show_page(page, COLUMNS, as_json=as_json)


@admin.command()
@click.argument("username")
@click.option("--name", help="The name to show; else the username.")
@surface.json_option
@with_appcontext
def add(username: str, name: str | None, as_json: bool) -> None:
    """Add an administrator; the password is asked for, or read from standard input."""
    added = transact(
        admins.create,
        surface.operator(),
        username=username,
        password=surface.asked_password(),
        name=username if name is None else name,
    )
    surface.show_one(added, COLUMNS, as_json=as_json)


@admin.command()
@click.argument("username")
@click.option("--username", "new_username", help="The new username.")
@click.option("--name", "new_name", help="The new name to show.")
@click.option("--password", "with_password", is_flag=True, help="Ask for a new password.")
@click.option("--without-second-factor", is_flag=True, help="Turn the second factor off.")
@surface.json_option
@with_appcontext
def change(
    username: str,
    new_username: str | None,
    new_name: str | None,
    with_password: bool,
    without_second_factor: bool,
    as_json: bool,
) -> None:
    """Change an administrator."""
    operator = surface.operator()
    found = admins.by_username(db.session(), operator, username)
    password = surface.asked_password() if with_password else None
    if without_second_factor:
        found = transact(twofactor.disable, operator, found.id)
    if not without_second_factor or (new_username, password, new_name) != (None, None, None):
        found = transact(
            admins.change,
            operator,
            found.id,
            username=new_username,
            password=password,
            name=new_name,
        )
    surface.show_one(found, COLUMNS, as_json=as_json)


@admin.command()
@click.argument("username")
@surface.yes_option
@with_appcontext
def delete(username: str, yes: bool) -> None:
    """Delete an administrator; the last one stays."""
    operator = surface.operator()
    found = admins.by_username(db.session(), operator, username)
    surface.confirm([f"This deletes the administrator {found.username}."], yes=yes)
    transact(admins.remove, operator, found.id)
    click.echo(f"The administrator {found.username} was deleted.")


@click.command()
@click.argument("username")
@with_appcontext
def unlockadmin(username: str) -> None:
    """Unlock an administrator."""
    operator = surface.operator()
    found = admins.by_username(db.session(), operator, username)
    transact(admins.unlock, operator, found.id)
    click.echo(f"The administrator {found.username} was unlocked.")


@click.command()
@click.argument("username")
@click.argument("password", required=False)
@with_appcontext
def resetadminpassword(username: str, password: str | None) -> None:
    """Give an administrator another password.

    Without PASSWORD it is asked for, which keeps it out of the shell's history
    and the process list.
    """
    operator = surface.operator()
    found = admins.by_username(db.session(), operator, username)
    new_password = surface.asked_password() if password is None else password
    transact(admins.change, operator, found.id, password=new_password)
    click.echo(f"The password of the administrator {found.username} was changed.")
