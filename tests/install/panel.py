"""A browser and a script of the installed panel, as little of them as the tests need."""

import re
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests.install.installation import URL

SECONDS_TO_ANSWER = 60
DEFAULT_PASSWORD = "PostMaster"
NEW_PASSWORD = "a password of the new administrator"
# An address of a page's own files.
STATIC = re.compile(r'(?:href|src)="(?P<path>[^"]*/static/[^"]+)"')


class From(HTTPAdapter):
    """Connects from one of this host's addresses."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)


class Panel:
    """One client with its cookies, at one address of the panel."""

    def __init__(
        self, url: str = URL, certificate: str | None = None, address: str | None = None
    ) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = certificate or True
        if address:
            self.session.mount("http://", From(address))

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request."""
        options = {"timeout": SECONDS_TO_ANSWER, "allow_redirects": False} | options
        return self.session.request(method, f"{self.url}{path}", **options)

    def wait(self) -> "Panel":
        """Until the panel answers. Apache that starts or reloads may not for a moment."""
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while not self._answers():
            assert time.monotonic() < deadline, "the panel does not come back"
        return self

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/login").status_code == requests.codes.ok
        except requests.ConnectionError:
            return False

    def sign_in(self, password: str = DEFAULT_PASSWORD) -> requests.Response:
        """Sign in as the first administrator. Raises AssertionError if refused."""
        form = {"username": "admin", "password": password}
        answer = self.ask("POST", "/login", data=form)
        assert answer.status_code == 302, f"{answer.status_code}: {answer.text}"
        return answer

    def create(self, collection: str, **fields: str) -> dict[str, Any]:
        """Make a domain, a user, ... by the API. Raises AssertionError if refused."""
        answer = self.ask("POST", f"/api/v1/{collection}", json=fields)
        assert answer.status_code == 201, f"{answer.status_code}: {answer.text}"
        item: dict[str, Any] = answer.json()
        return item

    def turn_on(self, setting: str) -> None:
        """Set one of the settings to True."""
        items = self.ask("GET", "/api/v1/configs?per_page=100").json()["items"]
        number = next(item["id"] for item in items if item["setting"] == setting)
        answer = self.ask("PATCH", f"/api/v1/configs/{number}", json={"value": "True"})
        assert answer.status_code == 200, answer.text

    def token(self, path: str) -> str:
        """The token that the forms of a page carry."""
        found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.ask("GET", path).text)
        assert found is not None, path
        return found[1]

    def static_paths(self) -> list[str]:
        """What the sign-in page names of our own files."""
        return [found["path"] for found in STATIC.finditer(self.ask("GET", "/login").text)]


def signed_in(url: str = URL, certificate: str | None = None, address: str | None = None) -> Panel:
    """The first administrator, once the default password was changed."""
    panel = Panel(url, certificate, address).wait()
    panel.sign_in(NEW_PASSWORD)
    return panel
