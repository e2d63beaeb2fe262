"""Whether Dovecot lets the users of the tables sign in, and where it puts their mail.

The settings are those of Dovecot 2.3, and of 2.4 where they are named otherwise.
"""

from collections.abc import Iterator

from ...errors import Phrase
from . import dovecot_sql, questions
from .asked import NO_SIGN_IN, SIGN_IN_24
from .dovecot_syntax import Block
from .findings import Finding, Kind, Severity, found
from .panel import Panel

SYSTEM_PASSDBS = ("pam", "passwd", "shadow", "bsdauth")

STATIC_23 = (
    "userdb {",
    "  driver = static",
    "  args = uid=vmail gid=vmail home=/var/mail/vhosts/%d/%n",
    "}",
)
STATIC_24 = (
    "userdb static {",
    "  fields {",
    "    uid = vmail",
    "    gid = vmail",
    "    home = /var/mail/vhosts/%{user | domain}/%{user | username}",
    "  }",
    "}",
)

NO_SQL_PASSDB = Kind(
    "no-sql-passdb",
    Severity.ERROR,
    Phrase("No passdb asks the database."),
    NO_SIGN_IN,
)
SYSTEM_PASSDB = Kind(
    "system-passdb",
    Severity.WARNING,
    Phrase("There is a passdb %(driver)s besides the database."),
    Phrase("Accounts of the system can sign in too; PostMaster does not see them."),
)
NO_USERDB = Kind(
    "no-userdb",
    Severity.ERROR,
    Phrase("There is no userdb that says where the mailboxes of the tables' users are."),
    Phrase("Mail is not delivered, and users cannot open their mailboxes."),
)
USERDB_RIGHT = Kind(
    "userdb-right",
    Severity.OK,
    Phrase("The userdb is %(driver)s."),
    Phrase("A new user needs nothing more than its row."),
)
PREFETCH_ALONE = Kind(
    "prefetch-alone",
    Severity.ERROR,
    Phrase("The only userdb is prefetch, which works for sign-ins and not for delivery."),
    Phrase("Mail comes back to its sender, or waits."),
)
NAME_CUT = Kind(
    "username-cut",
    Severity.ERROR,
    Phrase("auth_username_format is %(format)s, which drops the domain."),
    Phrase("The table has whole addresses: no user is found."),
)
FEW_CHARACTERS = Kind(
    "username-characters",
    Severity.ERROR,
    Phrase("auth_username_chars lacks %(missing)s."),
    Phrase("Users with such an address neither sign in nor get mail."),
)
CACHED = Kind(
    "auth-cache",
    Severity.WARNING,
    Phrase("Dovecot remembers sign-ins (auth_cache_size is %(size)s)."),
    Phrase(
        "An old password, and a user that was deleted, can work for up to an hour, or for "
        "auth_cache_ttl. This ends it at once:"
    ),
)
FOLDER = Kind(
    "mail-folder",
    Severity.OK,
    Phrase("The mail of a user is in %(folder)s."),
    Phrase("That is the folder to move when a user's address changes."),
)
FOLDER_SHARED = Kind(
    "mail-folder-shared",
    Severity.ERROR,
    Phrase("The mail folder %(folder)s is not another one for each address."),
    Phrase("Users read each other's mail."),
)
NO_LMTP = Kind(
    "no-lmtp",
    Severity.ERROR,
    Phrase("LMTP is not among the protocols."),
    Phrase("Postfix cannot hand mail over: it waits."),
)
CLEARTEXT = Kind(
    "cleartext",
    Severity.WARNING,
    Phrase("Users can sign in without TLS (%(setting)s)."),
    Phrase("Their passwords can be read on the way."),
)


def judge(main: Block, panel: Panel, *, by_lmtp: bool) -> Iterator[Finding]:
    """Dovecot's configuration. ``by_lmtp``: Postfix hands mail over so."""
    yield from _passdbs(main, panel)
    yield from _userdbs(main, panel)
    yield from _usernames(main)
    yield from _folders(main)
    if main.get("auth_cache_size", "0") not in ("", "0"):
        yield found(
            CACHED,
            main.where_is("auth_cache_size"),
            "doveadm auth cache flush",
            size=main.get("auth_cache_size"),
        )
    if by_lmtp and lacks_lmtp(main):
        line = f"protocols = {main.get('protocols')} lmtp"
        yield found(NO_LMTP, main.where_is("protocols"), line)
    yield from _cleartext(main)


def mail_folder(main: Block) -> str | None:
    """The pattern of the mailboxes' folders, with ``%u``, ``%n`` and ``%d``; None if unknown."""
    location = main.get("mail_path") or main.get("mail_location")
    if not location:
        return None
    driver, colon, path = location.partition(":")
    path = (path if colon and driver.isalnum() else location).partition(":")[0]
    path = questions.dovecot_places(path)
    if path.startswith(("~", "%h", "%{home}")):
        rest = path.partition("/")[2]
        home = _home(main)
        path = f"{home}/{rest}" if home else path
    return path.rstrip("/") or None


def where_folder(main: Block) -> str:
    """The text that says where mailboxes are."""
    return main.where_is("mail_path" if main.get("mail_path") else "mail_location")


def _home(main: Block) -> str:
    for userdb in main.of_kind("userdb"):
        fields = [userdb.get("home"), *(block.get("home") for block in userdb.of_kind("fields"))]
        fields += [_home_argument(userdb.get(name)) for name in ("args", "default_fields")]
        for home in fields:
            if home:
                return questions.dovecot_places(home).rstrip("/")
    return questions.dovecot_places(main.get("mail_home")).rstrip("/")


