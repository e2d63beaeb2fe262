"""What can be done to what, and the English sentence for each.

The log has these sentences as they are; the pages translate them. A change of several
things at once has a head in the history, whose sentence counts them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from ..errors import Phrase
from ..models import HistoryEntry


class Action(StrEnum):
    """What was done."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"
    RESTORE = "restore"
    SUSPEND = "suspend"
    RESUME = "resume"
    IMPORT = "import"
    APPLY = "apply"
    REPAIR = "repair"
    TAKE_BACK = "take back"
    CHANGE_PASSWORD = "change password"  # noqa: S105 -- the name of an act
    UNLOCK = "unlock"
    LOCK = "lock"
    ENABLE_SECOND_FACTOR = "enable second factor"
    DISABLE_SECOND_FACTOR = "disable second factor"
    RENEW_RECOVERY_CODES = "renew recovery codes"


class Kind(StrEnum):
    """What it was done to."""

    DOMAIN = "domain"
    USER = "user"
    ALIAS = "alias"
    ADMIN = "admin"
    SETTING = "setting"
    NOTE = "note"
    MAIL = "mail"  # several domains, users and aliases at once


SENTENCES: Mapping[tuple[str, str], Phrase] = {
    (Action.CREATE, Kind.DOMAIN): Phrase('The domain "%(name)s" was created'),
    (Action.CREATE, Kind.USER): Phrase('The user "%(name)s" was created'),
    (Action.CREATE, Kind.ALIAS): Phrase('The alias "%(name)s" was created'),
    (Action.CREATE, Kind.ADMIN): Phrase('The administrator "%(name)s" was created'),
    (Action.CHANGE, Kind.DOMAIN): Phrase('The domain "%(name)s" was changed: %(difference)s'),
    (Action.CHANGE, Kind.USER): Phrase('The user "%(name)s" was changed: %(difference)s'),
    (Action.CHANGE, Kind.ALIAS): Phrase('The alias "%(name)s" was changed: %(difference)s'),
    (Action.CHANGE, Kind.ADMIN): Phrase('The administrator "%(name)s" was changed: %(difference)s'),
    (Action.CHANGE, Kind.SETTING): Phrase('The setting "%(name)s" was changed: %(difference)s'),
    (Action.DELETE, Kind.DOMAIN): Phrase('The domain "%(name)s" was deleted'),
    (Action.DELETE, Kind.USER): Phrase('The user "%(name)s" was deleted'),
    (Action.DELETE, Kind.ALIAS): Phrase('The alias "%(name)s" was deleted'),
    (Action.DELETE, Kind.ADMIN): Phrase('The administrator "%(name)s" was deleted'),
    (Action.RESTORE, Kind.DOMAIN): Phrase('The domain "%(name)s" was brought back'),
    (Action.RESTORE, Kind.USER): Phrase('The user "%(name)s" was brought back'),
    (Action.RESTORE, Kind.ALIAS): Phrase('The alias "%(name)s" was brought back'),
    (Action.RESTORE, Kind.ADMIN): Phrase('The administrator "%(name)s" was brought back'),
    (Action.CREATE, Kind.NOTE): Phrase('The note on "%(name)s" was written'),
    (Action.CHANGE, Kind.NOTE): Phrase('The note on "%(name)s" was changed'),
    (Action.DELETE, Kind.NOTE): Phrase('The note on "%(name)s" was deleted'),
    (Action.RESTORE, Kind.NOTE): Phrase('The note on "%(name)s" was brought back'),
    (Action.SUSPEND, Kind.USER): Phrase('The user "%(name)s" was suspended'),
    (Action.RESUME, Kind.USER): Phrase('The user "%(name)s" is not suspended any more'),
    (Action.CHANGE_PASSWORD, Kind.USER): Phrase('The user "%(name)s" had its password changed'),
    (Action.CHANGE_PASSWORD, Kind.ADMIN): Phrase(
        'The administrator "%(name)s" had its password changed'
    ),
    (Action.UNLOCK, Kind.ADMIN): Phrase('The administrator "%(name)s" was unlocked'),
    (Action.LOCK, Kind.ADMIN): Phrase('The administrator "%(name)s" was locked out'),
    (Action.ENABLE_SECOND_FACTOR, Kind.ADMIN): Phrase(
        'The administrator "%(name)s" had its second factor turned on'
    ),
    (Action.DISABLE_SECOND_FACTOR, Kind.ADMIN): Phrase(
        'The administrator "%(name)s" had its second factor turned off'
    ),
    (Action.RENEW_RECOVERY_CODES, Kind.ADMIN): Phrase(
        'The administrator "%(name)s" had its recovery codes renewed'
    ),
}
# The head of several changes made as one: there are two at least.
SENTENCES_FOR_SEVERAL: Mapping[tuple[str, str], Phrase] = {
    (Action.DELETE, Kind.DOMAIN): Phrase("%(count)s domains were deleted"),
    (Action.DELETE, Kind.USER): Phrase("%(count)s users were deleted"),
    (Action.DELETE, Kind.ALIAS): Phrase("%(count)s aliases were deleted"),
    (Action.DELETE, Kind.ADMIN): Phrase("%(count)s administrators were deleted"),
    (Action.RESTORE, Kind.DOMAIN): Phrase("%(count)s domains were brought back"),
    (Action.RESTORE, Kind.USER): Phrase("%(count)s users were brought back"),
    (Action.RESTORE, Kind.ALIAS): Phrase("%(count)s aliases were brought back"),
    (Action.RESTORE, Kind.ADMIN): Phrase("%(count)s administrators were brought back"),
    (Action.CHANGE, Kind.ALIAS): Phrase("%(count)s aliases were changed"),
    (Action.CHANGE_PASSWORD, Kind.USER): Phrase("%(count)s users had their passwords changed"),
    (Action.SUSPEND, Kind.USER): Phrase("%(count)s users were suspended"),
    (Action.RESUME, Kind.USER): Phrase("%(count)s users are not suspended any more"),
    (Action.IMPORT, Kind.MAIL): Phrase('%(count)s changes were imported from "%(name)s"'),
    (Action.APPLY, Kind.MAIL): Phrase('%(count)s changes were made to match "%(name)s"'),
    (Action.REPAIR, Kind.MAIL): Phrase('%(count)s changes repaired "%(name)s"'),
    (Action.TAKE_BACK, Kind.MAIL): Phrase('%(count)s changes were taken back: "%(name)s"'),
}
PLURALS: Mapping[str, str] = {
    Kind.DOMAIN: "domains",
    Kind.USER: "users",
    Kind.ALIAS: "aliases",
    Kind.ADMIN: "administrators",
    Kind.SETTING: "settings",
    Kind.NOTE: "notes",
    Kind.MAIL: "changes",
}
OF_SEVERAL = 0  # the object's id in the head of several changes


def is_of_several(entry: HistoryEntry) -> bool:
    """Whether this is the head of several changes made as one."""
    return entry.object_id == OF_SEVERAL


def sentence(entry: HistoryEntry) -> tuple[Phrase, dict[str, Any]]:
    """The sentence for a change, and what its places are filled with."""
    values = {
        "name": entry.object_name,
        "difference": difference(entry.old, entry.new),
        "count": (entry.new or {}).get("count"),
    }
    table = SENTENCES_FOR_SEVERAL if is_of_several(entry) else SENTENCES
    return table[entry.action, entry.kind], values


def difference(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    """What changed, in a line: ``name: "Ana" -> "Anna"``."""
    old, new = old or {}, new or {}
    return ", ".join(
        f'{field}: "{old.get(field)}" -> "{value}"'
        for field, value in new.items()
        if old.get(field) != value
    )
