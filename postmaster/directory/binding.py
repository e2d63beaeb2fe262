"""Showing a directory a name and a password, and reading its answer."""

import re
from typing import Any

import ldap3
from ldap3.core.results import (
    RESULT_BUSY,
    RESULT_CONFIDENTIALITY_REQUIRED,
    RESULT_CONSTRAINT_VIOLATION,
    RESULT_INAPPROPRIATE_AUTHENTICATION,
    RESULT_INVALID_CREDENTIALS,
    RESULT_INVALID_DN_SYNTAX,
    RESULT_STRONGER_AUTH_REQUIRED,
    RESULT_SUCCESS,
    RESULT_UNAVAILABLE,
    RESULT_UNWILLING_TO_PERFORM,
)

from ..errors import Phrase
from .faults import NotAnswered, Refused
from .plan import Server

Result = dict[str, Any]

# The Windows error in Active Directory's answer ("... data 52e, v4563"), by its number.
WINDOWS_ERROR = re.compile(r"\bdata ([0-9a-f]+)\b", re.IGNORECASE)
# 389 Directory Server answers inappropriateAuthentication where an account has no password.
WRONG = (
    RESULT_INAPPROPRIATE_AUTHENTICATION,
    RESULT_INVALID_CREDENTIALS,
    RESULT_INVALID_DN_SYNTAX,
)
UNLOCK_THERE = Phrase("An administrator of the directory can unlock it there")
DISABLED = Phrase("Your account is disabled in the directory")
EXPIRED = Phrase("Your account has expired in the directory")
LOCKED = Phrase("Your account is locked out in the directory")
PASSWORD_EXPIRED = Phrase("Your password has expired in the directory: change it there first")
NOT_NOW = Phrase("The directory does not let you sign in at this time or from here")
ASK_THERE = Phrase("Whoever runs the directory can change that")
REFUSALS: dict[str, tuple[Phrase, Phrase]] = {
    "530": (NOT_NOW, ASK_THERE),
    "531": (NOT_NOW, ASK_THERE),
    "532": (PASSWORD_EXPIRED, ASK_THERE),
    "533": (DISABLED, ASK_THERE),
    "701": (EXPIRED, ASK_THERE),
    "773": (PASSWORD_EXPIRED, ASK_THERE),
    "775": (LOCKED, UNLOCK_THERE),
}


def wrong_password(detail: str) -> Refused:
    """The refusal that is the same for a wrong password and an unknown name."""
    return Refused(
        Phrase("The username or password was incorrect"),
        Phrase("Check the name and the password, also the language of the keyboard"),
        is_wrong_password=True,
        detail=detail,
    )


def by_simple(connection: ldap3.Connection, name: str, password: str) -> Result:
    """Bind with the password itself."""
    connection.user = name
    connection.authentication = ldap3.SIMPLE
    # As octets: ldap3 would prepare text (RFC 4013), which makes nothing of a password of soft
    # hyphens alone, and with nothing the bind is anonymous.
    connection.password = password.encode()
    connection.bind(read_server_info=False)
    return dict(connection.result)


def check(result: Result, server: Server, *, is_encrypted: bool) -> None:
    """Read the answer to a password. Raises Refused, or NotAnswered if nobody looked at it."""
    code, message = result["result"], str(result.get("message") or "").strip("\x00 ")
    detail = f"{result.get('description')} {message}".strip()
    if code == RESULT_SUCCESS:
        return
    if code == RESULT_STRONGER_AUTH_REQUIRED and is_encrypted:
        raise NotAnswered(
            Phrase("%(server)s does not take this method on an encrypted connection: %(reason)s"),
            Phrase("Set the LDAP Authentication Method to SIMPLE: TLS hides the password"),
            others_may=False,
            server=server.url,
            reason=detail,
        )
    if code in (RESULT_STRONGER_AUTH_REQUIRED, RESULT_CONFIDENTIALITY_REQUIRED):
        raise NotAnswered(
            Phrase("%(server)s wants an encrypted connection: %(reason)s"),
            Phrase("Use ldaps://, or ldap:// with StartTLS"),
            server=server.url,
            reason=detail,
        )
    if code in (RESULT_BUSY, RESULT_UNAVAILABLE):
        raise NotAnswered(
            Phrase("%(server)s is too busy: %(reason)s"),
            Phrase("Try again later, or name another server too"),
            server=server.url,
            reason=detail,
        )
    found = WINDOWS_ERROR.search(message)
    if found and found[1].lower() in REFUSALS:
        sentence, advice = REFUSALS[found[1].lower()]
        raise Refused(sentence, advice, detail=detail)
    if code in WRONG:
        raise wrong_password(detail)
    if code in (RESULT_CONSTRAINT_VIOLATION, RESULT_UNWILLING_TO_PERFORM):
        # So 389 Directory Server, and FreeIPA on it, answers for accounts that were guessed at.
        raise Refused(LOCKED, UNLOCK_THERE, detail=detail)
    raise NotAnswered(
        Phrase("%(server)s did not accept the bind: %(reason)s"),
        Phrase("See the server's own log; the LDAP Authentication Method may not suit it"),
        others_may=False,
        server=server.url,
        reason=detail,
    )
