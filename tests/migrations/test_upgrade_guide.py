"""docs/upgrade.md, done as it stands there, on installations of PostMaster 1.x."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from postmaster import cli, create_app
from tests.conftest import database_name, dispose, make_app, sign_in
from tests.install import guide
from tests.mariadb import PASSWORD, MariaDB
from tests.migrations.conftest import MAIL_TABLES, OLD_REVISIONS, Database
from tests.migrations.test_old_installations import PASSWORDS, SETTINGS, fill

PAGE = "upgrade.md"
KEY = "5d2c6a1f0b9e8d7c4a3f5d2c6a1f0b9e8d7c4a3f5d2c6a1f"
# As 1.x had it.
CONFIG = """\
from os import path


class BaseConfiguration(object):
    SECRET_KEY = '{key}'
    SQLALCHEMY_TRACK_MODIFICATIONS = True
    SQLALCHEMY_DATABASE_URI = '{uri}'
    basedir = path.abspath(path.dirname(__file__))
    LOG_LOCATION = '{log}'


class TestConfiguration(BaseConfiguration):
    SQLALCHEMY_DATABASE_URI = 'sqlite:///:memory:'
"""
STEPS = ("1. Back up", "2. Set 1.x aside", "4. Configuration and database", "5. Start and check")


class Host:
    """A folder in the place of / with 1.x in it, and a database in the place of servermail."""

    def __init__(self, root: Path, server: MariaDB, uri: str) -> None:
        self.root = root
        self.server = server
        self.name = database_name(uri)
        self.panel = root / "opt/postmaster"
        self.said: list[str] = []
        (root / "root").mkdir()
        (root / "root/.my.cnf").write_text(
            f"[client]\nsocket={server.socket}\nuser=root\npassword={PASSWORD}\n"
        )
        for folder in ("git", "env", "logs"):
            (self.panel / folder).mkdir(parents=True)
        config = CONFIG.format(key=KEY, uri=uri, log=self.panel / "logs/postmaster.log")
        (self.panel / "git/config.py").write_text(config)

    def install(self) -> None:
        """The new code's folders; the commands themselves run in this process."""
        (self.panel / "git").mkdir()
        (self.panel / "env").mkdir()

    def follow(self, heading: str, label: str = "") -> None:
        """Do what the page says below a heading, in the blocks of no label or of this one."""
        for block in guide.under(PAGE, heading, "sh", label):
            here = block.replace("servermail ", f"{self.name} ")
            for folder in ("opt", "root"):
                here = here.replace(f"/{folder}/", f"{self.root}/{folder}/")
            for line in here.splitlines():
                self.do(line)

    def do(self, line: str) -> None:
        words = shlex.split(line)
        if words[:2] == [str(self.panel / "env/bin/python"), "manage.py"]:
            result = CliRunner().invoke(cli.commands(create_app), words[2:])
            assert result.exit_code == 0, f"{line}\n{result.output}"
            self.said += result.output.splitlines()
        else:
            environment = os.environ | {"HOME": str(self.root / "root")}
            subprocess.run(["sh", "-ec", line], env=environment, check=True)

    def serve(self) -> Flask:
        """The panel on the configuration that the commands wrote."""
        app = create_app()
        app.testing = True
        return app


@pytest.fixture
def host(
    tmp_path: Path, mariadb: MariaDB, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> Host:
    made = Host(tmp_path, mariadb, empty_database)
    monkeypatch.setenv("POSTMASTER_CONFIG", str(made.panel / "git/postmaster.toml"))
    return made


def put_1x(host: Host, uri: str, revision: str) -> None:
    """Tables and rows as 1.x left them at a revision."""
    app = make_app(uri, host.root)
    database = Database(app, lambda _script: None)
    database.to(revision)
    fill(database, revision)
    dispose(app)


def setting(app: Flask, name: str, password: str) -> str:
    """A setting's value, for the administrator who signs in with this password."""
    items = sign_in(app, "admin", password).get("/api/v1/configs?per_page=100").get_json()["items"]
    return str(next(item["value"] for item in items if item["setting"] == name))


@pytest.mark.parametrize("revision", OLD_REVISIONS)
def test_the_guide_ends_in_a_sign_in_with_the_old_password_and_settings(
    host: Host, empty_database: str, revision: str
) -> None:
    put_1x(host, empty_database, revision)
    rows = {table: host.server.rows(host.name, f"SELECT * FROM {table}") for table in MAIL_TABLES}
    for heading in STEPS[:2]:
        host.follow(heading)
    host.install()
    for heading in STEPS[2:]:
        host.follow(heading)
    assert f"The database was brought from revision {revision} up to date." in host.said
    assert "secret_key: the old one" in host.said
    assert rows == {
        table: host.server.rows(host.name, f"SELECT * FROM {table}") for table in MAIL_TABLES
    }
    app = host.serve()
    assert app.extensions["postmaster"].secret_key == KEY
    assert app.extensions["postmaster"].log_file == host.panel / "logs/postmaster.log"
    had_admins = revision != "bcc85aaa7896"
    value = setting(app, "AD Domain", PASSWORDS["admin"] if had_admins else "PostMaster")
    assert value == (SETTINGS["AD Domain"] if had_admins else "None")
    dispose(app)
    assert "CREATE TABLE `virtual_users`" in (host.root / "root/servermail-1.x.sql").read_text()
    assert (host.root / "root/postmaster-1.x/git/config.py").exists()


def test_the_way_back_ends_where_1x_was(host: Host, empty_database: str) -> None:
    put_1x(host, empty_database, "e3a72926f808")
    before = host.server.dump(host.name, *MAIL_TABLES, "postmaster_admins", "alembic_version")
    host.follow("2. Set 1.x aside")
    host.install()
    host.follow("4. Configuration and database")
    host.follow("Going back to 1.x", "back")
    after = host.server.dump(host.name, *MAIL_TABLES, "postmaster_admins", "alembic_version")
    assert after == before
    assert (host.panel / "git/config.py").exists()


def test_a_database_of_version_1_0_is_taken_over(host: Host, empty_database: str) -> None:
    """It is at a revision of its own, and has the log's path among its settings."""
    put_1x(host, empty_database, "e8f52e92abd0")
    host.server.run(
        host.name,
        "UPDATE alembic_version SET version_num='1a2b3c4d5e6f';"
        "INSERT INTO postmaster_configuration (setting, value, regex)"
        " VALUES ('Log File', '/opt/postmaster/logs/postmaster.log', '^.*$')",
    )
    host.follow("2. Set 1.x aside")
    host.install()
    with pytest.raises(AssertionError, match="1a2b3c4d5e6f, which this PostMaster does not know"):
        host.follow("4. Configuration and database")
    host.follow("A database of version 1.0", "version-1.0")
    app = host.serve()
    assert setting(app, "AD Domain", PASSWORDS["admin"]) == SETTINGS["AD Domain"]
    browser = sign_in(app, "admin", PASSWORDS["admin"])
    assert browser.get("/configs").status_code == 200
    dispose(app)


def test_every_block_is_for_a_purpose_that_is_known() -> None:
    """A label that is misspelt would take its commands out of these tests."""
    labels = {label for block in guide.blocks(PAGE) for label in block.labels}
    apache = {"apache", "back-apache", "next-apache"}
    assert labels == apache | {"back", "next", "remove", "version-1.0"}
    programs = {
        shlex.split(line)[0]
        for block in guide.blocks(PAGE)
        if block.language == "sh" and not block.labels & apache
        for line in block.text.splitlines()
    }
    assert {name for name in programs if not shutil.which(name) and "/" not in name} <= {"cd"}
