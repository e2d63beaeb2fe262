"""Dovecot's questions to the database: its passwords, their scheme, its users.

They stand in a file of their own up to Dovecot 2.3, and in the one configuration from 2.4.
"""

from collections.abc import Iterator

from ...errors import Phrase
from . import asked, maps, questions
from .asked import NO_SIGN_IN, SIGN_IN, Role
from .dovecot_syntax import Block
from .findings import Finding, Kind, Severity, found
from .panel import TABLES, Panel

SCHEME = "SHA512-CRYPT"
# Measured with doveadm pw -t: these read a bare $6$ hash too, since crypt(3) does.
READ_IT_TOO = ("CRYPT", "DES-CRYPT", "SHA256-CRYPT")

OTHER_DRIVER = Kind(
    "other-driver",
    Severity.ERROR,
    Phrase("Its driver is %(driver)s. PostMaster's database is of %(right)s."),
    NO_SIGN_IN,
)
SCHEME_RIGHT = Kind(
    "scheme-right",
    Severity.OK,
    Phrase("The default scheme of passwords is SHA512-CRYPT."),
    Phrase("Dovecot reads the passwords that PostMaster sets."),
)
SCHEME_READS = Kind(
    "scheme-reads",
    Severity.WARNING,
    Phrase("The default scheme of passwords is %(scheme)s, not SHA512-CRYPT."),
    Phrase("Dovecot on Linux reads PostMaster's passwords so. Other systems may not."),
)
SCHEME_WRONG = Kind(
    "scheme-wrong",
    Severity.ERROR,
    Phrase("The default scheme of passwords is %(scheme)s, not SHA512-CRYPT."),
    Phrase("Dovecot cannot read the passwords that PostMaster sets: nobody with one signs in."),
)
SCHEME_MISSING = Kind(
    "scheme-missing",
    Severity.ERROR,
    Phrase("No default scheme of passwords is set, and Dovecot's own is not SHA512-CRYPT."),
    SCHEME_WRONG.meaning,
)
NO_PASSWORD_QUERY = Kind(
    "no-password-query", Severity.ERROR, Phrase("There is no query for passwords."), NO_SIGN_IN
)
NO_USER_RETURNED = Kind(
    "no-user-returned",
    Severity.WARNING,
    Phrase("The query for passwords does not return user."),
    Phrase("The folder of a user is named as it was typed at sign-in, not as the table has it."),
)
USER_QUERY_COLUMNS = Kind(
    "user-query-columns",
    Severity.ERROR,
    Phrase("The query for users names %(column)s, which the guides' table does not have."),
    Phrase("Mail is not delivered, and users cannot open their mailboxes."),
)
USER_QUERY_TABLE = Kind(
    "user-query-table",
    Severity.ERROR,
    Phrase("The query for users asks the table %(table)s, not virtual_users."),
    USER_QUERY_COLUMNS.meaning,
)
USER_QUERY_UNSURE = Kind(
    "user-query-unsure",
    Severity.WARNING,
    Phrase("The query for users asks for more than the guides' tables have."),
    Phrase("It does no harm as long as no userdb with the driver sql uses it."),
)
ITERATE_QUERY = Kind(
    "iterate-query",
    Severity.WARNING,
    Phrase("The query for the list of users asks %(table)s, not virtual_users."),
    Phrase("Commands such as doveadm -A do not find the users. Mail is not affected."),
)


def judge(sql: Block, panel: Panel, *, userdb_asks: bool | None) -> Iterator[Finding]:
    """2.3's SQL file. ``userdb_asks``: whether a userdb uses it; None if not known."""
    yield from driver(sql.where_is("driver"), sql.get("driver"), "driver", panel)
    yield from connection(sql, "connect.", panel)
    scheme = sql.get("default_pass_scheme")
    yield from default_scheme(sql.where_is("default_pass_scheme"), scheme, "default_pass_scheme")
    where = sql.where_is("password_query")
    yield from password_query(where, sql.get("password_query"), SIGN_IN, panel)
    if userdb_asks is not False and "user_query" in sql.settings:
        where = sql.where_is("user_query")
        yield from user_query(where, sql.get("user_query"), sure=userdb_asks is True)
    yield from iterate_query(sql.where_is("iterate_query"), sql.get("iterate_query"))


def driver(where: str, driver: str, setting: str, panel: Panel) -> Iterator[Finding]:
    """Whether the driver is that of the database."""
    right = "sqlite" if panel.is_file else "mysql"
    if driver != right:
        yield found(OTHER_DRIVER, where, f"{setting} = {right}", driver=driver or "-", right=right)


def connection(block: Block, prefix: str, panel: Panel) -> Iterator[Finding]:
    """Whether it is PostMaster's database, and whose user asks it."""
    where = block.where_is(f"{prefix}dbname")
    yield from maps.database(where, block.get(f"{prefix}dbname"), block.get(f"{prefix}path"), panel)
    yield from maps.database_user(where, block.get(f"{prefix}user"), panel)


def default_scheme(where: str, scheme: str, setting: str) -> Iterator[Finding]:
    """Whether Dovecot reads what PostMaster writes as passwords."""
    write = f"{setting} = {SCHEME}"
    if not scheme:
        yield found(SCHEME_MISSING, where, write)
    elif scheme.upper() == SCHEME:
        yield found(SCHEME_RIGHT, where)
    else:
        kind = SCHEME_READS if scheme.upper() in READ_IT_TOO else SCHEME_WRONG
        yield found(kind, where, write, scheme=scheme)


def password_query(where: str, query: str, role: Role, panel: Panel) -> Iterator[Finding]:
    """What is asked at a sign-in."""
    if not query:
        yield found(NO_PASSWORD_QUERY, where, role.line)
        return
    plain = questions.dovecot_places(query)
    yield from asked.judge(where, plain, role, panel)
    question = questions.read(plain)
    names = {result.alias for result in question.results} if question else {"user"}
    if not names & {"user", "username"}:
        yield found(NO_USER_RETURNED, where, role.line)


def user_query(where: str, query: str, *, sure: bool) -> Iterator[Finding]:
    """What is asked about a user at delivery. ``sure``: it really is."""
    question = questions.read(questions.dovecot_places(query))
    if question is None:
        return
    unknown = [column for column in question.columns if column not in TABLES["virtual_users"]]
    is_other = question.table != "virtual_users"
    if (unknown or is_other) and not sure:
        yield found(USER_QUERY_UNSURE, where)
    elif is_other:
        yield found(USER_QUERY_TABLE, where, table=question.table)
    elif unknown:
        yield found(USER_QUERY_COLUMNS, where, column=unknown)


def iterate_query(where: str, query: str) -> Iterator[Finding]:
    """What is asked for the list of all users."""
    others = [table for table in questions.tables_of(query) if table != "virtual_users"]
    if others:
        line = "iterate_query = SELECT email AS user FROM virtual_users"
        yield found(ITERATE_QUERY, where, line, table=others)
