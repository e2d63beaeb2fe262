"""The commands in this process, on the application's database."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from postmaster import cli
from postmaster.db import db
from postmaster.models import HistoryEntry


class Commands:
    """``manage.py`` for one application."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def run(self, *arguments: str, given: str = "") -> Result:
        """Run a command, whatever comes of it."""
        group = cli.commands(lambda **_options: self.app)
        return CliRunner().invoke(group, arguments, input=given)

    def __call__(self, *arguments: str, given: str = "") -> str:
        """What a command prints that does what it was asked."""
        result = self.run(*arguments, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str, given: str = "") -> Any:
        """The same with ``--json``."""
        return json.loads(self(*arguments, "--json", given=given))

    def refused(self, *arguments: str, given: str = "") -> str:
        """The one line that a command prints when it is refused."""
        result = self.run(*arguments, given=given)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    def history(self) -> list[tuple[str, str, str, str]]:
        """Each change: by which surface, what was done, to what kind of thing, to which."""
        with self.app.app_context():
            entries = db.session.query(HistoryEntry).order_by(HistoryEntry.id)
            return [(e.via, e.action, e.kind, e.object_name) for e in entries]


@pytest.fixture
def manage(app: Flask) -> Commands:
    """The commands, on a new installation."""
    return Commands(app)


@pytest.fixture
def mail(manage: Commands) -> Commands:
    """The commands, where there are domains, mailboxes and aliases."""
    for domain in ("example.com", "example.org", "empty.example"):
        manage("domain", "add", domain)
    for email in ("ana@example.com", "bob@example.com", "eva@example.org"):
        manage("user", "add", email, given="password of a user\n")
    manage("alias", "add", "sales@example.com", "ana@example.com")
    manage("alias", "add", "team@example.com", "ana@example.com")
    manage("alias", "add", "team@example.com", "bob@example.com")
    manage("alias", "add", "press@example.org", "ana@example.com")
    return manage
