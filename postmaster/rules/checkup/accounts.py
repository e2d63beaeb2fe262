"""The accounts of PostMaster itself: the default password, and the database user's rights."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...database_faults import FOR_UPGRADES, NEEDED
from ...db import db
from ...errors import Phrase
from ...models import Admin
from .. import admins, sessions
from .findings import Finding, Kind, Sample, Severity

DEFAULT_PASSWORD = Kind(
    "default-password",
    Severity.ERROR,
    Phrase("Administrators with the password of a new installation"),
    Phrase("It is in the documentation: anybody who reaches the panel can sign in. Change it now."),
)
DATABASE_ADMINISTRATOR = Kind(
    "database-administrator",
    Severity.WARNING,
    Phrase("PostMaster's database user may do everything on the server"),
    Phrase(
        "Whoever breaks into PostMaster has all databases of the server. Give it a user of its "
        "own that has its one database: these statements, run by the administrator of the "
        "database, with a password and a name of your choice."
    ),
)
DATABASE_MORE = Kind(
    "database-more",
    Severity.WARNING,
    Phrase("PostMaster's database user has rights beyond its database"),
    Phrase(
        "It needs none outside the database %(database)s, and may not give its rights away. "
        "These statements, run by the administrator of the database, take them back."
    ),
)
DATABASE_LESS = Kind(
    "database-less",
    Severity.ERROR,
    Phrase("PostMaster's database user lacks rights"),
    Phrase(
        "Without %(rights)s, changes fail or nothing can be read. The checkup has the statement "
        "that grants them, for the administrator of the database."
    ),
)
NO_UPGRADES = Kind(
    "database-no-upgrades",
    Severity.NOTE,
    Phrase("PostMaster's database user may not change the form of tables"),
    Phrase(
        "That is the safest while PostMaster runs. Before an upgrade it needs the rights of "
        "these statements."
    ),
)
ALL = "ALL PRIVILEGES"
NONE = "USAGE"
# GRANT SELECT, UPDATE (`a`, `b`) ON `db`.* TO `user`@`host` WITH GRANT OPTION
GRANT = re.compile(
    r"GRANT (?P<rights>.+?) ON (?:TABLE )?(?P<database>\*|`(?:[^`]|``)+`|\w+)\.(?P<table>\S+) TO ",
)
ROLE = re.compile(r"GRANT [`'](?P<role>(?:[^`']|``)+)[`'](?:@\S+)?(?:, .*)? TO ")
COLUMNS = re.compile(r"\s*\([^)]*\)")


@dataclass
class Rights:
    """What a database user may do: everywhere, in its own database, in which others."""

    everywhere: set[str] = field(default_factory=set)
    here: set[str] = field(default_factory=set)
    # On single tables of it.
    tables: dict[str, set[str]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    may_grant: list[str] = field(default_factory=list)
    has_roles: bool = False

    @property
    def is_administrator(self) -> bool:
        """Whether it may do everything, or make itself so."""
        return bool(self.everywhere & {ALL, "SUPER", "CREATE USER", "GRANT OPTION"})

    def lacks(self, wanted: Sequence[str]) -> list[str]:
        """Which of these rights it does not have here."""
        has = self.everywhere | self.here
        # What every table has by itself; some rights are not for tables one by one.
        own = [self.tables.get(table, set()) for table in db.metadata.tables]
        return [
            right
            for right in wanted
            if not {right, ALL} & has and not all({right, ALL} & some for some in own)
        ]


def find(session: Session) -> list[Finding]:
    """What is odd about the accounts."""
    return [*_default_password(session), *database_user(session)]


def _default_password(session: Session) -> list[Finding]:
    first = select(func.min(Admin.id)).scalar_subquery()
    is_default = (Admin.username == sessions.DEFAULT_USERNAME) | (Admin.id == first)
    found = [
        Sample("admin", admin.id, admin.username or "")
        for admin in session.scalars(select(Admin).where(is_default).order_by(Admin.id))
        if admins.is_default_password(admin.password)
    ]
    return [Finding(DEFAULT_PASSWORD, len(found), found)] if found else []


def database_user(session: Session) -> list[Finding]:
    """What is odd about the rights of PostMaster's database user."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return []
    database = str(connection.engine.url.database)
    account = str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar())
    name, _, host = account.rpartition("@")
    grants = [str(row[0]) for row in connection.exec_driver_sql("SHOW GRANTS")]
    return judge(rights_of(grants, database), database, f"'{name}'@'{host}'")


