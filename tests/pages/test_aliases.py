"""The pages of aliases: add, change, rename, look for, lead elsewhere, delete."""

import pytest
from sqlalchemy import select

from postmaster.db import db
from postmaster.models import Alias, Domain, User
from tests.conftest import set_setting
from tests.pages.browsing import Browser
from tests.pages.stored import ELSEWHERE, put, row_of, rows_of, stored

IDN = "bücher.example"
A_LABEL = "xn--bcher-kva.example"
EMOJI = "\U0001f600"
ANA, BOB, DORA, EVA = "ana@one.example", "bob@one.example", "dora@two.example", "eva@two.example"


def leads_to(browser: Browser, source: str) -> list[str]:
    with browser.client.application.app_context():
        found = select(Alias.destination).where(Alias.source == source).order_by(Alias.id)
        return list(db.session.scalars(found))


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


# --- one alias: its destinations ------------------------------------------------


def test_an_aliases_page_shows_all_its_destinations(mail: Browser) -> None:
    page = mail.open("/aliases/102")
    assert page.headings[0] == "team@one.example"
    assert page.form("/aliases/101").values["destination"] == [ANA]
    assert page.form("/aliases/102").values["destination"] == [DORA]
    assert page.form("/aliases/101/destinations").values["destination"] == [""]
    assert page.form("/aliases/101/source").values["source"] == ["team@one.example"]
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("path", ["/aliases/77", "/aliases/99999999999", "/aliases/77/delete"])
def test_what_is_not_there_is_not_found(mail: Browser, path: str) -> None:
    for into in (None, "main", "dialog", "edit-77", "edit-add-77"):
        page = mail.open(path, into=into)
        assert page.status == 404, into
        assert "The alias was not found" in page.text


@pytest.mark.parametrize("into", [None, "main"])
def test_a_destination_is_changed_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?search=team" if into else "/aliases/102")
    if into:
        cell = mail.open("/aliases/102", into="edit-102")
        assert "<h1" not in cell.html
        assert [form.action for form in cell.forms] == ["/aliases/102"]
    page = mail.submit("/aliases/102", into=into, destination="EVA@two.example")
    assert page.url == ("/aliases?search=team" if into else "/aliases/102")
    assert 'destination: "dora@two.example" → "eva@two.example"' in page.text
    assert leads_to(mail, "team@one.example") == [ANA, EVA]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("", "was not specified"),
        ("dora", "it must have one @"),
        ("no@two.example", "is not a current email address"),
        ("no@else.example", "is not managed by this database"),
        (ANA, "already exists"),
        ("press@two.example", "would close a circle"),
    ],
)
def test_a_refused_destination_comes_back_where_it_was(
    mail: Browser, destination: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/aliases" if into else "/aliases/102")
    if into:
        mail.open("/aliases/102", into="edit-102")
    page = mail.submit("/aliases/102", into=into, destination=destination)
    assert page.status == 400
    assert words in page.errors["destination"]
    assert page.form("/aliases/102").values["destination"] == [destination]
    if into:
        assert page.response.headers["HX-Retarget"] == "#edit-102"
        assert "<h1" not in page.html
    else:
        assert page.form("/aliases/101").values["destination"] == [ANA]
        assert page.form("/aliases/101/destinations").values["destination"] == [""]
        assert list(page.errors) == ["destination"]
    assert stored(mail) == before


def test_a_destination_that_somebody_changed_meanwhile_is_not_overwritten(mail: Browser) -> None:
    mail.open("/aliases/102")
    mail.client.patch("/api/v1/aliases/102", json={"destination": EVA})
    page = mail.submit("/aliases/102", destination=BOB)
    assert page.status == 409
    assert "Somebody changed this since you opened it" in page.alerts[-1]
    assert page.form("/aliases/102").values["destination"] == [BOB]
    assert leads_to(mail, "team@one.example") == [ANA, EVA]
    assert mail.submit("/aliases/102").status == 200
    assert leads_to(mail, "team@one.example") == [ANA, BOB]


def test_the_other_destinations_may_change_meanwhile(mail: Browser) -> None:
    mail.open("/aliases/102")
    mail.client.patch("/api/v1/aliases/101", json={"destination": BOB})
    assert mail.submit("/aliases/102", destination=EVA).status == 200
    assert leads_to(mail, "team@one.example") == [BOB, EVA]


def test_a_row_changed_by_hand_meanwhile_is_not_overwritten(mail: Browser) -> None:
    mail.open("/aliases/102")
    mail.alter(Alias, 102, destination=EVA)
    page = mail.submit("/aliases/102", destination=BOB)
    assert (page.status, EVA in page.alerts[-1]) == (409, True)


@pytest.mark.parametrize("into", [None, "main"])
def test_a_destination_is_added_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?search=team" if into else "/aliases/102")
    if into:
        cell = mail.open("/aliases/101", into="edit-add-101")
        assert [form.action for form in cell.forms] == ["/aliases/101/destinations"]
    page = mail.submit("/aliases/101/destinations", into=into, destination=EVA)
    assert page.url == ("/aliases?search=team" if into else "/aliases/102")
    assert leads_to(mail, "team@one.example") == [ANA, DORA, EVA]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("destination", "words"),
    [("", "was not specified"), (DORA, "already exists"), ("no@two.example", "is not a current")],
)
def test_a_refused_further_destination_comes_back_where_it_was(
    mail: Browser, destination: str, words: str, into: str | None
) -> None:
    mail.open("/aliases" if into else "/aliases/101")
    if into:
        mail.open("/aliases/101", into="edit-add-101")
    page = mail.submit("/aliases/101/destinations", into=into, destination=destination)
    assert page.status == 400
    assert words in page.errors["destination"]
    assert page.form("/aliases/101/destinations").values["destination"] == [destination]
    if into:
        assert page.response.headers["HX-Retarget"] == "#edit-add-101"
    else:
        assert page.form("/aliases/101").values["destination"] == [ANA]


