"""``testldap`` against a real OpenLDAP, and the two commands that keep a secret in the file."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from postmaster import cli, config, create_app
from postmaster.db import db
from postmaster.models import SettingRow
from tests.cli.conftest import Commands
from tests.conftest import set_setting
from tests.directory.openldap import BIND_ACCOUNT, BIND_PASSWORD, DOMAIN, OpenLdap

GROUP = "postmasters"
PASSWORD = "what only alice knows"
SETTINGS = {
    "LDAP Directory Type": "OpenLDAP",
    "AD Domain": DOMAIN,
    "AD PostMaster Group": GROUP,
    "LDAP Bind Account": BIND_ACCOUNT,
}


def put(values: dict[str, str]) -> None:
    """Change settings, all at once."""
    for name, value in values.items():
        where = SettingRow.setting == name
        db.session.execute(update(SettingRow).where(where).values(value=value))
    db.session.commit()


@pytest.fixture(scope="module")
def openldap() -> Iterator[OpenLdap]:
    """Alice is in the group, Bob is not."""
    with OpenLdap() as server:
        alice = server.user("alice", PASSWORD, cn="Alice Example")
        server.user("bob", PASSWORD, cn="Bob Example")
        server.group_of_names(GROUP, alice)
        yield server


@pytest.fixture
def tried(
    app: Flask, manage: Commands, openldap: OpenLdap, monkeypatch: pytest.MonkeyPatch
) -> Commands:
    """The commands where the directory is set up, but not enabled yet."""
    present: config.Config = app.extensions["postmaster"]
    trusting = replace(
        present, ldap_ca_file=openldap.authority.file, ldap_bind_password=BIND_PASSWORD
    )
    monkeypatch.setitem(app.extensions, "postmaster", trusting)
    with app.app_context():
        put(SETTINGS | {"AD Server LDAP String": openldap.tls_url})
    return manage


def log_of(app: Flask) -> str:
    path: Path = app.extensions["postmaster_log"].path
    return path.read_text() if path.exists() else ""


# --- testldap -------------------------------------------------------------------


def test_an_account_that_can_sign_in(tried: Commands, openldap: OpenLdap) -> None:
    lines = tried("testldap", "alice", given=f"{PASSWORD}\n").splitlines()
    assert lines == [
        f"ok      Connection: {openldap.tls_url} answers, encrypted, and its certificate is good",
        f"ok      Bind account: Signed in as {BIND_ACCOUNT}",
        "ok      User: Found: uid=alice,ou=people,dc=example,dc=org",
        "ok      Password: The directory took the password",
        "ok      Account: It is neither disabled, locked nor expired",
        f"ok      Group: It is in the group {GROUP}",
        "ok      Verdict: alice (Alice Example) can sign in to PostMaster",
    ]


def test_one_that_cannot_and_what_to_do(tried: Commands) -> None:
    result = tried.run("testldap", "bob", given=f"{PASSWORD}\n")
    assert result.exit_code == 1
    assert result.stderr == ""
    *_, group, advice, verdict = result.stdout.splitlines()
    assert re.fullmatch(rf"failed  Group: .* is not in the group {GROUP}", group)
    assert re.fullmatch(r"        Add the account to the group .*", advice)
    assert verdict == "failed  Verdict: This account cannot sign in to PostMaster"


def test_a_wrong_password(tried: Commands) -> None:
    result = tried.run("testldap", "alice", given="a guess\n")
    assert result.exit_code == 1
    assert (
        "failed  Password: The username or password was incorrect\n        invalidCredentials\n"
    ) in result.stdout
    assert "Group:" not in result.stdout


def test_only_the_first_line_of_the_input_is_the_password(tried: Commands) -> None:
    tried("testldap", "alice", given=f"{PASSWORD}\nand more\n")


def test_looking_up_asks_for_no_password(tried: Commands) -> None:
    found = tried("testldap", "alice", "--look-up")
    assert "ok      User: Found: uid=alice," in found
    assert "Password" not in found
    assert found.endswith("ok      Verdict: alice (Alice Example) can sign in to PostMaster\n")
    left = tried.run("testldap", "--look-up", "bob")
    assert (left.exit_code, left.stdout.count("failed")) == (1, 2)


def test_the_passwords_are_told_nobody(tried: Commands, app: Flask, openldap: OpenLdap) -> None:
    told = [
        tried.run("testldap", "alice", given=f"{PASSWORD}\n").output,
        tried.run("testldap", "alice", given="what nobody knows\n").output,
        log_of(app),
    ]
    openldap.modify(BIND_ACCOUNT, userPassword="changed there")
    try:
        refused = tried.run("testldap", "alice", given=f"{PASSWORD}\n")
    finally:
        openldap.modify(BIND_ACCOUNT, userPassword=BIND_PASSWORD)
    assert refused.exit_code == 1
    assert f"failed  Bind account: The directory refused the bind account {BIND_ACCOUNT}: " in (
        refused.stdout
    )
    assert "manage.py setldappassword" in refused.stdout
    assert "User:" not in refused.stdout
    for text in (*told, refused.output, log_of(app)):
        assert not [word for word in (PASSWORD, "what nobody knows", BIND_PASSWORD) if word in text]


@pytest.mark.parametrize(
    "arguments",
    [("alice", PASSWORD), ("alice", "--password", PASSWORD), ("alice", f"--password={PASSWORD}")],
)
def test_the_password_is_no_argument(manage: Commands, arguments: tuple[str, ...]) -> None:
    """Every user of the host could read it in the list of processes."""
    result = manage.run("testldap", *arguments)
    assert result.exit_code == 2
    assert "Connection" not in result.output


def test_before_it_is_set_up(manage: Commands, client: FlaskClient) -> None:
    line = manage.refused("testldap", "alice", given=f"{PASSWORD}\n")
    missing = "AD Server LDAP String, AD Domain, AD PostMaster Group"
    assert line == f"Error: {missing} must be configured first\n"
    set_setting(client, "AD Domain", DOMAIN)
    line = manage.refused("testldap", "alice", "--look-up")
    assert line == "Error: AD Server LDAP String, AD PostMaster Group must be configured first\n"


@pytest.mark.parametrize("username", ["", "  "])
def test_nobody_is_not_tried(tried: Commands, username: str) -> None:
    assert "username" in tried.refused("testldap", username, given=f"{PASSWORD}\n")


def test_a_server_that_is_away(tried: Commands, client: FlaskClient, openldap: OpenLdap) -> None:
    away = "ldaps://127.0.0.1:1"
    set_setting(client, "AD Server LDAP String", f"{away} {openldap.tls_url}")
    lines = tried("testldap", "alice", given=f"{PASSWORD}\n").splitlines()
    assert lines[0].startswith(f"failed  Connection: {away} does not answer")
    assert "firewall" in lines[1]
    assert lines[2].startswith(f"ok      Connection: {openldap.tls_url} answers")
    set_setting(client, "AD Server LDAP String", away)
    result = tried.run("testldap", "alice", given=f"{PASSWORD}\n")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].startswith("failed  Verdict: ")


def test_the_log_tells_who_was_tried(tried: Commands, app: Flask) -> None:
    tried("testldap", "alice", given=f"{PASSWORD}\n")
    assert "The directory was tried as alice" in log_of(app)
    assert tried.history() == []


# --- secrets in the configuration file ------------------------------------------

COMMENTED = """\
# The panel of the mail server.
secret_key = "a key, long enough for it"
ldap_bind_password = "the old one"  # of the service
openid_client_secret = "the old one"
session_hours = 8
"""
COMMANDS = {
    "setldappassword": "ldap_bind_password",
    "setopenidsecret": "openid_client_secret",
}
ODD = "  \"quoted\" 'too' \\ # = ü 🦄  "


def run(*arguments: str, given: str) -> Result:
    """A command in this process, where the environment names the configuration file."""
    return CliRunner().invoke(cli.commands(create_app), arguments, input=given)


@pytest.mark.parametrize(("command", "key"), COMMANDS.items())
@pytest.mark.parametrize("secret", ["the new one", ODD])
def test_a_secret_takes_the_place_of_the_old_one(command: str, key: str, secret: str) -> None:
    path = config.config_path()
    path.write_text(COMMENTED, encoding="utf-8")
    result = run(command, given=f"{secret}\n")
    assert result.exit_code == 0, result.output
    assert str(path) in result.stdout
    assert secret.strip() not in result.output
    assert getattr(config.load(), key) == secret
    pairs = zip(COMMENTED.splitlines(), path.read_text("utf-8").splitlines(), strict=True)
    ((old, new),) = [pair for pair in pairs if pair[0] != pair[1]]
    assert old.startswith(f"{key} = ")
    assert new.startswith(f"{key} = ")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize(("command", "key"), COMMANDS.items())
@pytest.mark.parametrize("given", ["", "\n"])
def test_nothing_is_no_secret(command: str, key: str, given: str) -> None:
    config.config_path().write_text(COMMENTED, encoding="utf-8")
    result = run(command, given=given)
    assert (result.exit_code, result.stderr) == (1, "Error: No password came: nothing was done\n")
    assert getattr(config.load(), key) == "the old one"


@pytest.mark.parametrize(("command", "key"), COMMANDS.items())
def test_a_file_that_is_not_there_is_made(command: str, key: str) -> None:
    assert run(command, given="the first one\n").exit_code == 0
    assert getattr(config.load(), key) == "the first one"
    assert stat.S_IMODE(config.config_path().stat().st_mode) == 0o640


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("more", [("hidden",), ("--password", "hidden")])
def test_a_secret_is_no_argument_either(command: str, more: tuple[str, ...]) -> None:
    assert run(command, *more, given="").exit_code == 2
    assert not config.config_path().exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_cannot_be_written_is_one_line_without_the_secret(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("POSTMASTER_CONFIG", os.fspath(tmp_path / "file" / "postmaster.toml"))
    result = run(command, given="hidden\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "hidden" not in result.output
