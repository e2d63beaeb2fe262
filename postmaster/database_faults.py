"""What is wrong with the database where it refuses everything or every change. Pure.

Each fault has a sentence for everybody, and one for whoever runs the server, with names and
the statement that mends it. None has the password.
"""

import re
from dataclasses import dataclass

from .errors import Phrase, Unavailable

# What PostMaster's database user needs, always and while tables are made or changed.
NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE")
FOR_UPGRADES = ("CREATE", "ALTER", "DROP", "INDEX", "REFERENCES")

# 'user'@'host', in whatever language the server's sentence is.
ACCOUNT = re.compile(r"'(?P<name>[^']*)'@'(?P<host>[^']*)'")
HOST = re.compile(r"'(?P<host>[^']+)'")
COMMANDS = re.compile(r"[A-Z]{3,}(?: [A-Z]{3,})*(?:, [A-Z]{3,}(?: [A-Z]{3,})*)*\b")
UNKNOWN_ACCOUNT = "'USER'@'HOST'"


@dataclass(frozen=True)
class Fault:
    """A fault in two sentences: for everybody, and for whoever runs the server."""

    sentence: Phrase
    in_full: Phrase


NOT_LET_IN = Fault(
    Phrase(
        "The database server does not let PostMaster's database user in (error %(code)s): its "
        "name, its host or its password is wrong. PostMaster's log and its commands say how to "
        "mend it"
    ),
    Phrase(
        "The database server does not let %(account)s in (error %(code)s): the password is "
        "wrong, or there is no such user for this host. Set the right one by manage.py "
        "setdburi, or on the database server: ALTER USER %(account)s IDENTIFIED BY 'PASSWORD'; "
        "where it does not exist: CREATE USER %(account)s IDENTIFIED BY 'PASSWORD'; "
        "GRANT %(rights)s ON `%(database)s`.* TO %(account)s;"
    ),
)
NO_RIGHTS_THERE = Fault(
    Phrase(
        "PostMaster's database user has no rights on the database that the configuration names "
        "(error %(code)s). PostMaster's log and its commands say how to mend it"
    ),
    Phrase(
        "The database user %(account)s has no rights on the database %(database)s (error "
        "%(code)s). Name another database by manage.py setdburi, or on the database server: "
        "GRANT %(rights)s ON `%(database)s`.* TO %(account)s;"
    ),
)
LACKS_RIGHTS = Fault(
    Phrase(
        "PostMaster's database user lacks the privileges for this (error %(code)s). "
        "PostMaster's log and its commands say how to mend it"
    ),
    Phrase(
        "The database user %(account)s lacks the privileges for this (error %(code)s). On the "
        "database server: GRANT %(rights)s ON `%(database)s`.* TO %(account)s;"
    ),
)
NO_DATABASE = Fault(
    Phrase(
        "The database server has no such database (error %(code)s). Name the right one by "
        "manage.py setdburi, or restore it from a backup"
    ),
    Phrase(
        "The database server has no such database as %(database)s (error %(code)s). Name the "
        "right one by manage.py setdburi, or restore it from a backup"
    ),
)
SERVER_READ_ONLY = Phrase(
    "The database is read-only, so nobody can sign in and nothing can be changed. If its server "
    "is a replica, name the primary by manage.py setdburi; else turn read_only off on the "
    "database server, also in its configuration: SET GLOBAL read_only = 0;"
)
READ_ONLY = Fault(SERVER_READ_ONLY, SERVER_READ_ONLY)
READ_ONLY_ENGINE_SENTENCE = Phrase(
    "The database is read-only, so nothing can be changed (error %(code)s): its server was "
    "started with innodb_read_only, innodb_force_recovery or a read-only transaction by "
    "default. Its configuration and its own log say which; take it out and restart it"
)
READ_ONLY_ENGINE = Fault(READ_ONLY_ENGINE_SENTENCE, READ_ONLY_ENGINE_SENTENCE)
NO_ROOM_SENTENCE = Phrase(
    "The disk of the database is full (error %(code)s), so nothing can be changed. Free space "
    "on the database server"
)
NO_ROOM = Fault(NO_ROOM_SENTENCE, NO_ROOM_SENTENCE)

