"""manage.py history, manage.py undo"""

from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from ..db import db, transact
from ..rules import actions, paging, undo
from ..rules import history as changes
from . import surface

COLUMNS = ("id", "moment", "admin", "action", "kind", "object_name", "undone_by")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.option("--page", type=click.IntRange(1), default=1)
@click.option("--per-page", type=click.IntRange(1, paging.MOST_PER_PAGE), default=20)
@click.option("--search", default="", help="A part of the name.")
@click.option("--admin", help="Only what this administrator changed.")
@click.option("--kind", type=click.Choice([str(kind) for kind in changes.Kind]))
@with_appcontext
def history(as_json: bool, admin: str | None, kind: str | None, **criteria: Any) -> None:
    """List the changes, the newest first."""
    page = changes.find(
        db.session(),
        surface.operator(),
        paging.Criteria(**criteria),
        filters=changes.Filters(admin=admin, kind=kind),
    )
    surface.show_page(page, COLUMNS, as_json=as_json)


@click.command("undo")
@click.argument("number", type=int)
@with_appcontext
def take_back(number: int) -> None:
    """Undo the change with this number (the id in the history)."""
    going = changes.get(db.session(), surface.operator(), number)
    if actions.is_of_several(going):  # 100,000 of them take a quarter of a minute
        template, values = actions.sentence(going)
        click.echo(f"Taking back: {template % values} ...", err=True)
    log = current_app.extensions["postmaster_log"]
    entry = transact(undo.undo, surface.operator(), number, log_is_writable=log.is_writable)
    template, values = actions.sentence(entry)
    click.echo(template % values)
