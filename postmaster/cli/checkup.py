"""manage.py checkup"""

import json
import sys
from collections.abc import Callable

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from tabulate import tabulate

from .. import examining
from ..db import db, transact
from ..errors import RuleError, fill
from ..rules import actions
from ..rules.checkup import checking, repairs
from ..rules.checkup.findings import Report, Sample, Severity
from ..rules.checkup.plans import Plan
from ..signing_in import trust
from . import surface

FINDINGS, NOT_DONE = 1, 2  # exit statuses
MOST_STEPS = 100  # rows of a plan that are shown


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.option("--repair", "code", metavar="CODE", help="Repair what was found by this code.")
@surface.yes_option
@with_appcontext
def checkup(as_json: bool, code: str | None, yes: bool) -> None:
    """Check the mail tables: what loses or refuses mail, and what mends it.

    Exit status: 0 all is well, or it was repaired; 1 there are errors or warnings; 2 the
    checkup could not be done. A repair first shows what it would do, and can be undone.
    """
    if code is not None:
        _repair(code, as_json=as_json, yes=yes)
        return
    report = _report()
    if as_json:
        click.echo(json.dumps(report.plain(), indent=2, ensure_ascii=False))
    else:
        _print(report)
    if not report.is_well:
        sys.exit(FINDINGS)


def _report() -> Report:
    tell = _progress()
    try:
        log = current_app.extensions["postmaster_log"]
        return checking.check(
            db.session(), surface.operator(), log=log, trust=trust(), progress=tell
        )
    except (RuleError, DBAPIError, PoolTimeoutError) as error:
        reason = error if isinstance(error, RuleError) else examining.explained(error)
        in_full = reason.for_operators() if reason else "The database refused a query"
        click.echo(f"Error: {in_full}", err=True)
        sys.exit(NOT_DONE)


def _progress() -> Callable[[str], None]:
    """On a terminal, a line that says what is looked at."""
    if not sys.stderr.isatty():
        return lambda _step: None
    steps = len(checking.STEPS)
    return lambda step: click.echo(
        f"{checking.STEPS.index(step) + 1} of {steps}: {step} ...",
        err=True,
    )


def _print(report: Report) -> None:
    for finding in report.findings:
        click.echo(
            f"{finding.severity.upper()} [{finding.code}] {finding.kind.what}: {finding.count}"
        )
        click.echo(f"  {fill(finding.kind.meaning, finding.values)}")
        for sample in finding.sample:
            click.echo(f"    {_in_words(sample)}")
        if finding.sample and finding.count > len(finding.sample):
            click.echo(f"    and {finding.count - len(finding.sample)} more")
        for statement in finding.statements:
            click.echo(f"  {statement}")
        if finding.kind.repair:
            click.echo(f"  Repair it by: manage.py checkup --repair {finding.code}")
        click.echo()
    if report.schemes:
        rows = [(s.scheme, s.state, "weak" if s.is_weak else "", s.count) for s in report.schemes]
        click.echo(tabulate(rows, headers=("scheme", "state", "", "users"), disable_numparse=True))
        click.echo()
    if not report.complete:
        click.echo("The rows could not be compared: mend the form of the tables first.")
    counts = [surface.counted(report.count(severity), severity) for severity in Severity]
    click.echo(", ".join(counts))


def _in_words(sample: Sample) -> str:
    """What is odd about a text may be a blank or a tab: those are to be seen."""
    text = sample.text if sample.text.isprintable() and sample.text == sample.text.strip() else ""
    return text or repr(sample.text)


def _repair(code: str, *, as_json: bool, yes: bool) -> None:
    operator = surface.operator()
    plan = repairs.plan(db.session(), operator, code)
    if as_json:
        click.echo(json.dumps(plan.plain(), indent=2, ensure_ascii=False))
    else:
        _print_plan(plan)
    if not plan.steps:
        return
    surface.confirm([], yes=yes)
    entry = transact(repairs.carry_out, operator, code, seen=plan.version)
    template, values = actions.sentence(entry)
    click.echo(f"{fill(template, values)}. Undo it by: manage.py undo {entry.id}", err=as_json)


def _print_plan(plan: Plan) -> None:
    click.echo(plan.kind.repair or "")
    for step in plan.steps[:MOST_STEPS]:
        words = {
            "create": f"add {step.after}",
            "delete": f"delete {step.before}",
            "change password": f"{step.before}: the password is hashed",
        }.get(step.action, f"{step.before!r} becomes {step.after!r}")
        click.echo(
            f"  {step.noun} {words}" if not step.moves else f"  {step.noun} {step.before}: moved"
        )
    if len(plan.steps) > MOST_STEPS:
        click.echo(f"  and {len(plan.steps) - MOST_STEPS} more")
    if not plan.is_whole:
        click.echo("There are more, for another go.")
    for left in plan.left:
        click.echo(f"  stays: {_in_words(left.row)}: {fill(left.reason, left.values)}")
    if not plan.steps:
        click.echo("There is nothing to repair.")