def rights_of(grants: Sequence[str], database: str) -> Rights:
    """What the lines of ``SHOW GRANTS`` allow in this database and beyond."""
    rights = Rights()
    for line in grants:
        granted = GRANT.match(line)
        if granted is None:
            rights.has_roles = rights.has_roles or ROLE.match(line) is not None
            continue
        listed = COLUMNS.sub("", granted["rights"]).upper().split(",")
        some = {right.strip() for right in listed} - {NONE, "PROXY"}
        name = _plain(granted["database"])
        if line.rstrip().endswith("WITH GRANT OPTION"):
            rights.may_grant.append(f"{granted['database']}.{granted['table']}")
            if name == "*":
                some.add("GRANT OPTION")
        if name == "*":
            rights.everywhere |= some
        elif _matches(name, database):
            table = _plain(granted["table"])
            (rights.here if table == "*" else rights.tables.setdefault(table, set())).update(some)
        elif some:
            rights.elsewhere.add(f"{granted['database']}.{granted['table']}")
    return rights


def _plain(quoted: str) -> str:
    return quoted.strip("`").replace("``", "`")


def _matches(pattern: str, database: str) -> bool:
    """Whether a database is meant: ``_`` and ``%`` in a grant are as in LIKE."""
    expression = re.sub(
        r"\\\\?([_%])|(%)|(_)|([^_%\\])",
        lambda found: (
            re.escape(found[1])
            if found[1]
            else ".*"
            if found[2]
            else "."
            if found[3]
            else re.escape(found[4])
        ),
        pattern,
    )
    return re.fullmatch(expression, database, re.IGNORECASE) is not None


def judge(rights: Rights, database: str, account: str) -> list[Finding]:
    """What is odd about a database user's rights."""
    place = f"`{database}`.*"
    values = {"database": database}
    every = ", ".join((*NEEDED, *FOR_UPGRADES))
    if rights.is_administrator:
        statements = (
            "CREATE USER 'postmaster'@'localhost' IDENTIFIED BY '...';",
            f"GRANT {every} ON {place} TO 'postmaster'@'localhost';",
        )
        sample = [Sample("database user", 0, account)]
        return [Finding(DATABASE_ADMINISTRATOR, 1, sample, statements, values)]
    findings = []
    beyond = sorted(rights.everywhere - {"GRANT OPTION"})
    take_back = [f"REVOKE {', '.join(beyond)} ON *.* FROM {account};"] if beyond else []
    take_back += [f"REVOKE ALL ON {other} FROM {account};" for other in sorted(rights.elsewhere)]
    take_back += [
        f"REVOKE GRANT OPTION ON {granted} FROM {account};"
        for granted in rights.may_grant
        if granted not in rights.elsewhere
    ]
    if take_back:
        count = len(take_back)
        if missing := [right for right in NEEDED if right in beyond]:
            take_back.insert(0, f"GRANT {', '.join(missing)} ON {place} TO {account};")
        # No sample: the statements name each right, once.
        findings.append(Finding(DATABASE_MORE, count, (), take_back, values))
    if rights.has_roles:  # a server may not say what a role brings
        return findings
    for kind, wanted in ((DATABASE_LESS, NEEDED), (NO_UPGRADES, FOR_UPGRADES)):
        if lacking := rights.lacks(wanted):
            named = ", ".join(lacking)
            statement = f"GRANT {named} ON {place} TO {account};"
            more = values | {"rights": named}
            findings.append(Finding(kind, len(lacking), (), [statement], more))
    return findings
