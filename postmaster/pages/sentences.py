"""A change of the history as a sentence in the page's language."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from ..errors import Phrase
from ..models import HistoryEntry
from ..rules import actions, addresses
from ..rules.actions import Action, Kind
from ..rules.suspensions import Mode
from .directions import isolated
from .translation import number, say

KINDS: Mapping[str, Phrase] = {
    Kind.DOMAIN: Phrase("Domain"),
    Kind.USER: Phrase("User"),
    Kind.ALIAS: Phrase("Alias"),
    Kind.ADMIN: Phrase("Administrator"),
    Kind.SETTING: Phrase("Setting"),
    Kind.NOTE: Phrase("Note"),
    Kind.MAIL: Phrase("Several"),
}
FIELDS: Mapping[str, Phrase] = {
    "name": Phrase("name"),
    "email": Phrase("email address"),
    "source": Phrase("source"),
    "destination": Phrase("destination"),
    "username": Phrase("username"),
    "value": Phrase("value"),
    "text": Phrase("text"),
    "suspended": Phrase("suspended"),
}
MODES: Mapping[str, Phrase] = {
    Mode.SIGN_IN: Phrase("no sign-in"),
    Mode.ALL: Phrase("no sign-in, no mail"),
}
VALUES: Mapping[str, Phrase] = {"True": Phrase("on"), "False": Phrase("off")}
# By which surface a change came.
WAYS: Mapping[str, Phrase] = {
    "page": Phrase("by a page"),
    "api": Phrase("by the API"),
    "command": Phrase("by a command"),
}


def sentence(entry: HistoryEntry) -> str:
    """What was done, with the name, and with old → new where something was changed."""
    template, values = actions.sentence(entry)
    values["name"] = name_of(entry)
    values["difference"] = ", ".join(
        _('%(field)s: "%(old)s" → "%(new)s"', field=field, old=old, new=new)
        for field, old, new in differences(entry)
    )
    if values["count"] is not None:
        values["count"] = number(values["count"])
    words = say(template, **values)
    # What was brought back says so itself.
    if entry.undoes is not None and entry.action != Action.RESTORE:
        return str(_("%(sentence)s (undo)", sentence=words))
    return words


def sentence_with(entry: HistoryEntry, more: int) -> str:
    """The sentence, and how many more rows went along."""
    if not more:
        return sentence(entry)
    words = ngettext(
        "%(sentence)s, with %(num)s more row",
        "%(sentence)s, with %(num)s more rows",
        more,
        sentence=sentence(entry),
    )
    return str(words)


def more_rows(entry: HistoryEntry, parts: int) -> int:
    """How many of a change's parts went along: those of several are the change itself."""
    own = (entry.new or {}).get("count", 0) if actions.is_of_several(entry) else 0
    return max(parts - int(own), 0)


def name_of(entry: HistoryEntry) -> str:
    """The object's name as people read it; that of a setting is a word of ours."""
    is_finding = entry.kind == Kind.MAIL and entry.action in (Action.REPAIR, Action.TAKE_BACK)
    if entry.kind == Kind.SETTING or is_finding:
        return str(_(entry.object_name))
    if entry.kind == Kind.ALIAS:
        return " → ".join(readable(name) for name in entry.object_name.split(" -> "))
    return readable(entry.object_name)


def addresses_in(entry: HistoryEntry) -> list[str]:
    """The addresses that a change was about: of a user, or an alias's source."""
    if entry.kind not in (Kind.USER, Kind.ALIAS) or "@" not in entry.object_name:
        return []
    values = [entry.object_name.split(" -> ")[0]]
    for state in (entry.old or {}, entry.new or {}):
        values += [str(state[field]) for field in ("email", "source") if state.get(field)]
    return list(dict.fromkeys(values))


def readable(text: str) -> str:
    """A domain or an address with its domain as people read it; its case stays as it is."""
    if "xn--" in text.lower():
        local_part, at, domain = text.rpartition("@")
        text = f"{local_part}{at}{addresses.u_labels(domain)}"
    return isolated(text)


def differences(entry: HistoryEntry) -> list[tuple[str, str, str]]:
    """Each field that was changed, set or removed: its name, old and new, all in words."""
    old, new = entry.old or {}, entry.new or {}
    return [
        (
            _(FIELDS[field]),
            _value(entry, field, old.get(field)),
            _value(entry, field, new.get(field)),
        )
        for field in FIELDS
        if field in {**old, **new}
        and old.get(field) != new.get(field)
        and not (field == "source" and entry.kind == Kind.ADMIN)
    ]


def _value(entry: HistoryEntry, field: str, value: Any) -> str:
    if value is None:
        return ""
    if field == "suspended":
        return str(_(MODES[Mode(value)]))
    if entry.kind == Kind.SETTING and value in VALUES:
        return str(_(VALUES[value]))
    return readable(str(value))


def kind_in_words(kind: str) -> str:
    """The kind of an object, as a heading or a choice."""
    return str(_(KINDS[kind]))


def way_in_words(via: str) -> str:
    """By which surface a change came."""
    return str(_(WAYS[via])) if via in WAYS else via
