"""How a page is looked at: the colours, the window, with or without JavaScript."""

from dataclasses import dataclass, replace

import pytest


@dataclass(frozen=True)
class Look:
    """One way to look at a page."""

    colours: str = "light"
    width: int = 1280
    height: int = 800
    javascript: bool = True
    language: str = "en-US"


DESKTOP = Look()
DESKTOP_DARK = replace(DESKTOP, colours="dark")
PHONE = Look(width=320, height=640)
PHONE_DARK = replace(PHONE, colours="dark")
PLAIN = replace(DESKTOP, javascript=False)
PLAIN_PHONE = replace(PHONE, javascript=False)

# For @pytest.mark.parametrize("page", EVERY_LOOK, indirect=True), or "signed_in".
EVERY_LOOK = [
    pytest.param(DESKTOP, id="desktop-light"),
    pytest.param(DESKTOP_DARK, id="desktop-dark"),
    pytest.param(PHONE, id="320px-light"),
    pytest.param(PHONE_DARK, id="320px-dark"),
]
BOTH_WIDTHS = [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="320px")]
WITH_AND_WITHOUT_JAVASCRIPT = [
    pytest.param(DESKTOP, id="javascript"),
    pytest.param(PLAIN, id="plain"),
]
