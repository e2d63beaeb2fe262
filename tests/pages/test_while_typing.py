"""What is answered while one types; nothing is stored by it."""

from postmaster.models import Alias, Domain, HistoryEntry, User
from tests.api.calls import create
from tests.conftest import set_setting
from tests.pages.browsing import Browser
from tests.pages.stored import (
    A_LABEL,
    ANA,
    BOB,
    EMOJI,
    EVA,
    IDN,
    put,
    stored,
)

PASSWORD = "granite-harbour-violin"


# --- aliases --------------------------------------------------------------------

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


# --- users, and passwords -------------------------------------------------------

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
