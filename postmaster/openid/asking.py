"""Asking the provider: over TLS, within limits, and nobody but whom was meant."""

import base64
import contextlib
import io
import json
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from ..errors import Phrase
from .faults import CHECK_CA, CHECK_ISSUER, NotAnswered, shown
from .plan import Provider

CONNECT_SECONDS = 3
ANSWER_SECONDS = 5
MOST_OCTETS = 1024 * 1024
# A provider that hangs would otherwise hold every thread of the web server. A directory may
# hang at the same time.
MOST_WAITING = 2

_waiting = threading.BoundedSemaphore(MOST_WAITING)


def session_for(provider: Provider, auth_methods: tuple[str, ...] = ()) -> OAuth2Session:
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
def connected(provider: Provider, auth_methods: tuple[str, ...] = ()) -> Iterator[OAuth2Session]:
    """The same, with limits, once there is a place among those who wait."""
    if not _waiting.acquire(blocking=False):
        raise NotAnswered(
            Phrase("The provider is slow: %(count)s requests wait for it already"),
            Phrase("Try again in a moment"),
            count=MOST_WAITING,
        )
    try:
        with session_for(provider, auth_methods) as session:
            limited = _Limited(_context(provider))
            session.mount("https://", limited)
            session.mount("http://", limited)
            # What is compressed could be of any size.
            session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
            yield session
    finally:
        _waiting.release()


def json_of(session: OAuth2Session, url: str, *, withhold_token: bool = True) -> dict[str, Any]:
    """The JSON object at an address. Raises NotAnswered."""
    with asked(url):
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
def asked(url: str) -> Iterator[None]:
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
            reason=shown(getattr(cause, "strerror", None) or str(cause) or type(cause).__name__),
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
