"""The administrators' pages: add, rename, set a password, unlock, turn off, delete."""

from datetime import UTC, timedelta

import pyotp
import pytest

from postmaster.models import Admin
from postmaster.rules import history, twofactor
from postmaster.rules.actor import Actor
from tests.api.calls import create
from tests.conftest import sign_in
from tests.pages.browsing import Browser

NEW = "another password"


@pytest.fixture
def zoe(browser: Browser) -> int:
    """Another administrator."""
    browser.open("/admins")
    page = browser.submit("add", username="Zoe", name="Zoë Quist", password=NEW)
    assert page.status == 200
    return browser.id_of(Admin, username="zoe")


def turn_on_second_factor(browser: Browser, admin_id: int) -> None:
    actor = Actor(admin_id, "somebody", "api")
    browser.run(twofactor.fresh_uri, actor, admin_id)
    code = pyotp.TOTP(browser.row(Admin, admin_id).otp_secret or "").now()
    browser.run(twofactor.enable, actor, admin_id, code=code)


# --- the list -------------------------------------------------------------------


def test_an_administrator_is_added(browser: Browser, zoe: int) -> None:
    page = browser.open("/admins")
    assert "zoe" in page.text
    assert "Zoë Quist" in page.text
    assert sign_in(browser.client.application, "zoe", NEW)


def test_the_message_says_what_was_done(browser: Browser) -> None:
    browser.open("/admins")
    page = browser.submit("add", username="zoe", name="Zoë", password=NEW)
    assert 'The administrator "zoe" was created' in page.text


def test_one_stays_where_one_was(browser: Browser) -> None:
    browser.open("/")
    browser.open("/admins?search=z")
    page = browser.submit("add", username="zoe", name="Zoë", password=NEW)
    assert page.url == "/admins?search=z"


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"username": "", "name": "Zoë", "password": NEW}, "username", "was not specified"),
        ({"username": "ADMIN", "name": "Zoë", "password": NEW}, "username", "already exists"),
        ({"username": "zoe", "name": " ", "password": NEW}, "name", "was not specified"),
        ({"username": "zoe", "name": "Zoë", "password": "short"}, "password", "at least 8"),
    ],
)
def test_a_refusal_stands_beside_its_field(
    browser: Browser, values: dict[str, str], field: str, words: str
) -> None:
    browser.open("/admins")
    page = browser.submit("add", **values)
    assert page.status == 400
    assert words in page.errors[field]
    assert page.form("add").values["name"] == [values["name"]]


def test_the_list_is_searched(browser: Browser, zoe: int) -> None:
    found = browser.open("/admins?search=ZO", into="list")
    assert "zoe" in found.text
    assert "<h1>" not in found.html
    nothing = browser.open("/admins?search=nobody", into="list")
    assert "Nothing matches" in nothing.text


def test_a_sort_by_what_is_no_column_is_refused(browser: Browser) -> None:
    assert browser.open("/admins?sort=password").status == 400


def test_an_administrator_without_sign_in_and_factor_is_shown(browser: Browser, zoe: int) -> None:
    page = browser.open("/admins?search=zoe", into="list")
    assert "not known" in page.text
    assert "off" in page.text


# --- names ----------------------------------------------------------------------


def test_the_names_are_edited_in_the_row(browser: Browser, zoe: int) -> None:
    browser.open("/admins")
    cell = browser.open(f"/admins/{zoe}", into=f"edit-{zoe}")
    assert "<h1" not in cell.html
    assert cell.form(f"/admins/{zoe}").values["back"] == ["/admins"]
    page = browser.submit(f"/admins/{zoe}", into="main", username="ana", name="Ana")
    assert page.url == "/admins"
    assert (browser.row(Admin, zoe).username, browser.row(Admin, zoe).name) == ("ana", "Ana")


def test_a_refused_edit_comes_back_into_the_row(browser: Browser, zoe: int) -> None:
    browser.open("/admins")
    browser.open(f"/admins/{zoe}", into=f"edit-{zoe}")
    cell = browser.submit(f"/admins/{zoe}", into="main", username="admin")
    assert cell.status == 400
    assert cell.response.headers["HX-Retarget"] == f"#edit-{zoe}"
    assert "already exists" in cell.errors["username"]


def test_the_names_are_edited_on_the_page(browser: Browser, zoe: int) -> None:
    browser.open(f"/admins/{zoe}")
    page = browser.submit(f"/admins/{zoe}", name="Ana")
    assert page.url == f"/admins/{zoe}"
    assert browser.row(Admin, zoe).name == "Ana"


def test_what_somebody_changed_meanwhile_is_not_overwritten(browser: Browser, zoe: int) -> None:
    browser.open(f"/admins/{zoe}")
    other = sign_in(browser.client.application)
    other.patch(f"/api/v1/admins/{zoe}", json={"name": "Meanwhile"})
    page = browser.submit(f"/admins/{zoe}", name="Late")
    assert page.status == 409
    assert page.alerts
    assert browser.row(Admin, zoe).name == "Meanwhile"


def test_who_is_not_there_is_not_found(browser: Browser) -> None:
    assert browser.open("/admins/77").status == 404
    assert browser.open("/admins/77/delete").status == 404
    assert browser.open("/admins/77/twofactor/off").status == 404


# --- passwords ------------------------------------------------------------------


def test_another_administrators_password_is_set(browser: Browser, zoe: int) -> None:
    app = browser.client.application
    elsewhere = sign_in(app, "zoe", NEW)
    browser.open(f"/admins/{zoe}")
    page = browser.submit(f"/admins/{zoe}/password", password="yet another one")
    assert page.status == 200
    assert elsewhere.get("/").status_code == 302
    assert sign_in(app, "zoe", "yet another one")


