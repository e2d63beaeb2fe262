"""The configuration: each key from the file and from the environment, and what is refused."""

import ipaddress
import itertools
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from postmaster import config, create_app
from postmaster.config import ConfigError
from postmaster.db import db
from tests.conftest import dispose, make_app
from tests.mariadb import MariaDB

KEY = "0123456789abcdef"
NAMES = itertools.count(1)

# Each key: as TOML, as a variable, and what it means.
VALUES: dict[str, tuple[str, str, Any]] = {
    "secret_key": (f'"{KEY}"', KEY, KEY),
    "log_file": ('"/var/log/panel.log"', "/var/log/panel.log", Path("/var/log/panel.log")),
    "hosts": (
        '["panel.example", "10.0.0.1"]',
        "panel.example, 10.0.0.1",
        ("panel.example", "10.0.0.1"),
    ),
    "proxies": (
        '["10.0.0.1", "2001:db8::/32", "unix"]',
        "unix, 10.0.0.1,2001:db8::/32",
        (ipaddress.ip_network("10.0.0.1/32"), ipaddress.ip_network("2001:db8::/32"), "unix"),
    ),
    "metrics": ('["192.0.2.9"]', "192.0.2.9", (ipaddress.ip_network("192.0.2.9/32"),)),
    "sign_in_failures_per_hour": ("7", "7", 7),
    "session_hours": ("24", "24", 24),
    "ldap_bind_password": ('"p@ss, w\u00f6rd"', "p@ss, wörd", "p@ss, wörd"),
    "ldap_ca_file": ('"/etc/ssl/corp.pem"', "/etc/ssl/corp.pem", Path("/etc/ssl/corp.pem")),
    "ldap_verify_certificate": ("false", "False", False),
    "ldap_allow_plain_passwords": ("true", "TRUE", True),
    "openid_client_secret": ('"of the provider"', "of the provider", "of the provider"),
    "sign_in_header": ('"Remote-User"', "Remote-User", "Remote-User"),
}
WRONG: dict[str, tuple[str, str]] = {
    "database_uri": ('"postgresql://u:secret@h/d"', "postgresql://u:secret@h/d"),
    "secret_key": ('"short"', "short"),
    "log_file": ("5", " "),
    "hosts": ("5", ""),
    "proxies": ('["nowhere"]', "nowhere"),
    "metrics": ('["192.0.2.9/99"]', "192.0.2.9/99"),
    "sign_in_failures_per_hour": ("0", "many"),
    "session_hours": ("8761", "1.5"),
    "ldap_bind_password": ("5", ""),
    "ldap_ca_file": ("5", ""),
    "ldap_verify_certificate": ('"no"', "0"),
    "ldap_allow_plain_passwords": ("1", "yes"),
    "openid_client_secret": ("5", ""),
    "sign_in_header": ('"Remote User"', "X-Forwarded-For"),
}
SECRETS = ("database_uri", "secret_key", "ldap_bind_password", "openid_client_secret")


def write(content: str) -> Path:
    path = config.config_path()
    path.write_text(content, encoding="utf-8")
    return path


def variable(name: str) -> str:
    return f"POSTMASTER_{name.upper()}"


