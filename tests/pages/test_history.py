"""The history's pages: find a change, look at it, undo it."""

from datetime import timedelta

import pytest

from postmaster.models import Admin, Domain, User
from postmaster.rules import history
from tests.pages.browsing import Browser

# The ids count from 1.
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
NAMES = ["one.example", "two.example", "three.example"]


@pytest.fixture
def changes(browser: Browser) -> Browser:
    """Three domains, a user, and a changed setting."""
    for name in NAMES:
        answer = browser.client.post("/api/v1/domains", json={"name": name})
        assert answer.status_code == 201
    browser.client.post(
        "/api/v1/users", json={"email": "ana@one.example", "password": "a good password"}
    )
    browser.client.patch("/api/v1/configs/1", json={"value": 12})
    return browser


def test_the_newest_change_stands_first(changes: Browser) -> None:
    page = changes.open("/history")
    setting = page.text.index('The setting "Minimum Password Length" was changed')
    assert setting < page.text.index('The domain "three.example" was created')
    assert 'value: "8" → "12"' in page.text
    assert "by the API" in page.text


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"kind": "domain"}, 3),
        ({"kind": "user"}, 1),
        ({"search": "two"}, 1),
        ({"admin": "admin"}, 5),
        ({"since": "2000-01-01", "until": "2000-12-31"}, 0),
    ],
)
def test_a_filter_chooses(changes: Browser, filters: dict[str, str], found: int) -> None:
    changes.open("/history")
    page = changes.submit("filters", **filters)
    assert len([name for name in page.ids if name.startswith("entry-")]) == found


def test_today_is_within_until_today(changes: Browser) -> None:
    today = f"{history.now():%Y-%m-%d}"
    page = changes.open(f"/history?since={today}&until={today}", into="list")
    assert page.text.count("was created") >= 4


def test_what_cannot_be_read_is_not_asked(changes: Browser) -> None:
    page = changes.open("/history?kind=planet&object=x&since=yesterday&page=x")
    assert page.status == 200
    assert "three.example" in page.text


def test_one_objects_changes_and_the_way_back_to_all(changes: Browser) -> None:
    page = changes.open("/history?kind=domain&object=2")
    assert "two.example" in page.text
    assert "one.example" not in page.text
    assert "clear-object" in page.ids
    # The filters keep the object.
    assert page.form("filters").values["object"] == ["2"]


def test_an_empty_history_says_what_it_is_for(browser: Browser) -> None:
    assert "Every change will stand here" in browser.open("/history").text
    assert "Nothing matches" in browser.open("/history?kind=user").text


def test_a_change_is_looked_at(changes: Browser) -> None:
    page = changes.open("/history/5")
    assert "8" in page.text
    assert "12" in page.text
    assert "admin" in page.text


def test_what_went_along_is_listed(changes: Browser) -> None:
    changes.client.delete("/api/v1/domains/1")
    page = changes.open("/history?kind=domain")
    assert "with 1 more row" in page.text
    one = changes.open("/history/6")
    assert "1 more row went along" in one.headings
    assert 'The user "ana@one.example" was deleted' in one.text


def test_a_part_of_a_change_is_undone_with_it(changes: Browser) -> None:
    changes.client.delete("/api/v1/domains/1")
    page = changes.open("/history/7")
    assert "went along with another change" in page.text
    assert not page.has_form("/history/7/undo")


def test_a_change_that_is_not_there_is_not_found(browser: Browser) -> None:
    assert browser.open("/history/77").status == 404


def test_a_deletion_is_undone_from_the_list(changes: Browser) -> None:
    changes.client.delete("/api/v1/domains/1")
    changes.open("/history?kind=domain")
    page = changes.submit("/history/6/undo")
    assert page.url == "/history?kind=domain"
    assert 'The domain "one.example" was brought back' in page.text
    assert "undone" in page.text
    assert changes.row(Domain, 1).name == "one.example"
    assert changes.row(User, 1).email == "ana@one.example"


def test_a_change_is_undone_from_its_message(changes: Browser) -> None:
    changes.open("/domains/2/delete")
    page = changes.submit("/domains/2/delete")
    (undo,) = [form.action for form in page.forms if form.action.endswith("/undo")]
    page = changes.submit(undo)
    assert page.url == "/domains"
    assert "two.example" in page.text


def test_a_change_is_undone_from_its_page(changes: Browser) -> None:
    changes.open("/history/5")
    page = changes.submit("/history/5/undo")
    assert page.status == 200
    undone = changes.open("/history/5")
    assert "This was undone." in undone.text
    assert not undone.has_form("/history/5/undo")
    assert "undid an earlier change" in changes.open("/history/6").text


def test_what_something_newer_stands_in_the_way_of_is_refused(changes: Browser) -> None:
    changes.open("/history/5")
    changes.client.patch("/api/v1/configs/1", json={"value": 9})
    page = changes.submit("/history/5/undo")
    assert page.status == 409
    assert "This cannot be undone now" in page.alerts[-1]


def test_what_leaves_nothing_to_undo_says_so(browser: Browser) -> None:
    browser.alter(Admin, 1, unlock_date=history.now() + timedelta(minutes=10))
    browser.open("/")
    browser.submit("/admins/1/unlock")
    page = browser.open("/history/1")
    assert "This cannot be undone" in page.text
    assert not page.has_form("/history/1/undo")
