"""Postfix's map files: which map is which, and whether each asks what it should.

The parameters are those of mysql_table(5) and sqlite_table(5).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ...errors import Phrase
from . import asked, questions
from .asked import ALIASES, DOMAINS, EMAIL2EMAIL, MAILBOXES, Role
from .findings import Finding, Kind, Severity, found
from .panel import TABLES, Panel
from .postfix_syntax import MapName, Parameters, read
from .texts import Text

WANTED = frozenset(
    {
        "additional_conditions",
        "dbname",
        "dbpath",
        "domain",
        "expansion_limit",
        "hosts",
        "query",
        "result_format",
        "select_field",
        "table",
        "user",
        "where_field",
    }
)
USUAL_NAMES = {
    DOMAINS: "mysql-virtual-mailbox-domains.cf",
    MAILBOXES: "mysql-virtual-mailbox-maps.cf",
    ALIASES: "mysql-virtual-alias-maps.cf",
    EMAIL2EMAIL: "mysql-virtual-email2email.cf",
}
ADMINISTRATORS = ("root", "mysql", "mariadb.sys", "admin")

NO_DATABASE = Kind(
    "no-database",
    Severity.ERROR,
    Phrase("It does not say which database to ask."),
    asked.TEMPORARY,
)
OWN_USER = Kind(
    "panels-user",
    Severity.WARNING,
    Phrase("It signs in to the database as %(user)s, as PostMaster does."),
    Phrase(
        "The mail server only reads. A user of its own, which may do nothing else, keeps a "
        "stolen password from changing mailboxes."
    ),
)
ADMINISTRATOR = Kind(
    "administrators-user",
    Severity.WARNING,
    Phrase("It signs in to the database as %(user)s, who may do everything there."),
    OWN_USER.meaning,
)
OLD_FORM = Kind(
    "old-form",
    Severity.WARNING,
    Phrase("It is written in the form of Postfix before 2.2, which a later Postfix may not read."),
    Phrase("It works today."),
)
CHANGED_RESULT = Kind(
    "changed-result",
    Severity.ERROR,
    Phrase("Its result_format %(format)s changes what the table holds."),
    Phrase("Mail goes to other addresses than PostMaster shows."),
)
SOME_DOMAINS = Kind(
    "some-domains",
    Severity.ERROR,
    Phrase("Its parameter domain limits it to %(domains)s."),
    Phrase(
        "Addresses of other domains are not looked up, and with this parameter neither are "
        "domains and catch-alls."
    ),
)
FEW_RESULTS = Kind(
    "few-results",
    Severity.WARNING,
    Phrase("Its expansion_limit allows %(limit)s destinations."),
    Phrase("Mail to an alias with more destinations waits, and goes back after days."),
)


@dataclass(frozen=True)
class MapFile:
    """A map's text, read: its name, its parameters, and its query in today's form."""

    name: str
    parameters: Parameters
    query: str

    @property
    def role(self) -> Role | None:
        """What it is for, by the table that it asks; None if that does not tell."""
        tables = questions.tables_of(self.query)
        if "virtual_domains" in tables:
            return DOMAINS
        if "virtual_aliases" in tables:
            return ALIASES
        if "virtual_users" not in tables:
            return None
        question = questions.read(self.query)
        returns_email = question is not None and "email" in {r.column for r in question.results}
        return EMAIL2EMAIL if returns_email else MAILBOXES


def read_map(text: Text) -> MapFile:
    """A map file's text."""
    given = read(text.name, text.content, WANTED)
    query = given.get("query")
    if not query and "table" in given:
        query = (
            f"SELECT {given.get('select_field')} FROM {given.get('table')} "  # noqa: S608 -- read, never run
            f"WHERE {given.get('where_field')} = '%s' {given.get('additional_conditions')}"
        ).strip()
    return MapFile(text.name, given, query)


class MapFiles:
    """The maps that were given, found by the name that main.cf has for each."""

    def __init__(self, maps: Iterable[MapFile]) -> None:
        self.all = list(maps)

    def find(self, wanted: MapName, role: Role | None) -> MapFile | None:
        """The map of this name; else one without a name that asks as this one should."""
        path = PurePosixPath(wanted.name)
        for is_it in (
            lambda name: name == wanted.name,
            lambda name: bool(name) and PurePosixPath(name).name == path.name,
        ):
            for candidate in self.all:
                if is_it(candidate.name):
                    return candidate
        expected = role or _role_by_name(path.name)
        return next((m for m in self.all if not m.name and m.role is expected), None)


def _role_by_name(name: str) -> Role:
    """What a map of the alias list is for, by its file's name."""
    low = name.lower()
    return EMAIL2EMAIL if "email2email" in low or "alias" not in low else ALIASES


def judge(map_file: MapFile, role: Role, panel: Panel) -> Iterator[Finding]:
    """What one map file says, in its role."""
    where, given = map_file.name or USUAL_NAMES[role], map_file.parameters
    yield from asked.judge(where, map_file.query, role, panel)
    if "query" not in given and "table" in given:
        yield found(OLD_FORM, where, role.line)
    yield from database(where, given.get("dbname"), given.get("dbpath"), panel)
    yield from database_user(where, given.get("user"), panel)
    is_looked_at = role in (ALIASES, EMAIL2EMAIL)
    if is_looked_at and given.get("result_format", "%s").lower() != "%s":
        yield found(CHANGED_RESULT, where, "result_format = %s", format=given.get("result_format"))
    if given.get("domain"):
        yield found(SOME_DOMAINS, where, domains=given.get("domain"))
    if role is ALIASES and given.get("expansion_limit", "0") not in ("", "0"):
        yield found(FEW_RESULTS, where, "expansion_limit = 0", limit=given.get("expansion_limit"))


def database(where: str, name: str, path: str, panel: Panel) -> Iterator[Finding]:
    """Whether it is PostMaster's database."""
    if not name and not path:
        yield found(NO_DATABASE, where, *_right_database(panel))
    elif (path if panel.is_file else name) != panel.database:
        yield found(
            asked.OTHER_DATABASE,
            where,
            *_right_database(panel),
            database=name or path,
            panel=panel.database,
        )


def _right_database(panel: Panel) -> tuple[str]:
    return (f"{'dbpath' if panel.is_file else 'dbname'}={panel.database}",)


def database_user(where: str, user: str, panel: Panel) -> Iterator[Finding]:
    """Whether the mail server has a database user of its own."""
    if not user or panel.is_file:
        return
    grants = [
        f"GRANT SELECT ON `{panel.database}`.`{table}` TO 'mailuser'@'127.0.0.1';"
        for table in TABLES
    ]
    if user.lower() in ADMINISTRATORS:
        yield found(ADMINISTRATOR, where, *grants, user=user)
    elif user == panel.user:
        yield found(OWN_USER, where, *grants, user=user)
