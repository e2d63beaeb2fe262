"""/checkup: the findings, the plan of a repair, and the repair."""

import pytest
from sqlalchemy import select

from postmaster.db import db
from postmaster.models import Alias, Domain, HistoryEntry
from postmaster.rules.checkup import domain_repairs, repairs
from tests.conftest import ADMIN
from tests.pages.browsing import Browser
from tests.pages.stored import leads_to, put, stored
from tests.rules.odd_rows import ANA, BOB, TEAM, alias, fill_well, user

LIST = f"{ANA}, {BOB}"


@pytest.fixture
def odd(browser: Browser) -> Browser:
    """An admin's browser on a server with some odd rows."""
    with browser.client.application.app_context():
        fill_well()
    put(
        browser,
        alias(301, "old@one.example", "gone@one.example"),
        alias(302, "all@one.example", LIST),
        user(31, "Lea@One.example"),
        user(32, " kim@one.example"),
        user(33, "a@one.example", password="a plain password"),
    )
    return browser


def test_all_is_well_where_nothing_is_odd(browser: Browser) -> None:
    with browser.client.application.app_context():
        fill_well()
    browser.open("/account")
    browser.submit("/account/password", present="PostMaster", new="another password")
    page = browser.open("/checkup")
    assert "All is well" in page.text
    assert page.headings[:-1] == ["Checkup", "How passwords are stored"], "and the shortcuts"
    assert "SHA512-CRYPT works 3" in page.text
    assert "/checkup/server" in page.links


def test_the_findings_stand_with_the_worst_first(odd: Browser) -> None:
    page = odd.open("/checkup")
    assert "4 things have to be mended" in page.text
    assert page.headings[:-1] == [
        "Checkup",
        "To be mended",
        "To look at",
        "Good to know",
        "How passwords are stored",
    ]
    for path in ("/aliases/301", "/users/31", "/users/32", "/admins/1"):
        assert path in page.links
    assert "\N{OPEN BOX}kim@one.example" in page.text
    assert "/checkup/alias-dangling" in page.links
    assert "/checkup/user-mixed-case" not in page.links
    assert "a plain password" not in page.html


def test_the_menu_leads_here(browser: Browser) -> None:
    assert "/checkup" in browser.open("/").links


def test_a_plan_is_shown_carried_out_and_undone(odd: Browser) -> None:
    before = stored(odd)
    odd.open("/checkup")
    page = odd.open("/checkup/destination-list")
    assert page.headings[0] == "Destinations that are several addresses in one row"
    assert "2 rows change" in page.text
    assert f"Alias all@one.example → {LIST} all@one.example → {ANA}" in page.text
    assert f"Alias (new) all@one.example → {BOB}" in page.text
    assert stored(odd) == before
    page = odd.submit("repair")
    assert (page.status, page.url) == (200, "/checkup")
    assert '2 changes repaired "Destinations that are several addresses in one row"' in page.text
    assert "/checkup/destination-list" not in page.links
    assert leads_to(odd, "all@one.example") == [ANA, BOB]
    page = odd.undo()
    assert "2 changes were taken back" in page.text
    assert stored(odd) == before


def test_a_part_of_the_page_does_the_same(odd: Browser) -> None:
    odd.open("/checkup", into="main")
    odd.open("/checkup/alias-dangling", into="main")
    page = odd.submit("repair", into="main")
    assert '1 changes repaired "Aliases that lead nowhere"' in page.text
    assert odd.is_gone(Alias, 301)


@pytest.mark.parametrize("into", [None, "main"])
def test_what_somebody_changed_meanwhile_is_shown_again(odd: Browser, into: str | None) -> None:
    odd.open("/checkup/alias-dangling", into=into)
    put(odd, alias(303, "older@one.example", "gone@one.example"))
    page = odd.submit("repair", into=into)
    assert page.status == 409
    assert "is not what was shown any more" in page.alerts[-1]
    assert "older@one.example → gone@one.example" in page.text
    assert odd.row(Alias, 301)
    assert odd.submit("repair", into=into).status == 200
    assert odd.is_gone(Alias, 301)
    assert odd.is_gone(Alias, 303)