FILE_READ_ONLY = Fault(
    Phrase(
        "The database is read-only, so nothing can be changed: PostMaster's account may not "
        "write its file or its folder. PostMaster's log and its commands name them"
    ),
    Phrase(
        "The database is read-only, so nothing can be changed: the account that serves "
        "PostMaster may not write the file %(database)s or its folder. Give both to it (chown), "
        "with the right to write (chmod u+w)"
    ),
)
FILE_NOT_OPENED = Fault(
    Phrase(
        "The database file cannot be opened: it is not there, or PostMaster's account may not "
        "read and write it and its folder. PostMaster's log and its commands name them"
    ),
    Phrase(
        "The database file %(database)s cannot be opened: its folder is not there, or the "
        "account that serves PostMaster may not read and write it and its folder. Give both to "
        "it (chown), or name another file by manage.py setdburi"
    ),
)
FILE_NO_ROOM_SENTENCE = Phrase(
    "The disk of the database is full, so nothing can be changed. Free space on it"
)
FILE_NO_ROOM = Fault(FILE_NO_ROOM_SENTENCE, FILE_NO_ROOM_SENTENCE)
FILE_DAMAGED = Fault(
    Phrase("The database file is damaged. Restore it from a backup"),
    Phrase("The database file %(database)s is damaged. Restore it from a backup"),
)

MYSQL = {
    1021: NO_ROOM,
    1036: READ_ONLY_ENGINE,
    1044: NO_RIGHTS_THERE,
    1045: NOT_LET_IN,
    1049: NO_DATABASE,
    1114: NO_ROOM,
    1130: NOT_LET_IN,
    1142: LACKS_RIGHTS,
    1143: LACKS_RIGHTS,
    1227: LACKS_RIGHTS,
    1290: READ_ONLY,
    1370: LACKS_RIGHTS,
    1698: NOT_LET_IN,
    1792: READ_ONLY_ENGINE,
    1836: READ_ONLY_ENGINE,
    1874: READ_ONLY_ENGINE,
}
SQLITE = {
    "readonly database": FILE_READ_ONLY,
    "unable to open database file": FILE_NOT_OPENED,
    "database or disk is full": FILE_NO_ROOM,
    "file is not a database": FILE_DAMAGED,
    "malformed": FILE_DAMAGED,
}
# What is over once somebody grants something.
GRANTABLE = (NO_RIGHTS_THERE.sentence, LACKS_RIGHTS.sentence)


def of_mysql(code: int | None, text: str, *, user: str, database: str) -> Unavailable | None:
    """The fault that a server's error means; ``user`` and ``database`` are the URI's."""
    fault = MYSQL.get(code or 0)
    if fault is None:
        return None
    return Unavailable(
        fault.sentence,
        in_full=fault.in_full,
        code=code,
        account=_account(text, user),
        database=database,
        rights=", ".join(_rights(text) if fault is LACKS_RIGHTS else NEEDED),
    )


def of_sqlite(text: str, *, database: str) -> Unavailable | None:
    """The fault that SQLite's error means; ``database`` is the file."""
    for words, fault in SQLITE.items():
        if words in text:
            return Unavailable(fault.sentence, in_full=fault.in_full, database=database)
    return None


def _account(text: str, user: str) -> str:
    """As the server's sentence names it: 'user'@'host', or the host alone."""
    if named := ACCOUNT.search(text):
        return named[0]
    host = HOST.search(text)
    return f"'{user}'@'{host['host']}'" if user and host else UNKNOWN_ACCOUNT


def _rights(text: str) -> tuple[str, ...]:
    """What to grant: all that is always needed, and what was refused besides."""
    refused = COMMANDS.match(text)
    asked = refused[0].split(", ") if refused else []
    return (*NEEDED, *(right for right in FOR_UPGRADES if right in asked))
