"""The commands on the configuration file, by the real manage.py where that matters."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from postmaster import cli, config, create_app
from postmaster.cli import configuration
from postmaster.config import ConfigError
from postmaster.version import VERSION
from tests.cli import manage

COMMENTED = """\
# The panel of the mail server.

database_uri = "mysql://u:old@127.0.0.1/mail"  # at the server itself
secret_key = "an old key, long enough"
log_file = "panel.log"

# Whom to believe about the client's address:
proxies = [
    "10.0.0.1", # the balancer
]
session_hours = 8
"""
CHANGES = {
    "setdburi": ("database_uri", "mysql://u:new@127.0.0.1/mail"),
    "setkey": ("secret_key", "a new key, long enough"),
    "generatekey": ("secret_key", None),
    "setlogfile": ("log_file", "{folder}/logs/new.log"),
}


def run(*arguments: str) -> Result:
    """A command in this process, where the environment names the configuration file."""
    return CliRunner().invoke(cli.commands(create_app), arguments)


def refusal(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture
def file() -> Path:
    """A configuration file that somebody cares for."""
    path = config.config_path()
    path.write_text(COMMENTED, encoding="utf-8")
    return path


@pytest.mark.parametrize("command", CHANGES)
def test_one_value_changes_and_all_else_stays(command: str, file: Path, tmp_path: Path) -> None:
    key, value = CHANGES[command]
    arguments = [] if value is None else [value.format(folder=tmp_path)]
    result = run(command, *arguments)
    assert result.exit_code == 0, result.output
    assert str(file) in result.stdout
    assert "new@" not in result.stdout
    changed = dict(zip(COMMENTED.splitlines(), file.read_text().splitlines(), strict=True))
    different = {old: new for old, new in changed.items() if old != new}
    ((old, new),) = different.items()
    assert old.startswith(f"{key} = ")
    assert new.startswith(f"{key} = ")
    assert not arguments or arguments[0] in new
    assert new.partition("#")[2] == old.partition("#")[2]


@pytest.mark.parametrize("command", CHANGES)
@pytest.mark.parametrize("mode", [None, 0o644])
def test_the_file_is_for_owner_and_group_only(
    command: str, mode: int | None, tmp_path: Path
) -> None:
    path = config.config_path()
    if mode is not None:
        path.write_text(COMMENTED, encoding="utf-8")
        path.chmod(mode)
    value = CHANGES[command][1]
    run(command, *([] if value is None else [value.format(folder=tmp_path)]))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_group_of_the_file_stays(file: Path) -> None:
    """Such as the web server's; only root may choose one that it is not in."""
    group = 23456 if os.geteuid() == 0 else os.getgroups()[-1]
    os.chown(file, -1, group)
    run("generatekey")
    assert (file.stat().st_uid, file.stat().st_gid) == (os.geteuid(), group)


def test_each_generated_key_is_another_one() -> None:
    keys = set()
    for _ in range(3):
        run("generatekey")
        keys.add(config.load().secret_key)
    assert len(keys) == 3
    assert {len(key) for key in keys} == {64}


def test_a_key_with_any_characters_is_kept() -> None:
    key = "  \"quoted\" 'key' \\ # = ü  "
    assert run("setkey", key).exit_code == 0
    assert config.load().secret_key == key


def test_a_relative_log_file_is_one_of_the_folder_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run("setlogfile", "panel.log").exit_code == 0
    assert config.load().log_file == tmp_path / "here" / "panel.log"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("setdburi", "mail"), "no scheme"),
        (("setdburi", "mysql://u:hidden@h"), "database_uri"),
        (("setdburi", "mysql://u:hidden\udcff@h/mail"), "UTF-8"),
        (("setkey", ""), "generatekey"),
        (("setkey", "hidden"), "at least 16 characters"),
        (("setlogfile", "/dev/null/panel.log"), "cannot be written"),
        (("setlogfile", "/"), "cannot be written"),
    ],
)
def test_a_wrong_value_is_refused_and_the_file_stays(
    arguments: tuple[str, ...], expected: str, file: Path
) -> None:
    line = refusal(*arguments)
    assert expected in line
    assert "hidden" not in line
    assert file.read_text() == COMMENTED
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_is_no_toml_is_not_overwritten(file: Path) -> None:
    file.write_text("database_uri = \n", encoding="utf-8")
    assert "not valid TOML" in refusal("generatekey")
    assert file.read_text() == "database_uri = \n"


