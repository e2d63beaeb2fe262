"""What a page of another site can do with an administrator's cookie: nothing."""

import json
from html import escape

import pytest
from playwright.sync_api import Frame, Page, expect

from postmaster.security import API_PREFIX
from tests.browser.conftest import Browse
from tests.browser.other_site import OtherSite
from tests.browser.served import Served

# To the browser the first is another site; the second is the same site on another port,
# so that the cookie goes along and the server has to refuse by itself.
ATTACKERS = ["localhost", "127.0.0.1"]

# Enough for any form and any act.
FIELDS = {
    "name": "attacked.example",
    "domain_id": "1",
    "email": "attacked@example.com",
    "source": "attacked@example.com",
    "destination": "ana@example.com",
    "destinations": "ana@example.com",
    "username": "attacker",
    "password": "a long attacker's password",
    "current_password": "PostMaster",
    "confirmation": "example.com",
    "value": "False",
    "enabled": "false",
    "code": "000000",
    "ids": "1",
    "action": "delete",
    "csrf_token": "made-up",
}


@pytest.fixture
def victim(served: Served, browse: Browse) -> Page:
    """An administrator who has signed in by the page, so the cookie is as it always is."""
    served.load_guide_rows()
    page = browse(watched=False)
    page.goto("/login")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("PostMaster")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{served.url}/")
    return page


def still_signed_in(page: Page) -> bool:
    return page.request.get("/api/v1/domains").status == 200


@pytest.mark.parametrize("attacker", ATTACKERS)
@pytest.mark.parametrize("encoding", ["application/x-www-form-urlencoded", "text/plain"])
def test_a_form_changes_nothing(
    served: Served, victim: Page, other_site: OtherSite, attacker: str, encoding: str
) -> None:
    before = served.dump()
    # Only the API could take such text for something: for JSON.
    some = API_PREFIX if encoding == "text/plain" else "/"
    first, *others = [path for path in served.paths("POST") if path.startswith(some)]
    other_site.put("/form", form(f"{served.url}{first}", encoding))
    with victim.expect_response(lambda it: it.request.method == "POST") as answer:
        victim.goto(other_site.url(attacker, "/form"), wait_until="commit")
        victim.wait_for_url(f"{served.url}{first}")
    assert answer.value.status == 403, f"a form on {attacker} reaches POST {first}"
    # Otherwise the neighbour would attack with nothing in its hands.
    headers = answer.value.request.all_headers()
    assert ("postmaster=" in headers.get("cookie", "")) == (attacker == "127.0.0.1")
    # What the browser sends does not depend on the path: the other forms are sent as it has
    # sent the first, and without a new page for each.
    for name in ("host", "content-length"):
        headers.pop(name, None)
    body = answer.value.request.post_data_buffer
    assert body
    for path in others:
        sent = served.server.ask("POST", path, headers=headers, data=body)
        assert sent.status_code == 403, f"a form on {attacker} reaches POST {path}"
    assert served.dump() == before
    assert still_signed_in(victim)


def form(action: str, encoding: str) -> str:
    """A form that submits itself; as text it sends a JSON document."""
    fields = (
        {json.dumps(FIELDS)[:-1] + ', "': '": ""}'}  # name=value makes one object of both
        if encoding == "text/plain"
        else FIELDS
    )
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    return (
        f'<form method="post" enctype="{encoding}" action="{action}">{inputs}</form>'
        "<script>onload = () => setTimeout(() => document.forms[0].submit())</script>"
    )


FETCH = """
async ([url, method, body, mode]) => {
  const types = mode === "no-cors" ? "text/plain" : "application/json";
  const options = {method, mode, credentials: "include", headers: {"Content-Type": types}};
  if (method !== "GET") options.body = body;
  try {
    const answer = await fetch(url, options);
    return `${answer.type} ${await answer.text()}`;
  } catch (error) {
    return "refused";
  }
}
"""


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_a_fetch_changes_and_reads_nothing(
    served: Served, victim: Page, other_site: OtherSite, attacker: str
) -> None:
    other_site.put("/", "")
    victim.goto(other_site.url(attacker))
    before = served.dump()
    for method, mode in [
        ("POST", "no-cors"),
        ("GET", "no-cors"),
        ("POST", "cors"),
        ("GET", "cors"),
        ("PUT", "cors"),
        ("PATCH", "cors"),
        ("DELETE", "cors"),
    ]:
        for path in served.paths(method):
            answer = victim.evaluate(
                FETCH, [f"{served.url}{path}", method, json.dumps(FIELDS), mode]
            )
            # An opaque answer has no text that a script could read.
            assert answer in ("refused", "opaque "), f"{method} {path} answers {attacker}: {answer}"
    victim.evaluate("(url) => navigator.sendBeacon(url, 'x')", f"{served.url}/logout")
    victim.wait_for_load_state("networkidle")
    assert served.dump() == before
    assert still_signed_in(victim)


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_an_embedded_address_changes_nothing(
    served: Served, victim: Page, other_site: OtherSite, attacker: str
) -> None:
    elements = ("<img src='{}'>", "<link rel='stylesheet' href='{}'>", "<script src='{}'></script>")
    addresses = [f"{served.url}{path}" for path in served.paths("GET")]
    other_site.put("/", "".join(each.format(url) for each in elements for url in addresses))
    before = served.dump()
    asked: set[tuple[str, str]] = set()
    victim.on("request", lambda request: asked.add((request.resource_type, request.url)))
    victim.goto(other_site.url(attacker), wait_until="load")
    for kind in ("image", "stylesheet", "script"):
        assert {(kind, url) for url in addresses} <= asked
    assert served.dump() == before
    assert still_signed_in(victim)


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_no_page_is_shown_in_a_frame(
    served: Served, victim: Page, other_site: OtherSite, attacker: str
) -> None:
    paths = [*served.paths("GET"), "/no-such-page"]
    before = served.dump()
    other_site.put("/", "".join(f"<iframe src='{served.url}{path}'></iframe>" for path in paths))
    victim.goto(other_site.url(attacker), wait_until="load")
    frames = victim.frames[1:]
    assert len(frames) == len(paths)
    shown = [path for path, frame in zip(paths, frames, strict=True) if not is_refused(frame)]
    assert shown == [], f"{attacker} can show these in a frame"
    assert served.dump() == before
    assert still_signed_in(victim)


def is_refused(frame: Frame) -> bool:
    """Whether the frame shows Chromium's own page about the refusal, or nothing at all, as
    for a download.
    """
    return frame.url in ("chrome-error://chromewebdata/", "about:blank", "")


def test_the_site_itself_can_do_what_the_attackers_could_not(served: Served, victim: Page) -> None:
    """The attacks above are refused for where they come from, not for what they say."""
    before = served.dump()
    arguments = [f"{served.url}/api/v1/domains", "POST", '{"name": "own.example"}', "cors"]
    assert "own.example" in victim.evaluate(FETCH, arguments)
    assert served.dump() != before
    victim.evaluate(FETCH, [f"{served.url}/logout", "GET", "", "cors"])
    assert not still_signed_in(victim)
