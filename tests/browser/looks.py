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
PHONE = Look(width=320, height=640)
PLAIN = replace(DESKTOP, javascript=False)
PLAIN_PHONE = replace(PHONE, javascript=False)

# For @pytest.mark.parametrize("page", BOTH_WIDTHS, indirect=True), or "signed_in".
BOTH_WIDTHS = [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="320px")]
WITH_AND_WITHOUT_JAVASCRIPT = [
    pytest.param(DESKTOP, id="javascript"),
    pytest.param(PLAIN, id="plain"),
]
