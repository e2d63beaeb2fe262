"""A throw-away OpenID provider: oidc-provider on Node, on loopback and a port of its own.

It lets everybody in who names one of its accounts; see provider.js. Tests may use it so::

    with Provider(redirect_uris=[CALLBACK]) as provider:
        provider.issuer                        # http://127.0.0.1:…
        provider.sign_in(url, "alice")         # as a browser does; gives the callback's URL
        provider.cancel(url)                   # the person changes their mind
        with provider.wrong(id_token={"claims": {"nonce": "another"}}):
            ...                                # it answers as somebody else would
        provider.asked("/jwks")                # how often, since it was last made to go wrong

The clients are CLIENT_ID with CLIENT_SECRET, PUBLIC_CLIENT_ID, which has no secret and gets
tokens signed with an elliptic curve, and POSTING_CLIENT_ID, whose secret goes into the form.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests

from tests.directory.certificates import Certificate
from tests.mail.daemon import Daemon, end_of
from tests.mariadb import program

FOLDER = Path(__file__).parent
SECONDS_TO_ANSWER = 10
MOST_REDIRECTS = 10

CLIENT_ID = "postmaster"
# RFC 6749, 2.3.1: whoever forgets to encode it is refused.
CLIENT_SECRET = "a+secret/of:the tests%2F"
PUBLIC_CLIENT_ID = "postmaster-without-a-secret"
POSTING_CLIENT_ID = "postmaster-posts"

GROUP = "postmaster-admins"


def _account(name: str, *groups: str, **claims: Any) -> dict[str, Any]:
    username = name.split(maxsplit=1)[0].lower()
    return {
        "preferred_username": username,
        "name": name,
        "email": f"{username}@example.com",
        "email_verified": True,
        "groups": list(groups),
        **claims,
    }


# By what the provider knows them by ("sub").
ACCOUNTS: dict[str, dict[str, Any]] = {
    "id-of-alice": _account("Alice Adams", "staff", GROUP),
    "id-of-bob": _account("Bob Brown", "staff"),
    "id-of-grace": {"preferred_username": "grace", "name": "Grace without groups"},
}


class Provider:
    """The provider, from start to stop."""

    def __init__(
        self,
        redirect_uris: Sequence[str],
        *,
        accounts: Mapping[str, Mapping[str, Any]] = ACCOUNTS,
        certificate: Certificate | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="postmaster-openid-"))
        self.issuer = ""
        self._redirect_uris = tuple(redirect_uris)
        self._accounts = accounts
        self._certificate = certificate
        # Whom the walking browser trusts; the program has no other.
        self._trusted = str(ca_file) if ca_file else True
        self._output = self.folder / "output"
        self._daemon = Daemon(self._output)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._daemon.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        if not (FOLDER / "node_modules").exists():
            raise RuntimeError("oidc-provider is not installed: start the tests with ops/test")
        address = self.folder / "address"
        configuration = self.folder / "configuration.json"
        configuration.write_text(json.dumps(self._configuration(address)), encoding="utf-8")
        command = [program("node"), str(FOLDER / "provider.js"), str(configuration)]
        if not self._daemon.start(command, lambda: address.stat() and None):
            raise RuntimeError(f"The OpenID provider does not start:\n{end_of(self._output)}")
        self.issuer = address.read_text(encoding="utf-8")

    def _configuration(self, address: Path) -> dict[str, Any]:
        return {
            "address": str(address),
            "accounts": self._accounts,
            "clients": [
                self._client(
                    CLIENT_ID, "client_secret_basic", "RS256", client_secret=CLIENT_SECRET
                ),
                self._client(PUBLIC_CLIENT_ID, "none", "ES256"),
                self._client(
                    POSTING_CLIENT_ID, "client_secret_post", "RS256", client_secret=CLIENT_SECRET
                ),
            ],
            "certificate": str(self._certificate.certificate) if self._certificate else None,
            "key": str(self._certificate.key) if self._certificate else None,
        }

    def _client(
        self, client_id: str, method: str, algorithm: str, **options: str
    ) -> dict[str, Any]:
        return {
            "client_id": client_id,
            "token_endpoint_auth_method": method,
            "id_token_signed_response_alg": algorithm,
            "redirect_uris": self._redirect_uris,
            **options,
        }

    # --- going wrong --------------------------------------------------------------

    @contextmanager
    def wrong(self, **what: Any) -> Iterator[None]:
        """Let it answer wrongly for a while; provider.js says in what ways it can."""
        self._back_door(what)
        try:
            yield
        finally:
            self._back_door({})

    def asked(self, path: str) -> int:
        """How often a path was asked for since it was last made to go wrong, or right."""
        answer = requests.get(f"{self.issuer}/back-door", timeout=SECONDS_TO_ANSWER)
        return int(answer.json().get(path, 0))

    def _back_door(self, what: Mapping[str, Any]) -> None:
        answer = requests.post(f"{self.issuer}/back-door", json=what, timeout=SECONDS_TO_ANSWER)
        answer.raise_for_status()

    # --- a browser ----------------------------------------------------------------

    def sign_in(self, url: str, account: str) -> str:
        """Follow the URL of a sign-in as a browser does; the URL that it is sent back to."""
        return self._answer_form(url, {"account": account})

    def cancel(self, url: str) -> str:
        """The same, for somebody who changes their mind at the form."""
        return self._answer_form(url, {"cancel": "1"})

    def _answer_form(self, url: str, form: Mapping[str, str]) -> str:
        with requests.Session() as browser:
            browser.verify = self._trusted
            browser.trust_env = False  # which could name other authorities, or a proxy
            answer = browser.get(url, allow_redirects=False, timeout=SECONDS_TO_ANSWER)
            for _ in range(MOST_REDIRECTS):
                if answer.is_redirect:
                    url = urljoin(answer.url, answer.headers["Location"])
                    if url.startswith(self._redirect_uris):
                        return url
                    answer = browser.get(url, allow_redirects=False, timeout=SECONDS_TO_ANSWER)
                elif answer.ok and "<form" in answer.text:
                    answer = browser.post(
                        answer.url, data=form, allow_redirects=False, timeout=SECONDS_TO_ANSWER
                    )
                else:
                    break
        raise AssertionError(f"{urlsplit(answer.url).path} answers {answer.status_code}")
