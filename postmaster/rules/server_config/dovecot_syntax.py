"""Read Dovecot's configuration: ``doveconf -n``, the files, 2.3's SQL file, 2.4's one file.

Only the settings that are named here are kept, and of arguments only paths and the like:
others may hold passwords.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .masking import masked, masked_query
from .texts import Text

WANTED = frozenset(
    {
        "args",
        "auth_allow_cleartext",
        "auth_cache_size",
        "auth_cache_ttl",
        "auth_username_chars",
        "auth_username_format",
        "base_dir",
        "connect",
        "dbname",
        "default_fields",
        "default_pass_scheme",
        "default_password_scheme",
        "disable_plaintext_auth",
        "driver",
        "home",
        "iterate_query",
        "mail_driver",
        "mail_home",
        "mail_location",
        "mail_path",
        "override_fields",
        "password_query",
        "path",
        "port",
        "protocols",
        "query",
        "recipient_delimiter",
        "sql_driver",
        "ssl",
        "user",
        "user_query",
    }
)
# Of these only a few arguments are kept.
ARGUMENTS = frozenset({"args", "default_fields", "override_fields"})
KEPT_ARGUMENTS = ("home", "uid", "gid", "mail", "username_format")
KEPT_CONNECTION = ("host", "hostaddr", "dbname", "user")
# 2.4 lets a setting inside its block do without the block's name.
PREFIXES = ("passdb_sql_", "userdb_sql_", "passdb_", "userdb_", "sql_", "mysql_", "sqlite_")
MOST_DEPTH = 20

_OPENING = re.compile(r"([A-Za-z_][\w-]*)(?:\s+(\S+))?\s*\{")
_SETTING = re.compile(r"([A-Za-z_][\w/.-]*)\s*=\s*(.*)", re.DOTALL)
# A comment begins at a # that stands in no quotes.
_CODE = re.compile(r"""(?:[^#"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|["'])*""")
_PAIR = re.compile(
    r"""([A-Za-z_]\w*)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|["'].*|[^\s"']\S*|)""",
    re.DOTALL,
)


@dataclass(frozen=True)
class Setting:
    """A setting's value, and the text it stands in."""

    value: str
    where: str


@dataclass
class Block:
    """``passdb sql { … }``: its kind, its label, its settings, the blocks in it."""

    kind: str
    label: str = ""
    where: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        """A setting's value."""
        setting = self.settings.get(name)
        return setting.value if setting else default

    def where_is(self, name: str) -> str:
        """The text that a setting stands in, or that of the block."""
        setting = self.settings.get(name)
        return setting.where if setting else self.where

    def of_kind(self, kind: str) -> list["Block"]:
        """The blocks of a kind directly within this one."""
        return [block for block in self.blocks if block.kind == kind]

    def everywhere(self) -> Iterator["Block"]:
        """The blocks within this one, however deep."""
        for block in self.blocks:
            yield block
            yield from block.everywhere()


def read(texts: Iterable[Text]) -> Block:
    """All texts as one configuration, as Dovecot reads the files of a folder."""
    root = Block("")
    for text in texts:
        root.where = root.where or text.name
        _read_into(root, text)
    return root


def _read_into(root: Block, text: Text) -> None:
    open_blocks = [root]
    for line in _lines(text.content):
        closing = line.startswith("}")
        if closing and len(open_blocks) > 1:
            open_blocks.pop()
        opening = _OPENING.match(line)
        rest = line[opening.end() :].strip() if opening else line.lstrip("} ")
        if opening and "=" not in line[: opening.end()]:
            block = Block(opening[1], (opening[2] or "").strip("\"'"), text.name)
            if len(open_blocks) < MOST_DEPTH:
                open_blocks[-1].blocks.append(block)
            open_blocks.append(block)
        is_closed = bool(opening) and rest.endswith("}")
        _keep(open_blocks[-1], rest.rstrip("} ") if is_closed else rest, text.name)
        if is_closed:
            open_blocks.pop()


def _lines(content: str) -> Iterator[str]:
    """The logical lines without comments; a backslash at the end goes on with the next."""
    started = ""
    for line in content.split("\n"):
        code = _CODE.match(line.strip())
        joined = f"{started} {code[0] if code else ''}".strip()
        if joined.endswith("\\"):
            started = joined[:-1].rstrip()
            continue
        started = ""
        if joined:
            yield joined
    if started:
        yield started


def _keep(block: Block, line: str, where: str) -> None:
    setting = _SETTING.fullmatch(line)
    if setting is None:
        return
    name = _without_prefix(setting[1], block)
    if name not in WANTED:
        return
    value = _without_quotes(setting[2].strip())
    if name == "connect":
        for key, part in connection(value).items():
            block.settings[f"connect.{key}"] = Setting(part, where)
    elif name in ARGUMENTS:
        block.settings[name] = Setting(_arguments(value), where)
    else:
        cover = masked_query if name.endswith("query") else masked
        block.settings[name] = Setting(cover(value), where)


def _without_prefix(name: str, block: Block) -> str:
    if block.kind in ("passdb", "userdb", "mysql", "sqlite"):
        for prefix in PREFIXES:
            if name.startswith(prefix) and name != "sql_driver":
                return name.removeprefix(prefix)
    if block.kind in ("unix_listener", "inet_listener"):
        return name.removeprefix(f"{block.kind}_")
    return name.removeprefix("passdb_") if name == "passdb_default_password_scheme" else name


def _without_quotes(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


def connection(value: str) -> dict[str, str]:
    """Host, database and user of a ``connect``; a path is the database of SQLite."""
    if value.startswith("/"):
        return {"path": masked(value)}
    found: dict[str, str] = {}
    for pair in _PAIR.finditer(value):
        if pair[1] in KEPT_CONNECTION:
            found.setdefault(pair[1], masked(_without_quotes(pair[2])))
    return found


def _arguments(value: str) -> str:
    """Those arguments that are a path, or of the few names that are kept."""
    kept = [word for word in value.split()[:1] if word.startswith("/")]
    kept += [
        f"{pair[1]}={_without_quotes(pair[2])}"
        for pair in _PAIR.finditer(value)
        if pair[1] in KEPT_ARGUMENTS
    ]
    return masked(" ".join(kept))


def argument(arguments: str, name: str) -> str:
    """One of the arguments that were kept."""
    for word in arguments.split():
        key, _, value = word.partition("=")
        if key == name:
            return value
    return ""
