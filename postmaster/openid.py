"""Signing in with an OpenID Connect provider (Keycloak, Entra ID, Google, Authentik, ...).

``begin`` says where to send the browser, ``finish`` says who came back. Between the two the
caller keeps ``Begun.pending`` where only this browser has it, and forgets it at the first
``finish``, however that ends. Nothing here knows the database or the web server.
"""

import base64
import contextlib
import hmac
import io
import ipaddress
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from .errors import Forbidden, Phrase, Unavailable

CONNECT_SECONDS = 3
ANSWER_SECONDS = 5
MOST_OCTETS = 1024 * 1024
# A provider that hangs would otherwise hold every thread of the web server.
MOST_WAITING = 4
# How long the provider's addresses and keys are used before they are asked for again.
REMEMBERED_SECONDS = 600
# How far the provider's clock may be from this host's.
LEEWAY_SECONDS = 60
LONGEST_ID = 255
LONGEST_REASON = 300
# Whoever checks a signature of these has no key to make one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SCOPES = ("openid", "profile", "email")

FOR_STRANGERS = Phrase(
    "The sign-in provider cannot be asked at the moment, and the log says why. "
    "Accounts of PostMaster itself can sign in"
)
NOT_TRUSTED = Phrase(
    "The answer of the sign-in provider cannot be trusted, so nobody was signed in. "
    "The log says why"
)
NOT_BEGUN = Phrase("This sign-in was not begun in this browser, or too long ago")
BEGIN_AGAIN = Phrase("Begin again at the sign-in page")
NOT_ADMITTED = Phrase("Your account may not use PostMaster: its %(claim)s does not say %(value)s")
PROVIDER_REFUSED = Phrase("The sign-in provider refused: %(reason)s")

SEE_PROVIDER = Phrase("See the provider's own log")
CHECK_ISSUER = Phrase("Check the issuer, and that a firewall lets this host through")
CHECK_CLIENT = Phrase(
    "Check the client's ID and secret, and that the provider knows PostMaster's address"
)
CHECK_CLOCK = Phrase("Check the provider's settings for this client, and both hosts' clocks")
CHECK_CA = Phrase(
    "Give the provider a certificate that this host trusts, or let this host trust its authority"
)
GRANT = Phrase(
    "Give the account this value at the provider, and let the provider send the claim to PostMaster"
)


@dataclass(frozen=True)
class Provider:
    """A provider, PostMaster's name and secret there, and whom of its accounts to let in.

    The accounts that are let in have ``claim_value`` as the text of ``claim``, or in its list;
    without a value nobody is. A client without a secret is a public one. ``scopes`` replaces
    what is asked for, and ``ca_file`` the authorities that this host trusts.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str
    claim_value: str
    scopes: str = ""
    ca_file: Path | None = None


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and what it takes to recognize it when it is back."""

    url: str
    pending: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Person:
    """Somebody whom the provider knows and who may sign in.

    ``external_id`` stays the same whatever becomes of the names. Letters of both cases differ
    in it.
    """

    external_id: str
    username: str
    name: str


class NotAnswered(Unavailable):
    """The provider could not be asked. ``advice`` says what to do."""

    def __init__(self, template: str, advice: Phrase, **values: Any):
        super().__init__(FOR_STRANGERS, in_full=template, **values)
        self.advice = advice


class Refused(Forbidden):
    """The answer is no, or none that can be trusted. ``detail`` is for the log."""

    def __init__(self, template: str, advice: Phrase, *, detail: str = "", **values: Any):
        super().__init__(template, **values)
        self.advice = advice
        self.detail = detail


def is_issuer(text: str) -> bool:
    """Whether this can be an issuer: https, or http on this host itself."""
    return _is_safe(text, text) and not set("?#@ ") & set(text) and text.isprintable()


