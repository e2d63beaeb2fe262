"""The suite's own instruments notice what they are for: each is shown a faulty page."""

import pytest
from playwright.sync_api import Page, Route

from postmaster.security import HEADERS
from tests.browser.accessibility import axe
from tests.browser.conftest import Browse
from tests.browser.everybody import faults_in_any_look
from tests.browser.focus import focus_is_visible, tab_to
from tests.browser.layout import no_sideways_scroll
from tests.browser.looks import DESKTOP, PHONE, PLAIN, Look
from tests.browser.served import Served
from tests.browser.traffic import (
    full_page_loads,
    transferred,
    watch_of,
    weighed,
    without_page_load,
)

POLICY = HEADERS["Content-Security-Policy"]


def show(page: Page, body: str, status: int = 200, policy: str = POLICY) -> None:
    """Open a page with this body, as if PostMaster had made it."""

    def answer(route: Route) -> None:
        route.fulfill(
            status=status,
            body=f"<!doctype html><html lang=en><title>Faulty</title><body>{body}",
            headers={"Content-Type": "text/html", "Content-Security-Policy": policy},
        )

    page.route("**/faulty", answer)
    page.goto("/faulty")
    page.wait_for_load_state("networkidle")


def faults(page: Page) -> str:
    """What the watch noticed, which is then no fault of this test."""
    watch = watch_of(page)
    noticed = "\n".join(watch.faults)
    watch.faults.clear()
    return noticed


@pytest.mark.parametrize(
    ("look", "body", "policy", "sentence"),
    [
        (DESKTOP, "<p style='color: red'>", POLICY, "style-src-attr refused inline"),
        (DESKTOP, "<script>1</script>", POLICY, "script-src-elem refused inline"),
        (PLAIN, "<p style='color: red'>", POLICY, "The Content-Security-Policy was violated"),
        (DESKTOP, "<img src='//cdn.example/a.png'>", POLICY, "img-src refused http://cdn.example"),
        (DESKTOP, "<img src='//cdn.example/a.png'>", "", "left the site: GET http://cdn.example"),
        (PLAIN, "<link rel=stylesheet href='//cdn.example/a.css'>", "", "(stylesheet)"),
        (DESKTOP, "<script>missing()</script>", "", "JavaScript stopped with an error"),
        (DESKTOP, "<script>console.error('alas')</script>", "", "in the console: alas"),
        (
            DESKTOP,
            "<script src='/static/missing.js'></script>",
            "",
            "A part of the page is missing",
        ),
    ],
)
def test_a_fault_is_noticed(
    browse: Browse, look: Look, body: str, policy: str, sentence: str
) -> None:
    page = browse(look)
    show(page, body, policy=policy)
    assert sentence in faults(page)


def test_a_failed_server_is_noticed_unless_the_test_provokes_it(page: Page) -> None:
    show(page, "", status=500)
    assert "The server failed: GET" in faults(page)
    watch_of(page).expect_status(503)
    show(page, "", status=503)
    assert faults(page) == ""


def test_a_fault_fails_the_test(page: Page) -> None:
    show(page, "<p style='color: red'>")
    with pytest.raises(AssertionError, match="style-src-attr refused"):
        watch_of(page).judge()
    faults(page)


def test_axe_finds_what_is_wrong(page: Page) -> None:
    show(page, "<main><h1>Faulty</h1><img src='/static/mark.svg'><input></main>")
    found = "\n".join(axe(page))
    assert "image-alt" in found
    assert "label" in found


@pytest.mark.parametrize(
    ("media", "rule", "where"),
    [
        ("(min-width: 400px)", "p { color: #ccc }", ["1280 px", "1280 px, dark"]),
        ("(max-width: 400px)", "p { color: #ccc }", ["320 px", "320 px, dark"]),
        ("(prefers-color-scheme: light)", "p { color: #ccc }", ["1280 px", "320 px"]),
        ("(prefers-color-scheme: dark)", "p { color: #ccc }", ["1280 px, dark", "320 px, dark"]),
        (
            "(prefers-color-scheme: dark)",
            "a { color: #222; text-decoration: none }",
            ["1280 px, dark", "320 px, dark"],
        ),
    ],
)
def test_a_fault_in_one_look_is_found(page: Page, media: str, rule: str, where: list[str]) -> None:
    show(
        page,
        "<style>body { background: white; color: black }"
        f" @media {media} {{ {rule} }}</style>"
        "<main><h1>Faulty</h1><p>Text with <a href='/'>a link</a> in its middle.</p></main>",
        policy="",
    )
    assert [fault.partition(": ")[0] for fault in faults_in_any_look(page)] == where
    assert page.viewport_size == {"width": DESKTOP.width, "height": DESKTOP.height}


def test_an_invisible_focus_is_noticed(page: Page) -> None:
    show(
        page,
        "<style>.quiet:focus { outline: none } .glow:focus { outline: 0; box-shadow: 0 0 4px red }"
        "</style><button>First</button><button class=glow>Second</button>"
        "<button class=quiet>Third</button>",
        policy="",
    )
    with pytest.raises(AssertionError, match="nothing has the focus"):
        focus_is_visible(page)
    tab_to(page, page.get_by_text("First"))
    tab_to(page, page.get_by_text("Second"))
    with pytest.raises(AssertionError, match='cannot be seen on <button class="quiet"'):
        tab_to(page, page.get_by_text("Third"))


def test_sideways_scrolling_is_noticed(browse: Browse) -> None:
    page = browse(PHONE)
    show(page, "<style>p { width: 400px }</style><p>Wide", policy="")
    with pytest.raises(AssertionError, match=r"in a window of 320: .*<p>Wide"):
        no_sideways_scroll(page)
    show(page, "<style>p { width: 400px } div { overflow: auto }</style><div><p>Wide", policy="")
    with pytest.raises(AssertionError, match="px in a box of"):
        no_sideways_scroll(page)


def test_page_loads_are_counted(served: Served, signed_in: Page) -> None:
    signed_in.goto("/users")
    assert full_page_loads(signed_in) == 1
    with pytest.raises(AssertionError, match="1 full page loads"), without_page_load(signed_in):
        signed_in.reload()
    with without_page_load(signed_in), weighed(signed_in) as transfer:
        signed_in.evaluate("() => fetch('/api/v1/domains').then((answer) => answer.text())")
    assert [url for url, _size in transfer.parts] == [f"{served.url}/api/v1/domains"]
    assert 100 < transfer.bytes < 2000


def test_a_first_visit_is_weighed_with_an_empty_cache(served: Served, signed_in: Page) -> None:
    signed_in.goto("/users")
    first, second = transferred(signed_in, "/users"), transferred(signed_in, "/users")
    assert first.requests == second.requests >= 2
    assert f"{served.url}/users" in {url for url, _size in first.parts}
    assert all(size > 0 for _url, size in first.parts), str(first)


def test_waiting_for_a_condition_breaks_no_policy(signed_in: Page) -> None:
    """Playwright's own scripts do not count as the page's."""
    signed_in.goto("/users")
    signed_in.wait_for_function("() => document.readyState === 'complete'")
