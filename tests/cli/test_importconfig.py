"""PostMaster 1.x's config.py is taken over, and never run."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from postmaster import cli, config, create_app

KEY = "5d2c6a1f0b9e8d7c4a3f5d2c6a1f0b9e8d7c4a3f5d2c6a1f"
# As version 1.1 wrote it out and its commands filled it in.
OLD = f"""\
\"\"\"
Purpose: config for the app
\"\"\"
from os import path

basedir = path.abspath(path.dirname(__file__))


class BaseConfiguration(object):
    # Make this random (used to generate session keys)
    WTF_CSRF_ENABLED = False
    SECRET_KEY = '{KEY}'
    SQLALCHEMY_TRACK_MODIFICATIONS = True
    SQLALCHEMY_DATABASE_URI = 'mysql+pymysql://postmasteruser:hidden%40@127.0.0.1:3306/servermail'
    LOG_LOCATION = '/dev/null'


class TestConfiguration(BaseConfiguration):
    SECRET_KEY = 'of the tests, and long enough'
    SQLALCHEMY_DATABASE_URI = 'sqlite:///:memory:'
    DEBUG = True
    LOG_LOCATION = ''


class DevConfiguration(BaseConfiguration):
    SQLALCHEMY_DATABASE_URI = 'sqlite:///{{0}}'.format(path.join(basedir, 'postmaster.db'))
    DEBUG = True
