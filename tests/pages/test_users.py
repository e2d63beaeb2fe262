"""The pages of users: add, set passwords, forward, look for, delete."""

import pytest

from postmaster.models import Alias, Domain, HistoryEntry, User
from tests.api.calls import create
from tests.conftest import set_setting
from tests.pages.browsing import Browser
from tests.pages.stored import ELSEWHERE, put, row_of, rows_of, stored

PASSWORD = "granite-harbour-violin"
IDN = "bücher.example"
A_LABEL = "xn--bcher-kva.example"
EMOJI = "\U0001f600"


# --- adding ---------------------------------------------------------------------


def test_an_empty_list_says_what_to_do_first(browser: Browser) -> None:
    assert "No user yet. Add one below" in browser.open("/users").text


@pytest.mark.parametrize("into", [None, "main"])
def test_a_user_is_added_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/users")
    page = mail.submit("add", into=into, email=" Uma@One.example ", password=PASSWORD)
    assert (page.status, page.url) == (200, "/users")
    assert 'The user "uma@one.example" was created' in page.text
    assert ("<html" in page.html) is (into is None)
    assert PASSWORD not in page.html
    uma = mail.row(User, mail.id_of(User, email="uma@one.example"))
    assert (uma.domain_id, uma.password[:3], len(uma.password)) == (1, "$6$", 106)
    page = mail.undo()
    assert 'The user "uma@one.example" was deleted (undo)' in page.text
    assert stored(mail) == before


@pytest.mark.parametrize(
    ("domain", "typed", "address"),
    [
        ("one.example", "uma", "uma@one.example"),
        ("one.example", " Uma ", "uma@one.example"),
        ("one.example", "uma@two.example", "uma@two.example"),
        (IDN, "uma", f"uma@{A_LABEL}"),
    ],
)
def test_in_a_domains_list_its_name_may_be_left_off(
    mail: Browser, domain: str, typed: str, address: str
) -> None:
    put(mail, Domain(id=3, name=A_LABEL))
    mail.open(f"/users?domain={domain}")
    page = mail.submit("add", email=typed, password=PASSWORD)
    assert "was created" in page.text
    assert mail.id_of(User, email=address)
    assert page.url.startswith("/users?domain=")


@pytest.mark.parametrize(
    ("email", "password", "field", "words"),
    [
        ("", PASSWORD, "email", "was not specified"),
        ("uma", PASSWORD, "email", "it must have one @"),
        ("u m@one.example", PASSWORD, "email", "may not contain blanks"),
        ("u+m@one.example", PASSWORD, "email", "a mailbox may have only"),
        (f"{EMOJI}<b>@one.example", PASSWORD, "email", "a mailbox may have only"),
        ("uma@three.example", PASSWORD, "email", "is not managed by this database"),
        ("ANA@one.example", PASSWORD, "email", '"ana@one.example" already exists'),
        ("team@one.example", PASSWORD, "email", "already exists as an alias"),
        ("uma@one.example", "", "password", "was not specified"),
        ("uma@one.example", "qw7yz", "password", "at least 8 characters"),
        ("uma@one.example", "x" * 512, "password", "at most 511 bytes"),
    ],
)
def test_a_refusal_stands_beside_its_field(
    mail: Browser, email: str, password: str, field: str, words: str
) -> None:
    before = stored(mail)
    mail.open("/users")
    page = mail.submit("add", into="main", email=email, password=password)
    assert page.status == 400
    # What concerns no field of the form stands over it.
    found = page.errors.get(field) or page.alerts[-1]
    assert words in found
    assert page.form("add").values["email"] == [email]
    assert page.form("add").values["password"] == [""], "a password is never sent back"
    assert page.response.headers["HX-Retarget"] == "#main"
    assert page.response.headers["HX-Push-Url"] == "false"
    assert "<b>@" not in page.html
    assert rows_of(page) == ["11", "12", "21", "22"]
    assert stored(mail) == before
    whole = mail.open("/users") and mail.submit("add", email=email, password=password)
    assert (whole.status, "<html" in whole.html) == (400, True)


