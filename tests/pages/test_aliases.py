"""The list of aliases: add, look for, sort, page."""

import pytest

from postmaster.models import Alias, Domain, User
from tests.conftest import set_setting
from tests.pages.browsing import Browser
from tests.pages.stored import (
    A_LABEL,
    ANA,
    BOB,
    DORA,
    ELSEWHERE,
    EMOJI,
    EVA,
    IDN,
    leads_to,
    put,
    row_of,
    rows_of,
    stored,
)

# --- adding ---------------------------------------------------------------------


def test_an_empty_list_says_what_to_do_first(browser: Browser) -> None:
    page = browser.open("/aliases")
    assert "No alias yet. Add one below" in page.text
    assert "A user is a mailbox of its own, with a password" in page.text


@pytest.mark.parametrize("into", [None, "main"])
def test_an_alias_is_added_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?search=two")
    page = mail.submit("add", into=into, source=" News@Two.example", destination="Ana@one.example ")
    assert (page.status, page.url) == (200, "/aliases?search=two")
    assert 'The alias "news@two.example → ana@one.example" was created' in page.text
    assert ("<html" in page.html) is (into is None)
    assert leads_to(mail, "news@two.example") == [ANA]
    page = mail.undo()
    assert 'The alias "news@two.example → ana@one.example" was deleted (undo)' in page.text
    assert stored(mail) == before


@pytest.mark.parametrize(
    ("source", "destination", "field", "words"),
    [
        ("", ANA, "source", "was not specified"),
        ("new@two.example", "", "destination", "was not specified"),
        ("new", ANA, "source", "it must have one @"),
        ("a, b@two.example", ANA, "source", "may not contain blanks"),
        ("@", ANA, "source", "after the @ there must be a domain"),
        (f"{'a' * 65}@two.example", ANA, "source", "at most 64 characters"),
        (f"{EMOJI}<b>@two.example", ANA, "source", "a character that mail servers refuse"),
        ("new@three.example", ANA, "source", "is not managed by this database"),
        ("new@two.example", "ana", "destination", "it must have one @"),
        ("new@two.example", "no@two.example", "destination", "is not a current email address"),
        ("new@two.example", "no@else.example", "destination", "is not managed by this database"),
        ("sales@two.example", ANA, "destination", "already exists"),
        (ANA, EVA, "source", "is an existing email address"),
        ("sales@two.example", "info@two.example", "destination", "would close a circle"),
        ("new@two.example", "new@two.example", "destination", "is not a current email address"),
    ],
)
def test_a_refusal_stands_beside_its_field(
    mail: Browser, source: str, destination: str, field: str, words: str
) -> None:
    before = stored(mail)
    for into in ("main", None):
        mail.open("/aliases")
        page = mail.submit(
            "add", into=into, source=source, destination=destination, keep_mailboxes=False
        )
        assert page.status == 400
        # What concerns no field of the form stands over it.
        assert words in (page.errors[field] if field else page.alerts[-1])
        form = page.form("add")
        assert (form.values["source"], form.values["destination"]) == ([source], [destination])
        assert "keep_mailboxes" not in form.values, "the tick that was taken away stays away"
        assert "<b>@" not in page.html
        assert len(rows_of(page)) == 6
    assert stored(mail) == before
    # The last one was without htmx.
    assert "<html" in page.html


def test_a_refusal_of_htmx_says_where_it_goes(mail: Browser) -> None:
    mail.open("/aliases")
    page = mail.submit("add", into="main", source="new", destination=ANA)
    assert page.response.headers["HX-Retarget"] == "#main"
    assert page.response.headers["HX-Push-Url"] == "false"


def test_a_setting_permits_destinations_elsewhere(mail: Browser) -> None:
    set_setting(mail.client, "Allow External Alias Destinations", "True")
    mail.open("/aliases")
    page = mail.submit("add", source="new@two.example", destination="no@else.example")
    assert page.status == 200
    assert "</i> other server</span>" in row_of(page, "new@two.example</bdi>")