def test_a_destination_is_not_added_to_what_is_gone(mail: Browser) -> None:
    mail.open("/aliases/201")
    mail.client.delete("/api/v1/aliases/201")
    for path in ("/aliases/201/destinations", "/aliases/201", "/aliases/201/source"):
        page = mail.send(path, destination=EVA, source="new@two.example")
        assert (page.status, "The alias was not found" in page.text) == (404, True)


# --- one alias: its source ------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_all_destinations_get_another_source_and_that_is_undone(
    mail: Browser, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/aliases/102")
    page = mail.submit("/aliases/101/source", into=into, source="Crew@two.example")
    assert (page.status, page.url) == (200, "/aliases/102")
    assert page.headings[0] == "crew@two.example"
    assert "2 aliases were changed" in page.text
    assert leads_to(mail, "crew@two.example") == [ANA, DORA]
    assert mail.row(Alias, 101).domain_id == 2
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "was not specified"),
        ("crew", "it must have one @"),
        (BOB, "already exists"),
        ("crew@three.example", "is not managed by this database"),
        (EVA, "is an existing email address"),
    ],
)
def test_a_refused_source_stands_beside_its_field(mail: Browser, source: str, words: str) -> None:
    put(mail, Alias(id=301, domain_id=1, source=BOB, destination=ANA))
    before = stored(mail)
    mail.open("/aliases/101")
    page = mail.submit("/aliases/101/source", into="main", source=source)
    assert page.status == 400
    assert words in (page.errors.get("source") or page.alerts[-1])
    assert page.form("/aliases/101/source").values["source"] == [source]
    assert page.response.headers["HX-Retarget"] == "#main"
    assert stored(mail) == before


def test_a_source_that_somebody_changed_meanwhile_is_not_overwritten(mail: Browser) -> None:
    mail.open("/aliases/201")
    mail.client.patch("/api/v1/aliases/201", json={"source": "market@two.example"})
    page = mail.submit("/aliases/201/source", source="shop@two.example")
    assert page.status == 409
    assert "Somebody changed this since you opened it" in page.alerts[-1]
    assert mail.row(Alias, 201).source == "market@two.example"
    assert mail.submit("/aliases/201/source").status == 200
    assert mail.row(Alias, 201).source == "shop@two.example"


