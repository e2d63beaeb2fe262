"""From the browser that is sent away to the person who comes back.

Between the two the caller keeps ``Begun.pending`` where only this browser has it, and forgets
it at the first ``finish``, however that ends.
"""

import hmac
import secrets
from collections.abc import Mapping

from . import claims, places, tokens
from .asking import connected, session_for
from .faults import BEGIN_AGAIN, NOT_BEGUN, Refused, not_trusted, refused_by_provider, shown
from .places import Place
from .plan import Begun, Person, Provider


def begin(provider: Provider, redirect_uri: str) -> Begun:
    """Where to send the browser. Raises NotAnswered."""
    place = places.discovered(provider)
    pending = {
        "issuer": provider.issuer,
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "code_verifier": secrets.token_urlsafe(64),
    }
    with session_for(provider, place.auth_methods) as session:
        url, _ = session.create_authorization_url(
            place.authorization_endpoint,
            state=pending["state"],
            code_verifier=pending["code_verifier"],
            nonce=pending["nonce"],
            redirect_uri=redirect_uri,
            scope=places.scope(provider, place),
        )
    return Begun(url, pending)


def finish(
    provider: Provider,
    redirect_uri: str,
    pending: Mapping[str, str],
    callback_arguments: Mapping[str, str],
) -> Person:
    """Who came back. Raises Refused, or NotAnswered while the provider cannot be asked."""
    _check_browser(provider, pending, callback_arguments)
    place = places.discovered(provider)
    code = _code(provider, place, callback_arguments)
    with connected(provider, place.auth_methods) as session:
        given = tokens.fetched(session, place, redirect_uri, pending["code_verifier"], code)
        said = tokens.id_token(session, provider, place, pending["nonce"], given)
        subject = claims.subject_of(provider, said)
        if provider.claim not in said or "preferred_username" not in said:
            said = {**claims.userinfo(session, place, subject), **said}
    claims.check_admitted(provider, said)
    username = claims.username_of(said, subject)
    return Person(
        external_id=f"{provider.issuer}#{subject}",
        username=username.lower(),
        name=claims.text_of(said, "name") or username,
    )


def _check_browser(
    provider: Provider, pending: Mapping[str, str], arguments: Mapping[str, str]
) -> None:
    has_begun = all(pending.get(part) for part in ("state", "nonce", "code_verifier"))
    begun, given = (m.get("state", "").encode("utf-8", "replace") for m in (pending, arguments))
    is_same = hmac.compare_digest(begun, given)
    # The setting may have changed meanwhile: another provider's code is none of ours.
    if not has_begun or not is_same or pending.get("issuer") != provider.issuer:
        raise Refused(NOT_BEGUN, BEGIN_AGAIN)


def _code(provider: Provider, place: Place, arguments: Mapping[str, str]) -> str:
    # RFC 9207: the answer of another provider, which shares the redirect URI.
    if ("iss" in arguments or place.names_itself) and arguments.get("iss") != provider.issuer:
        raise not_trusted(f"it came from the issuer {shown(arguments.get('iss', ''))!r}")
    if "error" in arguments:
        said = [arguments["error"], arguments.get("error_description", "")]
        raise refused_by_provider(": ".join(filter(None, said)))
    code = arguments.get("code", "")
    if not code:
        raise not_trusted("it has no code")
    return code
