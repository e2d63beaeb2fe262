"""The commands of manage.py: thin, over the same acts as the pages and the API."""

from collections.abc import Callable
from typing import Any

import click
from alembic.util.exc import CommandError
from flask import Flask, current_app
from flask.cli import FlaskGroup, NoAppException, ScriptInfo, shell_command
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from .. import examining, schema
from ..config import ConfigError
from ..errors import RuleError, Unavailable
from . import (
    admins,
    aliases,
    checkup,
    configuration,
    database,
    declared,
    directory,
    domains,
    history,
    importconfig,
    imports,
    server_config,
    serving,
    trace,
    users,
)

COMMANDS: tuple[click.Command, ...] = (
    configuration.setdburi,
    configuration.generatekey,
    configuration.setkey,
    configuration.setlogfile,
    configuration.setldappassword,
    configuration.setopenidsecret,
    directory.testldap,
    importconfig.importconfig,
    configuration.version,
    configuration.clean,
    database.createdb,
    database.existingdb,
    database.upgradedb,
    database.backupdb,
    domains.domain,
    users.user,
    aliases.alias,
    trace.trace,
    declared.plan,
    declared.apply,
    history.history,
    history.take_back,
    imports.import_files,
    imports.export_file,
    checkup.checkup,
    server_config.checkup_server,
    admins.admin,
    admins.unlockadmin,
    admins.resetadminpassword,
    shell_command,
)


class Commands(FlaskGroup):
    """Flask's group of commands, whose errors are one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; say what is wrong if it is refused."""
        try:
            return super().invoke(ctx)
        except (RuleError, ConfigError, CommandError) as error:
            raise click.ClickException(str(error)) from None
        except BrokenPipeError:  # whoever read the output has enough: Click ends quietly
            raise
        except OSError as error:  # such as a certificate that the URI names
            what = error.filename or "a file that the configuration names"
            raise click.ClickException(f"{what}: {error.strerror}") from None
        except NoAppException as error:  # else it would print how to use Flask
            raise click.ClickException(error.message) from None
        except (DBAPIError, PoolTimeoutError) as error:
            with ctx.ensure_object(ScriptInfo).load_app().app_context():
                raise click.ClickException(_in_words(error)) from None


def _in_words(error: Exception) -> str:
    refusal = examining.explained(error)
    if refusal is None:
        return f"The database refused: {getattr(error, 'orig', error)}"
    if isinstance(refusal, Unavailable):
        uri = current_app.extensions["postmaster"].database_uri
        return f"{refusal.for_operators()} ({uri.render_as_string(hide_password=True)})"
    return str(refusal)


def commands(create_app: Callable[..., Flask]) -> Commands:
    """The group of all commands, over the application that this factory makes."""

    def create() -> Flask:
        try:
            app = create_app(serving=False)
        except ConfigError as error:
            raise NoAppException(str(error)) from None
        schema.init_app(app)
        return app

    group = Commands(
        create_app=create,
        add_default_commands=False,
        load_dotenv=False,
        help="PostMaster: a panel and an API over the mail guides' tables.",
    )
    for command in COMMANDS:
        group.add_command(command)
    group.add_command(serving.runserver(create_app))
    return group