def refusal(**overrides: Any) -> str:
    """The one line that says why the configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        config.load(overrides)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_every_key_is_tried_here() -> None:
    assert {"database_uri", *VALUES} == set(config.KEYS) == set(WRONG)


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    loaded = config.load()
    assert loaded.path == tmp_path / "postmaster.toml"
    assert loaded.database_uri.database == str(tmp_path / "postmaster.sqlite3")
    assert loaded.log_file == config.CHECKOUT.parent / "logs" / "postmaster.log"
    assert (loaded.secret_key, loaded.hosts, loaded.proxies) == ("", (), ())
    assert (loaded.sign_in_failures_per_hour, loaded.session_hours) == (100, 12)


@pytest.mark.parametrize("name", VALUES)
def test_a_key_is_read_from_the_file(name: str) -> None:
    in_toml, _, meaning = VALUES[name]
    write(f"{name} = {in_toml}\n")
    assert getattr(config.load(), name) == meaning


@pytest.mark.parametrize("name", VALUES)
def test_the_environment_wins_over_the_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(f"{name} = {WRONG[name][0]}\n")
    monkeypatch.setenv(variable(name), VALUES[name][1])
    assert getattr(config.load(), name) == VALUES[name][2]


def test_the_database_is_read_from_file_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    write('database_uri = "mysql://u:p@file.example/mail"\n')
    assert config.load().database_uri.host == "file.example"
    monkeypatch.setenv("POSTMASTER_DATABASE_URI", "mysql://u:p@environment.example/mail")
    assert config.load().database_uri.host == "environment.example"


def test_secrets_are_read_from_the_files_that_variables_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (("secret_key", KEY), ("database_uri", "mysql://u:p@h.example/mail")):
        (tmp_path / name).write_text(f"{value}\n", encoding="utf-8")
        monkeypatch.setenv(f"{variable(name)}_FILE", str(tmp_path / name))
    loaded = config.load()
    assert (loaded.secret_key, loaded.database_uri.host) == (KEY, "h.example")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secrets_file_that_cannot_be_read_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(f"{variable(name)}_FILE", str(tmp_path / "missing"))
    line = refusal()
    assert f"{variable(name)}_FILE" in line
    assert str(tmp_path / "missing") in line


def test_what_is_no_secret_has_no_file_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTMASTER_SESSION_HOURS_FILE", "/nowhere")
    assert config.load().session_hours == 12


def test_a_wrong_value_in_a_secrets_file_names_the_variable_and_not_the_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("tooshort", encoding="utf-8")
    monkeypatch.setenv("POSTMASTER_SECRET_KEY_FILE", str(tmp_path / "secret"))
    line = refusal()
    assert line.startswith("POSTMASTER_SECRET_KEY_FILE: ")
    assert "tooshort" not in line


# --- the environment of PostMaster 1.x's container -------------------------------

OLD_VARIABLES = {"DB_URI": "mysql://u:p@old.example/mail", "SECRET_KEY": KEY}


def test_the_old_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for old_name, value in OLD_VARIABLES.items():
        monkeypatch.setenv(old_name, value)
    loaded = config.load()
    assert (loaded.database_uri.host, loaded.secret_key) == ("old.example", KEY)


def test_the_files_that_the_old_variables_name_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for old_name, value in OLD_VARIABLES.items():
        (tmp_path / old_name).write_text(f"{value}\n", encoding="utf-8")
        monkeypatch.setenv(f"{old_name}_FILE", str(tmp_path / old_name))
    loaded = config.load()
    assert (loaded.database_uri.host, loaded.secret_key) == ("old.example", KEY)


def test_another_programs_variables_change_nothing_where_there_is_a_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whether it is in the file or in the environment; nor is what they name looked at."""
    write(f'database_uri = "mysql://u:p@file.example/mail"\nsecret_key = "{KEY}"\n')
    for old_name in OLD_VARIABLES:
        monkeypatch.setenv(old_name, "another program's")
        monkeypatch.setenv(f"{old_name}_FILE", str(tmp_path / "missing"))
    assert config.load().secret_key == KEY
    assert config.load().database_uri.host == "file.example"
    write("")
    monkeypatch.setenv("POSTMASTER_DATABASE_URI", "mysql://u:p@environment.example/mail")
    monkeypatch.setenv("POSTMASTER_SECRET_KEY", KEY)
    assert config.load().secret_key == KEY
    assert config.load().database_uri.host == "environment.example"


