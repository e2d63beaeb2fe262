"""The command that takes PostMaster 1.x's configuration over."""

from pathlib import Path

import click

from .. import config, old_config
from ..logfile import LogFile
from . import surface


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def importconfig(file: Path) -> None:
    """Take over the config.py of PostMaster 1.x, without running it."""
    taken = old_config.take_over(file)
    before = config.in_file()
    values = {one.key: one.value for one in taken if one.value is not None}
    path = config.write_values(values)
    for one in taken:
        replaces = one.key in before and values.get(one.key, before[one.key]) != before[one.key]
        click.echo(f"{one.key}: {one.said}{'; it replaces another value' if replaces else ''}")
    click.echo(f"This was written to {path}.")
    if "log_file" in values and not LogFile(Path(values["log_file"])).is_writable():
        surface.say([f"The log {values['log_file']} cannot be written: manage.py setlogfile PATH"])
