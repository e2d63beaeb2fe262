"""An installation that is wrong says on every surface what is wrong and how to mend it.

Strangers are told what it is, whoever runs the server (signed in, the commands, the log) also
the account, the database or the file, and the statement. What the statement says mends it.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient

from postmaster import revisions, schema
from postmaster.logfile import LogFile
from tests.cli.conftest import Commands
from tests.conftest import dispose, make_app, sign_in
from tests.mariadb import MariaDB

DATABASE = "faults"
USER = "faulty"
ACCOUNT = f"'{USER}'@'127.0.0.1'"
PASSWORD = "pw-of-the-faulty"
STATEMENT = re.compile(r"(?:GRANT|ALTER USER|SET GLOBAL) [^;]*;")
NOBODY = 65534


@pytest.fixture(scope="module")
def whole(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An installation in which all is well."""
    folder = tmp_path_factory.mktemp("whole")
    app = make_app(mariadb.create_database(DATABASE), folder)
    with app.app_context():
        schema.upgrade(lambda _line: None)
    yield app
    dispose(app)


class Surfaces:
    """One installation asked on each surface, by a stranger and by who is signed in."""

    def __init__(self, app: Flask, cookie: str) -> None:
        self.app = app
        self.stranger = app.test_client()
        self.signed_in = app.test_client()
        self.signed_in.set_cookie("postmaster", cookie)
        self.commands = Commands(app)

    @property
    def logged(self) -> str:
        """The last line of the log."""
        log: LogFile = self.app.extensions["postmaster_log"]
        return log.newest(1)[0].message

    def refused(self, method: str = "POST", path: str = "/api/v1/domains") -> str:
        """What the API says to who is signed in, for a call that is a change unless said."""
        answer = self.signed_in.open(path, method=method, json={"name": "one.example"})
        assert answer.status_code == 503, answer.text
        assert set(answer.get_json()) == {"status", "error", "message"}
        return str(answer.get_json()["message"])

    def page(self, path: str = "/users") -> str:
        """The text of a page that cannot be shown."""
        answer = self.signed_in.get(path)
        assert answer.status_code == 503, answer.text
        return text_of(answer.text)

    def to_strangers(self) -> str:
        """What the sign-in page says."""
        form = {"username": "admin", "password": "PostMaster"}
        answer = self.stranger.post("/login", data=form)
        assert answer.status_code == 503, answer.text
        return text_of(answer.text)

    def health(self) -> str:
        """What a balancer is told, which takes the host out for it."""
        answer = self.stranger.get("/healthz")
        assert answer.status_code == 503, answer.text
        return str(answer.get_json()["message"])

    def command(self, *arguments: str) -> str:
        """The one line of a command, which is a change unless said."""
        return self.commands.refused(*(arguments or ("domain", "add", "one.example")))


