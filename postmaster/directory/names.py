"""The forms in which people write their user name."""

from dataclasses import dataclass
from enum import StrEnum

from .syntax import is_dn

# A DN of 200 letters outside ASCII has 800 octets; nobody types more.
MOST_LETTERS = 512


class Form(StrEnum):
    """What a user name looks like."""

    PLAIN = "alice"
    PRINCIPAL = "alice@corp.example.com"
    DOWN_LEVEL = r"CORP\alice"
    DN = "cn=Alice,ou=People,dc=corp,dc=example,dc=com"


@dataclass(frozen=True)
class Name:
    """A user name as it was typed; ``account`` is what identifies the user in it."""

    typed: str
    form: Form
    account: str
    domain: str = ""


def read(text: str) -> Name | None:
    """Which form this is; None if no directory can have such a name."""
    typed = text.strip()
    if not typed or len(typed) > MOST_LETTERS or not typed.isprintable():
        return None
    if is_dn(typed):
        return Name(typed, Form.DN, typed)
    before, backslash, after = typed.partition("\\")
    if backslash:
        return Name(typed, Form.DOWN_LEVEL, after, before) if before and after else None
    before, at, after = typed.rpartition("@")
    if at:
        return Name(typed, Form.PRINCIPAL, before, after) if before and after else None
    return Name(typed, Form.PLAIN, typed)
