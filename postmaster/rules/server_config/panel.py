"""What PostMaster itself is, as far as the mail server's configuration has to fit it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# The guides' three tables, with the columns that a query may name.
TABLES = {
    "virtual_domains": frozenset({"id", "name"}),
    "virtual_users": frozenset({"id", "domain_id", "password", "email"}),
    "virtual_aliases": frozenset({"id", "domain_id", "source", "destination"}),
}


@dataclass(frozen=True)
class Panel:
    """PostMaster's database, its user there, its settings, and domains of the table.

    ``database`` is a name, or an SQLite file's path where ``is_file``. ``delimiter`` and
    ``mail_folder`` are the settings' values, or None where they are not to be compared.
    ``domains`` holds those of the asked names that are in ``virtual_domains``, in lower case.
    ``setting_ids`` are the rows of the settings, by name.
    """

    database: str
    user: str = ""
    is_file: bool = False
    email2email: bool = False
    delimiter: str | None = None
    mail_folder: str | None = None
    domains: frozenset[str] = frozenset()
    setting_ids: Mapping[str, int] = field(default_factory=dict)
