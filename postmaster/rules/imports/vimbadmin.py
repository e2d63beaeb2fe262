"""The tables of ViMbAdmin 2 and 3, as CSV with their headers.

The columns are those of its ``doctrine2/xml``, from which it makes the tables.
"""

from collections.abc import Mapping

from ...errors import Phrase
from .dumps import ALIAS, DOMAIN, MAILBOX, OFF, Program

IS_BEING_DELETED = Phrase("It is waiting to be deleted there")


def _skipped(row: Mapping[str, str]) -> Phrase | None:
    is_waiting = row.get("delete_pending", "").strip().lower() not in OFF
    return IS_BEING_DELETED if is_waiting else None


PROGRAM = Program(
    "ViMbAdmin",
    {
        MAILBOX: frozenset({"username", "password", "domain_id", "active"}),
        ALIAS: frozenset({"address", "goto", "domain_id", "active"}),
        DOMAIN: frozenset({"domain", "max_aliases", "max_mailboxes", "active"}),
    },
    skipped=_skipped,
)
read = PROGRAM.read
recognises = PROGRAM.recognises
