"""What the tests of the pages share."""

import pytest
from flask.testing import FlaskClient

from tests.pages.browsing import Browser


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    """A browser without scripts in which the default admin is signed in."""
    return Browser(client)
