"""Every page, in light and dark, wide and at 320 px: axe finds nothing, nothing scrolls
sideways; with ordinary rows, and with what people put into fields.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.everybody import faults_in_any_look, no_sideways_scroll_at_any_width
from tests.browser.looks import PHONE
from tests.browser.served import Served
from tests.browser.traffic import transferred, watch_of, weighed

PAGES = [
    "/",
    "/domains",
    "/domains/1",
    "/domains/6",
    "/domains/1/delete",
    "/domains/selected?id=6",
    "/users",
    "/users?search=nothing-like-it",
    "/users?domain=example.com",
    "/users/{user}",
    "/users/{user}/delete",
    "/users/selected?action=password&id={user}",
    "/users?suspended=1",
    "/users/{suspended}",
    "/users/suspend?id={user}",
    "/users/resume?id={suspended}",
    "/aliases",
    "/aliases/{alias}",
    "/aliases/{alias}/delete",
    "/aliases/selected?action=repoint&id={alias}",
    "/admins",
    "/admins/1",
    "/admins/1/delete",
    "/admins/selected?id=1",
    "/configs",
    "/configs/directory",
    "/logs",
    "/history",
    "/history/{entry}",
    "/checkup",
    "/checkup/alias-dangling",
    "/checkup/server",
    "/trace",
    "/trace?address=team@example.com",
    "/trace?address=nobody@nowhere.example",
    "/import",
    "/import/{planned}",
    "/import/{planned}?verdict=create",
    "/import/{imported}",
    "/declared",
    "/account",
    "/api/v1/docs",
]


def fill(served: Served) -> dict[str, int]:
    """The guides' rows, some history, some log; ids for the pages above."""
    served.load_guide_rows()
    cookies = served.server.sign_in()
    for path, body in (
        ("domains", {"name": "new.example"}),
        ("users", {"email": "new@new.example", "password": "password"}),
    ):
        made = served.server.ask("POST", f"/api/v1/{path}", json=body, cookies=cookies)
        assert made.status_code == 201, made.text
    suspended = served.rows("SELECT id FROM virtual_users WHERE email='bob@example.com'")[0][0]
    for path, body in (
        (f"users/{suspended}", {"email": "rob@example.com", "note": "until May\nor June"}),
        (f"users/{suspended}", {"suspended": "all"}),
    ):
        changed = served.server.ask("PATCH", f"/api/v1/{path}", json=body, cookies=cookies)
        assert changed.status_code == 200, changed.text
    entry = served.rows("SELECT MAX(id) FROM postmaster_history")[0][0]
    user = served.rows("SELECT id FROM virtual_users WHERE email='ana@example.com'")[0][0]
    alias = served.rows("SELECT id FROM virtual_aliases WHERE source='team@example.com'")[0][0]
    planned, imported = imports(served, cookies)
    return {
        "entry": entry,
        "user": user,
        "alias": alias,
        "suspended": suspended,
        "planned": planned,
        "imported": imported,
    }


def imports(served: Served, cookies: Any) -> tuple[int, int]:
    """An import that is planned, and one that is done and has generated a password."""
    ids = []
    for lines in ("user,one@new.example\nuser,x@nowhere.example", "user,two@new.example"):
        sent = {"files": [{"name": "mail.csv", "text": f"kind,address\n{lines}\n"}]}
        body = sent | {"generate": True}
        made = served.server.ask("POST", "/api/v1/imports", json=body, cookies=cookies)
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    done = served.server.ask("POST", f"/api/v1/imports/{ids[1]}/run", cookies=cookies)
    assert done.json()["finished"] is True, done.text
    return ids[0], ids[1]


def test_every_page_is_for_everybody(served: Served, signed_in: Page) -> None:
    ids = fill(served)
    faults = []
    for path in PAGES:
        signed_in.goto(path.format(**ids))
        faults += [f"{path}: {fault}" for fault in faults_in_any_look(signed_in)]
        assert signed_in.locator("[style]").count() == 0, path
    assert faults == []


@pytest.mark.parametrize("signed_in", [pytest.param(PHONE, id="320px")], indirect=True)
def test_so_are_dialogs_menus_and_refusals(served: Served, signed_in: Page) -> None:
    fill(served)
    page = signed_in
    watch_of(page).expect_status(400, 404)
    page.goto("/domains")
    page.locator("#delete-1").click()
    expect(page.locator("#dialog h2")).to_be_visible()
    assert faults_in_any_look(page) == []
    page.locator("#dialog button.btn-danger").click()
    expect(page.locator("#dialog .field-error")).to_be_visible()
    assert faults_in_any_look(page) == []
    page.keyboard.press("Escape")
    page.goto("/users")
    page.locator("#add-button").click()
    expect(page.locator("#add .field-error")).to_be_visible()
    assert faults_in_any_look(page) == []
    page.locator("#list tbody a.editable").first.click()
    expect(page.locator("#list tbody form")).to_be_visible()
    assert faults_in_any_look(page) == []
    page.locator("details.menu summary").first.click()
    assert faults_in_any_look(page) == []
    page.goto("/checkup/server")
    page.locator("[name=maps]").fill("dbname = mail\nquery = SELECT 1 FROM mailbox")
    page.locator("#check").click()
    expect(page.locator("#outcome")).to_be_visible()
    assert faults_in_any_look(page) == []
    page.goto("/nowhere")
    assert faults_in_any_look(page) == []


