"""What the tests of the pages share."""

import pytest
from flask.testing import FlaskClient

from postmaster.models import Domain
from tests.pages.browsing import Browser
from tests.pages.stored import put
from tests.rules.mail import fill


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    """A browser without scripts in which the default admin is signed in."""
    return Browser(client)


@pytest.fixture
def mail(browser: Browser) -> Browser:
    """The browser of an admin whose server has the rows of ``tests/rules/mail.py``."""
    with browser.client.application.app_context():
        fill()
    return browser


@pytest.fixture
def empty(mail: Browser) -> Browser:
    """Besides the others, a domain without users and aliases."""
    put(mail, Domain(id=3, name="three.example"))
    return mail
