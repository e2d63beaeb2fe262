"""Whether the mail tables have the guides' form.

PostMaster does not change it by itself: each finding shows the statement that does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, inspect, text
from sqlalchemy.engine import Connection, Inspector
from sqlalchemy.orm import Session
from sqlalchemy.types import Integer, String

from ...errors import Phrase
from ...models import Alias, Domain, User
from .findings import MOST_SAMPLES, Finding, Kind, Sample, Severity

NO_PRIMARY_KEY = Kind(
    "table-primary-key",
    Severity.ERROR,
    Phrase("Tables whose id is not the primary key"),
    Phrase("Rows cannot be told apart, and every change reads the whole table."),
)
NO_COUNTING = Kind(
    "table-counting",
    Severity.ERROR,
    Phrase("Tables whose id does not count up by itself"),
    Phrase("New rows are refused, or all get the same id."),
)
NO_UNIQUE_KEY = Kind(
    "table-unique-email",
    Severity.ERROR,
    Phrase("Addresses of users that nothing keeps from being there twice"),
    Phrase(
        "Two users of one address share a mail folder, and Dovecot refuses both. Every lookup "
        "reads the whole table."
    ),
)
NO_FOREIGN_KEY = Kind(
    "table-foreign-key",
    Severity.WARNING,
    Phrase("Rows that do not go when their domain is deleted by hand"),
    Phrase("Without the foreign key, deleting a domain by a statement leaves its users behind."),
)
ONE_DESTINATION = Kind(
    "table-unique-source",
    Severity.WARNING,
    Phrase("Aliases that can have only one destination"),
    Phrase("A unique key on the source, which the guides do not have, refuses a second one."),
)
NO_INDEX = Kind(
    "table-index",
    Severity.WARNING,
    Phrase("Columns that are searched without an index"),
    Phrase("Every lookup of the mail server or of PostMaster reads the whole table."),
)
ENGINE = Kind(
    "table-engine",
    Severity.WARNING,
    Phrase("Tables in another engine than InnoDB"),
    Phrase(
        "A change that fails half way stays half done, and no foreign key holds. PostMaster's "
        "changes are whole only in InnoDB."
    ),
)
CHARSET = Kind(
    "table-charset",
    Severity.WARNING,
    Phrase("Columns in another character set than utf8"),
    Phrase("Some texts cannot be stored, and others are compared by their case."),
)
MIXED_COLLATIONS = Kind(
    "table-collations",
    Severity.ERROR,
    Phrase("Columns that the database refuses to compare with one another"),
    Phrase(
        "They have different collations, so PostMaster cannot say what belongs together. "
        "Nothing further was checked."
    ),
)
NARROW = Kind(
    "table-narrow",
    Severity.WARNING,
    Phrase("Columns that are shorter than the guides'"),
    Phrase(
        "Longer values are refused, or cut by a server that is not strict; with a cut hash "
        "nobody signs in."
    ),
)
EXTRA = Kind(
    "table-extra-column",
    Severity.ERROR,
    Phrase("Columns that every new row must fill in"),
    Phrase(
        "They are not the guides', may not be empty and have no default, so PostMaster cannot "
        "add rows."
    ),
)
MODELS = (Domain, User, Alias)
# The Linode guide has 100 for the email, the other 120.
LENGTHS = {
    ("virtual_domains", "name"): (50, 50),
    ("virtual_users", "email"): (100, 120),
    ("virtual_users", "password"): (106, 106),
    ("virtual_aliases", "source"): (100, 100),
    ("virtual_aliases", "destination"): (100, 100),
}
SEARCHED = {
    ("virtual_users", "domain_id"): "domain_id",
    ("virtual_aliases", "domain_id"): "domain_id",
    ("virtual_aliases", "source"): "postmaster_source",
    ("virtual_aliases", "destination"): "postmaster_destination",
}
UTF8 = ("utf8", "utf8mb3", "utf8mb4")
NAMES: BindParameter[Any] = bindparam("names", expanding=True)
ENGINES = text(
    "SELECT table_name, engine FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name IN :names ORDER BY table_name"
).bindparams(NAMES)
COLLATIONS = text(
    "SELECT table_name, column_name, character_set_name, collation_name"
    " FROM information_schema.columns WHERE table_schema = DATABASE()"
    " AND table_name IN :names AND character_set_name IS NOT NULL"
    " ORDER BY table_name, ordinal_position"
).bindparams(NAMES)


@dataclass(frozen=True)
class Difference:
    """One difference: of which kind, where, and the statement that takes it away."""

    kind: Kind
    where: str
    statement: str


def find(session: Session) -> list[Finding]:
    """How the mail tables differ. SQLite is no mail server's database: nothing there."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return []
    found: dict[str, list[Difference]] = {}
    inspector = inspect(connection)
    for look in LOOKS:
        for difference in look(connection, inspector):
            found.setdefault(difference.kind.code, []).append(difference)
    return [
        Finding(
            some[0].kind,
            len(some),
            [Sample("column", 0, difference.where) for difference in some[:MOST_SAMPLES]],
            list(dict.fromkeys(difference.statement for difference in some)),
        )
        for some in found.values()
    ]


def may_be_compared(findings: list[Finding]) -> bool:
    """Whether the rows of different tables can be compared."""
    return all(finding.kind is not MIXED_COLLATIONS for finding in findings)


def _names() -> Iterator[str]:
    return (model.__tablename__ for model in MODELS)