def test_a_form_leads_nowhere_else(mail: Browser) -> None:
    for number, back in enumerate(ELSEWHERE):
        mail.open("/aliases")
        page = mail.submit("add", source=f"new{number}@two.example", destination=ANA, back=back)
        assert (page.status, page.url) == (200, "/"), back


def test_a_mailbox_forwards_and_keeps_a_copy(mail: Browser) -> None:
    before = stored(mail)
    mail.open("/aliases")
    page = mail.submit("add", source=ANA, destination=EVA)
    assert page.status == 400
    page = mail.submit("add", keep_copy=True)
    assert page.status == 200
    assert sorted(leads_to(mail, ANA)) == [ANA, EVA]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize(
    ("keeps", "has_map", "own"),
    [(True, False, [(ANA, [ANA])]), (False, False, [(ANA, [])]), (True, True, [(ANA, [])])],
)
def test_a_catch_all_leaves_the_mailboxes_their_mail(
    mail: Browser, keeps: bool, has_map: bool, own: list[tuple[str, list[str]]]
) -> None:
    if has_map:
        set_setting(mail.client, "Email2Email Map", "True")
    before = stored(mail)
    page = mail.open("/aliases")
    assert page.form("add").values["keep_mailboxes"] == ["y"], "the careful choice is made"
    page = mail.submit("add", source="@ONE.example", destination=BOB, keep_mailboxes=keeps)
    assert 'The alias "@one.example → bob@one.example" was created' in page.text
    assert leads_to(mail, "@one.example") == [BOB]
    assert [(source, leads_to(mail, source)) for source, _ in own] == own
    assert "A catch-all: it takes mail" in mail.open(f"/aliases/{catch_all_id(mail)}").text
    mail.open("/aliases")
    (entry,) = mail.client.get("/api/v1/history?per_page=1").get_json()["items"]
    mail.send(f"/history/{entry['id']}/undo")
    assert stored(mail) == before


def catch_all_id(browser: Browser) -> int:
    return browser.id_of(Alias, source="@one.example")


# --- the list -------------------------------------------------------------------


def test_all_destinations_of_a_source_stand_together(mail: Browser) -> None:
    put(mail, Alias(id=301, domain_id=1, source="TEAM@one.example", destination=EVA))
    page = mail.open("/aliases")
    assert rows_of(page) == ["203", "103", "202", "205", "201", "101"]
    row = row_of(page, 'id="row-101"')
    for number, destination in ((101, ANA), (102, DORA), (301, EVA)):
        assert f'id="change-{number}"' in row
        assert f"<bdi>{destination}</bdi>" in row
        assert f'id="delete-{number}"' in row
    assert "6 aliases" in page.text
    one = row_of(page, 'id="row-201"')
    assert 'id="delete-201"' not in one, "the only one goes with the alias"


def test_odd_rows_have_a_mark(browser: Browser) -> None:
    put(browser, Domain(id=1, name="Example.ORG"))
    put(browser, User(domain_id=1, email="dmitri@example.org", password="*"))
    put(browser, Alias(id=1, domain_id=1, source="Sup@Example.org", destination="x@example.org"))
    put(browser, Alias(id=2, domain_id=1, source="a@example.org", destination="DMITRI@example.org"))
    put(browser, Alias(id=3, domain_id=1, source="b@example.org", destination="c@else.example"))
    put(browser, Alias(id=4, domain_id=1, source="c@example.org", destination="d@e.org, f@g.org"))
    put(browser, Alias(id=5, domain_id=1, source="d@example.org", destination="A@EXAMPLE.org"))
    put(browser, Domain(id=2, name="two.example"))
    put(browser, Alias(id=6, domain_id=2, source="@two.example", destination="@else.example"))
    put(browser, Alias(id=8, domain_id=2, source="f@example.org", destination="any@two.example"))
    put(browser, Alias(id=7, domain_id=1, source="e@example.org", destination="dmitri@example.org"))
    page = browser.open("/aliases")
    for number, marks in {
        1: ["upper case", "leads nowhere"],
        2: ["upper case"],
        3: ["other server"],
        4: ["unusable", "other server"],
        5: ["upper case"],
        6: ["other server"],
        7: [],
        8: [],  # the catch-all takes it
    }.items():
        row = row_of(page, f'id="row-{number}"')
        for mark in ("upper case", "unusable", "twice", "leads nowhere", "other server"):
            assert (f"</i> {mark}</span>" in row) is (mark in marks), (number, mark)
    assert "Mail to it is taken and then comes back" in browser.open("/aliases/1").text
    assert "All mail is passed on to there" in browser.open("/aliases/3").text