# --- deleting -------------------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_a_destination_is_deleted_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?search=team")
    question = mail.open("/aliases/102/delete", into="dialog" if into else None)
    assert question.headings[0] == "Delete the alias team@one.example → dora@two.example?"
    assert "elsewhere" not in question.text, "the other destination is still there"
    page = mail.submit("/aliases/102/delete", into=into)
    assert page.url == "/aliases?search=team"
    assert leads_to(mail, "team@one.example") == [ANA]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize(
    ("orphans", "left"),
    [
        (None, [101, 102, 103, 104, 202, 203, 204, 205]),
        ("keep", [101, 102, 103, 104, 202, 203, 204, 205]),
        ("all", [101, 102, 103, 104, 204, 205]),
    ],
)
def test_what_leads_to_a_deleted_alias_may_go_too(
    mail: Browser, orphans: str | None, left: list[int]
) -> None:
    before = stored(mail)
    page = mail.open("/aliases/201/delete")
    assert "2 aliases elsewhere would point nowhere" in page.text
    assert "info@two.example → sales@two.example" in page.text
    assert "all@two.example → info@two.example" in page.text
    page = mail.submit("/aliases/201/delete", **({"orphans": orphans} if orphans else {}))
    assert page.url == "/aliases"
    assert [row[0] for row in stored(mail)["virtual_aliases"]] == left
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
def test_a_whole_alias_is_deleted_from_any_of_its_pages(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases/102")
    question = mail.open("/aliases/selected?id=101", into="dialog" if into else None)
    assert question.headings[0] == "Delete 2 aliases?"
    assert "press@two.example → team@one.example" in question.text
    page = mail.submit("/aliases/selected", into=into, orphans="all")
    assert (page.status, page.url) == (200, "/aliases")
    assert "2 aliases were deleted" in page.text
    assert mail.is_gone(Alias, 205)
    mail.undo()
    assert stored(mail) == before


def test_an_alias_that_another_came_to_lead_to_is_shown_again(mail: Browser) -> None:
    mail.open("/aliases/203/delete")
    put(mail, Alias(id=206, domain_id=2, source="x@two.example", destination="info@two.example"))
    mail.open("/aliases/202/delete")
    put(mail, Alias(id=207, domain_id=2, source="y@two.example", destination="info@two.example"))
    page = mail.submit("/aliases/202/delete", orphans="all")
    assert page.status == 409
    assert "is not what was shown any more" in page.alerts[-1]
    assert "y@two.example → info@two.example" in page.text
    assert page.form("/aliases/202/delete").values["orphans"] == ["all"]
    assert mail.row(Alias, 202)


def test_an_alias_that_is_gone_already_is_not_found(mail: Browser) -> None:
    mail.open("/aliases/201/delete")
    mail.client.delete("/api/v1/aliases/201")
    page = mail.submit("/aliases/201/delete")
    assert (page.status, "The alias was not found" in page.text) == (404, True)


# --- several --------------------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_a_tick_stands_for_all_destinations(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases?order=desc")
    question = mail.submit(
        "selected", into="dialog" if into else None, id=["101", "201"], button="action=delete"
    )
    assert question.headings[0] == "Delete 3 aliases?"
    page = mail.submit("/aliases/selected", into=into, orphans="keep")
    assert page.url == "/aliases?order=desc"
    assert "3 aliases were deleted" in page.text
    left = [row[0] for row in stored(mail)["virtual_aliases"]]
    assert left == [103, 104, 202, 203, 204, 205]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
def test_several_are_led_elsewhere_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/aliases")
    question = mail.submit(
        "selected", into="dialog" if into else None, id=["101", "201"], button="action=repoint"
    )
    assert question.headings[0] == "Lead aliases elsewhere"
    assert question.form("/aliases/selected").offered["replaced"] == ["", ANA, DORA]
    page = mail.submit("/aliases/selected", into=into, replaced=ANA, destination="EVA@two.example")
    assert page.url == "/aliases"
    assert "2 aliases were changed" in page.text
    assert leads_to(mail, "team@one.example") == [EVA, DORA]
    assert leads_to(mail, "sales@two.example") == [EVA]
    mail.undo()
    assert stored(mail) == before


def test_all_destinations_are_replaced_by_one(mail: Browser) -> None:
    mail.open("/aliases")
    mail.submit("selected", id=["101"], button="action=repoint")
    mail.submit("/aliases/selected", destination=EVA)
    assert leads_to(mail, "team@one.example") == [EVA]


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("replaced", "destination", "field", "words"),
    [
        (ANA, "", "destination", "was not specified"),
        (ANA, "no@two.example", "destination", "is not a current email address"),
        (ANA, "press@two.example", "destination", "would close a circle"),
        (f"no{EMOJI}", EVA, "replaced", "None of these aliases leads to"),
        ("no@two.example", EVA, "replaced", 'None of these aliases leads to "no@two.example"'),
    ],
)
def test_a_refused_leading_elsewhere_comes_back(
    mail: Browser, replaced: str, destination: str, field: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/aliases")
    mail.submit(
        "selected", into="dialog" if into else None, id=["101", "201"], button="action=repoint"
    )
    page = mail.submit("/aliases/selected", into=into, replaced=replaced, destination=destination)
    assert page.status == 400
    assert words in page.errors[field]
    form = page.form("/aliases/selected")
    assert form.values["destination"] == [destination]
    assert form.values["id"] == ["101", "201"]
    if replaced == ANA:
        assert form.values["replaced"] == [ANA]
    if into:
        assert page.response.headers["HX-Retarget"] == "#dialog"
    assert stored(mail) == before


def test_a_mailboxs_own_copy_is_not_led_away(mail: Browser) -> None:
    mail.open("/aliases")
    mail.submit("selected", id=["103"], button="action=repoint")
    page = mail.submit("/aliases/selected", destination=ANA)
    assert page.status == 400
    assert "keeps the mailbox its own mail" in page.errors["replaced"]


@pytest.mark.parametrize("action", ["delete", "repoint"])
def test_nothing_selected_is_said(mail: Browser, action: str) -> None:
    before = stored(mail)
    mail.open("/aliases")
    page = mail.submit("selected", button=f"action={action}")
    assert page.status == 200
    assert "Nothing was selected. Tick the rows first" in page.text
    for ids in ([], ["x", "-1"]):
        mail.open("/aliases")
        page = mail.send("/aliases/selected", action=action, id=ids, destination=EVA)
        assert page.status == 400
        assert "Nothing was selected" in page.text
    assert stored(mail) == before


@pytest.mark.parametrize("action", ["delete", "repoint"])
def test_ids_given_by_hand_change_nothing(mail: Browser, action: str) -> None:
    before = stored(mail)
    for ids in (["77"], ["77", "99999999999", "0"]):
        mail.open("/aliases")
        page = mail.send("/aliases/selected", action=action, id=ids, destination=EVA)
        assert page.status == 404
        assert "The alias was not found" in page.text
        query = "&".join(f"id={number}" for number in ids)
        asked = mail.open(f"/aliases/selected?action={action}&{query}")
        assert asked.status == 404
    mail.open("/aliases")
    assert mail.send("/aliases/selected", action="delete", id=["101", "77"]).status == 404
    assert stored(mail) == before


# --- while one types ------------------------------------------------------------


MEANINGS = [
    ("", ""),
    (" ", ""),
    ("New@one.example", ["The source will be new@one.example."]),
    ("team@one.example", ["It leads to 2 addresses already; this adds one more."]),
    ("sales@two.example", ["It leads to 1 address already; this adds one more."]),
    (ANA, ["It is a mailbox: tick the box to keep a copy of its mail there."]),
    (BOB, ["The source will be bob@one.example.", "It leads to 2 addresses already"]),
    ("@one.example", ["This catch-all would take the mail of 1 mailbox too"]),
    ("@two.example", ["This catch-all would take the mail of 2 mailboxes too"]),
    (f"new@{IDN}", [f"The source will be new@{A_LABEL}."]),
    ("new", ["it must have one @."]),
    ("new@three.example", ["is not managed by this database; add the domain first."]),
    (f"{EMOJI}<b>@one.example", ["a character that mail servers refuse."]),
]


def test_what_a_source_would_mean_is_shown(mail: Browser) -> None:
    put(mail, Domain(id=3, name=A_LABEL))
    before = stored(mail)
    for typed, words in MEANINGS:
        response = mail.client.get("/aliases/preview", query_string={"source": typed})
        assert response.status_code == 200
        for some in words:
            assert some in response.text
        assert bool(response.text) is bool(words)
        assert "<html" not in response.text
        assert "<b>" not in response.text
    assert stored(mail) == before


def test_with_the_map_a_catch_all_takes_nobodys_mail(mail: Browser) -> None:
    set_setting(mail.client, "Email2Email Map", "True")
    page = mail.open("/aliases/preview?source=@one.example", into="source-preview")
    assert page.text == "The source will be @one.example."


COMPLETED = [
    ("", []),
    ("AN", [ANA]),
    ("t", ["team@one.example"]),
    ("e", [EVA]),
    ("bob", [BOB]),
    ("@", []),
    ("%", []),
    ("_", []),
    (EMOJI, []),
    ("a\0", []),
    ("a", [ANA, "all@two.example"]),
]


def test_a_destination_is_completed(mail: Browser) -> None:
    put(mail, Alias(domain_id=1, source="@one.example", destination=ANA))
    for typed, found in COMPLETED:
        response = mail.client.get(
            "/aliases/suggestions",
            query_string={"destination": typed},
            headers={"HX-Request": "true", "HX-Target": "add-addresses"},
        )
        assert response.status_code == 200
        assert response.text.strip() == "".join(f'<option value="{one}"></option>' for one in found)


def test_at_most_ten_addresses_are_suggested(mail: Browser) -> None:
    put(mail, *(User(domain_id=1, email=f"u{n:02}@one.example", password="*") for n in range(25)))
    text = mail.client.get("/aliases/suggestions?destination=u").text
    assert text.count("<option") == 10
    assert "u09@one.example" in text


def test_one_of_several_spellings_of_a_source_is_opened_and_refused(mail: Browser) -> None:
    # To MariaDB all of them are one source; the lists tell them apart.
    sources = ["jurgen@one.example", "jürgen@one.example", "pad@one.example", "pad@one.example "]
    made = [
        Alias(id=500 + number, domain_id=1, source=source, destination="ana@one.example")
        for number, source in enumerate(sources)
    ]
    put(mail, *made)
    for number in range(len(sources)):
        page = mail.open(f"/aliases/{500 + number}")
        assert page.status == 200
        page = mail.submit(f"/aliases/{500 + number}", destination="not an address")
        assert page.status == 400
