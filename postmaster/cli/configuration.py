"""Commands on the configuration file, which need no database."""

import secrets
import shutil
from pathlib import Path

import click

from ..config import CHECKOUT, ConfigError, write_value
from ..logfile import LogFile
from ..version import VERSION
from . import surface


@click.command()
@click.argument("uri")
def setdburi(uri: str) -> None:
    """Set the database: mysql://USER:PASSWORD@HOST:3306/DATABASE"""
    click.echo(f"The database was written to {write_value('database_uri', uri)}.")


@click.command()
def generatekey() -> None:
    """Make a new secret key. Everybody has to sign in again."""
    click.echo(f"A new key was written to {write_value('secret_key', secrets.token_hex(32))}.")


@click.command()
@click.argument("key")
def setkey(key: str) -> None:
    """Set the secret key, for instance that of another host."""
    if not key:
        raise ConfigError("secret_key: the key is empty; make one with: manage.py generatekey")
    click.echo(f"The key was written to {write_value('secret_key', key)}.")


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
def setlogfile(path: Path) -> None:
    """Set the log file."""
    absolute = path.absolute()
    if not LogFile(absolute).is_writable():
        raise ConfigError(f"log_file: {absolute} cannot be written")
    click.echo(f"The log file was written to {write_value('log_file', str(absolute))}.")


@click.command()
def setldappassword() -> None:
    """Set the password of the directory's bind account; it is asked for."""
    password = surface.asked_secret()
    click.echo(f"The password was written to {write_value('ldap_bind_password', password)}.")


@click.command()
def setopenidsecret() -> None:
    """Set PostMaster's secret at the OpenID Connect provider; it is asked for."""
    secret = surface.asked_secret()
    click.echo(f"The secret was written to {write_value('openid_client_secret', secret)}.")


@click.command()
def version() -> None:
    """Show which PostMaster this is."""
    click.echo(VERSION)


@click.command()
def clean() -> None:
    """Remove the files that Python compiled."""
    folders = [
        folder
        for part in ("postmaster", "migrations", "tests")
        for folder in (CHECKOUT / part).rglob("__pycache__")
    ]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    click.echo(f"{len(folders)} folders of compiled files were removed.")
