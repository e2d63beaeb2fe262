"""The tokens of the provider, and what has to be right about them."""

import contextlib
from collections.abc import Mapping
from typing import Any

from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry

from ..errors import Phrase
from .asking import asked, json_of
from .faults import BEGIN_AGAIN, CHECK_CLIENT, NOT_BEGUN, NotAnswered, Refused, not_trusted, shown
from .places import Place
from .plan import Provider

# How far the provider's clock may be from this host's.
LEEWAY_SECONDS = 60
# Whoever checks a signature of these has no key to make one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")


def fetched(
    session: OAuth2Session, place: Place, redirect_uri: str, verifier: str, code: str
) -> Mapping[str, Any]:
    """The tokens for a code. Raises Refused where it is used up, else NotAnswered."""
    url = place.token_endpoint
    with asked(url):
        try:
            tokens: Mapping[str, Any] = session.fetch_token(
                url,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=verifier,
            )
        except OAuthError as error:
            reason = shown(str(error))
            if error.error == "invalid_grant":
                raise Refused(NOT_BEGUN, BEGIN_AGAIN, detail=reason) from None
            raise NotAnswered(
                Phrase("%(url)s refused PostMaster itself: %(reason)s"),
                CHECK_CLIENT,
                url=url,
                reason=reason,
            ) from None
    return tokens


def id_token(
    session: OAuth2Session,
    provider: Provider,
    place: Place,
    nonce: str,
    tokens: Mapping[str, Any],
) -> Mapping[str, Any]:
    """The claims of the ID token, once all is checked that OpenID Connect Core has in 3.1.3.7."""
    try:
        signed = _signed(session, place, tokens.get("id_token"))
        claims: dict[str, Any] = CodeIDToken(
            signed.claims,
            signed.header,
            {"iss": {"value": provider.issuer}, "aud": {"value": provider.client_id}},
            {
                "nonce": nonce,
                "client_id": provider.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(leeway=LEEWAY_SECONDS)  # type: ignore[attr-defined]
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise not_trusted(f"the ID token was refused: {shown(str(error))}") from None
    return claims


def _signed(session: OAuth2Session, place: Place, token: Any) -> jwt.Token:
    if not isinstance(token, str):
        raise TypeError("there is none")
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    if place.keys is not None:
        # Keys change. Where they did, the token is looked at again with the new ones.
        with contextlib.suppress(InvalidKeyIdError, BadSignatureError):
            return jwt.decode(token, place.keys, registry=registry)
    place.keys = _keys(json_of(session, place.jwks_uri))
    return jwt.decode(token, place.keys, registry=registry)


def _keys(answer: Mapping[str, Any]) -> KeySet:
    """The keys that can be read; a provider may have others, for other clients."""
    keys = []
    published = answer.get("keys")
    for entry in published if isinstance(published, list) else ():
        with contextlib.suppress(JoseError, ValueError, TypeError, KeyError):
            if entry["kty"] != "oct":
                keys.append(JWKRegistry.import_key(entry))
    return KeySet(keys)