"""
URI = "mysql+pymysql://postmasteruser:hidden%40@127.0.0.1:3306/servermail"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "config.py"
    path.write_text(OLD, encoding="utf-8")
    return path


def run(old: Path) -> Result:
    """The command in this process, where the environment names the configuration file."""
    return CliRunner().invoke(cli.commands(create_app), ["importconfig", str(old)])


def told(old: Path) -> str:
    """What the command says when it does what it is for."""
    result = run(old)
    assert result.exit_code == 0, result.output
    assert "hidden" not in result.output
    return result.output


def refusal(old: Path) -> str:
    """The one line that says why; nothing was written."""
    before = config.in_file()
    result = run(old)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "hidden" not in result.stderr
    assert config.in_file() == before
    return result.stderr


def change(old: Path, this: str, that: str) -> None:
    assert OLD.count(this) == 1
    old.write_text(OLD.replace(this, that), encoding="utf-8")


def assign(old: Path, name: str, value: str) -> int:
    """Write another value into the class; the line that it is in."""
    lines = OLD.splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith(f"    {name} = "))
    lines[number] = f"    {name} = {value}"
    old.write_text("\n".join(lines), encoding="utf-8")
    return number + 1


def test_it_works(old: Path) -> None:
    said = told(old)
    loaded = config.load()
    assert loaded.database_uri.render_as_string(hide_password=False) == URI
    assert (loaded.secret_key, loaded.log_file) == (KEY, Path("/dev/null"))
    assert said.splitlines() == [
        "database_uri: mysql://postmasteruser:***@127.0.0.1:3306/servermail",
        "secret_key: the old one",
        "log_file: /dev/null",
        f"This was written to {loaded.path}.",
    ]
    assert stat.S_IMODE(loaded.path.stat().st_mode) == 0o640
    assert old.read_text() == OLD


def test_nothing_of_the_file_is_run(old: Path, tmp_path: Path) -> None:
    old.write_text(f"{OLD}\nopen({str(tmp_path / 'run')!r}, 'w')\nraise SystemExit(7)\n")
    told(old)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("scheme", ["mysql", "pymysql", "mysql+pymysql", "mysql+mysqldb"])
def test_whatever_driver_it_was_it_is_mysql(old: Path, scheme: str) -> None:
    assign(old, "SQLALCHEMY_DATABASE_URI", f"'{scheme}://ana:a@b%41@db.example/mail?charset=utf8'")
    told(old)
    assert config.in_file()["database_uri"] == "mysql://ana:a@b%41@db.example/mail?charset=utf8"
    assert config.load().database_uri.password == "a@bA"


@pytest.mark.parametrize(
    "value",
    [
        r"'mysql://ana:hid\'den@h/mail'",
        '"mysql://ana:hid" + \'\\\'\' + "den@h/mail"',
        "('mysql://ana:hid'\n        '\\'den@h/mail')",
        "u'mysql://ana:hid\\x27den@h/mail'",
    ],
)
def test_a_text_is_read_however_it_is_written(old: Path, value: str) -> None:
    assign(old, "SQLALCHEMY_DATABASE_URI", value)
    told(old)
    assert config.load().database_uri.password == "hid'den"


def test_a_file_of_another_encoding_or_system_is_read(old: Path) -> None:
    assign(old, "SQLALCHEMY_DATABASE_URI", "'mysql://ana:pässwörd@h/mail'")
    text = f"# -*- coding: latin-1 -*-\n{old.read_text()}".replace("\n", "\r\n")
    old.write_bytes(text.encode("latin-1"))
    told(old)
    assert config.load().database_uri.password == "pässwörd"


def test_without_the_class_the_file_itself_counts(old: Path) -> None:
    old.write_text(
        f"SECRET_KEY = '{KEY}'\nSQLALCHEMY_DATABASE_URI = 'mysql://ana:hidden@h/mail'\n"
        "class DevConfiguration:\n    SQLALCHEMY_DATABASE_URI = 'sqlite:////dev.db'\n"
    )
    told(old)
    loaded = config.load()
    assert (loaded.database_uri.host, loaded.secret_key) == ("h", KEY)


def test_the_last_assignment_counts(old: Path) -> None:
    assign(old, "WTF_CSRF_ENABLED", "False\n    SECRET_KEY = 'an older one, long enough'")
    told(old)
    assert config.load().secret_key == KEY


def test_what_else_the_configuration_has_stays(old: Path) -> None:
    config.config_path().write_text('# ours\nhosts = ["panel.example"]\n', encoding="utf-8")
    told(old)
    assert config.config_path().read_text().startswith('# ours\nhosts = ["panel.example"]\n')


def test_it_says_what_it_replaces(old: Path) -> None:
    config.write_values({"log_file": "/dev/null", "secret_key": "another key, long enough"})
    said = told(old).splitlines()
    assert said[1] == "secret_key: the old one; it replaces another value"
    assert said[2] == "log_file: /dev/null"
    assert "replaces another value" not in told(old)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("'123456789abcdef123456789'", "the key of a sample configuration"),
        ("'e9987dce48df3ce98542529fd074d9e9f9cd40e66fc6c4c2'", "the key of a sample"),
        ("'hidden'", "at least 16 characters"),
        ("''", "the old one is empty"),
        ("os.urandom(24)", "no plain text"),
    ],
)
def test_a_key_of_no_use_is_made_anew(old: Path, value: str, why: str) -> None:
    assign(old, "SECRET_KEY", value)
    said = told(old).splitlines()[1]
    assert said.startswith("secret_key: a new one, because ")
    assert why in said
    assert said.endswith("everybody has to sign in again")
    made = config.load().secret_key
    assert len(made) == 64
    assert told(old).splitlines()[1].startswith("secret_key: not changed, because ")
    assert config.load().secret_key == made


def test_without_a_key_one_is_made(old: Path) -> None:
    change(old, f"    SECRET_KEY = '{KEY}'\n", "")
    assert f"because {old} has none" in told(old)
    assert len(config.load().secret_key) == 64


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("''", "the old one is empty"),
        ("path.join(basedir, 'postmaster.log')", "no plain text"),
        (r"'C:\\PostMaster\\logs\\postmaster.log'", "a path of Windows"),
    ],
)
def test_a_log_file_of_no_use_is_left_out(old: Path, value: str, why: str) -> None:
    assign(old, "LOG_LOCATION", value)
    said = told(old).splitlines()[2]
    assert said.startswith("log_file: not changed, because ")
    assert why in said
    assert said.endswith("manage.py setlogfile PATH")
    assert "log_file" not in config.in_file()


def test_version_1_0_has_no_log_file_there(old: Path) -> None:
    change(old, "    LOG_LOCATION = '/dev/null'\n", "")
    assert f"log_file: not changed, because {old} sets none" in told(old)


def test_a_relative_log_file_is_beside_the_old_file(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assign(old, "LOG_LOCATION", "'../logs/postmaster.log'")
    told(Path("config.py"))
    assert config.load().log_file == tmp_path.parent / "logs" / "postmaster.log"


def test_a_log_file_that_cannot_be_written_is_taken_over_with_a_warning(old: Path) -> None:
    assign(old, "LOG_LOCATION", "'/dev/null/postmaster.log'")
    warning = "The log /dev/null/postmaster.log cannot be written: manage.py setlogfile PATH"
    assert warning in told(old)
    assert config.load().log_file == Path("/dev/null/postmaster.log")


# --- refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "environ.get('DB_URI')",
        "'mysql://%s@h/mail' % 'hidden'",
        "'mysql://' + USER + ':hidden@h/mail'",
        "None",
    ],
)
def test_a_database_that_is_no_plain_text_is_given_by_hand(old: Path, value: str) -> None:
    line = assign(old, "SQLALCHEMY_DATABASE_URI", value)
    said = refusal(old)
    assert f"{old}, line {line}: SQLALCHEMY_DATABASE_URI is not plain text" in said
    assert "manage.py setdburi URI" in said


@pytest.mark.parametrize(
    "statement",
    [
        "if path:\n        SQLALCHEMY_DATABASE_URI = 'mysql://u:hidden@h/mail'",
        "SQLALCHEMY_DATABASE_URI += '?charset=utf8'",
        "SQLALCHEMY_DATABASE_URI, b = 'mysql://u:hidden@h/mail', 2",
    ],
)
def test_what_takes_more_than_reading_is_named(old: Path, statement: str) -> None:
    change(old, "    LOG_LOCATION = '/dev/null'\n", f"    {statement}\n")
    line = OLD[: OLD.index("    LOG_LOCATION")].count("\n") + 1
    assert f"line {line}: SQLALCHEMY_DATABASE_URI is not plain text" in refusal(old)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://u:hidden@h/mail", "'postgresql' is not supported"),
        ("mysql://u:hidden@h", "needs a host and a database"),
        ("mysql://u:hidden@h/mail?no_such_option=1", "an option after its ?"),
        ("servermail", "no scheme"),
        ("sqlite:///mail.sqlite3", "relative path"),
        ("sqlite://", "in memory"),
        ("mysql://u:hidden\\udcff@h/mail", "UTF-8"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused(old: Path, uri: str, expected: str) -> None:
    config.write_value("log_file", "/dev/null")
    assign(old, "SQLALCHEMY_DATABASE_URI", f"'{uri}'")
    said = refusal(old)
    assert expected in said
    assert "SQLALCHEMY_DATABASE_URI" in said or "database_uri" in said


@pytest.mark.parametrize(
    "statement",
    ["print 'hello'", "MODE = 0550", "exec 'x'", "BACK = `1`", "TEXT = ur'x'"],
)
def test_a_line_of_python_2_is_named(old: Path, statement: str) -> None:
    change(old, "from os import path\n", f"from os import path\n{statement}\n")
    said = refusal(old)
    assert f"{old}, line 5: " in said
    assert "Python 2" in said


def test_a_text_with_a_stray_quote_is_refused_without_it(old: Path) -> None:
    """``setdburi`` of 1.x wrote such a file for a password with a quote."""
    line = assign(old, "SQLALCHEMY_DATABASE_URI", "'mysql://u:hid'den@h/mail'")
    assert f"line {line}: " in refusal(old)


@pytest.mark.parametrize("content", [b"\0", b"\xff\xfe", b"x = '\xe4'\n", b"(" * 5000])
def test_what_is_no_python_is_refused(old: Path, content: bytes) -> None:
    old.write_bytes(content)
    assert str(old) in refusal(old)


def test_a_file_that_is_something_else_is_refused(old: Path) -> None:
    old.write_text("SECRET_KEY = 'hidden'\n")
    assert "it sets no SQLALCHEMY_DATABASE_URI" in refusal(old)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'config.py'}: cannot be read: No such file" in refusal(
        tmp_path / "config.py"
    )


def test_a_configuration_that_is_no_toml_is_not_overwritten(old: Path) -> None:
    config.config_path().write_text("hosts = \n", encoding="utf-8")
    result = run(old)
    assert (result.exit_code, "not valid TOML" in result.stderr) == (1, True)
    assert config.config_path().read_text() == "hosts = \n"
