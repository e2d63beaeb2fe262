"""Which language a page has, and how sentences, numbers and moments look in it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from postmaster.db import db
from postmaster.errors import Invalid, Phrase, fill
from postmaster.models import Admin
from postmaster.pages import translation

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (None, "en"),
        ("de", "de"),
        ("de-AT,de;q=0.8,en;q=0.5", "de"),
        ("ja, nl;q=0.5, fr;q=0.7", "fr"),
        ("ja", "en"),
        ("en-GB,de;q=0.9", "en"),
        ("fr;q=0,ES_mx;q=0.1", "es"),
        ("not a language; q=x", "en"),
    ],
)
def test_the_browser_chooses_the_language(
    stranger: FlaskClient, asked: str | None, got: str
) -> None:
    page = stranger.get("/login", headers={"Accept-Language": asked} if asked else {})
    assert page.headers["Content-Language"] == got
    assert f'<html lang="{got}"' in page.text
    assert "Accept-Language" in page.vary


@pytest.mark.parametrize("chosen", ["fr", "en"])
def test_the_admin_s_own_choice_wins(app: Flask, client: FlaskClient, chosen: str) -> None:
    with app.app_context():
        db.session.execute(update(Admin).values(language=chosen))
        db.session.commit()
    for path in ("/", "/nowhere", "/domains"):
        page = client.get(path, headers={"Accept-Language": "de"})
        assert page.headers["Content-Language"] == chosen, path


def test_the_api_is_english(client: FlaskClient) -> None:
    headers = {"Accept-Language": "de"}
    answer = client.get("/api/v1/users/7", headers=headers)
    assert answer.get_json()["message"] == "The user was not found"
    assert "Content-Language" not in answer.headers
    assert client.get("/api/v1/docs", headers=headers).headers["Content-Language"] == "en"


def test_a_page_without_a_database_is_in_the_browser_s_language(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        db.session.execute(update(Admin).values(language="fr"))
        db.session.commit()
    with app.test_request_context("/", headers={"Accept-Language": "nl"}):
        translation.as_the_browser_asks()
        assert translation.language() == "nl"


def upper(text: str) -> str:
    """A language in capitals; the places stay."""
    return text.upper().replace("%(REASON)S", "%(reason)s").replace("%(MOST)S", "%(most)s")


def test_values_that_are_phrases_are_translated_too(app: Flask) -> None:
    error = Invalid(
        "No: %(reason)s",
        field="email",
        reason=Phrase("at most %(most)s, %(who)s"),
        most=64,
        who="x",
    )
    assert str(error) == "No: at most 64, x"
    assert error.field == "email"
    assert fill("No: %(reason)s", {"reason": Phrase("at most %(most)s"), "most": 64}, upper) == (
        "NO: AT MOST 64"
    )


def test_other_values_stay_as_they_are(app: Flask) -> None:
    assert fill("%(reason)s", {"reason": "ana 100%"}, upper) == "ana 100%"
    assert fill("%(reason)s", {"reason": [Phrase("a b"), "c"]}, upper) == "A B, c"


def test_a_number_has_the_language_s_separators(app: Flask) -> None:
    for language, text in (("en", "100,000"), ("de", "100.000"), ("nl", "100.000")):
        with app.test_request_context("/", headers={"Accept-Language": language}):
            assert translation.number(100000) == text


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 25, 1, 2, 3),  # noqa: DTZ001 -- as the database keeps it
        datetime(2026, 11, 25, 1, 2, 3, 999, UTC),
        datetime(2026, 11, 25, 3, 2, 3, tzinfo=timezone(timedelta(hours=2))),
        "2026-11-25T01:02:03Z",
        "2026-11-25T01:02:03.123456+00:00",
    ],
)
def test_a_moment_is_said_in_utc_and_for_the_script(app: Flask, value: datetime | str) -> None:
    with app.test_request_context("/", headers={"Accept-Language": "de"}):
        assert translation.moment(value) == (
            '<time datetime="2026-11-25T01:02:03Z" data-local>25.11.2026, 01:02:03 UTC</time>'
        )


def test_no_moment_is_nothing(app: Flask) -> None:
    assert translation.moment(None) == ""