def test_what_is_repaired_already_is_said(odd: Browser) -> None:
    odd.open("/checkup/alias-dangling")
    with odd.client.application.app_context():
        db.session.delete(db.session.get_one(Alias, 301))
        db.session.commit()
    page = odd.submit("repair")
    assert page.status == 409
    assert "There is nothing to repair" in page.text
    assert not page.has_form("/checkup/alias-dangling")


def test_without_a_version_nothing_is_repaired(odd: Browser) -> None:
    odd.open("/checkup/alias-dangling")
    assert odd.send("/checkup/alias-dangling").status == 409
    assert odd.row(Alias, 301)


def test_what_a_repair_leaves_is_said_with_the_reason(odd: Browser) -> None:
    put(odd, user(34, f" {ANA}"))
    page = odd.open("/checkup/user-never-found")
    assert "These stay as they are" in page.headings
    assert f'\N{OPEN BOX}{ANA} : "{ANA}" already exists.' in page.text


def test_a_plain_password_is_hashed_and_never_shown(odd: Browser) -> None:
    page = odd.open("/checkup/password-plain")
    assert "a@one.example the password is hashed" in page.text
    page = odd.submit("repair")
    assert "a plain password" not in page.html
    entry = odd.id_of(HistoryEntry, part_of=None)
    assert "a plain password" not in odd.open(f"/history/{entry}").html
    assert ("a plain password",) not in [row[2:3] for row in stored(odd)["virtual_users"]]


def test_a_row_that_only_moves_says_so(odd: Browser) -> None:
    put(odd, Domain(id=3, name="three.example"), user(35, "b@three.example"))
    page = odd.open("/checkup/user-other-domain")
    assert "b@three.example in the domain of its address" in page.text


def test_more_than_one_go_is_said(odd: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    put(odd, user(35, "b@two.example"), user(36, "c@two.example"))
    monkeypatch.setattr(domain_repairs, "MOST_ROWS", 1)
    odd.open("/checkup")
    page = odd.open("/checkup/user-other-domain")
    assert "Run the repair again for the others" in page.text
    odd.submit("repair")
    assert "/checkup/user-other-domain" in odd.open("/checkup").links


def test_only_a_hundred_rows_are_shown(odd: Browser) -> None:
    put(odd, *(alias(400 + n, f"a{n}@one.example", "gone@one.example") for n in range(119)))
    page = odd.open("/checkup/alias-dangling")
    assert "120 rows change" in page.text
    assert "and 20 more" in page.text


@pytest.mark.parametrize("code", ["user-mixed-case", "nothing-like-it"])
def test_what_has_no_repair_is_not_found(odd: Browser, code: str) -> None:
    odd.open("/checkup")
    for page in (odd.open(f"/checkup/{code}"), odd.send(f"/checkup/{code}")):
        assert page.status == 404
        assert f'There is no repair "{code}"' in page.text
        odd.open("/checkup")


def test_the_history_names_the_finding(odd: Browser) -> None:
    odd.run(repairs.carry_out, ADMIN, "alias-dangling")
    page = odd.open("/history")
    assert '1 changes repaired "Aliases that lead nowhere"' in page.text
    with odd.client.application.app_context():
        assert db.session.scalars(select(HistoryEntry.kind).order_by(HistoryEntry.id)).all() == [
            "mail",
            "alias",
        ]


def test_odd_texts_stay_texts(odd: Browser) -> None:
    put(odd, alias(304, TEAM, "<img src=x onerror=alert(1)>"))
    for path in ("/checkup", "/checkup/destination-named"):
        assert "<img src=x" not in odd.open(path).html


def test_passwords_are_counted_by_scheme(odd: Browser) -> None:
    assert "unknown as it is typed 1" in odd.open("/checkup").text
