"""The questions that the mail server has to ask, and what is wrong with one that it asks."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...errors import Phrase
from . import questions
from .findings import Finding, Kind, Severity, found
from .panel import TABLES, Panel

TEMPORARY = Phrase(
    "The database cannot read the query. Postfix answers every address with a temporary error, "
    "and senders try again for days."
)
NO_SIGN_IN = Phrase("Users cannot sign in, whatever password PostMaster sets.")
NOTHING_ARRIVES = Phrase("What PostMaster changes does not reach the mail server.")


@dataclass(frozen=True)
class Role:
    """What one query is for: what it has to ask, and what it means when it does not.

    ``results`` are the columns that it has to return, none where any answer will do.
    ``place`` stands for the address; ``name`` is the setting that the query belongs to.
    """

    setting: str
    table: str
    key: str
    right: str
    place: str
    bad: Phrase
    unreadable: Phrase = TEMPORARY
    results: tuple[str, ...] = ()

    @property
    def is_sign_in(self) -> bool:
        """Whether Dovecot asks it, not Postfix."""
        return "password" in self.results

    @property
    def line(self) -> str:
        """The line to write."""
        return f"{self.setting} = {self.right}"


DOMAINS = Role(
    "query",
    "virtual_domains",
    "name",
    "SELECT 1 FROM virtual_domains WHERE name='%s'",
    "%s",
    Phrase("Postfix does not know which domains are here, and refuses mail to them."),
)
MAILBOXES = Role(
    "query",
    "virtual_users",
    "email",
    "SELECT 1 FROM virtual_users WHERE email='%s'",
    "%s",
    Phrase("Postfix does not know which users are here, and refuses mail to them."),
)
ALIASES = Role(
    "query",
    "virtual_aliases",
    "source",
    "SELECT destination FROM virtual_aliases WHERE source='%s'",
    "%s",
    Phrase("Mail to an alias is refused, or goes to wrong addresses."),
    results=("destination",),
)
EMAIL2EMAIL = Role(
    "query",
    "virtual_users",
    "email",
    "SELECT email FROM virtual_users WHERE email='%s'",
    "%s",
    Phrase("A catch-all takes the mail of the users of its domain."),
    results=("email",),
)
SIGN_IN = Role(
    "password_query",
    "virtual_users",
    "email",
    "SELECT email AS user, password FROM virtual_users WHERE email='%u'",
    "%u",
    NO_SIGN_IN,
    NO_SIGN_IN,
    ("password",),
)

# Dovecot 2.4 has the query within its passdb, and no short variables.
SIGN_IN_24 = replace(SIGN_IN, setting="query", right=SIGN_IN.right.replace("%u", "%{user}"))

RIGHT = Kind(
    "question-right",
    Severity.OK,
    Phrase("It asks the right question: %(query)s"),
    Phrase("What PostMaster writes is what the mail server reads."),
)
NO_QUERY = Kind("no-query", Severity.ERROR, Phrase("It has no query."))
OPEN_QUOTE = Kind("open-quote", Severity.ERROR, Phrase("The query has a quote without its pair."))
QUOTED_QUERY = Kind(
    "quoted-query",
    Severity.ERROR,
    Phrase("The whole query stands in quotes, which count as a part of it."),
)
UNREAD_QUERY = Kind(
    "query-not-understood",
    Severity.WARNING,
    Phrase("This query is not one of the guides', and is not understood here: %(query)s"),
    Phrase("Compare it by hand with the guides' query. It may be right."),
)
OTHER_TABLE = Kind(
    "other-table",
    Severity.ERROR,
    Phrase("It asks the table %(table)s. It has to ask %(right)s."),
)
OTHER_COLUMN = Kind(
    "other-column",
    Severity.ERROR,
    Phrase("It names the column %(column)s, which the guides' table %(table)s does not have."),
)
OTHER_KEY = Kind(
    "other-key",
    Severity.ERROR,
    Phrase("It looks for the address in the column %(column)s. It has to be %(right)s."),
)
OTHER_RESULT = Kind(
    "other-result",
    Severity.ERROR,
    Phrase("It returns %(result)s. It has to return %(right)s."),
)
UNQUOTED = Kind(
    "place-without-quotes",
    Severity.ERROR,
    Phrase("There are no quotes around %(place)s in the query."),
)
OTHER_PLACE = Kind(
    "other-place",
    Severity.ERROR,
    Phrase("It compares with %(place)s. It has to compare with %(right)s, the whole address."),
)
CATCH_ALLS_LEFT_OUT = Kind(
    "catch-alls-left-out",
    Severity.ERROR,
    Phrase("It compares with %(place)s, which Postfix does not look up for catch-alls."),
    Phrase("Catch-alls take no mail. Other aliases work."),
)
NO_CONDITION = Kind(
    "no-condition",
    Severity.ERROR,
    Phrase("It does not compare with the address, so that every address gets the same answer."),
)
MORE_CONDITIONS = Kind(
    "more-conditions",
    Severity.WARNING,
    Phrase("It also compares the column %(column)s."),
    Phrase("Rows that PostMaster shows as any others may not count for the mail server."),
)
ONE_ROW_ONLY = Kind(
    "one-row-only",
    Severity.ERROR,
    Phrase("Its LIMIT lets only %(limit)s of the rows through."),
    Phrase("An alias with several destinations does not reach all of them."),
)
OTHER_DATABASE = Kind(
    "other-database",
    Severity.ERROR,
    Phrase("It asks the database %(database)s, and PostMaster writes to %(panel)s."),
    NOTHING_ARRIVES,
)


def judge(where: str, query: str, role: Role, panel: Panel) -> Iterator[Finding]:
    """What is wrong with a query in this role; that it is right if nothing is.

    Of one that is wrong anyway, nobody is told that a part of it may be right.
    """
    faults = list(_faults(where, query, role, panel))
    if any(fault.severity is Severity.ERROR for fault in faults):
        faults = [fault for fault in faults if fault.kind is not UNREAD_QUERY]
    yield from faults
    if not any(fault.severity is Severity.ERROR for fault in faults) and (
        UNREAD_QUERY not in {fault.kind for fault in faults}
    ):
        yield found(RIGHT, where, query=query)


def _faults(where: str, query: str, role: Role, panel: Panel) -> Iterator[Finding]:
    if not query:
        yield found(NO_QUERY, where, role.line, means=role.bad)
        return
    if query[0] in "'\"":
        yield found(QUOTED_QUERY, where, role.line, means=role.unreadable)
        return
    if questions.has_open_quote(query):
        yield found(OPEN_QUOTE, where, role.line, means=role.unreadable)
        return
    asked = questions.read(query)
    others = [table for table in questions.tables_of(query) if table not in TABLES]
    if asked is None and others:
        yield found(
            OTHER_TABLE, where, role.line, means=NOTHING_ARRIVES, table=others, right=role.table
        )
    elif asked is None:
        yield found(UNREAD_QUERY, where, role.line, query=query)
    elif asked.table != role.table:
        yield found(
            OTHER_TABLE, where, role.line, means=role.bad, table=asked.table, right=role.table
        )
    else:
        yield from _faults_within(where, asked, role, panel)


def _faults_within(
    where: str, asked: questions.Question, role: Role, panel: Panel
) -> Iterator[Finding]:
    """The table is right."""
    unknown = [column for column in asked.columns if column not in TABLES[role.table]]
    if unknown:
        yield found(
            OTHER_COLUMN, where, role.line, means=role.unreadable, column=unknown, table=role.table
        )
    if asked.database and not panel.is_file and asked.database != panel.database:
        yield found(OTHER_DATABASE, where, role.line, database=asked.database, panel=panel.database)
    yield from _wrong_results(where, asked, role)
    yield from _wrong_conditions(where, asked, role)
    if role is ALIASES and asked.limit is not None:
        yield found(ONE_ROW_ONLY, where, role.line, limit=asked.limit)


def _wrong_results(where: str, asked: questions.Question, role: Role) -> Iterator[Finding]:
    if not role.results:
        return
    if role.is_sign_in:  # Dovecot goes by the names of what is returned
        is_right = ("password", "password") in {(r.column, r.alias) for r in asked.results}
    else:  # Postfix takes every column as one more destination
        is_right = {result.column for result in asked.results} == set(role.results)
    if not is_right:
        yield found(
            OTHER_RESULT,
            where,
            role.line,
            means=role.bad,
            result=[result.text for result in asked.results],
            right=list(role.results),
        )


def _wrong_conditions(where: str, asked: questions.Question, role: Role) -> Iterator[Finding]:
    placed = [condition for condition in asked.conditions if "%" in condition.value]
    for condition in asked.conditions:
        is_known = condition.column in TABLES[role.table]  # the others are a fault already
        if condition not in placed and condition.column != role.key and is_known:
            yield found(MORE_CONDITIONS, where, role.line, column=condition.column)
    if not placed:
        yield found(NO_CONDITION, where, role.line, means=role.bad)
        return
    for condition in placed:
        yield from _wrong_condition(where, condition, role)


def _wrong_condition(where: str, condition: questions.Condition, role: Role) -> Iterator[Finding]:
    if condition.operator != "=":
        yield found(
            UNREAD_QUERY,
            where,
            role.line,
            query=f"{condition.column} {condition.operator} {condition.value}",
        )
    elif not condition.quoted:
        yield found(UNQUOTED, where, role.line, means=role.unreadable, place=condition.value)
    elif condition.column != role.key:
        yield found(
            OTHER_KEY, where, role.line, means=role.bad, column=condition.column, right=role.key
        )
    elif condition.value.lower() not in _whole_address(role):
        if role is ALIASES and condition.value.lower() == "%u@%d":
            yield found(CATCH_ALLS_LEFT_OUT, where, role.line, place=condition.value)
        else:
            yield found(
                OTHER_PLACE,
                where,
                role.line,
                means=role.bad,
                place=condition.value,
                right=role.place,
            )


def _whole_address(role: Role) -> tuple[str, ...]:
    """What stands for all that is looked up (mysql_table(5); Dovecot's variables)."""
    if role is DOMAINS:
        return ("%s", "%u")  # of a name without an @, %u is all of it
    if role.is_sign_in:
        return ("%u", "%n@%d")
    return ("%s",) if role is ALIASES else ("%s", "%u@%d")