def test_a_refusal_in_a_domains_list_stays_in_it(mail: Browser) -> None:
    mail.open("/users?domain=two.example")
    page = mail.submit("add", email="dora", password=PASSWORD)
    assert '"dora@two.example" already exists' in page.errors["email"]
    assert page.form("add").values["email"] == ["dora"]
    assert rows_of(page) == ["21", "22"]
    page = mail.submit("add", email="uma", password=PASSWORD)
    assert page.url == "/users?domain=two.example"
    assert mail.id_of(User, email="uma@two.example")


def test_the_setting_says_how_short_a_password_may_be(mail: Browser) -> None:
    set_setting(mail.client, "Minimum Password Length", "25")
    mail.open("/users")
    page = mail.submit("add", email="uma@one.example", password=PASSWORD)
    assert "at least 25 characters" in page.errors["password"]


@pytest.mark.parametrize("typed", ["Team@One.example", "team"])
def test_where_an_alias_stands_a_copy_is_offered(mail: Browser, typed: str) -> None:
    before = stored(mail)
    page = mail.open("/users?domain=one.example")
    assert "keep_copy" not in page.form("add").offered
    page = mail.submit("add", email=typed, password=PASSWORD)
    assert page.status == 400
    assert page.form("add").offered["keep_copy"] == ["y"]
    page = mail.submit("add", keep_copy=True, password=PASSWORD)
    assert 'The user "team@one.example" was created' in page.text
    assert mail.id_of(Alias, source="team@one.example", destination="team@one.example")
    mail.undo()
    assert stored(mail) == before


def test_the_copy_is_offered_for_a_name_in_other_letters_too(mail: Browser) -> None:
    put(mail, Domain(id=3, name=A_LABEL))
    put(mail, Alias(domain_id=3, source=f"uma@{A_LABEL}", destination="ana@one.example"))
    mail.open("/users")
    page = mail.submit("add", email=f"uma@{IDN}", password=PASSWORD)
    assert page.form("add").offered["keep_copy"] == ["y"]


def test_a_copy_is_not_offered_where_no_alias_stands(mail: Browser) -> None:
    mail.open("/users")
    page = mail.submit("add", email="ana@one.example", password=PASSWORD)
    assert "keep_copy" not in page.form("add").offered


def test_a_form_leads_nowhere_else(mail: Browser) -> None:
    for number, back in enumerate(ELSEWHERE):
        mail.open("/users")
        page = mail.submit("add", email=f"uma{number}@one.example", password=PASSWORD, back=back)
        assert (page.status, page.url) == (200, "/"), back


# --- the list -------------------------------------------------------------------


def test_a_row_leads_to_the_aliases_that_lead_to_it(mail: Browser) -> None:
    row = row_of(mail.open("/users"), "ana@one.example</bdi>")
    assert 'href="/aliases?destination=ana@one.example">2<' in row
    put(mail, User(domain_id=1, email="zoe@one.example", password="*"))
    page = mail.open("/users")
    assert "/aliases" not in row_of(page, ">zoe@one.example</bdi>")
    assert "5 users" in page.text


def test_odd_rows_have_a_mark(mail: Browser) -> None:
    put(mail, User(id=31, domain_id=1, email="Peter.M@One.example", password="*"))
    put(mail, User(id=32, domain_id=1, email="a, b@one.example", password="*"))
    put(mail, User(id=33, domain_id=1, email=f"uma@{A_LABEL}", password="*"))
    page = mail.open("/users")
    assert "</i> upper case</span>" in row_of(page, "Peter.M@One.example</bdi>")
    assert "</i> unusable</span>" in row_of(page, "a, b@one.example</bdi>")
    assert "badge" not in row_of(page, "ana@one.example</bdi>")
    assert f'<bdi title="uma@{A_LABEL}">uma@{IDN}</bdi>' in page.html
    assert "would leave the old mail behind" in mail.open("/users/31").text


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["11", "12", "21", "22"]),
        ("order=desc", ["22", "21", "12", "11"]),
        ("sort=id&order=desc&per_page=2&page=2", ["12", "11"]),
        ("search=A@ONE", ["11"]),
        ("search=_", []),
        ("search=%F0%9F%98%80", []),
        ("domain=one.example", ["11", "12"]),
        ("domain=ONE.example&search=bob", ["12"]),
        ("domain=none.example", []),
        ("domain=one", []),
        ("domain=%F0%9F%98%80", []),
        ("domain=%00", []),
        ("domain=b%C3%BCcher.example", ["31"]),
        ("domain=xn--bcher-kva.example", ["31"]),
    ],
)
def test_the_list_is_searched_and_filtered(mail: Browser, query: str, ids: list[str]) -> None:
    if "cher" in query:
        put(mail, Domain(id=3, name=A_LABEL))
        put(mail, User(id=31, domain_id=3, email=f"uma@{A_LABEL}", password="*"))
    whole = mail.open(f"/users?{query}")
    assert (whole.status, rows_of(whole)) == (200, ids)
    part = mail.open(f"/users?{query}", into="list")
    assert rows_of(part) == ids
    assert "<h1" not in part.html
    assert "adding" not in part.ids


