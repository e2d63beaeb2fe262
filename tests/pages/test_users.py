"""The list of users: add, look for, sort, page."""

import pytest

from postmaster.models import Alias, Domain, User
from tests.conftest import set_setting
from tests.pages.browsing import Browser
from tests.pages.stored import (
    A_LABEL,
    ELSEWHERE,
    EMOJI,
    IDN,
    put,
    row_of,
    rows_of,
    stored,
)

PASSWORD = "granite-harbour-violin"


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