def text_of(html: str) -> str:
    found = re.search(r'<p class="lead">(.*?)</p>', html, re.DOTALL)
    assert found, html
    text = found[1]
    for entity, character in (("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


@pytest.fixture
def cookie(whole: Flask) -> str:
    """That of the administrator, who signed in while all was well."""
    return cookie_of(sign_in(whole))


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie("postmaster")
    assert found is not None
    return found.value


@pytest.fixture
def faulty(whole: Flask, cookie: str, mariadb: MariaDB, tmp_path: Path) -> Iterator[Surfaces]:
    """The same installation by a database user that has no rights yet."""
    with mariadb.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE USER {ACCOUNT} IDENTIFIED BY '{PASSWORD}'")
    uri = f"mysql://{USER}:{PASSWORD}@127.0.0.1:{mariadb.port}/{DATABASE}"
    app = make_app(uri, tmp_path)
    yield Surfaces(app, cookie)
    dispose(app)


def run_statements(mariadb: MariaDB, sentence: str) -> None:
    """What the sentence says, as the administrator of the database would type it."""
    found = STATEMENT.findall(sentence)
    assert found, sentence
    with mariadb.cursor() as cursor:
        for statement in found:
            cursor.execute(statement.replace("'PASSWORD'", f"'{PASSWORD}'"))


def names_nobody(sentence: str) -> None:
    """Nothing that a stranger need not know."""
    assert USER not in sentence
    assert DATABASE not in sentence


# --- grants ---------------------------------------------------------------------


def test_a_wrong_password(faulty: Surfaces, mariadb: MariaDB) -> None:
    with mariadb.cursor() as cursor:
        cursor.execute(f"ALTER USER {ACCOUNT} IDENTIFIED BY 'another'")
        cursor.execute(f"GRANT ALL ON {DATABASE}.* TO {ACCOUNT}")
    for said in (faulty.refused(), faulty.page(), faulty.to_strangers(), faulty.health()):
        assert "does not let PostMaster's database user in (error 1045)" in said
        assert "password is wrong" in said
        names_nobody(said)
    for said in (faulty.command(), faulty.logged):
        assert f"does not let {ACCOUNT} in (error 1045): the password is wrong" in said
        assert "manage.py setdburi" in said
        assert PASSWORD not in said
    run_statements(mariadb, faulty.logged)
    assert faulty.stranger.get("/healthz").status_code == 200


def test_a_grant_on_another_database(faulty: Surfaces, mariadb: MariaDB) -> None:
    with mariadb.cursor() as cursor:
        cursor.execute(f"GRANT ALL ON other.* TO {ACCOUNT}")
    for said in (faulty.refused(), faulty.page(), faulty.to_strangers(), faulty.health()):
        assert "no rights on the database that the configuration names (error 1044)" in said
        names_nobody(said)
    assert f"{ACCOUNT} has no rights on the database {DATABASE}" in faulty.command()
    run_statements(mariadb, faulty.logged)
    assert faulty.stranger.get("/healthz").status_code == 200


@pytest.mark.parametrize("lacking", ["INSERT", "DELETE", "INSERT, UPDATE, DELETE"])
def test_a_missing_grant(faulty: Surfaces, mariadb: MariaDB, lacking: str) -> None:
    rights = {"SELECT", "INSERT", "UPDATE", "DELETE"} - set(lacking.split(", "))
    with mariadb.cursor() as cursor:
        cursor.execute(f"GRANT {', '.join(rights)} ON {DATABASE}.* TO {ACCOUNT}")
    assert faulty.signed_in.get("/users").status_code == 200
    assert f"lacks rights. Without {lacking}," in faulty.health()
    names_nobody(faulty.health())
    assert "lacks the privileges for this (error 1142)" in faulty.to_strangers()
    names_nobody(faulty.to_strangers())
    finding = next(
        finding
        for finding in faulty.signed_in.get("/api/v1/checkup").get_json()["findings"]
        if finding["code"] == "database-less"
    )
    assert finding["statements"] == [f"GRANT {lacking} ON `{DATABASE}`.* TO {ACCOUNT};"]
    said = faulty.refused() if "INSERT" in lacking else faulty.logged
    assert f"The database user {ACCOUNT} lacks the privileges for this (error 1142)" in said
    run_statements(mariadb, said)
    assert faulty.stranger.get("/healthz").status_code == 200
    answer = faulty.signed_in.post(
        "/api/v1/domains", json={"name": f"{lacking[0]}{len(lacking)}.example"}
    )
    assert answer.status_code == 201


def test_rights_on_each_table_are_enough(faulty: Surfaces, whole: Flask, mariadb: MariaDB) -> None:
    with whole.app_context(), mariadb.cursor() as cursor:
        for (table,) in mariadb.rows(DATABASE, "SHOW TABLES"):
            cursor.execute(
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON {DATABASE}.{table} TO {ACCOUNT}"
            )
    assert faulty.stranger.get("/healthz").get_json() == {"status": "ok"}
    with mariadb.cursor() as cursor:
        cursor.execute(f"REVOKE INSERT ON {DATABASE}.postmaster_history FROM {ACCOUNT}")
    assert "Without INSERT," in faulty.health()
    assert "lacks the privileges" in faulty.command()
    assert f"TO {ACCOUNT};" in faulty.refused()


def test_a_missing_database(cookie: str, mariadb: MariaDB, tmp_path: Path) -> None:
    uri = mariadb.create_database("no_more")
    with mariadb.cursor() as cursor:
        cursor.execute("DROP DATABASE no_more")
    app = make_app(uri, tmp_path)
    surfaces = Surfaces(app, cookie)
    for said in (surfaces.health(), surfaces.to_strangers()):
        assert "has no such database (error 1049). Name the right one by manage.py setdburi" in said
        assert "no_more" not in said
    assert "no such database as no_more" in surfaces.command()
    dispose(app)


# --- read-only ------------------------------------------------------------------


def test_a_read_only_server(whole: Flask, cookie: str, mariadb: MariaDB) -> None:
    surfaces = Surfaces(whole, cookie)
    with mariadb.cursor() as cursor:
        cursor.execute("SET GLOBAL read_only = 1")
    try:
        said = [surfaces.refused(), surfaces.to_strangers(), surfaces.health(), surfaces.command()]
        assert surfaces.signed_in.get("/users").status_code == 200
        codes = codes_of(surfaces)
        run_statements(mariadb, said[0])
    finally:
        with mariadb.cursor() as cursor:
            cursor.execute("SET GLOBAL read_only = 0")
    for sentence in said:
        assert "read-only, so nobody can sign in and nothing can be changed" in sentence
        assert "a replica, name the primary by manage.py setdburi" in sentence
    assert "database-read-only" in codes
    assert surfaces.stranger.get("/healthz").status_code == 200


def codes_of(surfaces: Surfaces) -> set[str]:
    findings = surfaces.signed_in.get("/api/v1/checkup").get_json()["findings"]
    return {finding["code"] for finding in findings}


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everywhere; anybody else is asked for rights."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may go into."""
    made = Path(tempfile.mkdtemp(prefix="postmaster-faults-"))
    made.chmod(0o755)
    yield made
    made.chmod(0o755)
    shutil.rmtree(made)


def test_an_sqlite_file_that_may_not_be_written(folder: Path) -> None:
    file = folder / "mail.sqlite3"
    app = make_app(f"sqlite:///{file}", folder)
    with app.app_context():
        schema.upgrade(lambda _line: None)
    surfaces = Surfaces(app, cookie_of(sign_in(app)))
    dispose(app)
    (folder / "log").touch()
    (folder / "log").chmod(0o666)
    for path in folder.glob("mail.sqlite3*"):
        path.chmod(0o444)
    folder.chmod(0o555)
    with as_nobody():
        for said in (surfaces.to_strangers(), surfaces.refused()):
            assert "PostMaster's account may not" in said or str(file) in said
        assert str(folder) not in surfaces.to_strangers()
        for said in (surfaces.command(), surfaces.logged):
            assert f"the account that serves PostMaster may not write the file {file}" in said
            assert "chown" in said
        dispose(app)


def test_an_sqlite_file_whose_folder_is_not_there(folder: Path) -> None:
    app = make_app(f"sqlite:///{folder}/gone/mail.sqlite3", folder)
    surfaces = Surfaces(app, "")
    assert "The database file cannot be opened" in surfaces.health()
    assert str(folder) not in surfaces.health()
    assert f"{folder}/gone/mail.sqlite3 cannot be opened: its folder" in surfaces.command()


# --- another schema -------------------------------------------------------------


def test_a_backup_of_an_older_version(whole: Flask, cookie: str) -> None:
    """As after the last upgrade: one can sign in, and some pages still work."""
    surfaces = Surfaces(whole, cookie)
    with whole.app_context():
        flask_migrate.downgrade(directory=str(schema.MIGRATIONS), revision="4b9e07d6c8f1")
    said = [surfaces.health(), surfaces.page(), surfaces.refused("GET", "/api/v1/users")]
    said.append(surfaces.command("domain", "list"))
    assert codes_of(surfaces) >= {"schema-older"}
    checkup = surfaces.signed_in.get("/checkup")
    assert checkup.status_code == 200
    assert "has the older revision 4b9e07d6c8f1" in checkup.text
    with whole.app_context():
        flask_migrate.downgrade(directory=str(schema.MIGRATIONS), revision="e3a72926f808")
    said += [surfaces.health(), surfaces.page(), surfaces.to_strangers()]
    said.append(surfaces.command("domain", "list"))
    for sentence in said:
        assert "it has the older revision" in sentence
        assert "Run manage.py upgradedb" in sentence
    assert surfaces.commands("upgradedb").startswith("The database was brought from revision")
    assert surfaces.stranger.get("/healthz").get_json() == {"status": "ok"}


def test_a_database_of_a_newer_version(whole: Flask, cookie: str, mariadb: MariaDB) -> None:
    surfaces = Surfaces(whole, cookie)
    with whole.app_context():
        head = revisions.head()
    mariadb.run(DATABASE, "UPDATE alembic_version SET version_num = 'newer'")
    try:
        said = [surfaces.health(), surfaces.commands.refused("upgradedb")]
        assert codes_of(surfaces) >= {"schema-newer"}
    finally:
        mariadb.run(DATABASE, f"UPDATE alembic_version SET version_num = '{head}'")
    for sentence in said:
        assert "revision newer, which this PostMaster does not know" in sentence
        assert "Install that version, or restore a backup that this one made" in sentence


@pytest.mark.parametrize(
    ("table", "command"),
    [("virtual_aliases", ["alias", "list"]), ("postmaster_history", ["history"])],
)
def test_a_part_of_a_backup(
    whole: Flask, cookie: str, mariadb: MariaDB, table: str, command: list[str]
) -> None:
    surfaces = Surfaces(whole, cookie)
    mariadb.run(DATABASE, f"RENAME TABLE {table} TO kept")
    try:
        said = [surfaces.health(), surfaces.page("/"), surfaces.command(*command)]
        assert codes_of(surfaces) == {"schema-incomplete"}
    finally:
        mariadb.run(DATABASE, f"RENAME TABLE kept TO {table}")
    for sentence in said:
        assert f"lacks the tables {table}" in sentence
        assert "Restore the whole of it" in sentence


def test_a_database_that_was_never_prepared(mariadb: MariaDB, tmp_path: Path) -> None:
    app = make_app(mariadb.create_database("unprepared"), tmp_path)
    surfaces = Surfaces(app, "")
    for said in (surfaces.health(), surfaces.to_strangers(), surfaces.command()):
        assert "it is empty. Run manage.py createdb" in said
    mariadb.run("unprepared", Path("tests/guide-schema.sql").read_text(encoding="utf-8"))
    for said in (surfaces.health(), surfaces.to_strangers(), surfaces.command()):
        assert "it holds the mail tables, and nothing of PostMaster" in said
        assert "Run manage.py existingdb, which keeps every row" in said
    dispose(app)


# --- the log --------------------------------------------------------------------


def test_a_log_without_room(whole: Flask, cookie: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Changes go on; who looks at the dashboard, the logs or the checkup is told."""
    surfaces = Surfaces(whole, cookie)
    log = whole.extensions["postmaster_log"]
    whole.extensions["postmaster_log"] = LogFile(Path("/dev/full"))
    try:
        assert "log-unwritable" not in codes_of(surfaces)
        whole.extensions["postmaster_log"].write("audit", None, "what was done")
        change = surfaces.signed_in.post("/api/v1/domains", json={"name": "two.example"})
        pages = [surfaces.signed_in.get(path).text for path in ("/", "/logs", "/checkup")]
        command = surfaces.commands.run("checkup").output
        codes = codes_of(surfaces)
    finally:
        whole.extensions["postmaster_log"] = log
    assert change.status_code == 201
    assert "what was done" in capsys.readouterr().err
    for said in (*pages, command):
        assert "No space left on device" in said
        assert "/checkup#log-unwritable" in said or "Free space, or let the account" in said
    assert "log-unwritable" in codes


def test_a_log_of_another_account(folder: Path) -> None:
    """As after a command that root ran before the panel wrote its first line."""
    log = LogFile(folder / "logs" / "log")
    (folder / "logs").mkdir(mode=0o755)
    with as_nobody():
        assert log.problem() == "Permission denied"
    log.write("audit", None, "by root")
    (folder / "logs").chmod(0o755)
    with as_nobody():
        assert log.problem() == "Permission denied"
    assert log.problem() == ""
