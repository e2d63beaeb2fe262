"""The configuration file and the environment: load, check, write values.

Every key is declared once, in ``KEYS``. A value comes from the environment
(``POSTMASTER_<KEY>``, for secrets also ``POSTMASTER_<KEY>_FILE``), else from
the TOML file, else from the variable that PostMaster 1.x's container had for it,
else it is the default. A wrong value is a ``ConfigError`` that names the key or
the variable.
"""

import contextlib
import inspect
import ipaddress
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote

import pymysql
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    import tomlkit

CHECKOUT = Path(__file__).resolve().parent.parent
SHORTEST_SECRET_KEY = 16
ENVIRONMENT_PREFIX = "POSTMASTER_"
# The keys of PostMaster 1.x's sample configurations, which everybody can read.
PUBLISHED_SECRET_KEYS = {
    "123456789abcdef123456789",
    "e9987dce48df3ce98542529fd074d9e9f9cd40e66fc6c4c2",
}

# What a browser or a proxy says anyway: whoever is let in by it could be anybody.
OTHER_HEADERS = re.compile(
    r"(accept|access|cache|connection|content|cookie|date|dnt|expect|forwarded|from|host|if|"
    r"keep|max|origin|pragma|priority|proxy|range|referer|sec|te|trailer|transfer|upgrade|user|via|"
    r"authorization|x-forwarded|x-real|x-requested)(-|$)"
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Among the proxies: whoever may connect to a Unix socket, where nobody has an address.
UNIX_SOCKET: Final = "unix"
Proxy = Network | Literal["unix"]


class ConfigError(Exception):
    """A configuration value that PostMaster cannot work with; the text says which."""


@dataclass(frozen=True)
class Config:
    """Everything that is configured outside the database, checked."""

    path: Path
    database_uri: URL
    secret_key: str
    log_file: Path
    hosts: tuple[str, ...]
    proxies: tuple[Proxy, ...]
    metrics: tuple[Network, ...]
    sign_in_failures_per_hour: int
    session_hours: int
    ldap_bind_password: str
    ldap_ca_file: Path | None
    ldap_verify_certificate: bool
    ldap_allow_plain_passwords: bool
    openid_client_secret: str
    sign_in_header: str

    def require_secret_key(self) -> None:
        """Refuse to serve without a key; commands that only use the database need none."""
        if not self.secret_key:
            raise ConfigError(
                f"{self.path}: secret_key is empty; make one with: manage.py generatekey"
            )


def config_path() -> Path:
    """Where the configuration file is, whether or not it exists yet."""
    named = os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    # Resolved, so that a link to the file stays a link when the file is replaced.
    return (Path(named) if named else CHECKOUT / "postmaster.toml").resolve()


# --- checks, one a kind of value ------------------------------------------------


def parse_database_uri(text: str, folder: Path = CHECKOUT) -> URL:
    """Read a database URI; the password may hold ``@``, ``/``, ``%`` as they are.

    ``mysql://`` and ``mariadb://`` mean PyMySQL, and so does ``pymysql://``, as
    PostMaster 1.x's guide wrote it. A relative SQLite path is relative to
    ``folder``. Raises ConfigError, which never quotes the URI, since it holds a
    password.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        raise ConfigError("the URI has no scheme; write mysql://USER:PASSWORD@HOST:3306/DATABASE")
    if scheme == "pymysql":
        scheme = "mysql"
    is_file = rest.startswith("/")  # whose path may hold an @
    user_info, at, location = ("", "", rest) if is_file else rest.rpartition("@")
    try:
        url = make_url(f"{scheme}://{location}")
    except (ArgumentError, ValueError):
        raise ConfigError(
            "the URI cannot be read; write mysql://USER:PASSWORD@HOST:3306/DATABASE"
        ) from None
    if at:
        username, colon, password = user_info.partition(":")
        url = url.set(username=unquote(username), password=unquote(password) if colon else None)
    if url.get_backend_name() in ("mysql", "mariadb"):
        return _checked_mysql_url(url)
    if url.get_backend_name() == "sqlite":
        return _checked_sqlite_url(url, folder)
    raise ConfigError(
        f"the scheme {scheme!r} is not supported; use mysql:// (MariaDB, MySQL) or sqlite://"
    )


def _checked_mysql_url(url: URL) -> URL:
    if url.get_driver_name() not in ("pymysql", "mysqldb"):  # mysqldb: a bare mysql://
        raise ConfigError(f"the driver {url.get_driver_name()!r} is not supported; write mysql://")
    if not url.host or not url.database:
        raise ConfigError(
            "the URI needs a host and a database: mysql://USER:PASSWORD@HOST:3306/DATABASE"
        )
    try:
        url.host.encode("idna")
        _, options = MySQLDialect_pymysql(dbapi=pymysql).create_connect_args(url)
        inspect.signature(pymysql.connect).bind(**options)
    except (TypeError, ValueError):  # no option of PyMySQL's, a number that is none, a bad host
        raise ConfigError("the URI's host or an option after its ? cannot be used") from None
    return url.set(drivername="mysql+pymysql")


def _checked_sqlite_url(url: URL, folder: Path) -> URL:
    if not url.database or url.database == ":memory:":
        raise ConfigError("an SQLite database in memory cannot be shared; name a file")
    return url.set(drivername="sqlite", database=str(folder / url.database))


def _secret_key(value: Any, _folder: Path) -> str:
    key = _text(value, _folder)
    if key and len(key) < SHORTEST_SECRET_KEY:
        raise ConfigError(
            f"it must be at least {SHORTEST_SECRET_KEY} characters long; "
            "make one with: manage.py generatekey"
        )
    if key in PUBLISHED_SECRET_KEYS:
        raise ConfigError(
            "it is the key of a sample configuration, which everybody knows; "
            "make one with: manage.py generatekey"
        )
    return key


def _text(value: Any, _folder: Path) -> str:
    if not isinstance(value, str):
        raise ConfigError("it must be text in quotes")
    return value


def _database_uri(value: Any, folder: Path) -> URL:
    return parse_database_uri(_text(value, folder), folder)


def _file(value: Any, folder: Path) -> Path:
    name = _text(value, folder)
    if not name.strip():
        raise ConfigError("it must name a file")
    return folder / name


def _optional_file(value: Any, folder: Path) -> Path | None:
    name = _text(value, folder)
    return folder / name if name.strip() else None


def _switch(value: Any, _folder: Path) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ConfigError("it must be true or false")
    return text == "true"


def _header(value: Any, folder: Path) -> str:
    name = _text(value, folder).strip()
    if name and not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise ConfigError("it must be the name of a header, such as Remote-User")
    if OTHER_HEADERS.match(name.lower()):
        raise ConfigError(f"{name} has another meaning; take one such as Remote-User")
    return name


def _whole_number(lowest: int, highest: int) -> Callable[[Any, Path], int]:
    def check(value: Any, _folder: Path) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = lowest - 1
        if isinstance(value, bool) or not lowest <= number <= highest:
            raise ConfigError(f"it must be a whole number from {lowest} to {highest}")
        return number

    return check


def _list(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ConfigError("it must be a list of texts")
    return [part.strip() for part in parts if part.strip()]


def _hosts(value: Any, _folder: Path) -> tuple[str, ...]:
    return tuple(part.lower() for part in _list(value))


def _networks(value: Any, _folder: Path) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part, strict=False) for part in _list(value))
    except ValueError as error:
        raise ConfigError(f"it must list addresses or networks: {error}") from None


def _proxies(value: Any, folder: Path) -> tuple[Proxy, ...]:
    parts = _list(value)
    networks = _networks([part for part in parts if part != UNIX_SOCKET], folder)
    return (*networks, UNIX_SOCKET) if UNIX_SOCKET in parts else networks


def is_listed(ip: str, listed: tuple[Proxy, ...]) -> bool:
    """Whether this address is one of those, or in one of those networks.

    An empty one is that of a Unix socket's other end.
    """
    if not ip:
        return UNIX_SOCKET in listed
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    # A server that listens on IPv6 too sees an IPv4 client as ::ffff:192.0.2.1.
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in listed if network != UNIX_SOCKET)


@dataclass(frozen=True)
class Key:
    """One key of the configuration file.

    ``old_variable`` is its name in PostMaster 1.x's container. Other programs have
    variables of such names too, so it counts only where nothing else gives a value.
    """

    check: Callable[[Any, Path], Any]
    default: Any
    secret: bool = False
    old_variable: str | None = None


KEYS: Mapping[str, Key] = {
    "database_uri": Key(
        _database_uri, "sqlite:///postmaster.sqlite3", secret=True, old_variable="DB_URI"
    ),
    "secret_key": Key(_secret_key, "", secret=True, old_variable="SECRET_KEY"),
    "log_file": Key(_file, str(CHECKOUT.parent / "logs" / "postmaster.log")),
    "hosts": Key(_hosts, []),
    "proxies": Key(_proxies, []),
    "metrics": Key(_networks, []),
    "sign_in_failures_per_hour": Key(_whole_number(1, 1_000_000), 100),
    "session_hours": Key(_whole_number(1, 8760), 12),
    "ldap_bind_password": Key(_text, "", secret=True),
    "ldap_ca_file": Key(_optional_file, ""),
    "ldap_verify_certificate": Key(_switch, True),
    "ldap_allow_plain_passwords": Key(_switch, False),
    "openid_client_secret": Key(_text, "", secret=True),
    "sign_in_header": Key(_header, ""),
}


# --- loading --------------------------------------------------------------------


def load(overrides: Mapping[str, Any] | None = None) -> Config:
    """Read file and environment; ``overrides`` (for tests) win over both.

    Raises ConfigError with the name of the file, key or variable at fault.
    """
    path = config_path()
    written = _read_file(path)
    unknown = sorted(set(written) - set(KEYS))
    if unknown:
        raise ConfigError(f"{path}: unknown key {unknown[0]!r}; the keys are: {', '.join(KEYS)}")
    values = {}
    for name, key in KEYS.items():
        raw, origin = _raw_value(name, key, written, overrides or {}, path)
        try:
            values[name] = key.check(raw, path.parent)
        except ConfigError as error:
            raise ConfigError(f"{origin}: {error}") from None
    return Config(path=path, **values)


def _raw_value(
    name: str, key: Key, written: Mapping[str, Any], overrides: Mapping[str, Any], path: Path
) -> tuple[Any, str]:
    """The value and, for messages, where it came from."""
    if name in overrides:
        return overrides[name], name
    given = _from_environment(ENVIRONMENT_PREFIX + name.upper(), key)
    if given is None and name not in written and key.old_variable is not None:
        given = _from_environment(key.old_variable, key)
    return given or (written.get(name, key.default), f"{path}, {name}")


def _from_environment(variable: str, key: Key) -> tuple[str, str] | None:
    """The value and the variable it is from: the one of this name, or that of a secret's file."""
    if variable in os.environ:
        return os.environ[variable], variable
    if key.secret and f"{variable}_FILE" in os.environ:
        secret = Path(os.environ[f"{variable}_FILE"])
        try:
            return secret.read_text(encoding="utf-8").strip(), f"{variable}_FILE"
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{variable}_FILE: {secret} cannot be read: {_reason(error)}"
            ) from None
    return None


