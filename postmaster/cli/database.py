"""Commands that prepare the database."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from .. import backup, schema
from ..db import db


@click.command()
@with_appcontext
def createdb() -> None:
    """Make all tables in an empty database."""
    schema.create(click.echo)


@click.command()
@with_appcontext
def existingdb() -> None:
    """Add PostMaster's tables to a mail server's database."""
    schema.adopt(click.echo)


@click.command()
@with_appcontext
def upgradedb() -> None:
    """Bring the tables up to date, whatever they are."""
    schema.upgrade(click.echo)


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@with_appcontext
def backupdb(path: Path) -> None:
    """Write PostMaster's own tables into a new file, before an upgrade."""
    with db.engine.connect() as connection:
        tables = backup.write(connection, path)
    if tables:
        click.echo(f"{tables} tables were written to {path}. It holds hashes: keep it safe.")
    else:
        click.echo("The database has no tables of PostMaster's: there is nothing to back up.")
