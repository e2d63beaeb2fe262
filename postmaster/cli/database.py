"""Commands that prepare the database."""

import click
from flask.cli import with_appcontext

from .. import schema


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
