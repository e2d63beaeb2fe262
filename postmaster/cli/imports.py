"""manage.py import, manage.py export"""

import contextlib
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from ..db import db, transact
from ..models import Import
from ..rules import exports
from ..rules.imports import formats, planning, running
from ..rules.imports.catch_alls import is_warning
from ..rules.imports.hashing import AllCores
from ..rules.imports.items import Source
from ..rules.imports.order import Order
from ..rules.imports.password_file import PasswordFile
from ..rules.imports.verdicts import REFUSED, Line, Options, Verdict
from ..rules.imports.writing import Written
from . import surface

MOST_SHOWN = 50  # refused lines, unless all are asked for
INTERRUPTED = 130  # the exit status, as of a shell's program that Ctrl-C ends
STEPS = 10  # lines of progress, where there is no terminal
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@click.option(
    "--from", "format_name", type=click.Choice(formats.NAMES), help="Else it is recognised."
)
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be done, and stop.")
@click.option(
    "--all",
    "show_all",
    is_flag=True,
    help="Show every line, not only what is refused or warned of.",
)
@click.option("--update", is_flag=True, help="Users that are there are changed as the file says.")
@click.option("--create-domains", is_flag=True, help="Make the domains that are missing.")
@click.option(
    "--passwords-to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Generate passwords where there are none, and write them to this new file.",
)
@click.option("--skip-errors", is_flag=True, help="Import the other lines if some are refused.")
@surface.yes_option
@with_appcontext
def import_files(
    files: tuple[Path, ...],
    format_name: str | None,
    only_plan: bool,
    show_all: bool,
    passwords_to: Path | None,
    skip_errors: bool,
    yes: bool,
    **chosen: bool,
) -> None:
    """Import domains, users and aliases from a file (CSV or JSON)."""
    options = Options(generate=passwords_to is not None, **chosen)
    with contextlib.ExitStack() as stack:
        sources = [
            Source(surface.name_of(path), stack.enter_context(path.open("rb"))) for path in files
        ]
        order = _order(sources, format_name, options)
        counts = _show_plan(order, options, len(files), show_all=show_all)
        refused = sum(counts[verdict] for verdict in REFUSED)
        if only_plan:
            sys.exit(1 if refused else 0)
        if refused and not skip_errors:
            raise click.ClickException(
                f"Nothing was imported, since lines are refused: {refused}. Repair them, or "
                "import the others with --skip-errors."
            )
        digest = order.digest()
        goes_on = running.unfinished(db.session(), digest, options, order.total) is not None
        if not goes_on and not counts[Verdict.CREATE] + counts[Verdict.CHANGE]:
            click.echo("There is nothing to do.")
            return
        surface.confirm([], yes=yes)
        keeper = None if passwords_to is None else PasswordFile(passwords_to, goes_on=goes_on)
        name = ", ".join(source.name for source in sources)
        record = transact(
            running.start,
            surface.operator(),
            name=name,
            digest=digest,
            options=options,
            total=order.total,
        )
        _run(record, order, options, keeper, skip_errors=skip_errors)


def _order(sources: list[Source], format_name: str | None, options: Options) -> Order:
    chosen = formats.detect(sources) if format_name is None else formats.named(format_name)
    return planning.order_of(db.session(), surface.operator(), sources, chosen, options)


# --- the plan -------------------------------------------------------------------