def test_rows_made_by_hand_stay_editable(browser: Browser) -> None:
    put(browser, Domain(id=1, name="example.org"))
    put(browser, User(domain_id=1, email="ana@example.org", password="*"))
    put(browser, Alias(id=1, domain_id=1, source="Old@Example.org", destination="no@else.example"))
    browser.open("/aliases/1")
    browser.submit("/aliases/1", destination="ana@example.org")
    alias = browser.row(Alias, 1)
    assert (alias.source, alias.destination) == ("Old@Example.org", "ana@example.org")


def test_a_name_in_other_letters_is_shown_as_people_read_it(mail: Browser) -> None:
    put(mail, Domain(id=3, name=A_LABEL))
    mail.open("/aliases")
    page = mail.submit("add", source=f"info@{IDN}", destination=ANA)
    assert f"info@{IDN} → ana@one.example" not in page.alerts
    assert f'<bdi title="info@{A_LABEL}">info@{IDN}</bdi>' in page.html


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["203", "103", "202", "205", "201", "101"]),
        ("order=desc", ["101", "201", "205", "202", "103", "203"]),
        ("order=desc&per_page=2&page=2", ["205", "202"]),
        ("search=TEAM", ["101"]),
        ("search=%25", []),
        ("search=%F0%9F%98%80", []),
        ("domain=one.example", ["103", "101"]),
        ("domain=ONE.example&search=team", ["101"]),
        ("domain=none.example", []),
        ("domain=%F0%9F%98%80", []),
        ("destination=ANA@one.example", ["201", "101"]),
        ("destination=ana@one.example&domain=one.example", ["101"]),
        ("destination=nobody@one.example", []),
        ("destination=%F0%9F%98%80", []),
        ("domain=b%C3%BCcher.example", ["301"]),
        ("domain=xn--bcher-kva.example", ["301"]),
    ],
)
def test_the_list_is_searched_and_filtered(mail: Browser, query: str, ids: list[str]) -> None:
    if "cher" in query:
        put(mail, Domain(id=3, name=A_LABEL))
        put(mail, Alias(id=301, domain_id=3, source=f"uma@{A_LABEL}", destination=ANA))
    whole = mail.open(f"/aliases?{query}")
    assert (whole.status, rows_of(whole)) == (200, ids)
    part = mail.open(f"/aliases?{query}", into="list")
    assert rows_of(part) == ids
    assert "<h1" not in part.html
    assert "adding" not in part.ids


def test_a_filtered_list_says_what_it_holds(mail: Browser) -> None:
    page = mail.open("/aliases?domain=one.example")
    assert page.headings[0] == "Aliases of one.example"
    page = mail.open(f"/aliases?destination={ANA}")
    assert page.headings[0] == f"Aliases to {ANA}"
    assert "2 aliases" in page.text
    # All destinations of a source are shown, not only the one that is looked for.
    assert DORA in row_of(page, "team@one.example</bdi>")


def test_past_the_last_page_one_is_led_back_to_it(mail: Browser) -> None:
    page = mail.open("/aliases?per_page=4&page=9999&order=desc")
    assert page.url == "/aliases?per_page=4&page=2&order=desc"
    assert rows_of(page) == ["103", "203"]
    gone = mail.open(f"/aliases?destination={ANA}&page=2")
    assert gone.response.status_code == 200
    assert rows_of(gone) == ["201", "101"]
