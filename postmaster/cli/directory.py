"""testldap: what the directory says, step by step."""

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..errors import RuleError
from ..rules import trials
from ..signing_in import trust
from . import surface


@click.command()
@click.argument("username")
@click.option(
    "--look-up", is_flag=True, help="Ask for no password: the bind account looks the user up."
)
@with_appcontext
def testldap(username: str, look_up: bool) -> None:
    """Try the directory out as a sign-in would, and say what each step found.

    The password is asked for on the terminal. The exit status is 1 where the account cannot
    sign in.
    """
    operator = surface.operator()
    directory = transact(trials.begin, operator, trust(), username=username)
    if isinstance(directory, RuleError):
        raise directory
    db.session.remove()  # no connection is held while the directory is asked
    password = "" if look_up else surface.asked_secret(twice=False)
    steps = trials.run(directory, username=username, password=password)
    transact(trials.end, operator, steps, username=username)
    for step in steps:
        click.echo(f"{'ok    ' if step.passed else 'failed'}  {step.title}: {step.said}")
        if step.detail:
            click.echo(f"        {step.detail}")
        if step.advice:
            click.echo(f"        {step.advice}")
    if not trials.is_good(steps):
        raise SystemExit(1)
