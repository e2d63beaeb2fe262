"""The application as `ops/serve` serves it, on a database that each test finds new."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import url_for
from sqlalchemy import select
from werkzeug.routing import IntegerConverter, Rule

from postmaster.db import db
from tests.conftest import GUIDE_SCHEMA, Prepared
from tests.resilience.server import Server

Dump = dict[str, list[tuple[Any, ...]]]

# What follows the tables in the guides' script: rows as real servers have them.
GUIDE_ROWS = [
    f"INSERT INTO {statement.strip().rstrip(';')}"
    for statement in GUIDE_SCHEMA.split("INSERT INTO ")[1:]
]


class Served:
    """A running server and its database."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.prepared = Prepared(uri, folder)
        self.server = Server(uri, folder)

    @property
    def url(self) -> str:
        """Where it is served, such as http://127.0.0.1:40123"""
        return self.server.url

    def reset(self) -> None:
        """A new installation: the default admin, the settings, an empty log."""
        self.prepared.reset()
        self.server.log.unlink(missing_ok=True)

    def run(self, *statements: str, **values: Any) -> None:
        """Statements of SQL, as an operator would type them."""
        with self.prepared.app.app_context(), db.engine.begin() as connection:
            for statement in statements:
                if values:
                    connection.execute(db.text(statement), values)
                else:
                    connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query of another program finds."""
        with self.prepared.app.app_context(), db.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def load_guide_rows(self) -> None:
        """The rows of tests/guide-schema.sql, mixed case and dangling destinations included."""
        self.run(*GUIDE_ROWS)

    def dump(self) -> Dump:
        """Every row of every table, to compare before and after."""
        with self.prepared.app.app_context(), db.engine.connect() as connection:
            return {
                table.name: [
                    tuple(row)
                    for row in connection.execute(
                        select(table).order_by(*table.primary_key.columns)
                    )
                ]
                for table in db.metadata.sorted_tables
            }

    def paths(self, method: str) -> list[str]:
        """Every path that answers to this method, as the routes list them; ids are 1."""
        app = self.prepared.app
        with app.test_request_context():
            return sorted(
                {
                    url_for(rule.endpoint, **_arguments(rule))
                    for rule in app.url_map.iter_rules()
                    if method in (rule.methods or ()) and rule.endpoint != "static"
                }
            )


def _arguments(rule: Rule) -> dict[str, Any]:
    return {
        name: 1 if isinstance(converter, IntegerConverter) else "users"
        for name, converter in rule._converters.items()
    }


def serving(uri: str, folder: Path) -> Iterator[Served]:
    """Serve this database until the fixture ends."""
    served = Served(uri, folder)
    with served.server:
        yield served
