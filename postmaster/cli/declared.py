"""manage.py plan, apply"""

import json
import sys
from pathlib import Path
from typing import BinaryIO

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..errors import Invalid
from ..rules import addresses, passwords
from ..rules.declarations import applying, differences, document
from ..rules.declarations.differences import Plan, Sign
from ..rules.imports.hashing import AllCores, Task, done
from ..rules.imports.password_file import PasswordFile
from . import surface

SIGNS = {Sign.DELETE: "-", Sign.CHANGE: "~", Sign.CREATE: "+"}
HAS_CHANGES = 2
MOST_SHOWN = 600  # characters of a name: more than two addresses have, less than a file may give
WORTH_PROCESSES = 200  # passwords; fewer are hashed before the processes would have begun


@click.command()
@click.argument("file", type=click.File("rb"))
@surface.json_option
@with_appcontext
def plan(file: BinaryIO, as_json: bool) -> None:
    """Show what would make the tables equal to FILE, which is YAML.

    Exit status: 0 nothing to do, 2 changes, 1 an error.
    """
    found = differences.plan(db.session(), surface.operator(), document.read(file))
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=2, ensure_ascii=False))
    else:
        _show(found)
    _stop_if_refused(found, is_told=as_json)
    if found.steps:
        sys.exit(HAS_CHANGES)


@click.command()
@click.argument("file", type=click.File("rb"))
@surface.yes_option
@click.option(
    "--passwords-to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the passwords of new users that have no hash in FILE.",
)
@with_appcontext
def apply(file: BinaryIO, yes: bool, passwords_to: Path | None) -> None:
    """Make the tables equal to FILE, which is YAML: all of it or nothing, undone as one."""
    operator = surface.operator()
    declaration = document.read(file)
    found = differences.plan(db.session(), operator, declaration)
    _show(found)
    _stop_if_refused(found)
    if not found.steps:
        return
    if found.generated and passwords_to is None:
        raise Invalid(
            "%(count)s users are new and have no hash in the file: say by --passwords-to where "
            "to write the passwords that they get",
            count=len(found.generated),
        )
    surface.confirm([], yes=yes)
    hashes = _generated(found.generated, passwords_to) if passwords_to is not None else {}
    head = transact(
        applying.apply,
        operator,
        declaration,
        name=surface.name_of(Path(file.name)),
        seen=found.seen,
        hashes=hashes,
    )
    if head is not None:
        click.echo(f"Done. To take it back: manage.py undo {head.id}")


def _generated(addresses: list[str], path: Path) -> dict[str, str]:
    """Passwords for these users, in the file before the users are made; their hashes."""
    if not addresses:
        return {}
    keeper = PasswordFile(path, goes_on=False)
    made = [(address, passwords.suggestion()) for address in addresses]
    keeper.keep(made)
    tasks = [Task(word) for _address, word in made]
    if len(tasks) < WORTH_PROCESSES:
        hashed = done(tasks)
    else:
        with AllCores() as hasher:
            hashed = hasher.begin(tasks).result()
    return {address: each or "" for address, each in zip(addresses, hashed, strict=True)}


def _show(found: Plan) -> None:
    for step in found.steps:
        details = f" ({', '.join(step.details)})" if step.details else ""
        name = addresses.shown(step.name, MOST_SHOWN)
        click.echo(f"{SIGNS[step.sign]} {step.kind:<6} {name}{details}")
    for warning in found.warnings:
        click.echo(f"! {warning}")
    if not found.steps:
        click.echo("Nothing to do: the tables are as the file says.")
        return
    click.echo(
        f"{found.count(Sign.DELETE)} to delete, {found.count(Sign.CHANGE)} to change, "
        f"{found.count(Sign.CREATE)} to create."
    )


def _stop_if_refused(found: Plan, *, is_told: bool = False) -> None:
    if not found.refusals:
        return
    if not is_told:
        for refusal in found.refusals:
            click.echo(f"Error: {refusal}", err=True)
    sys.exit(1)


def _as_json(found: Plan) -> dict[str, object]:
    return {
        "steps": [
            {
                "action": step.sign,
                "kind": step.kind,
                "name": step.name,
                "line": step.line,
                "details": list(step.details),
            }
            for step in found.steps
        ],
        "counts": {sign: found.count(sign) for sign in Sign},
        "warnings": [str(warning) for warning in found.warnings],
        "errors": [str(refusal) for refusal in found.refusals],
        "seen": found.seen,
    }