def test_ones_own_password_is_not_set_without_the_present_one(browser: Browser) -> None:
    page = browser.open("/admins/1")
    assert not page.has_form("/admins/1/password")
    page = browser.send("/admins/1/password", password=NEW)
    assert page.status == 400
    assert "in My account" in page.text
    assert sign_in(browser.client.application)


def test_an_administrators_old_password_is_put_back_from_the_history_only(
    browser: Browser, zoe: int
) -> None:
    browser.open(f"/admins/{zoe}")
    page = browser.submit(f"/admins/{zoe}/password", password="yet another one")
    assert "password" in page.text
    assert not any(form.action.endswith("/undo") for form in page.forms)
    page = browser.open("/history")
    undo = next(form.action for form in page.forms if form.action.endswith("/undo"))
    browser.submit(undo)
    assert sign_in(browser.client.application, "zoe", NEW)


def test_a_short_password_is_refused(browser: Browser, zoe: int) -> None:
    browser.open(f"/admins/{zoe}")
    page = browser.submit(f"/admins/{zoe}/password", password="qw7yz")
    assert page.status == 400
    assert "at least 8" in page.errors["password"]
    assert "qw7yz" not in page.html


def test_the_directorys_password_is_not_set_here(browser: Browser, zoe: int) -> None:
    browser.alter(Admin, zoe, source="ldap")
    page = browser.open(f"/admins/{zoe}")
    assert not page.has_form(f"/admins/{zoe}/password")


# --- locks and second factors ---------------------------------------------------


def test_a_lock_is_shown_and_ended(browser: Browser, zoe: int) -> None:
    browser.alter(Admin, zoe, failed_attempts=5, unlock_date=history.now() + timedelta(minutes=10))
    page = browser.open("/admins")
    assert "locked out until" in page.text
    page = browser.submit(f"/admins/{zoe}/unlock")
    assert page.url == "/admins"
    assert 'The administrator "zoe" was unlocked' in page.text
    assert browser.row(Admin, zoe).unlock_date is None


def test_another_administrators_second_factor_is_turned_off(browser: Browser, zoe: int) -> None:
    turn_on_second_factor(browser, zoe)
    page = browser.open(f"/admins/{zoe}")
    assert f"/admins/{zoe}/twofactor/off" in page.links
    question = browser.open(f"/admins/{zoe}/twofactor/off")
    assert "Turn off the second factor of zoe?" in question.headings
    assert browser.row(Admin, zoe).otp_active
    page = browser.submit(f"/admins/{zoe}/twofactor/off")
    assert page.url == f"/admins/{zoe}"
    assert not browser.row(Admin, zoe).otp_active
    assert "had its second factor turned off" in browser.open("/history").text


def test_ones_own_second_factor_is_turned_off_in_ones_account(browser: Browser) -> None:
    turn_on_second_factor(browser, 1)
    browser.client.post("/login", data=with_code(browser))
    page = browser.open("/admins/1/twofactor/off")
    assert page.url == "/account"
    page = browser.send("/admins/1/twofactor/off")
    assert page.status == 400
    assert "in My account" in page.text
    assert browser.row(Admin, 1).otp_active


def with_code(browser: Browser) -> dict[str, str]:
    secret = browser.row(Admin, 1).otp_secret or ""
    # The code of the next half minute: the one of this has turned the second factor on.
    code = pyotp.TOTP(secret).at(history.now().replace(tzinfo=UTC) + timedelta(seconds=30))
    return {"username": "admin", "password": "PostMaster", "two_factor": code}


# --- deleting -------------------------------------------------------------------


def test_an_administrator_is_deleted(browser: Browser, zoe: int) -> None:
    browser.open("/admins")
    question = browser.open(f"/admins/{zoe}/delete", into="dialog")
    assert "Delete the administrator zoe?" in question.headings
    page = browser.submit(f"/admins/{zoe}/delete", into="main")
    assert page.url == "/admins"
    assert 'The administrator "zoe" was deleted' in page.text
    assert browser.is_gone(Admin, zoe)


def test_the_last_one_is_not_deleted(browser: Browser) -> None:
    question = browser.open("/admins/1/delete")
    assert "your own account" in question.text
    page = browser.submit("/admins/1/delete")
    assert page.status == 400
    assert "at least one" in page.alerts[-1]


def test_who_deletes_oneself_is_signed_out(browser: Browser, zoe: int) -> None:
    browser.open("/admins/1/delete")
    page = browser.submit("/admins/1/delete")
    assert page.url.startswith("/login")
    assert browser.is_gone(Admin, 1)


def test_several_are_deleted_together(browser: Browser) -> None:
    ids = []
    for name in ("bob", "eva"):
        create(browser.client, "admins", username=name, password="password", name=name)
        ids.append(browser.id_of(Admin, username=name))
    question = browser.open(f"/admins/selected?id={ids[0]}&id={ids[1]}")
    assert "Delete 2 administrators?" in question.headings
    assert "bob" in question.text
    done = browser.submit("/admins/selected")
    assert "2 administrators were deleted" in done.text
    assert all(browser.is_gone(Admin, admin_id) for admin_id in ids)
    assert "2 administrators were brought back" in browser.undo().text


def test_all_are_not_deleted_together(browser: Browser) -> None:
    browser.open("/admins/selected?id=1")
    refused = browser.submit("/admins/selected")
    assert refused.status == 400
    assert "at least one" in refused.text
    assert "own account" in refused.text


def test_who_is_gone_is_not_asked_about(browser: Browser) -> None:
    assert browser.open("/admins/selected?id=77").status == 404
    assert "Nothing was selected" in browser.open("/admins/selected").text
