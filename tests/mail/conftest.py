"""PostMaster on the tables of a real mail server, with the rows of ``guide-schema.sql``."""

import os
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from flask import Flask

from postmaster.db import db
from postmaster.rules import undo
from tests.conftest import GUIDE_SCHEMA, Prepared, set_setting, sign_in
from tests.mail.rows import newest_change
from tests.mail.server import MailServer
from tests.mariadb import MariaDB

# Every password in them is the word "password".
GUIDE_ROWS = GUIDE_SCHEMA[GUIDE_SCHEMA.index("INSERT INTO") :]

Do = Callable[..., Any]
Serve = Callable[[str], MailServer]


@pytest.fixture(scope="session")
def mail_server(mariadb: MariaDB) -> Iterator[MailServer]:
    """The mail server, shared by the tests of this process; say by ``use`` which database."""
    if os.geteuid() != 0:
        pytest.skip("Postfix and Dovecot start as root only")
    with MailServer(mariadb) as server:
        yield server


@pytest.fixture
def app(prepared_mariadb: Prepared) -> Flask:
    """The application on a fresh database, of MariaDB alone: SQLite is no mail server's."""
    prepared_mariadb.reset()
    return prepared_mariadb.app


@pytest.fixture
def serve(app: Flask, mariadb: MariaDB, mail_server: MailServer) -> Serve:
    """The application's tables with the guides' rows, served as one of the guides says."""

    def start(flavour: str) -> MailServer:
        with app.app_context():
            database = str(db.engine.url.database)
        mariadb.run(database, GUIDE_ROWS)
        browser = sign_in(app)
        set_setting(browser, "Email2Email Map", str(flavour == "linode"))
        set_setting(browser, "Allow External Alias Destinations", "True")
        mail_server.use(database, flavour)
        mail_server.forget()
        return mail_server

    return start


@pytest.fixture
def linode(serve: Serve) -> MailServer:
    """The mail server of the guide that has the email2email map."""
    return serve("linode")


@pytest.fixture
def digitalocean(serve: Serve) -> MailServer:
    """The mail server of the guide that has not."""
    return serve("digitalocean")


@pytest.fixture
def take_back(do: Do) -> Callable[[], None]:
    """Undo the newest change."""

    def run() -> None:
        do(undo.undo, newest_change(), log_is_writable=lambda: True)

    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failing test shows what the mail server wrote into its logs."""
    report = yield
    server = item.funcargs.get("mail_server")
    if report.failed and isinstance(server, MailServer):
        report.sections.append(("The log of Postfix", server.postfix.tail()))
        report.sections.append(("The log of Dovecot", server.dovecot.tail()))
    return report