# --- what people put into fields ------------------------------------------------

ODD = "<img src=x onerror=alert(1)>\"'&<b>"
TEXTS = {
    "markup": ODD,
    "emoji": "🦄" * 10,
    "right to left": "\u202eשלום عليكم\u202e",  # noqa: RUF001 -- Hebrew is what it is about
    "template": "{{ 7 * 7 }} %s %(name)s ${x}",
}
LONG = f"{'l' * 64}@{'d' * 42}.example"  # 115 characters


def put_odd_rows(served: Served) -> None:
    """By hand, in every field that the tables can hold it in."""
    guides = [text for text in TEXTS.values() if text.isascii() or "שלום" in text]
    for number, text in enumerate(guides, start=1):
        served.run(
            "INSERT INTO virtual_domains (id, name) VALUES (:id, :name)",
            id=number,
            name=text[:50],
        )
        served.run(
            "INSERT INTO virtual_users (domain_id, password, email) VALUES (:id, '*', :email)",
            id=number,
            email=f"{text}@odd.example"[:120],
        )
        served.run(
            "INSERT INTO virtual_aliases (domain_id, source, destination)"
            " VALUES (:id, :source, :destination)",
            id=number,
            source=f"{text}@odd.example"[:100],
            destination=text[:100],
        )
    served.run(
        "INSERT INTO virtual_users (domain_id, password, email) VALUES (1, '*', :email)",
        email=LONG,
    )
    cookies = served.server.sign_in()
    for number, text in enumerate(TEXTS.values(), start=1):
        served.run(
            "INSERT INTO postmaster_admins (username, name, source, active)"
            " VALUES (:username, :name, 'local', 1)",
            username=f"{number}{text}",
            name=text[:50],
        )
        served.run(
            "INSERT INTO postmaster_history"
            " (moment, admin, via, ip, action, kind, object_id, object_name, old, new)"
            " VALUES ('2026-11-25 01:02:03', :text, 'page', '192.0.2.1', 'change', 'domain',"
            " 1, :text, :old, :new)",
            text=text,
            old='{"name": "\\u202e<b>old"}',
            new='{"name": "<script>alert(1)</script>"}',
        )
    turned_on = served.server.ask(
        "PATCH", "/api/v1/configs/5", json={"value": "True"}, cookies=cookies
    )
    assert turned_on.status_code == 200, turned_on.text
    for text in TEXTS.values():
        served.server.ask("POST", "/login", data={"username": text, "password": text})


def test_odd_texts_are_text(served: Served, signed_in: Page) -> None:
    put_odd_rows(served)
    page = signed_in
    user = served.rows("SELECT MIN(id) FROM virtual_users")[0][0]
    alias = served.rows("SELECT MIN(id) FROM virtual_aliases")[0][0]
    admin = served.rows("SELECT MIN(id) FROM postmaster_admins WHERE id > 1")[0][0]
    entry = served.rows("SELECT MIN(id) FROM postmaster_history")[0][0]
    for path in (
        "/",
        "/domains",
        "/domains/1",
        "/domains/1/delete",
        "/users",
        f"/users/{user}",
        f"/users/{user}/delete",
        "/aliases",
        f"/aliases/{alias}",
        f"/aliases/{alias}/delete",
        f"/aliases/selected?action=repoint&id={alias}",
        "/admins",
        f"/admins/{admin}",
        "/logs",
        "/history",
        f"/history/{entry}",
        "/history?search=%3Cb%3E",
        "/users?search=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ):
        page.goto(path)
        assert page.locator("img[onerror], main script").count() == 0, path
        assert "49 %s" not in page.locator("main").inner_text(), path
        no_sideways_scroll_at_any_width(page)


def test_an_odd_text_that_is_refused_stands_in_its_field(served: Served, signed_in: Page) -> None:
    page = signed_in
    watch_of(page).expect_status(400)
    for path, field in (
        ("/domains", "name"),
        ("/users", "email"),
        ("/aliases", "source"),
        ("/admins", "username"),
    ):
        page.goto(path)
        page.locator(f"#add [name={field}]").fill(ODD)
        page.locator("#add-button").click()
        page.locator("#add .field-error").first.wait_for()
        expect(page.locator(f"#add [name={field}]")).to_have_value(ODD)
        assert page.locator("img[onerror]").count() == 0


# --- weight ---------------------------------------------------------------------


def test_the_users_list_is_light(
    served: Served, signed_in: Page, many_users: Callable[[int], None]
) -> None:
    many_users(120)
    signed_in.goto("/users")
    first = transferred(signed_in, "/users")
    assert first.requests <= 8, str(first)
    assert first.bytes <= 120 * 1000, str(first)
    with weighed(signed_in) as answer:
        signed_in.get_by_role("link", name="Next").click()
        expect(signed_in).to_have_url(f"{served.url}/users?page=2")
    assert answer.bytes < 8 * 1000, str(answer)
    with weighed(signed_in) as answer:
        signed_in.get_by_role("searchbox").fill("user1")
        expect(signed_in).to_have_url(f"{served.url}/users?search=user1")
    assert answer.bytes < 8 * 1000, str(answer)