def in_file() -> Mapping[str, Any]:
    """What the file itself says, unchecked; nothing if there is none. Raises ConfigError."""
    return _read_file(config_path())


def _read_file(path: Path) -> dict[str, Any]:
    return _parsed(path, _text_of(path))


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):  # wrong, or of a newer TOML than this Python reads
        return _document(path, text).unwrap()


def _document(path: Path, text: str) -> "tomlkit.TOMLDocument":
    # Only who writes needs it; each worker has 2 MB less.
    import tomlkit  # noqa: PLC0415 -- see above
    from tomlkit.exceptions import ParseError  # noqa: PLC0415

    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {_reason(error)}") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "not UTF-8 text"


# --- writing --------------------------------------------------------------------


def write_value(name: str, value: str) -> Path:
    """Set one key in the file; see ``write_values``."""
    return write_values({name: value})


def write_values(values: Mapping[str, str]) -> Path:
    """Set keys in the file, all or none, keeping all else, comments included.

    The new file is written beside the old one and renamed over it, readable by
    its owner and group only; owner and group stay as they were where that is
    allowed. Raises ConfigError if a value is wrong or the file cannot be
    written, and then the old file is untouched.
    """
    path = config_path()
    document = _document(path, _text_of(path))
    for name, value in values.items():
        try:
            KEYS[name].check(value, path.parent)
            value.encode()
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from None
        except UnicodeEncodeError:
            raise ConfigError(f"{name}: it is not UTF-8 text") from None
        document[name] = value
    _replace(path, document.as_string())
    return path


def _replace(path: Path, content: str) -> None:
    beside = None
    try:
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            os.fchmod(file.fileno(), stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP)
            if path.exists():
                kept = path.stat()
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), kept.st_uid, kept.st_gid)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        if beside is not None:
            with contextlib.suppress(OSError):
                os.unlink(beside)
        raise ConfigError(f"{path}: cannot be written: {_reason(error)}") from None
