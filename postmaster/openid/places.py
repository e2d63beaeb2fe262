"""What the provider says of itself."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import KeySet

from ..errors import Phrase
from .asking import connected, json_of
from .faults import SEE_PROVIDER, NotAnswered, shown
from .plan import Provider, is_issuer, is_safe

# How long the provider's addresses and keys are used before they are asked for again.
REMEMBERED_SECONDS = 600
SCOPES = ("openid", "profile", "email")


@dataclass
class Place:
    """Where the provider does what, and its keys, once they were asked for."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    auth_methods: tuple[str, ...]
    scopes: tuple[str, ...]
    names_itself: bool
    since: float
    keys: KeySet | None = None


_places: dict[tuple[str, Path | None], Place] = {}


def discovered(provider: Provider) -> Place:
    """Where the provider does what, by its own word. Raises NotAnswered."""
    known = _places.get((provider.issuer, provider.ca_file))
    if known is not None and time.monotonic() - known.since < REMEMBERED_SECONDS:
        return known
    if not is_issuer(provider.issuer):
        raise NotAnswered(
            Phrase("%(issuer)s is no issuer"),
            Phrase("Write the issuer as the provider names it; it begins with https://"),
            issuer=provider.issuer,
        )
    url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    with connected(provider) as session:
        answer = json_of(session, url)
    if answer.get("issuer") != provider.issuer:
        raise NotAnswered(
            Phrase("%(url)s is about the issuer %(said)s and not %(issuer)s"),
            Phrase("Write the issuer exactly as the provider names it, also its last slash"),
            url=url,
            said=shown(str(answer.get("issuer"))),
            issuer=provider.issuer,
        )
    place = Place(
        authorization_endpoint=_endpoint(provider, answer, "authorization_endpoint"),
        token_endpoint=_endpoint(provider, answer, "token_endpoint"),
        jwks_uri=_endpoint(provider, answer, "jwks_uri"),
        userinfo_endpoint=(
            _endpoint(provider, answer, "userinfo_endpoint")
            if "userinfo_endpoint" in answer
            else ""
        ),
        auth_methods=_texts(answer, "token_endpoint_auth_methods_supported"),
        scopes=_texts(answer, "scopes_supported"),
        names_itself=answer.get("authorization_response_iss_parameter_supported") is True,
        since=time.monotonic(),
    )
    _places.clear()  # there is one provider: what is left is of settings that are no more
    _places[provider.issuer, provider.ca_file] = place
    return place


def _endpoint(provider: Provider, answer: Mapping[str, Any], name: str) -> str:
    url = answer.get(name)
    if not isinstance(url, str) or not is_safe(url, provider.issuer):
        raise NotAnswered(
            Phrase("The provider's %(name)s is no https:// address"),
            SEE_PROVIDER,
            name=name,
        )
    return url


def _texts(answer: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = answer.get(name)
    return tuple(v for v in values if isinstance(v, str)) if isinstance(values, list) else ()


def scope(provider: Provider, place: Place) -> str:
    """A scope that is called like the claim mostly stands for it: Dex, Okta, Authelia."""
    usual = SCOPES if provider.claim not in place.scopes else (*SCOPES, provider.claim)
    wanted = provider.scopes.split()
    return " ".join(dict.fromkeys(["openid", *wanted] if wanted else usual))


def forget() -> None:
    """Ask for addresses and keys again the next time, such as after a change at the provider."""
    _places.clear()
