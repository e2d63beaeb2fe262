"""manage.py checkup-server"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from flask.cli import with_appcontext

from ..db import db
from ..rules.server_config import checking
from ..rules.server_config.findings import OwnSetting, Report, Severity
from ..rules.server_config.texts import Text, kind_of, split
from . import surface

MOST_BYTES = 1024 * 1024  # of one file
PATTERNS = ("*.cf", "dovecot*.conf", "dovecot*.conf.ext", "conf.d/*.conf")
# Part of every Postfix, and of no interest here.
LEFT_OUT = ("master.cf", "dynamicmaps.cf")
INCLUDED = re.compile(r"^[ \t]*!include(?:_try)?[ \t]+([\w./-]+)[ \t]*$", re.MULTILINE)
FINDINGS, UNREADABLE = 1, 2  # exit statuses


@click.command("checkup-server")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@surface.json_option
@with_appcontext
def checkup_server(files: tuple[str, ...], as_json: bool) -> None:
    """Check the mail server's configuration: does it ask these tables rightly?

    FILE is the output of postconf -n or doveconf -n, a file of Postfix or Dovecot, a
    folder with them, or - for standard input. What each is, is recognised by what stands
    in it. Exit status: 0 fine, 1 something is wrong, 2 a file cannot be read.
    """
    try:
        texts = [text for file in files for text in _read(file)]
    except OSError as error:
        click.echo(f"Error: {error.filename}: {error.strerror}", err=True)
        sys.exit(UNREADABLE)
    report = checking.check(db.session(), surface.operator(), texts)
    if as_json:
        click.echo(json.dumps(report.plain(), indent=2, ensure_ascii=False))
    else:
        _print(report)
    if report.worst is Severity.ERROR:
        sys.exit(FINDINGS)


def _read(file: str) -> Iterator[Text]:
    if file == "-":
        given = sys.stdin.buffer.read(MOST_BYTES)
        yield Text("", given.decode("utf-8", "replace"))
    elif Path(file).is_dir():
        yield from _folder(Path(file))
    else:
        yield _file(Path(file))


def _file(file: Path) -> Text:
    with file.open("rb") as opened:
        return Text(str(file), opened.read(MOST_BYTES).decode("utf-8", "replace"))


def _folder(folder: Path) -> Iterator[Text]:
    """Those files of a folder that are of use, with what they include by name."""
    files = sorted(file for pattern in PATTERNS for file in folder.glob(pattern) if file.is_file())
    texts = [_file(file) for file in files if file.name not in LEFT_OUT]
    seen = {Path(text.name) for text in texts}
    for text in texts:  # grows meanwhile
        for name in INCLUDED.findall(text.content):
            included = Path(text.name).parent / name
            if included.is_file() and included not in seen:
                seen.add(included)
                texts.append(_file(included))
    yield from _recognised(texts)


def _recognised(texts: Iterable[Text]) -> Iterator[Text]:
    for text in texts:
        if any(kind_of(part.content).is_of_use for part in split([text])):
            yield text


def _print(report: Report) -> None:
    for text in report.texts:
        click.echo(f"{text.name or '(no name)'}: {text.kind}")
    for finding in report.findings:
        click.echo(f"\n{str(finding.severity).upper()} [{finding.code}] {finding.where}")
        click.echo(f"  {finding.sentence()}")
        if finding.meaning():
            click.echo(f"  {finding.meaning()}")
        for line in finding.write:
            click.echo(f"    {line}")
        if finding.own_setting:
            _print_setting(finding.own_setting)
    counts = (
        f"{report.count(Severity.ERROR)} errors",
        f"{report.count(Severity.WARNING)} warnings",
    )
    click.echo(f"\n{', '.join(counts)}")


def _print_setting(setting: OwnSetting) -> None:
    """How to change a setting of the panel: it stands in no file of the mail server."""
    click.echo("  This is a setting of PostMaster itself. Change it on the page /configs, or by:")
    number = "ID" if setting.id is None else setting.id
    click.echo(f"    PATCH /api/v1/configs/{number} {json.dumps({'value': setting.value})}")
