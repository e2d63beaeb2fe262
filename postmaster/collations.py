"""How PostMaster's own columns compare with those of the mail tables.

The mail tables have whatever character set and collation they came with, and MySQL refuses to
compare columns whose collations differ. So own columns that are compared with them have one
that is known, and the mail tables' side is converted to it: the index on the own column serves.
"""

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

# Every MySQL and MariaDB has it, and it compares as the guides' utf8_general_ci does.
CHARSET = "utf8mb4"
COLLATION = "utf8mb4_general_ci"


def any_case(length: int) -> TypeEngine[str]:
    """Text that compares without case: by the collation on MySQL, by NOCASE on SQLite."""
    return String(length).with_variant(sqlite.VARCHAR(length, collation="NOCASE"), "sqlite")


def compared(length: int) -> TypeEngine[str]:
    """The type of an own column that is compared with the mail tables': as ``any_case``."""
    known = mysql.VARCHAR(length, charset=CHARSET, collation=COLLATION)
    return any_case(length).with_variant(known, "mysql", "mariadb")


def exact(length: int) -> TypeEngine[str]:
    """Text of which every octet counts, as in the identifiers of others."""
    known = mysql.VARCHAR(length, charset=CHARSET, collation=f"{CHARSET}_bin")
    return String(length).with_variant(known, "mysql", "mariadb")


class AsOwn(FunctionElement[str]):
    """A text of the mail tables as an own ``compared`` column compares it."""

    type = String()
    name = "as_own"
    inherit_cache = True

    def __init__(self, text: ColumnElement[str]) -> None:
        super().__init__(text)


@compiles(AsOwn, "sqlite")
def _without_case(element: AsOwn, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)}) COLLATE NOCASE"


@compiles(AsOwn, "mysql")
@compiles(AsOwn, "mariadb")
def _converted(element: AsOwn, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f"CONVERT({text} USING {CHARSET}) COLLATE {COLLATION}"
