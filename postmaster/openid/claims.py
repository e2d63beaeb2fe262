"""What the provider says of somebody, and whether that lets them in."""

from collections.abc import Mapping
from typing import Any

from authlib.integrations.requests_client import OAuth2Session

from .asking import json_of
from .faults import GRANT, NOT_ADMITTED, Refused, not_trusted
from .places import Place
from .plan import Provider

LONGEST_ID = 255


def subject_of(provider: Provider, claims: Mapping[str, Any]) -> str:
    """By what the provider knows this account for ever. Raises Refused."""
    subject: str = claims["sub"]
    is_name = bool(subject.strip()) and subject == subject.strip()
    if not (is_name and subject.isascii() and subject.isprintable()):
        raise not_trusted("the subject of the ID token is no name")
    if len(f"{provider.issuer}#{subject}") > LONGEST_ID:
        raise not_trusted(f"issuer and subject have more than {LONGEST_ID - 1} characters")
    return subject


def userinfo(session: OAuth2Session, place: Place, subject: str) -> Mapping[str, Any]:
    """What the provider says beyond the ID token. Raises Refused, NotAnswered."""
    if not place.userinfo_endpoint:
        return {}
    claims = json_of(session, place.userinfo_endpoint, withhold_token=False)
    if claims.get("sub") != subject:
        raise not_trusted("the claims of the userinfo endpoint are somebody else's")
    return claims


def check_admitted(provider: Provider, claims: Mapping[str, Any]) -> None:
    """Refuse whoever does not have the value that lets people in."""
    given, wanted = claims.get(provider.claim), provider.claim_value
    # Anybody can say that an address is theirs.
    is_proved = provider.claim != "email" or claims.get("email_verified") is True
    has_value = given == wanted if isinstance(given, str) else _is_in(wanted, given)
    if wanted.strip() and has_value and is_proved:
        return
    detail = "" if given is not None else f"the provider sent no claim {provider.claim!r}"
    raise Refused(NOT_ADMITTED, GRANT, claim=provider.claim, value=wanted, detail=detail)


def _is_in(wanted: str, given: Any) -> bool:
    return isinstance(given, list) and wanted in given


def username_of(claims: Mapping[str, Any], subject: str) -> str:
    """The name to sign in with: the chosen one, a proved address, or the subject."""
    verified = text_of(claims, "email") if claims.get("email_verified") is True else ""
    return text_of(claims, "preferred_username") or verified or subject


def text_of(claims: Mapping[str, Any], claim: str) -> str:
    """A claim that is text of one line; else nothing."""
    value = claims.get(claim)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""