@pytest.mark.parametrize("old_name", OLD_VARIABLES)
def test_a_wrong_value_in_an_old_variable_names_it(
    old_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(old_name, "hidden")
    assert refusal().startswith(f"{old_name}: ")
    assert "hidden" not in refusal()


def test_an_old_variables_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DB_URI_FILE", str(tmp_path / "missing"))
    assert refusal().startswith(f"DB_URI_FILE: {tmp_path / 'missing'} cannot be read")


# --- what is wrong ---------------------------------------------------------------


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_in_the_file_names_file_and_key(name: str) -> None:
    path = write(f"{name} = {WRONG[name][0]}\n")
    line = refusal()
    assert line.startswith(f"{path}, {name}: ")
    assert "secret@" not in line


@pytest.mark.parametrize("name", [name for name, (_, wrong) in WRONG.items() if wrong])
def test_a_wrong_value_in_the_environment_names_the_variable(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), WRONG[name][1])
    line = refusal()
    assert line.startswith(f"{variable(name)}: ")
    assert "secret@" not in line


@pytest.mark.parametrize("value", ["true", '"12 h"', "12.5", "-1", "[12]"])
def test_a_number_is_a_whole_number_within_its_bounds(value: str) -> None:
    write(f"session_hours = {value}\n")
    assert "from 1 to 8760" in refusal()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("databse_uri = 'x'\n", "unknown key 'databse_uri'"),
        ("[postmaster]\nhosts = []\n", "unknown key 'postmaster'"),
        ("hosts = [\n", "not valid TOML"),
        pytest.param(f"hosts = {'[' * 2000}\n", "not valid TOML", id="nested deeply"),
        pytest.param(f"session_hours = {'1' * 5000}\n", "not valid TOML", id="a huge number"),
        ("hosts = []\nhosts = []\n", "not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named(content: str, expected: str) -> None:
    path = write(content)
    line = refusal()
    assert line.startswith(f"{path}: ")
    assert expected in line


def test_a_file_that_is_no_text_is_named() -> None:
    path = config.config_path()
    path.write_bytes(b'secret_key = "\xff"')
    assert refusal() == f"{path}: cannot be read: not UTF-8 text"


def test_a_folder_in_the_files_place_is_named() -> None:
    config.config_path().mkdir()
    assert "cannot be read" in refusal()


def test_what_newer_toml_allows_is_read() -> None:
    write('secret_key = "\\x41 long enough key"\n')
    assert config.load().secret_key == "A long enough key"


# --- database URIs --------------------------------------------------------------

# What a password may hold, as it is in the server; each is tried as it is, where a URI
# can hold that, and percent-encoded.
PASSWORDS = [
    "a@b@c",
    "50% off",
    "a/b//c",
    "a:b:c",
    "who?&x=1",
    "a#b",
    'it\'s "quoted" `here`',
    "  blanks  ",
    "pässwörd-ключ-密",
    "back\\slash{}$;,+=",
    "[::1]",
    "://",
]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("written", [str, lambda text: quote(text, safe="")], ids=["raw", "quoted"])
def test_a_password_with_any_character_is_read(password: str, written: Any) -> None:
    url = config.parse_database_uri(f"mysql://ana:{written(password)}@db.example:3307/mail")
    assert (url.username, url.password, url.host, url.port, url.database) == (
        "ana",
        password,
        "db.example",
        3307,
        "mail",
    )
    assert str(url) == "mysql+pymysql://ana:***@db.example:3307/mail"


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("written", [str, lambda text: quote(text, safe="")], ids=["raw", "quoted"])
def test_a_password_with_any_character_connects(
    mariadb: MariaDB, tmp_path: Path, password: str, written: Any
) -> None:
    name = f"odd{next(NAMES)}"
    with mariadb.cursor() as cursor:
        cursor.execute("CREATE USER %s@'127.0.0.1' IDENTIFIED BY %s", (name, password))
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"GRANT ALL ON {name}.* TO %s@'127.0.0.1'", (name,))
    uri = f"mysql://{name}:{written(password)}@127.0.0.1:{mariadb.port}/{name}"
    config.write_value("database_uri", uri)
    app = create_app(serving=False)
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(text("SELECT SUBSTRING_INDEX(USER(), '@', 1)")) == name
    dispose(app)


