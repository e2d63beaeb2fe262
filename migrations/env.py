"""Runs the migrations over the application's own connection.

Afterwards, if the database is at the newest revision, the rows that PostMaster
cannot do without are there: the settings, and an administrator.
"""

from alembic import context
from flask import current_app
from sqlalchemy.engine import Connection

from postmaster import schema
from postmaster.db import db


def run() -> None:
    """Migrate; one transaction in all on SQLite, one a statement on MySQL."""
    if context.is_offline_mode():
        raise SystemExit("Migrations look at the tables they find, so they need the database.")
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Rebuilding a table must not cascade; this has no effect inside a transaction.
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN")
        try:
            migrate(connection)
        finally:
            if connection.dialect.name == "sqlite":
                connection.invalidate()  # its foreign keys are off


def migrate(connection: Connection) -> None:
    """Run the migrations that were asked for."""
    arguments = current_app.extensions["migrate"].configure_args
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        include_name=ours,
        transactional_ddl=connection.dialect.name == "sqlite",
        **arguments,
    )
    with context.begin_transaction():
        context.run_migrations()
    schema.seed_if_at_head(connection)
    connection.commit()


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """Other programs' tables in the same database are none of our business."""
    return kind != "table" or name in db.metadata.tables


run()
