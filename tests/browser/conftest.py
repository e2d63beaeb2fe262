"""A browser, a server, and a watch over all that passes between them.

A test that uses ``page`` or ``signed_in`` fails at its end, with a sentence, if a request
left the site, the Content-Security-Policy was violated, the console has an error,
JavaScript stopped, the server failed, or a part of a page was missing.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import chromium as browsers
from tests.browser import traffic
from tests.browser.looks import DESKTOP, PLAIN, Look
from tests.browser.other_site import OtherSite
from tests.browser.served import Served, serving
from tests.conftest import PASSWORD, dispose
from tests.mariadb import MariaDB

Browse = Callable[..., Page]


@pytest.fixture(scope="session")
def served_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served-sqlite")
    for served in serving(f"sqlite:///{folder}/postmaster.sqlite3", folder):
        yield served
        dispose(served.prepared.app)


@pytest.fixture(scope="session")
def served_mariadb(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served-mariadb")
    for served in serving(mariadb.create_database("served"), folder):
        yield served
        dispose(served.prepared.app)


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Served:
    """The running application, as newly installed. On MariaDB, unless the test says
    ``@pytest.mark.parametrize("served", ["sqlite", "mariadb"], indirect=True)``.
    """
    served: Served = request.getfixturevalue(f"served_{getattr(request, 'param', 'mariadb')}")
    served.reset()
    return served


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for each process of the tests; each page gets a profile of its own."""
    with browsers.running() as browser:
        yield browser


@pytest.fixture
def browse(served: Served, chromium: Browser) -> Iterator[Browse]:
    """Open pages: ``browse(Look(...), admin="admin")``, each in a browser of its own.

    ``watched=False`` is for a browser that visits another site.
    """
    contexts: list[BrowserContext] = []
    watches: list[traffic.Watch] = []

    def open_page(
        look: Look = DESKTOP,
        *,
        admin: str = "",
        password: str = PASSWORD,
        watched: bool = True,
    ) -> Page:
        context = browsers.new_context(chromium, look, served.url)
        contexts.append(context)
        if watched:
            watches.append(traffic.Watch(context, served.url))
        if admin:
            sign_in_by_cookie(context, served, admin, password)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
        traffic.forget(context)
    for watch in watches:
        watch.judge()


def sign_in_by_cookie(context: BrowserContext, served: Served, admin: str, password: str) -> None:
    """Sign this browser in without the page, which has tests of its own."""
    for name, value in served.server.sign_in(admin, password).items():
        context.add_cookies(
            [{"name": name, "value": value, "url": served.url, "httpOnly": True, "sameSite": "Lax"}]
        )


@pytest.fixture
def page(request: pytest.FixtureRequest, browse: Browse) -> Page:
    """A stranger's page: desktop, light, with JavaScript, unless the test gives a Look."""
    return browse(getattr(request, "param", DESKTOP))


@pytest.fixture
def plain_page(browse: Browse) -> Page:
    """A stranger's page without JavaScript."""
    return browse(PLAIN)


@pytest.fixture
def signed_in(request: pytest.FixtureRequest, browse: Browse) -> Page:
    """The default admin's page, on no address yet, unless the test gives a Look."""
    return browse(getattr(request, "param", DESKTOP), admin="admin")


@pytest.fixture
def signed_in_plain(browse: Browse) -> Page:
    """The default admin's page without JavaScript."""
    return browse(PLAIN, admin="admin")


@pytest.fixture(scope="session")
def other_site() -> Iterator[OtherSite]:
    """A second origin, from which the tests attack."""
    with OtherSite() as site:
        yield site


@pytest.fixture
def many_users(served: Served) -> Callable[[int], None]:
    """Make some users of one domain by SQL: ``user000@example.com`` and so on."""

    def make(count: int) -> None:
        served.run("INSERT INTO virtual_domains (id, name) VALUES (1, 'example.com')")
        rows = ", ".join(f"(1, '*', 'user{number:03}@example.com')" for number in range(count))
        served.run(f"INSERT INTO virtual_users (domain_id, password, email) VALUES {rows}")

    return make
