"""How distinguished names and filters are written."""

import re

# As people write them; servers take them so (RFC 4514 in its older form, RFC 1779).
BLANKS_AFTER_COMMA = re.compile(r"(?<!\\), +")


def is_dn(text: str) -> bool:
    """Whether this is a distinguished name (RFC 4514) and not empty."""
    if "=" not in text:
        return False
    from ldap3.core.exceptions import LDAPInvalidDnError  # noqa: PLC0415 -- see __init__
    from ldap3.utils.dn import parse_dn  # noqa: PLC0415

    try:
        return bool(text.strip()) and bool(parse_dn(BLANKS_AFTER_COMMA.sub(",", text)))
    except (LDAPInvalidDnError, IndexError):
        return False


def is_filter(text: str) -> bool:
    """Whether this is a search filter (RFC 4515)."""
    from ldap3.core.exceptions import LDAPExceptionError  # noqa: PLC0415 -- see __init__
    from ldap3.operation.search import parse_filter  # noqa: PLC0415

    try:
        parse_filter(text, None, True, True, None, False)  # type: ignore[no-untyped-call]
    except (LDAPExceptionError, IndexError, ValueError):
        return False
    return text.startswith("(")
