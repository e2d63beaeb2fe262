"""PostMaster 1.x's ``config.py``: what of it goes on, read without running the file.

It was a Python file of this form, whose texts ``manage.py setdburi`` and its like
replaced in place::

    class BaseConfiguration(object):
        SECRET_KEY = '...'
        SQLALCHEMY_DATABASE_URI = 'mysql://...'
        LOG_LOCATION = '/opt/postmaster/logs/postmaster.log'

Classes below it, for tests and development, have other values. They do not count.
"""

import ast
import os
import secrets
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from .config import KEYS, ConfigError, in_file

CLASS = "BaseConfiguration"
URI, SECRET_KEY, LOG_FILE = "SQLALCHEMY_DATABASE_URI", "SECRET_KEY", "LOG_LOCATION"


@dataclass(frozen=True)
class Assigned:
    """What the file assigns to a name last; no text if only running it would tell."""

    line: int
    text: str | None


@dataclass(frozen=True)
class Taken:
    """What becomes of one key: its new value, or None where it stays as it is, and why."""

    key: str
    value: str | None
    said: str


def take_over(path: Path) -> list[Taken]:
    """What becomes of the three keys.

    The database must be there. Where the key for the cookies cannot be taken over,
    one is made if there is none yet; a log file that cannot is left as it is. Raises
    ConfigError, which never quotes a value.
    """
    assigned = _assigned(path)
    if URI not in assigned:
        raise ConfigError(f"{path}: it sets no {URI}, so it is no config.py of PostMaster 1.x")
    taking: tuple[Callable[[Path, Assigned | None], Taken], ...] = (
        _database_uri,
        _secret_key,
        _log_file,
    )
    return [
        take(path, assigned.get(name))
        for take, name in zip(taking, (URI, SECRET_KEY, LOG_FILE), strict=True)
    ]


# --- the three values -----------------------------------------------------------


def _database_uri(path: Path, old: Assigned | None) -> Taken:
    by_hand = "give the database by hand: manage.py setdburi URI"
    if old is None or old.text is None:
        raise ConfigError(f"{_place(path, old)}: {URI} is not plain text there; {by_hand}")
    scheme, separator, rest = old.text.strip().partition("://")
    if scheme.partition("+")[0] in ("mysql", "pymysql"):
        scheme = "mysql"  # whatever driver it was
    if scheme == "sqlite" and rest.startswith("/") and not rest.startswith("//"):
        raise ConfigError(
            f"{_place(path, old)}: {URI} names an SQLite file by a relative path; {by_hand}"
        )
    uri = f"{scheme}{separator}{rest}"
    try:
        url = KEYS["database_uri"].check(uri, path.parent)
    except ConfigError as error:
        raise ConfigError(f"{_place(path, old)}: {URI}: {error}") from None
    shown = url.set(drivername=scheme).render_as_string(hide_password=True)
    return Taken("database_uri", uri, shown)


def _secret_key(path: Path, old: Assigned | None) -> Taken:
    if old is None:
        why = f"{path} has none"
    elif old.text is None:
        why = f"{_place(path, old)} has no plain text"
    else:
        try:
            KEYS["secret_key"].check(old.text, path.parent)
        except ConfigError as error:
            why = f"the old one is of no use: {str(error).partition(';')[0]}"
        else:
            if old.text:
                return Taken("secret_key", old.text, "the old one")
            why = "the old one is empty"
    if in_file().get("secret_key"):
        return Taken("secret_key", None, f"not changed, because {why}")
    said = f"a new one, because {why}; everybody has to sign in again"
    return Taken("secret_key", secrets.token_hex(32), said)


def _log_file(path: Path, old: Assigned | None) -> Taken:
    if old is None:
        why = f"{path} sets none"
    elif old.text is None:
        why = f"{_place(path, old)} has no plain text"
    elif not old.text.strip():
        why = "the old one is empty"
    elif PureWindowsPath(old.text).drive:
        why = f"{old.text} is a path of Windows"
    else:
        # The web server ran 1.x in the folder of its config.py.
        file = os.path.normpath(path.absolute().parent / old.text)
        return Taken("log_file", file, file)
    return Taken("log_file", None, f"not changed, because {why}; manage.py setlogfile PATH")


def _place(path: Path, old: Assigned | None) -> str:
    return str(path) if old is None else f"{path}, line {old.line}"


# --- reading --------------------------------------------------------------------


def _assigned(path: Path) -> dict[str, Assigned]:
    """What the class assigns; without the class, what the file itself does."""
    body = _parsed(path).body
    classes = [node for node in body if isinstance(node, ast.ClassDef) and node.name == CLASS]
    found = {}
    for statement in classes[-1].body if classes else body:
        for name, value in _assignments(statement):
            text = None if value is None else _text(value)
            found[name] = Assigned(statement.lineno, text)
    return found


def _parsed(path: Path) -> ast.Module:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about '\d' and its like, which mean the same still
            return ast.parse(content)
    except SyntaxError as error:
        raise ConfigError(
            f"{path}, line {error.lineno}: this cannot be read, perhaps because it is Python 2 "
            f"({error.msg}); import a copy of the file without this line"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise ConfigError(f"{path}: this is no Python file") from None


def _assignments(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """Names and values; no value where it takes more than this statement to know it."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return
    plain = statement if isinstance(statement, ast.Assign) else None
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, plain.value if plain and node in plain.targets else None


def _text(value: ast.expr) -> str | None:
    """A text, or several that are joined by +."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else None
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        left, right = _text(value.left), _text(value.right)
        return None if left is None or right is None else left + right
    return None
