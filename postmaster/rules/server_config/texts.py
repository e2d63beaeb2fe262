"""What each text is: by what stands in it, since people paste without names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from ...errors import Phrase
from .masking import printable

LONGEST_NAME = 120
MOST_TEXTS = 200


class TextKind(Enum):
    """The kinds of text, each by the name that a person knows it by."""

    MAIN_CF = Phrase("Postfix's main.cf")
    MAP = Phrase("a Postfix map")
    DOVECOT_SQL = Phrase("Dovecot's SQL file")
    DOVECOT = Phrase("Dovecot's configuration")
    EMPTY = Phrase("nothing but comments")
    UNKNOWN = Phrase("not recognised")


@dataclass(frozen=True)
class Text:
    """One text with the name it came under; no name for what was pasted without one.

    Its content may hold passwords, so it is not part of what is printed of it.
    """

    name: str
    content: str = field(repr=False)


# ``tail -n +1 FILE...`` writes this line before each file.
_HEADER = re.compile(r"^==> (.+) <==[ \t]*$", re.MULTILINE)
_SETTING = re.compile(r"^[ \t]*([A-Za-z][\w-]*)[ \t]*=", re.MULTILINE)
_BLOCK = re.compile(
    r"^[ \t]*(?:passdb|userdb|service|protocol|namespace|mysql|sqlite|unix_listener|plugin)\b"
    r"[^={}\n]*\{",
    re.MULTILINE,
)
_COMMENT_OR_BLANK = re.compile(r"^[ \t]*(?:#.*)?$", re.MULTILINE)
_INCLUDE = re.compile(r"^[ \t]*!include", re.MULTILINE)

_DOVECOT_SQL = frozenset(
    {"password_query", "user_query", "iterate_query", "default_pass_scheme", "connect"}
)
_DOVECOT = frozenset(
    {
        "auth_allow_cleartext",
        "auth_cache_size",
        "auth_mechanisms",
        "auth_username_chars",
        "auth_username_format",
        "disable_plaintext_auth",
        "dovecot_config_version",
        "first_valid_uid",
        "listen",
        "lmtp_save_to_detail_mailbox",
        "mail_driver",
        "mail_home",
        "mail_location",
        "mail_path",
        "mail_privileged_group",
        "protocols",
        "sql_driver",
        "ssl",
        "ssl_cert",
        "ssl_server_cert_file",
    }
)
_MAP = frozenset({"query", "dbname", "dbpath", "select_field", "where_field"})
_MAIN_CF = re.compile(
    r"(?:virtual|smtpd?|my|local|relay|proxy|alias|lmtp|mailbox|inet|queue|config|append|"
    r"recipient|compatibility|disable|data|default|header|milter|non_smtpd|tls|postscreen)"
    r"[a-z_]+|biff|myorigin|readme_directory"
)


def split(texts: Iterable[Text]) -> list[Text]:
    """The texts one by one: several in one paste are told apart by ``tail``'s header lines,
    or, where they are maps, by a setting that comes a second time.
    """
    found: list[Text] = []
    for text in texts:
        clean = text.content.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
        for name, content in _at_headers(text.name, clean):
            found += [Text(name, part) for part in _maps_apart(content)]
    return found[:MOST_TEXTS]


def _at_headers(name: str, content: str) -> Iterator[tuple[str, str]]:
    start, current = 0, name
    has_headers = False
    for header in _HEADER.finditer(content):
        before = content[start : header.start()]
        if has_headers or before.strip():
            yield _short(current), before
        start, current, has_headers = header.end(), header[1], True
    yield _short(current), content[start:]


def _short(name: str) -> str:
    return printable(name.strip()[-LONGEST_NAME:])


def _maps_apart(content: str) -> Iterator[str]:
    """Maps that were pasted one after the other, each as its own."""
    if kind_of(content) is not TextKind.MAP:
        yield content
        return
    start, seen = 0, set[str]()
    for setting in _SETTING.finditer(content):
        if setting[1] in seen:
            yield content[start : setting.start()]
            start, seen = setting.start(), set()
        seen.add(setting[1])
    yield content[start:]


def kind_of(content: str) -> TextKind:
    """What a text is."""
    names = {setting[1] for setting in _SETTING.finditer(content)}
    has_blocks = _BLOCK.search(content) is not None
    if has_blocks or names & _DOVECOT or _INCLUDE.search(content):
        return TextKind.DOVECOT
    if names & _DOVECOT_SQL:
        return TextKind.DOVECOT_SQL
    if names & _MAP:
        return TextKind.MAP
    if any(_MAIN_CF.fullmatch(name) for name in names):
        return TextKind.MAIN_CF
    if not _COMMENT_OR_BLANK.sub("", content).strip():
        return TextKind.EMPTY
    return TextKind.UNKNOWN
