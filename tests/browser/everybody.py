"""Whether a page, as it stands, is for everybody: wide and at 320 px, in light and in dark."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.accessibility import axe, axe_on_colours
from tests.browser.layout import no_sideways_scroll
from tests.browser.looks import DESKTOP, PHONE


def faults_in_any_look(page: Page) -> list[str]:
    """What axe finds, none if the page is fine: ``assert faults_in_any_look(page) == []``.

    The window and the colours are changed around the open page, so that what a test has opened
    on it, such as a dialog, is looked at once and not made anew for each look. What is shown
    does not depend on the colours: in dark only these are judged. Fails if the page, or a box
    in it, scrolls sideways.
    """
    faults = []
    for width in _each_width(page):
        no_sideways_scroll(page)
        faults += [f"{width} px: {fault}" for fault in axe(page)]
        page.emulate_media(color_scheme="dark")
        faults += [f"{width} px, dark: {fault}" for fault in axe_on_colours(page)]
        page.emulate_media(color_scheme="light")
    return faults


def no_sideways_scroll_at_any_width(page: Page) -> None:
    """Fail if the page, or a box in it, scrolls sideways."""
    for _width in _each_width(page):
        no_sideways_scroll(page)


def _each_width(page: Page) -> Iterator[int]:
    """Make the window wide and narrow, and in the end what it was."""
    window = page.viewport_size
    assert window is not None
    for look in (DESKTOP, PHONE):
        page.set_viewport_size({"width": look.width, "height": look.height})
        yield look.width
    page.set_viewport_size(window)