@pytest.mark.parametrize(
    "scheme", ["mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql", "pymysql"]
)
def test_each_scheme_of_mysql_means_pymysql(scheme: str) -> None:
    url = config.parse_database_uri(f"{scheme}://u:p@h/mail?charset=utf8mb4")
    assert url.drivername == "mysql+pymysql"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("", "no scheme"),
        ("mail", "no scheme"),
        ("postgresql://u:hidden@h/d", "'postgresql' is not supported"),
        ("mysql+mysqlconnector://u:hidden@h/d", "'mysqlconnector' is not supported"),
        ("mysql://u:hidden@h", "needs a host and a database"),
        ("mysql://u:hidden@/d", "needs a host and a database"),
        ("mysql://u:hidden@h:port/d", "cannot be read"),
        ("mysql://u:hidden@[::1/d", "cannot be read"),
        ("mysql://u:hidden@h/d?no_such_option=1", "an option after its ?"),
        ("mysql://u:hidden@h/d?connect_timeout=soon", "an option after its ?"),
        ("mysql://u:hidden@a..b/d", "the URI's host"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_a_wrong_uri_is_refused_without_its_password(uri: str, expected: str) -> None:
    line = refusal(database_uri=uri)
    assert line.startswith("database_uri: ")
    assert expected in line
    assert "hidden" not in line


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sqlite:///mail.sqlite3", "/etc/panel/mail.sqlite3"),
        ("sqlite:///data/mail.sqlite3", "/etc/panel/data/mail.sqlite3"),
        ("sqlite:////srv/mail.sqlite3", "/srv/mail.sqlite3"),
        ("sqlite:////srv/ana@home/mail.sqlite3", "/srv/ana@home/mail.sqlite3"),
    ],
)
def test_an_sqlite_path_is_relative_to_the_configuration_file(uri: str, expected: str) -> None:
    assert config.parse_database_uri(uri, Path("/etc/panel")).database == expected


def test_a_relative_log_file_is_beside_the_configuration_file(tmp_path: Path) -> None:
    assert config.load({"log_file": "logs/panel.log"}).log_file == tmp_path / "logs/panel.log"


# --- serving --------------------------------------------------------------------


def test_serving_without_a_key_is_refused_and_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="generatekey"):
        make_app(f"sqlite:///{tmp_path}/mail.sqlite3", tmp_path, secret_key="")


def test_serving_with_a_short_key_is_refused_and_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="generatekey"):
        make_app(f"sqlite:///{tmp_path}/mail.sqlite3", tmp_path, secret_key="postmaster")


@pytest.mark.parametrize("key", sorted(config.PUBLISHED_SECRET_KEYS))
def test_serving_with_a_key_of_old_samples_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="generatekey"):
        make_app(f"sqlite:///{tmp_path}/mail.sqlite3", tmp_path, secret_key=key)


# --- writing --------------------------------------------------------------------


def test_several_values_are_written_at_once() -> None:
    config.write_values({"secret_key": KEY, "database_uri": "mysql://u:p@h.example/mail"})
    assert (config.load().secret_key, config.load().database_uri.host) == (KEY, "h.example")


def test_of_several_values_none_is_written_if_one_is_wrong() -> None:
    path = write("hosts = []\n")
    with pytest.raises(ConfigError, match="log_file: it must name a file"):
        config.write_values({"secret_key": KEY, "log_file": ""})
    assert path.read_text() == "hosts = []\n"


@pytest.mark.parametrize(
    "name",
    [
        *("Content-Type", "content-length", "X-Forwarded-User", "X-Real-IP", "Host", "User-Agent"),
        *("Accept-Language", "Authorization", "Cookie", "Sec-Fetch-Site", "Origin"),
    ],
)
def test_a_header_that_anybody_sends_signs_nobody_in(name: str) -> None:
    assert "another meaning" in refusal(sign_in_header=name)


@pytest.mark.parametrize(
    "name", ["Remote-User", "X-Remote-User", "X-WEBAUTH-USER", "X-Authentik-Username"]
)
def test_headers_of_proxies(name: str) -> None:
    assert config.load({"sign_in_header": name}).sign_in_header == name
