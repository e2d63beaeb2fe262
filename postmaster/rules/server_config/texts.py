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
    OTHER_DOVECOT = Phrase("a file of Dovecot that is not needed here")
    EMPTY = Phrase("nothing but comments")
    UNKNOWN = Phrase("not recognised")

    @property
    def is_of_use(self) -> bool:
        """Whether such a text is read."""
        return self not in (TextKind.OTHER_DOVECOT, TextKind.EMPTY, TextKind.UNKNOWN)


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

_QUERIES = frozenset({"password_query", "user_query", "iterate_query"})
# Some of these stand in the files of dictionaries and of LDAP too, which have no query.
_DOVECOT_SQL = frozenset({"default_pass_scheme", "connect"})
_OTHER_DOVECOT = frozenset(
    {
        "auth_bind",
        "base",
        "dn",
        "introspection_url",
        "iterate_prefix",
        "ldap_version",
        "pass_attrs",
        "pass_filter",
        "passdb_objects",
        "tokeninfo_url",
        "uris",
        "user_attrs",
        "user_filter",
        "userdb_objects",
    }
)
_OTHER_BLOCK = re.compile(r"^[ \t]*(?:key|map)\b[^={}\n]*\{", re.MULTILINE)
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
    signs = (
        (TextKind.DOVECOT, _BLOCK.search(content) or names & _DOVECOT or _INCLUDE.search(content)),
        (TextKind.DOVECOT_SQL, names & _QUERIES),
        (TextKind.OTHER_DOVECOT, names & _OTHER_DOVECOT or _OTHER_BLOCK.search(content)),
        (TextKind.DOVECOT_SQL, names & _DOVECOT_SQL),
        (TextKind.MAP, names & _MAP),
        (TextKind.MAIN_CF, any(_MAIN_CF.fullmatch(name) for name in names)),
        (TextKind.EMPTY, not _COMMENT_OR_BLANK.sub("", content).strip()),
    )
    return next((kind for kind, is_seen in signs if is_seen), TextKind.UNKNOWN)
