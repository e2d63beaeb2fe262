"""The fields of PostMaster's own formats, as items. The same for CSV and JSON. Pure."""

from collections.abc import Mapping, Sequence

from ...errors import Invalid, Phrase
from .items import AliasItem, BadItem, DomainItem, Item, UserItem

COLUMNS = ("kind", "address", "destination", "password", "hash", "suspended", "note")
OF_KIND: Mapping[str, Sequence[str]] = {
    "domain": ("note",),
    "user": ("password", "hash", "suspended", "note"),
    "alias": ("destination", "note"),
}
NOT_OF_KIND: Mapping[str, Phrase] = {
    "domain": Phrase("A domain has no %(column)s"),
    "user": Phrase("A user has no %(column)s"),
    "alias": Phrase("An alias has no %(column)s"),
}


def item(line: int, fields: Mapping[str, str], file: int = 0) -> Item:
    """The item that a line's fields make. An empty field is one that is not there."""
    kind = fields.get("kind", "").strip().lower()
    if kind not in OF_KIND:
        return BadItem(
            line,
            Invalid("The kind must be domain, user or alias", field="kind"),
            file,
        )
    for field, text in fields.items():
        if text and field not in ("kind", "address") and field not in OF_KIND[kind]:
            return BadItem(line, Invalid(NOT_OF_KIND[kind], field=field, column=field), file)
    address, note = fields.get("address", ""), fields.get("note") or None
    if kind == "domain":
        return DomainItem(line, address, note, file)
    if kind == "alias":
        return AliasItem(line, address, fields.get("destination", ""), note, file)
    password, hashed = fields.get("password") or None, fields.get("hash") or None
    if password is not None and hashed is not None:
        both = Invalid("A user has a password or a hash, not both", field="password")
        return BadItem(line, both, file)
    return UserItem(
        line,
        address,
        password,
        hashed,
        generate=password is None and hashed is None,
        note=note,
        suspended=fields.get("suspended") or None,
        file=file,
    )