def _keys(connection: Connection, inspector: Inspector) -> Iterator[Difference]:
    for table in _names():
        if inspector.get_pk_constraint(table)["constrained_columns"] != ["id"]:
            statement = f"ALTER TABLE {table} ADD PRIMARY KEY (id);"
            yield Difference(NO_PRIMARY_KEY, f"{table}.id", statement)
        columns = {column["name"]: column for column in inspector.get_columns(table)}
        if not columns["id"].get("autoincrement"):
            statement = f"ALTER TABLE {table} MODIFY id INT NOT NULL AUTO_INCREMENT;"
            yield Difference(NO_COUNTING, f"{table}.id", statement)


def _indexes(connection: Connection, inspector: Inspector) -> Iterator[Difference]:
    for table in _names():
        found = inspector.get_indexes(table)
        unique = {index["column_names"][0] for index in found if _is_unique_of_one(index)}
        first = {index["column_names"][0] for index in found if index["column_names"]}
        first |= set(inspector.get_pk_constraint(table)["constrained_columns"][:1])
        if table == User.__tablename__ and "email" not in unique:
            statement = f"ALTER TABLE {table} ADD UNIQUE KEY email (email);"
            yield Difference(NO_UNIQUE_KEY, f"{table}.email", statement)
        for (searched, column), name in SEARCHED.items():
            if searched == table and column not in first:
                statement = f"ALTER TABLE {table} ADD INDEX {name} ({column});"
                yield Difference(NO_INDEX, f"{table}.{column}", statement)
        for index in found:
            if table == Alias.__tablename__ and _is_unique_of_one(index, "source"):
                statement = (
                    f"ALTER TABLE {table} DROP INDEX `{index['name']}`, "
                    "ADD INDEX postmaster_source (source);"
                    if sum("source" in other["column_names"][:1] for other in found) == 1
                    else f"ALTER TABLE {table} DROP INDEX `{index['name']}`;"
                )
                yield Difference(ONE_DESTINATION, f"{table}.source", statement)


def _is_unique_of_one(index: Any, column: str | None = None) -> bool:
    names = index["column_names"]
    return bool(index["unique"]) and len(names) == 1 and column in (None, names[0])


def _foreign_keys(connection: Connection, inspector: Inspector) -> Iterator[Difference]:
    for table in (User.__tablename__, Alias.__tablename__):
        keys = [
            key
            for key in inspector.get_foreign_keys(table)
            if key["constrained_columns"] == ["domain_id"]
            and key["referred_table"] == Domain.__tablename__
        ]
        if any(key["options"].get("ondelete", "").upper() == "CASCADE" for key in keys):
            continue
        drop = "".join(f"DROP FOREIGN KEY `{key['name']}`, " for key in keys)
        statement = (
            f"ALTER TABLE {table} {drop}ADD FOREIGN KEY (domain_id) "
            f"REFERENCES {Domain.__tablename__} (id) ON DELETE CASCADE;"
        )
        yield Difference(NO_FOREIGN_KEY, f"{table}.domain_id", statement)


def _engines(connection: Connection, inspector: Inspector) -> Iterator[Difference]:
    for table, engine in connection.execute(ENGINES, {"names": tuple(_names())}):
        if str(engine).lower() != "innodb":
            yield Difference(ENGINE, str(table), f"ALTER TABLE {table} ENGINE=InnoDB;")


def _columns(connection: Connection, inspector: Inspector) -> Iterator[Difference]:
    wanted = {model.__tablename__: set(model.__table__.columns.keys()) for model in MODELS}
    for table in _names():
        for column in inspector.get_columns(table):
            where = f"{table}.{column['name']}"
            if column["name"] not in wanted[table]:
                if not column["nullable"] and column["default"] is None:
                    default = "0" if isinstance(column["type"], Integer) else "''"
                    statement = (
                        f"ALTER TABLE {table} ALTER `{column['name']}` SET DEFAULT {default};"
                    )
                    yield Difference(EXTRA, where, statement)
                continue
            least, usual = LENGTHS.get((table, column["name"]), (0, 0))
            kind = column["type"]
            if isinstance(kind, String) and kind.length is not None and kind.length < least:
                statement = (
                    f"ALTER TABLE {table} MODIFY {column['name']} VARCHAR({usual}) NOT NULL;"
                )
                yield Difference(NARROW, f"{where} ({kind.length} < {least})", statement)


def _charsets(connection: Connection, inspector: Inspector) -> Iterator[Difference]:
    found = [
        (str(table), str(column), str(charset), str(collation))
        for table, column, charset, collation in connection.execute(
            COLLATIONS, {"names": tuple(_names())}
        )
        if (table, column) in LENGTHS
    ]
    for table, column, charset, collation in found:
        if charset not in UTF8 or not collation.endswith("_ci"):
            statement = f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8;"
            yield Difference(CHARSET, f"{table}.{column} ({collation})", statement)
    compared = [one for one in found if one[1] != "password"]
    if len({collation for *_names, collation in compared}) > 1:
        for table, column, _charset, collation in compared:
            statement = f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8;"
            yield Difference(MIXED_COLLATIONS, f"{table}.{column} ({collation})", statement)


Look = Callable[[Connection, Inspector], Iterator[Difference]]
LOOKS: tuple[Look, ...] = (_keys, _indexes, _foreign_keys, _engines, _charsets, _columns)