def test_a_wrong_value_is_replaced_by_the_command_for_it(file: Path) -> None:
    file.write_text(COMMENTED.replace("mysql://u:old@", "mysqul://u:old@"), encoding="utf-8")
    assert "database_uri" in refusal("createdb")
    assert run("setdburi", "sqlite:///mail.sqlite3").exit_code == 0
    assert run("createdb").exit_code == 0


def test_where_writing_fails_the_old_file_is_untouched(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refusal("generatekey")
    assert file.read_text() == COMMENTED
    assert list(file.parent.iterdir()) == [file]


def test_at_no_moment_is_there_half_a_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file is whole before it takes the old one's place."""
    seen = []
    replace = os.replace

    def look(new: str, old: Path) -> None:
        seen.append((Path(new).read_text(), stat.S_IMODE(Path(new).stat().st_mode), old))
        assert file.read_text() == COMMENTED
        replace(new, old)

    monkeypatch.setattr(os, "replace", look)
    run("setkey", "a new key, long enough")
    assert seen == [(file.read_text(), 0o640, file)]
    assert file.read_text() != COMMENTED


# --- the real manage.py ---------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [("setdburi", "mysql://u:hidden@h/d"), ("generatekey",), ("setkey", "hidden key, long enough")],
)
def test_a_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    line = manage.run(tmp_path / "file", *arguments).refusal
    assert str(tmp_path / "file" / "postmaster.toml") in line
    assert "hidden" not in line
    assert (tmp_path / "file").read_text() == "no folder"


@pytest.mark.parametrize("command", ["createdb", "existingdb", "upgradedb"])
@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mail", "no scheme"),
        ("postgresql://u:hidden@h/d", "not supported"),
        ("mysql://u:hidden@h:1/d?no_such_option=1", "an option"),
        ("sqlite:////dev/null/mail.sqlite3", "cannot be opened"),
    ],
)
def test_a_wrong_uri_is_one_line_without_its_password(
    tmp_path: Path, command: str, uri: str, expected: str
) -> None:
    line = manage.run(tmp_path, command, POSTMASTER_DATABASE_URI=uri).refusal
    assert expected in line
    assert "hidden" not in line


def test_serving_without_a_key_is_refused_and_says_what_makes_one(tmp_path: Path) -> None:
    assert "generatekey" in manage.start(tmp_path, "runserver", "--port", "0").refusal


def test_the_version_needs_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "postmaster.toml").write_text("nonsense", encoding="utf-8")
    done = manage.start(tmp_path, "version")
    assert (done.status, done.output) == (0, f"{VERSION}\n")


@pytest.mark.parametrize("arguments", [("--help",), ("nonsense",), ("db", "heads"), ("createdb",)])
def test_the_tests_forked_commands_do_as_started_ones(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """They are started as ``manage.py`` is for all that it prints, its status, and its files."""
    ends = []
    for way in (manage.start, manage.run):
        folder = tmp_path / way.__name__
        folder.mkdir()
        database = folder / "mail.sqlite3"
        uri = f"sqlite:///{database}"
        end = way(folder, *arguments, POSTMASTER_DATABASE_URI=uri)
        files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        ends.append((end.status, end.output.replace(str(folder), ""), end.error, files))
    assert ends[0] == ends[1]


def test_clean_removes_compiled_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "CHECKOUT", tmp_path)
    compiled = tmp_path / "postmaster" / "rules" / "__pycache__"
    compiled.mkdir(parents=True)
    (compiled / "users.pyc").touch()
    (tmp_path / "postmaster" / "users.py").touch()
    assert run("clean").stdout.startswith("1 ")
    kept = {path.name for path in (tmp_path / "postmaster").iterdir()}
    assert kept == {"rules", "users.py"}
    assert not compiled.exists()


def test_alembics_own_commands_work(tmp_path: Path) -> None:
    assert manage.run(tmp_path, "upgradedb").status == 0
    current = manage.run(tmp_path, "db", "current")
    heads = manage.run(tmp_path, "db", "heads")
    assert current.status == 0, current
    assert current.output == heads.output
    assert current.output.strip().endswith("(head)")
    check = manage.run(tmp_path, "db", "check")
    assert check.status == 0, check


def test_write_value_refuses_what_load_would(file: Path) -> None:
    with pytest.raises(ConfigError, match="log_file"):
        config.write_value("log_file", "")
    assert file.read_text() == COMMENTED
