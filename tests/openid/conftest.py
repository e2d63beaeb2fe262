"""One provider for all tests of a process; it starts in a second."""

from collections.abc import Iterator

import pytest

from postmaster.openid import places
from tests.openid.provider import Provider

CALLBACK = "http://panel.example/openid/callback"


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """The provider, which answers as it should."""
    with Provider([CALLBACK]) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test asks for the provider's addresses and keys anew, and by no proxy."""
    places.forget()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
