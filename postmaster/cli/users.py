"""manage.py user"""

from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..models import User
from ..rules import (
    domains,
    overviews,
    paging,
    patches,
    planned_acts,
    suspension_acts,
    user_moves,
    users,
)
from ..rules.actions import Kind
from ..rules.aliases import Orphans
from ..rules.suspensions import Mode, address_of
from . import surface

COLUMNS = ("id", "domain_id", "email", "suspended", "note")


@click.group()
def user() -> None:
    """List, add, change, rename, suspend and delete users (mailboxes)."""


@user.command("list")
@surface.list_options
@click.option("--domain", help="Only the users of this domain.")
@click.option("--suspended", is_flag=True, default=None, help="Only who is suspended.")
@with_appcontext
def list_users(as_json: bool, domain: str | None, suspended: bool | None, **criteria: Any) -> None:
    """List the users."""
    operator = surface.operator()
    domain_ids = [domains.by_name(db.session(), operator, domain).id] if domain else None
    page = overviews.find_users(
        db.session(),
        operator,
        paging.Criteria(**criteria),
        domain_ids=domain_ids,
        suspended=suspended,
    )
    surface.show_page(page, COLUMNS, as_json=as_json)


@user.command()
@click.argument("email")
@click.option(
    "--keep-copy", is_flag=True, help="Let it get its mail where an alias or a catch-all takes it."
)
@surface.note_option
@surface.json_option
@with_appcontext
def add(email: str, keep_copy: bool, note: str | None, as_json: bool) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    foretold = surface.foretold_of(planned_acts.creating_user, email=email, keep_copy=keep_copy)
    added = transact(
        patches.create_user,
        surface.operator(),
        email=email,
        password=surface.asked_password(),
        keep_copy=keep_copy,
        **surface.fields_of(note=note),
    )
    _show(added.id, as_json=as_json)
    surface.say(foretold)


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
    _show(changed.id, as_json=as_json)


@user.command()
@click.argument("email")
@click.argument("new_email")
@click.option("--keep-alias", is_flag=True, help="Leave an alias from EMAIL to NEW_EMAIL.")
@click.option("--keep-copy", is_flag=True, help="Let it get its mail where a catch-all takes it.")
@surface.json_option
@with_appcontext
def rename(email: str, new_email: str, keep_alias: bool, keep_copy: bool, as_json: bool) -> None:
    """Give a user another address, and say how to move its mail on the server.

    The aliases that lead to it follow.
    """
    found = users.by_email(db.session(), surface.operator(), email)
    old = found.email
    asked: dict[str, Any] = {
        "email": new_email,
        "keep_alias": keep_alias,
        "keep_copy": keep_copy,
    }
    foretold = surface.foretold_of(planned_acts.renaming_user, found.id, **asked)
    renamed = transact(user_moves.rename, surface.operator(), found.id, **asked)
    _show(renamed.id, as_json=as_json)
    surface.say(foretold)
    if old == renamed.email:
        return
    moved = user_moves.folders(db.session(), old, renamed.email)
    click.echo("Its mail is where it was. On the mail server, as root:", err=True)
    for line in moved.commands:
        click.echo(f"  {line}", err=True)
    click.echo("If mail has arrived for the new address already, this instead:", err=True)
    click.echo(f"  {moved.importing}", err=True)


@user.command()
@click.argument("email")
@click.option("--no-mail", is_flag=True, help="The mailbox gets no mail either.")
@surface.json_option
@with_appcontext
def suspend(email: str, no_mail: bool, as_json: bool) -> None:
    """Suspend a user: nobody signs in, and with --no-mail no mail arrives either."""
    operator = surface.operator()
    found = users.by_email(db.session(), operator, email)
    mode = Mode.ALL if no_mail else Mode.SIGN_IN
    foretold = _without_mail(found) if no_mail else []
    transact(suspension_acts.suspend, operator, found.id, mode=mode)
    _show(found.id, as_json=as_json)
    surface.say(foretold)
    click.echo("Who is signed in stays so, until this is done on the mail server:", err=True)
    click.echo(f"  {suspension_acts.ending_sessions(found)}", err=True)


@user.command()
@click.argument("email")
@surface.json_option
@with_appcontext
def resume(email: str, as_json: bool) -> None:
    """Resume a suspended user; address and password are as they were."""
    found = users.by_email(db.session(), surface.operator(), email)
    transact(suspension_acts.resume, surface.operator(), found.id)
    _show(found.id, as_json=as_json)


@user.command()
@click.argument("email")
@click.argument("text", required=False)
@surface.json_option
@with_appcontext
def note(email: str, text: str | None, as_json: bool) -> None:
    """Show the note on a user, or write TEXT in its place; an empty one deletes it."""
    found = users.by_email(db.session(), surface.operator(), email)
    surface.show_note(Kind.USER, found.id, text, as_json=as_json)


def _without_mail(user: User) -> list[str]:
    """What it means to others that a user gets no mail, in lines."""
    about = suspension_acts.about(db.session(), surface.operator(), [user.id])
    lines = []
    if about.forwarding:
        lines.append(f"Mail is forwarded to {about.forwarding} addresses; that goes on.")
    return lines + surface.foretold(planned_acts.stopping_mail([user]))


def _show(user_id: int, *, as_json: bool) -> None:
    row = overviews.get_user(db.session(), surface.operator(), user_id)
    surface.show_one(row, COLUMNS, as_json=as_json)


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
        f"This deletes the user {address_of(found)} and "
        f"{surface.counted(len(leading), 'alias', 'aliases')} leading to it. "
        "The mail on the server's disk stays."
    )
    aliases = [f"  alias {alias.source} -> {alias.destination}" for alias in leading]
    planned = planned_acts.removing(gone, Orphans.MAILBOX, users=[found])
    surface.confirm([summary, *aliases, *surface.foretold(planned)], yes=yes)
    transact(users.remove, operator, found.id, seen=gone.version)
    click.echo(f"The user {address_of(found)} was deleted.")