def _show_plan(order: Order, options: Options, files: int, *, show_all: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    told = hidden = 0
    for line in planning.plan(db.session(), surface.operator(), order, options):
        counts[line.verdict] += 1
        is_told = line.verdict in REFUSED or is_warning(line)
        told += is_told
        if show_all or (is_told and told <= MOST_SHOWN):
            click.echo(_in_words(line, files))
        elif is_told:
            hidden += 1
    if hidden:
        click.echo(f"... and {hidden} more; --all shows every line")
    click.echo(_summary(counts))
    db.session.remove()  # nothing is held while somebody reads the plan
    return counts


def _in_words(line: Line, files: int) -> str:
    place = f"line {line.line}" if files == 1 else f"file {line.file + 1}, line {line.line}"
    what = f"{line.kind} {line.name}".strip()
    reason = "" if line.reason is None else f": {line.reason.sentence()}"
    return f"{place}: {line.verdict}{f' {what}' if what else ''}{reason}"


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{verdict}: {counts[verdict]}" for verdict in Verdict)


# --- the run --------------------------------------------------------------------


def _run(
    record: Import,
    order: Order,
    options: Options,
    keeper: PasswordFile | None,
    *,
    skip_errors: bool,
) -> None:
    if record.done:
        click.echo(f"Going on after {record.done} of {record.total} lines.", err=True)
    refused: list[Line] = []
    running.hurry()
    with AllCores() as hasher, _stopping() as is_stopped, _progress(record) as show:

        def tell(written: Written) -> None:
            show(written.done)
            refused.extend(line for line in written.lines if line.verdict in REFUSED)

        run = running.Run(surface.operator(), record, order, options, hasher, keeper)
        run.go(tell, is_stopped)
    _report(record.id, refused, is_stopped(), skip_errors=skip_errors)


def _report(import_id: int, refused: list[Line], was_stopped: bool, *, skip_errors: bool) -> None:
    db.session.remove()
    record = db.session.get_one(Import, import_id)
    undo = "" if record.head_id is None else f" To undo it: manage.py undo {record.head_id}"
    if was_stopped and record.finished is None:
        click.echo(
            f"Stopped after {record.done} of {record.total} lines. Run the same command again "
            f"to go on.{undo}",
            err=True,
        )
        sys.exit(INTERRUPTED)
    click.echo(f"Imported. {_summary(Counter(record.counts))}.{undo}")
    if refused and not skip_errors:
        for line in refused[:MOST_SHOWN]:
            click.echo(_in_words(line, 1), err=True)
        raise click.ClickException(
            f"The tables changed meanwhile, and lines were refused: {len(refused)}."
        )


@contextlib.contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Ctrl-C or an end in order: the batch that is being written is finished first."""
    stopped: list[int] = []

    def note(number: int, _frame: Any) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(stopped)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _progress(record: Import) -> Iterator[Callable[[int], None]]:
    """Show how many lines are done: a bar on a terminal, else a line now and then."""
    if sys.stderr.isatty():
        bar = click.progressbar(
            length=record.total, label="Importing", file=sys.stderr, show_pos=True, show_eta=True
        )
        with bar:
            bar.update(record.done)
            yield lambda done: bar.update(done - bar.pos)
        return
    shown = [record.done * STEPS // max(record.total, 1)]

    def show(done: int) -> None:
        step = done * STEPS // max(record.total, 1)
        if step > shown[0]:
            shown[0] = step
            click.echo(f"{done} of {record.total} lines", err=True)

    yield show


# --- export ---------------------------------------------------------------------


@click.command("export")
@click.argument("file", default="-", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--format", "format_name", type=click.Choice(exports.FORMATS), default="csv")
@click.option("--domain", "domains", multiple=True, help="Only this domain; may be repeated.")
@with_appcontext
def export_file(file: str, format_name: str, domains: tuple[str, ...]) -> None:
    """Write domains, users with their hashes, and aliases to a file that import reads."""
    pieces = exports.pieces(db.session(), surface.operator(), format_name, domains)
    if file == "-":
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    path = Path(file)
    if path.exists() and not path.is_file():  # a pipe or a device stays what it is
        with path.open("w", encoding="utf-8", newline="") as out:
            out.writelines(pieces)
        return
    _write_whole(path.resolve(), pieces)


def _write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write beside its place, for the owner only, and put it there only once it is whole."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as out:
            out.writelines(pieces)
            out.flush()
            os.fsync(out.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
