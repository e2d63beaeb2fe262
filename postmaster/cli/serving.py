"""runserver: the development server."""

from collections.abc import Callable

import click
from flask import Flask

from ..config import ConfigError


def runserver(create_app: Callable[..., Flask]) -> click.Command:
    """The command that serves the application which this factory makes."""

    @click.command()
    @click.option("--host", "-h", default="127.0.0.1", show_default=True)
    @click.option("--port", "-p", default=8082, show_default=True)
    def command(host: str, port: int) -> None:
        """Serve the panel for development; ops/serve is for use."""
        try:
            app = create_app()
        except ConfigError as error:
            raise click.ClickException(str(error)) from None
        app.run(host=host, port=port)

    command.name = "runserver"
    return command