def test_a_domains_list_says_whose_it_is(mail: Browser) -> None:
    page = mail.open("/users?domain=one.example&search=a")
    assert page.headings[0] == "Users of one.example"
    # A search, and another number of rows, stay within it.
    assert page.form("/users").values["domain"] == ["one.example"]
    assert "ana@one.example" in page.html.partition("placeholder=")[2]
    assert mail.open(f"/users?domain={A_LABEL}").headings[0] == f"Users of {IDN}"


def test_a_double_domains_list_holds_the_users_of_both_rows(browser: Browser) -> None:
    put(browser, Domain(id=1, name="Example.ORG"), Domain(id=2, name="example.org"))
    put(browser, User(id=1, domain_id=1, email="a@example.org", password="*"))
    put(browser, User(id=2, domain_id=2, email="b@example.org", password="*"))
    assert rows_of(browser.open("/users?domain=example.org")) == ["1", "2"]


@pytest.mark.parametrize("query", ["sort=password", "order=sideways"])
def test_a_sort_that_there_is_not_is_refused(mail: Browser, query: str) -> None:
    assert mail.open(f"/users?{query}").status == 400


def test_past_the_last_page_one_is_led_back_to_it(mail: Browser) -> None:
    put(mail, *(User(domain_id=1, email=f"u{n:02}@one.example", password="*") for n in range(25)))
    page = mail.open("/users?domain=one.example&page=9999&per_page=10")
    assert page.url == "/users?domain=one.example&page=3&per_page=10"
    assert len(rows_of(page)) == 7
    assert "page-next" not in page.ids
    assert "page-previous" in page.ids


# --- one user -------------------------------------------------------------------


def test_a_users_page_says_what_leads_to_it(mail: Browser) -> None:
    page = mail.open("/users/11")
    assert page.headings[0] == "ana@one.example"
    assert "Nothing is forwarded" in page.text
    assert "Aliases that lead here sales@two.example team@one.example" in page.text
    assert "/aliases?destination=ana@one.example" in page.links
    assert "PostMaster has changed nothing here so far" in page.text


@pytest.mark.parametrize("path", ["/users/77", "/users/99999999999", "/users/77/delete"])
def test_what_is_not_there_is_not_found(mail: Browser, path: str) -> None:
    for into in (None, "main", "dialog", "edit-77"):
        page = mail.open(path, into=into)
        assert page.status == 404, into
        assert "The user was not found" in page.text