def _home_argument(arguments: str) -> str:
    found_home = [word for word in arguments.split() if word.startswith("home=")]
    return found_home[0].removeprefix("home=") if found_home else ""


def listeners(main: Block, service: str) -> list[Block]:
    """The sockets and ports that a service is told to listen at."""
    return [
        listener
        for block in main.of_kind("service")
        if block.label == service
        for listener in block.everywhere()
        if listener.kind in ("unix_listener", "inet_listener")
    ]


def lacks_lmtp(main: Block) -> bool:
    """Whether LMTP is left out of the protocols."""
    return "protocols" in main.settings and "lmtp" not in main.get("protocols").split()


def has_sql(main: Block) -> bool:
    """Whether the queries stand in this configuration itself, as from 2.4 on."""
    return any(
        _asks_database(block) and "query" in block.settings for block in main.of_kind("passdb")
    )


def userdb_asks(main: Block) -> bool:
    """Whether a userdb uses a query."""
    return any(_asks_database(block) for block in main.of_kind("userdb"))


def is_24(main: Block) -> bool:
    """Whether it is written for Dovecot 2.4: its blocks have names."""
    return any(block.label for kind in ("passdb", "userdb") for block in main.of_kind(kind))


def _asks_database(block: Block) -> bool:
    return _driver_of(block) == "sql"


def _driver_of(block: Block) -> str:
    return (block.get("driver") or block.label).lower()


def _passdbs(main: Block, panel: Panel) -> Iterator[Finding]:
    passdbs = main.of_kind("passdb")
    asking = [block for block in passdbs if _asks_database(block)]
    if not asking:
        write = ("passdb {", "  driver = sql", "  args = /etc/dovecot/dovecot-sql.conf.ext", "}")
        yield found(NO_SQL_PASSDB, main.where, *write)
    for block in passdbs:
        if _driver_of(block) in SYSTEM_PASSDBS:
            yield found(SYSTEM_PASSDB, block.where, driver=_driver_of(block))
    for block in asking:
        if "query" not in block.settings and not block.label:
            continue  # 2.3: the SQL file has it
        for database in main.of_kind("mysql") + block.of_kind("mysql"):
            yield from dovecot_sql.connection(database, "", panel)
        driver = block.get("sql_driver") or main.get("sql_driver")
        yield from dovecot_sql.driver(main.where_is("sql_driver"), driver, "sql_driver", panel)
        scheme = block.get("default_password_scheme") or main.get("default_password_scheme")
        yield from dovecot_sql.default_scheme(block.where, scheme, "passdb_default_password_scheme")
        yield from dovecot_sql.password_query(block.where, block.get("query"), SIGN_IN_24, panel)


def _userdbs(main: Block, panel: Panel) -> Iterator[Finding]:
    userdbs = main.of_kind("userdb")
    drivers = [_driver_of(block) for block in userdbs]
    useful = [driver for driver in drivers if driver in ("static", "sql")]
    if useful:
        yield found(USERDB_RIGHT, main.where, driver=useful)
    else:
        write = STATIC_24 if is_24(main) else STATIC_23
        kind = PREFETCH_ALONE if drivers == ["prefetch"] else NO_USERDB
        yield found(kind, main.where, *write)
    for block in userdbs:
        if _asks_database(block) and "query" in block.settings:
            yield from dovecot_sql.user_query(block.where, block.get("query"), sure=True)
            yield from dovecot_sql.iterate_query(block.where, block.get("iterate_query"))


def _usernames(main: Block) -> Iterator[Finding]:
    lmtp = [block for block in main.of_kind("protocol") if block.label == "lmtp"]
    for block in [main, *lmtp]:
        written = block.get("auth_username_format")
        places = questions.dovecot_places(written)
        keeps_domain = "%u" in places or ("%n" in places and "%d" in places)
        if written and "%" in places and not keeps_domain:
            right = "%{user | lower}" if is_24(main) else "%Lu"
            where = block.where_is("auth_username_format")
            yield found(NAME_CUT, where, f"auth_username_format = {right}", format=written)
    characters = main.get("auth_username_chars")
    needed = "abcdefghijklmnopqrstuvwxyz0123456789.-_@"
    missing = [c for c in needed if c not in characters.lower()]
    if characters and missing:
        yield found(
            FEW_CHARACTERS,
            main.where_is("auth_username_chars"),
            "auth_username_chars = "
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@",
            missing=missing,
        )


def _folders(main: Block) -> Iterator[Finding]:
    folder = mail_folder(main)
    if folder is None or folder.startswith(("~", "%h", "%{")):
        return
    where = where_folder(main)
    if "%u" in folder or ("%n" in folder and "%d" in folder):
        yield found(FOLDER, where, folder=folder)
    else:
        right = (
            "mail_path = /var/mail/vhosts/%{user | domain}/%{user | username}"
            if is_24(main)
            else "mail_location = maildir:/var/mail/vhosts/%d/%n"
        )
        yield found(FOLDER_SHARED, where, right, folder=folder)


def _cleartext(main: Block) -> Iterator[Finding]:
    for name, bad, good in (
        ("disable_plaintext_auth", "no", "yes"),
        ("auth_allow_cleartext", "yes", "no"),
        ("ssl", "no", "required"),
    ):
        if main.get(name).lower() == bad:
            yield found(
                CLEARTEXT, main.where_is(name), f"{name} = {good}", setting=f"{name} = {bad}"
            )