def begin(provider: Provider, redirect_uri: str) -> Begun:
    """Where to send the browser. Raises NotAnswered."""
    place = _discovered(provider)
    pending = {
        "issuer": provider.issuer,
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "code_verifier": secrets.token_urlsafe(64),
    }
    with _session(provider, place.auth_methods) as session:
        url, _ = session.create_authorization_url(
            place.authorization_endpoint,
            state=pending["state"],
            code_verifier=pending["code_verifier"],
            nonce=pending["nonce"],
            redirect_uri=redirect_uri,
            scope=_scope(provider, place),
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
    place = _discovered(provider)
    code = _code(provider, place, callback_arguments)
    with _connected(provider, place.auth_methods) as session:
        tokens = _tokens(session, place, redirect_uri, pending["code_verifier"], code)
        claims = _id_token(session, provider, place, pending["nonce"], tokens)
        subject = _subject(provider, claims)
        if provider.claim not in claims or "preferred_username" not in claims:
            claims = {**_userinfo(session, place, subject), **claims}
    _check_admitted(provider, claims)
    username = _username(claims, subject)
    return Person(
        external_id=f"{provider.issuer}#{subject}",
        username=username.lower(),
        name=_text(claims, "name") or username,
    )


def forget() -> None:
    """Ask for addresses and keys again the next time, such as after a change at the provider."""
    _places.clear()


# --- what came back with the browser ----------------------------------------------


def _check_browser(
    provider: Provider, pending: Mapping[str, str], arguments: Mapping[str, str]
) -> None:
    has_begun = all(pending.get(part) for part in ("state", "nonce", "code_verifier"))
    begun, given = (m.get("state", "").encode("utf-8", "replace") for m in (pending, arguments))
    is_same = hmac.compare_digest(begun, given)
    # The setting may have changed meanwhile: another provider's code is none of ours.
    if not has_begun or not is_same or pending.get("issuer") != provider.issuer:
        raise Refused(NOT_BEGUN, BEGIN_AGAIN)


def _code(provider: Provider, place: "_Place", arguments: Mapping[str, str]) -> str:
    # RFC 9207: the answer of another provider, which shares the redirect URI.
    if ("iss" in arguments or place.names_itself) and arguments.get("iss") != provider.issuer:
        raise _not_trusted(f"it came from the issuer {_shown(arguments.get('iss', ''))!r}")
    if "error" in arguments:
        said = [arguments["error"], arguments.get("error_description", "")]
        raise _refused_by_provider(": ".join(filter(None, said)))
    code = arguments.get("code", "")
    if not code:
        raise _not_trusted("it has no code")
    return code


# --- tokens -----------------------------------------------------------------------


def _tokens(
    session: OAuth2Session, place: "_Place", redirect_uri: str, verifier: str, code: str
) -> Mapping[str, Any]:
    url = place.token_endpoint
    with _asking(url):
        try:
            tokens: Mapping[str, Any] = session.fetch_token(
                url,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=verifier,
            )
        except OAuthError as error:
            reason = _shown(str(error))
            if error.error == "invalid_grant":
                raise Refused(NOT_BEGUN, BEGIN_AGAIN, detail=reason) from None
            raise NotAnswered(
                Phrase("%(url)s refused PostMaster itself: %(reason)s"),
                CHECK_CLIENT,
                url=url,
                reason=reason,
            ) from None
    return tokens


def _id_token(
    session: OAuth2Session,
    provider: Provider,
    place: "_Place",
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
        raise _not_trusted(f"the ID token was refused: {_shown(str(error))}") from None
    return claims


def _signed(session: OAuth2Session, place: "_Place", token: Any) -> jwt.Token:
    if not isinstance(token, str):
        raise TypeError("there is none")
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    if place.keys is not None:
        # Keys change. Where they did, the token is looked at again with the new ones.
        with contextlib.suppress(InvalidKeyIdError, BadSignatureError):
            return jwt.decode(token, place.keys, registry=registry)
    place.keys = _keys(_json(session, place.jwks_uri))
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


# --- claims -----------------------------------------------------------------------


def _subject(provider: Provider, claims: Mapping[str, Any]) -> str:
    subject: str = claims["sub"]
    is_name = bool(subject.strip()) and subject == subject.strip()
    if not (is_name and subject.isascii() and subject.isprintable()):
        raise _not_trusted("the subject of the ID token is no name")
    if len(f"{provider.issuer}#{subject}") > LONGEST_ID:
        raise _not_trusted(f"issuer and subject have more than {LONGEST_ID - 1} characters")
    return subject


def _userinfo(session: OAuth2Session, place: "_Place", subject: str) -> Mapping[str, Any]:
    if not place.userinfo_endpoint:
        return {}
    claims = _json(session, place.userinfo_endpoint, withhold_token=False)
    if claims.get("sub") != subject:
        raise _not_trusted("the claims of the userinfo endpoint are somebody else's")
    return claims


def _check_admitted(provider: Provider, claims: Mapping[str, Any]) -> None:
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


def _username(claims: Mapping[str, Any], subject: str) -> str:
    verified = _text(claims, "email") if claims.get("email_verified") is True else ""
    return _text(claims, "preferred_username") or verified or subject


def _text(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""


# --- what the provider says of itself ---------------------------------------------


@dataclass
class _Place:
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


_places: dict[tuple[str, Path | None], _Place] = {}


def _discovered(provider: Provider) -> _Place:
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
    with _connected(provider) as session:
        answer = _json(session, url)
    if answer.get("issuer") != provider.issuer:
        raise NotAnswered(
            Phrase("%(url)s is about the issuer %(said)s and not %(issuer)s"),
            Phrase("Write the issuer exactly as the provider names it, also its last slash"),
            url=url,
            said=_shown(str(answer.get("issuer"))),
            issuer=provider.issuer,
        )
    place = _Place(
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
    if not isinstance(url, str) or not _is_safe(url, provider.issuer):
        raise NotAnswered(
            Phrase("The provider's %(name)s is no https:// address"),
            SEE_PROVIDER,
            name=name,
        )
    return url


def _texts(answer: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = answer.get(name)
    return tuple(v for v in values if isinstance(v, str)) if isinstance(values, list) else ()


def _scope(provider: Provider, place: _Place) -> str:
    """A scope that is called like the claim mostly stands for it: Dex, Okta, Authelia."""
    usual = SCOPES if provider.claim not in place.scopes else (*SCOPES, provider.claim)
    wanted = provider.scopes.split()
    return " ".join(dict.fromkeys(["openid", *wanted] if wanted else usual))


def _is_safe(url: str, issuer: str) -> bool:
    """Whether nobody on the network can read or change what goes to this address."""
    try:
        parts, at = urlsplit(url), urlsplit(issuer)
        hosts = (parts.hostname, at.hostname)
        is_local = at.scheme == "http" and all(_is_loopback(host or "") for host in hosts)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and is_local)
        )
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- asking -----------------------------------------------------------------------

_waiting = threading.BoundedSemaphore(MOST_WAITING)


def _session(provider: Provider, auth_methods: tuple[str, ...] = ()) -> OAuth2Session:
    """Authlib's client, which asks nobody yet."""
    method = "client_secret_basic"
    if not provider.client_secret:
        method = "none"
    elif auth_methods and method not in auth_methods and "client_secret_post" in auth_methods:
        method = "client_secret_post"
    session = OAuth2Session(
        provider.client_id,
        provider.client_secret or None,
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
        leeway=0,  # a token that lives for a minute is good enough here
    )
    session.register_client_auth_method(("client_secret_basic", _encoded_basic))
    return session


@contextlib.contextmanager
def _connected(provider: Provider, auth_methods: tuple[str, ...] = ()) -> Iterator[OAuth2Session]:
    """The same, with limits, once there is a place among those who wait."""
    if not _waiting.acquire(blocking=False):
        raise NotAnswered(
            Phrase("The provider is slow: %(count)s requests wait for it already"),
            Phrase("Try again in a moment"),
            count=MOST_WAITING,
        )
    try:
        with _session(provider, auth_methods) as session:
            limited = _Limited(_context(provider))
            session.mount("https://", limited)
            session.mount("http://", limited)
            # What is compressed could be of any size.
            session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
            yield session
    finally:
        _waiting.release()


def _json(session: OAuth2Session, url: str, *, withhold_token: bool = True) -> dict[str, Any]:
    with _asking(url):
        response = session.request("GET", url, withhold_token=withhold_token)
    if response.status_code != requests.codes.ok:
        raise NotAnswered(
            Phrase("%(url)s answers with the status %(status)s"),
            CHECK_ISSUER,
            url=url,
            status=response.status_code,
        )
    with contextlib.suppress(ValueError, RecursionError):
        answer = json.loads(response.content)
        if isinstance(answer, dict):
            return answer
    raise NotAnswered(Phrase("%(url)s does not answer with a JSON object"), CHECK_ISSUER, url=url)


@contextlib.contextmanager
def _asking(url: str) -> Iterator[None]:
    """What can go wrong while something is asked for, as NotAnswered."""
    try:
        yield
    except (
        requests.RequestException,
        HTTPError,
        AuthlibBaseError,
        OSError,
        ValueError,
        RecursionError,
    ) as error:
        cause = _innermost(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise NotAnswered(
                Phrase("The certificate of %(url)s was refused: %(reason)s"),
                CHECK_CA,
                url=url,
                reason=cause.verify_message,
            ) from None
        raise NotAnswered(
            Phrase("%(url)s does not answer: %(reason)s"),
            CHECK_ISSUER,
            url=url,
            reason=_shown(getattr(cause, "strerror", None) or str(cause) or type(cause).__name__),
        ) from None


class _Limited(HTTPAdapter):
    """Goes to nobody but who was asked for, and waits and reads only so much.

    Trusts the authorities of a context instead of those that come with requests.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests has it, with the context."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """As requests has it, with the context."""
        return super().proxy_manager_for(*args, **kwargs, ssl_context=self._context)

    def cert_verify(self, conn: Any, *_: Any) -> None:
        """The context says which authorities there are."""
        conn.cert_reqs = "CERT_REQUIRED"

    def send(self, request: requests.PreparedRequest, *_: Any, **kwargs: Any) -> requests.Response:
        """The whole answer, within the limits."""
        # No authorities of the environment: see cert_verify.
        limits = {
            "stream": True,
            "timeout": (CONNECT_SECONDS, ANSWER_SECONDS),
            "verify": True,
        }
        response = super().send(request, **{**kwargs, **limits})
        raw = response.raw
        try:
            if response.is_redirect:
                raise NotAnswered(
                    Phrase("%(url)s is somewhere else now, which PostMaster does not follow"),
                    CHECK_ISSUER,
                    url=response.url,
                )
            response.raw = io.BytesIO(_body(response))
        finally:
            raw.close()
        return response


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    deadline = time.monotonic() + ANSWER_SECONDS
    while part := response.raw.read1(64 * 1024, decode_content=False):
        body += part
        if len(body) > MOST_OCTETS or time.monotonic() > deadline:
            raise NotAnswered(Phrase("%(url)s answers without end"), CHECK_ISSUER, url=response.url)
    return bytes(body)


def _context(provider: Provider) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(
            cafile=str(provider.ca_file) if provider.ca_file else None
        )
    except OSError as error:  # ssl.SSLError is one
        raise NotAnswered(
            Phrase("The authorities' certificates in %(file)s cannot be read: %(reason)s"),
            Phrase("Give a file with certificates in PEM form"),
            file=str(provider.ca_file),
            reason=error.strerror or str(error),
        ) from None


def _encoded_basic(
    client: Any, method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """RFC 6749, 2.3.1: Authlib's own does not encode, so that a + or % in a secret is refused."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return uri, headers, body


def _innermost(error: BaseException) -> BaseException:
    """What requests and urllib3 have wrapped, mostly an OSError that says it in few words."""
    inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = next((a for a in error.args if isinstance(a, BaseException)), error.__cause__)
    return _innermost(inner) if inner is not None else error


# --- refusals ---------------------------------------------------------------------


def _not_trusted(detail: str) -> Refused:
    return Refused(NOT_TRUSTED, CHECK_CLOCK, detail=detail)


def _refused_by_provider(reason: str) -> Refused:
    return Refused(PROVIDER_REFUSED, SEE_PROVIDER, reason=_shown(reason))


def _shown(text: str) -> str:
    """Others' words, for one line of a log or a page."""
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST_REASON]