@pytest.mark.parametrize("into", [None, "main"])
def test_a_password_is_set_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    if into:
        mail.open("/users?search=ana")
        cell = mail.open("/users/11", into="edit-11")
        assert "<h1" not in cell.html
        assert not cell.has_form("/users/11/forward")
    else:
        mail.open("/users/11")
    page = mail.submit("/users/11/password", into=into, password=PASSWORD)
    assert page.url == ("/users?search=ana" if into else "/users/11")
    assert 'The user "ana@one.example" had its password changed' in page.text
    assert PASSWORD not in page.html
    assert mail.row(User, 11).password.startswith("$6$")
    assert mail.row(User, 11).password != before["virtual_users"][0][2]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("password", "words"),
    [("", "was not supplied"), ("qw7yz", "at least 8"), ("x" * 512, "at most 511 bytes")],
)
def test_a_refused_password_comes_back_where_it_was(
    mail: Browser, password: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users" if into else "/users/11")
    if into:
        mail.open("/users/11", into="edit-11")
    page = mail.submit("/users/11/password", into=into, password=password)
    assert page.status == 400
    assert words in page.errors["password"]
    assert page.form("/users/11/password").values["password"] == [""]
    if into:
        assert page.response.headers["HX-Retarget"] == "#edit-11"
        assert "<h1" not in page.html
    else:
        assert page.form("/users/11/forward").values["destination"] == [""]
    assert stored(mail) == before


def test_a_password_that_somebody_set_meanwhile_is_not_overwritten(mail: Browser) -> None:
    mail.open("/users/11")
    mail.client.patch("/api/v1/users/11", json={"password": "their password"})
    theirs = mail.row(User, 11).password
    page = mail.submit("/users/11/password", password=PASSWORD)
    assert page.status == 409
    assert "it is now as admin left it" in page.alerts[-1]
    assert mail.row(User, 11).password == theirs
    assert mail.submit("/users/11/password", password=PASSWORD).status == 200
    assert mail.row(User, 11).password != theirs


def test_a_user_that_is_gone_meanwhile_gets_no_password(mail: Browser) -> None:
    mail.open("/users/11")
    mail.client.delete("/api/v1/users/11")
    page = mail.submit("/users/11/password", password=PASSWORD)
    assert (page.status, "The user was not found" in page.text) == (404, True)


@pytest.mark.parametrize("into", [None, "main"])
def test_a_mailbox_forwards_keeps_a_copy_and_that_is_undone(
    mail: Browser, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users/11")
    page = mail.submit("/users/11/forward", into=into, destination="Dora@two.example")
    assert page.url == "/users/11"
    assert 'The alias "ana@one.example → dora@two.example" was created' in page.text
    assert "(the mailbox's own copy)" in page.text
    assert mail.id_of(Alias, source="ana@one.example", destination="ana@one.example")
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("", "was not specified"),
        ("dora", "it must have one @"),
        ("nobody@two.example", "is not a current email address"),
        ("a@else.example", "is not managed by this database"),
        (f"{EMOJI}@two.example", "a character that mail servers refuse"),
    ],
)
def test_a_refused_forwarding_stands_beside_its_field(
    mail: Browser, destination: str, words: str, into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users/11")
    page = mail.submit("/users/11/forward", into=into, destination=destination)
    assert page.status == 400
    assert words in page.errors["destination"]
    assert page.form("/users/11/forward").values["destination"] == [destination]
    assert page.form("/users/11/password").values["seen"], "the other form still works"
    if into:
        assert page.response.headers["HX-Retarget"] == "#main"
    assert stored(mail) == before


def test_after_a_refusal_one_goes_on_to_a_page_that_there_is(mail: Browser) -> None:
    """Without scripts the refusal stands where only forms are sent to."""
    mail.open("/users/11")
    refused = mail.submit("/users/11/password", password="qw7yz")
    assert refused.url == "/users/11/password"
    mail.open("/users/11/delete")
    page = mail.submit("/users/11/delete")
    assert (page.status, page.url) == (200, "/users")


@pytest.mark.parametrize("place", ["a\r\nSet-Cookie: x=y", "<b>", '"', "\u202e", "edit-11 x"])
def test_a_place_that_is_none_is_the_page(mail: Browser, place: str) -> None:
    mail.open("/users/11")
    page = mail.send("/users/11/password", into="main", place=place, password="short")
    assert page.status == 400
    assert page.response.headers["HX-Retarget"] == "#main"


# --- deleting -------------------------------------------------------------------


def test_what_goes_with_a_user_is_listed_first(mail: Browser) -> None:
    before = stored(mail)
    page = mail.open("/users/12/delete")
    assert page.headings[0] == "Delete the user bob@one.example?"
    assert "These go with it: 1 alias bob@one.example → bob@one.example" in page.text
    assert "elsewhere" not in page.text
    page = mail.open("/users/11/delete")
    assert "4 aliases elsewhere would point nowhere" in page.text
    for alias in ("sales@two.example → ana@one.example", "info@two.example → sales@two.example"):
        assert alias in page.text
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
@pytest.mark.parametrize(
    ("orphans", "left"),
    [
        ("all", [102, 103, 104, 204, 205]),
        ("keep", [101, 102, 103, 104, 201, 202, 203, 204, 205]),
    ],
)
def test_a_user_is_deleted_and_that_is_undone(
    mail: Browser, orphans: str, left: list[int], into: str | None
) -> None:
    before = stored(mail)
    mail.open("/users?search=one")
    mail.open("/users/11/delete", into="dialog" if into else None)
    page = mail.submit("/users/11/delete", into=into, orphans=orphans)
    assert page.url == "/users?search=one"
    assert 'The user "ana@one.example" was deleted' in page.text
    assert mail.is_gone(User, 11)
    assert [row[0] for row in stored(mail)["virtual_aliases"]] == left
    mail.undo()
    assert stored(mail) == before


def test_a_deleted_users_own_page_is_not_gone_back_to(mail: Browser) -> None:
    mail.open("/users/11?x=y")
    mail.open("/users/11/delete")
    assert mail.submit("/users/11/delete").url == "/users"


@pytest.mark.parametrize("into", [None, "main"])
def test_a_user_that_an_alias_came_to_meanwhile_is_shown_again(
    mail: Browser, into: str | None
) -> None:
    mail.open("/users")
    mail.open("/users/22/delete", into="dialog" if into else None)
    put(mail, Alias(id=206, domain_id=2, source="new@two.example", destination="eva@two.example"))
    page = mail.submit("/users/22/delete", into=into, orphans="keep")
    assert page.status == 409
    assert "is not what was shown any more" in page.alerts[-1]
    assert "new@two.example → eva@two.example" in page.text
    assert page.form("/users/22/delete").values["orphans"] == ["keep"]
    if into:
        assert page.response.headers["HX-Retarget"] == "#dialog"
    assert mail.row(User, 22)


def test_a_user_that_is_gone_already_is_not_found(mail: Browser) -> None:
    mail.open("/users/11/delete")
    mail.client.delete("/api/v1/users/11")
    page = mail.submit("/users/11/delete")
    assert (page.status, "The user was not found" in page.text) == (404, True)


# --- several --------------------------------------------------------------------


@pytest.mark.parametrize("into", [None, "main"])
def test_several_users_are_deleted_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/users?order=desc")
    question = mail.submit(
        "selected", into="dialog" if into else None, id=["11", "12"], button="action=delete"
    )
    assert question.headings[0] == "Delete 2 users?"
    assert "ana@one.example bob@one.example" in question.text
    assert ("<h1" in question.html) is (into is None)
    page = mail.submit("/users/selected", into=into, orphans="keep")
    assert page.url == "/users?order=desc"
    assert "2 users were deleted" in page.text
    assert [row[0] for row in stored(mail)["virtual_users"]] == [21, 22]
    assert mail.row(Alias, 101)
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("into", [None, "main"])
def test_several_users_get_one_password_and_that_is_undone(mail: Browser, into: str | None) -> None:
    before = stored(mail)
    mail.open("/users")
    question = mail.submit(
        "selected", into="dialog" if into else None, id=["11", "21"], button="action=password"
    )
    assert question.headings[0] == "Set one password for 2 users"
    refused = mail.submit("/users/selected", into=into, password="qw7yz")
    assert refused.status == 400
    assert "at least 8" in refused.errors["password"]
    assert "qw7yz" not in refused.html
    if into:
        assert refused.response.headers["HX-Retarget"] == "#dialog"
    assert stored(mail) == before
    page = mail.submit("/users/selected", into=into, password=PASSWORD)
    assert page.url == "/users"
    assert "2 users had their passwords changed" in page.text
    hashes = {row[0]: row[2] for row in stored(mail)["virtual_users"]}
    assert hashes[11].startswith("$6$")
    assert hashes[11] != hashes[21], "each has a salt of its own"
    assert hashes[12] == before["virtual_users"][1][2]
    mail.undo()
    assert stored(mail) == before


@pytest.mark.parametrize("action", ["delete", "password"])
def test_nothing_selected_is_said(mail: Browser, action: str) -> None:
    before = stored(mail)
    mail.open("/users")
    page = mail.submit("selected", button=f"action={action}")
    assert page.status == 200
    assert "Nothing was selected. Tick the rows first" in page.text
    for ids in ([], ["x", "-1"]):
        mail.open("/users")
        page = mail.send("/users/selected", action=action, id=ids, password=PASSWORD)
        assert page.status == 400
        assert "Nothing was selected" in page.text
    assert stored(mail) == before


@pytest.mark.parametrize("action", ["delete", "password"])
def test_ids_given_by_hand_change_nothing(mail: Browser, action: str) -> None:
    before = stored(mail)
    for ids in (["11", "77"], ["77"], ["77", "99999999999", "0"]):
        mail.open("/users")
        page = mail.send("/users/selected", action=action, id=ids, password=PASSWORD)
        assert page.status == 404
        assert "The user was not found" in page.text
        query = "&".join(f"id={number}" for number in ids)
        asked = mail.open(f"/users/selected?action={action}&{query}")
        assert asked.status == (200 if "11" in ids else 404)
    assert stored(mail) == before


# --- while one types ------------------------------------------------------------


ADDRESSES = [
    ("email=", ""),
    ("email=%20", ""),
    ("email=Uma@One.example", "The address will be uma@one.example."),
    ("email=uma&domain=one.example", "The address will be uma@one.example."),
    ("email=uma@B%C3%9CCHER.example", f"The address will be uma@{A_LABEL}."),
    ("email=uma", "it must have one @."),
    ("email=ana@one.example", '"ana@one.example" already exists.'),
    ("email=team@one.example", "already exists as an alias"),
    ("email=uma@nowhere.example", "is not managed by this database"),
    ("email=%F0%9F%98%80@one.example", "a mailbox may have only"),
    ("email=<b>@one.example", "a mailbox may have only"),
]


def test_the_address_to_be_is_shown(mail: Browser) -> None:
    put(mail, Domain(id=3, name=A_LABEL))
    before = stored(mail)
    for query, words in ADDRESSES:
        page = mail.open(f"/users/preview?{query}", into="address-preview")
        assert page.status == 200
        assert words in page.text
        assert bool(page.text) is bool(words)
        assert "<html" not in page.html
        assert "<b>" not in page.html
    assert stored(mail) == before


STRENGTHS = [
    ("password", "", ""),
    ("password", "password", "Very weak"),
    ("new", "password", "Very weak"),
    ("password", PASSWORD, "Strong"),
    ("password", "x7", "must be at least 8 characters long."),
    ("password", "x" * 512, "at most 511 bytes"),
    ("password", "a\tb\x00cdefgh", "control characters"),
]


def test_the_strength_of_a_password_is_shown(mail: Browser) -> None:
    mail.open("/users")
    for field, typed, words in STRENGTHS:
        page = mail.send("/passwords/strength", into="x-strength", **{field: typed})
        assert page.status == 200
        assert words in page.text
        assert bool(page.text) is bool(words)
        assert not typed or typed not in page.html
    assert "Every change will stand here" in mail.open("/history").text


def test_the_strength_asks_for_the_token_too(mail: Browser) -> None:
    assert mail.client.post("/passwords/strength", data={"password": "x"}).status_code == 400


def test_a_suggested_password_is_another_each_time_and_is_accepted(mail: Browser) -> None:
    seen = set()
    for _ in range(2):
        page = mail.open("/users")
        seen.add(page.html.partition('-suggestion">')[2].partition("<")[0])
    assert len(seen) == 2
    suggested = seen.pop()
    page = mail.submit("add", email="uma@one.example", password=suggested)
    assert page.status == 200
    assert mail.id_of(User, email="uma@one.example")


def test_a_users_history_stands_on_its_page(mail: Browser) -> None:
    uma = create(mail.client, "users", email="uma@one.example", password=PASSWORD)["id"]
    page = mail.open(f"/users/{uma}")
    assert 'The user "uma@one.example" was created' in page.text
    entry = mail.id_of(HistoryEntry, object_name="uma@one.example")
    assert f"/history/{entry}" in page.links
    assert f"/history?kind=user&object={uma}" in page.links
