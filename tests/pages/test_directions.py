"""Names of any direction, within sentences."""

import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.models import Domain
from postmaster.pages.directions import isolated
from tests.api.calls import create

HEBREW = "\u05e9\u05dc\u05d5\u05dd"


@pytest.mark.parametrize(
    "text", ["", "ana@example.com", "b\u00fccher.example", "<b>", "\U0001f984"]
)
def test_what_turns_nothing_stays_as_it_is(text: str) -> None:
    assert isolated(text) == text


def test_right_to_left_letters_are_set_apart() -> None:
    assert isolated(HEBREW) == f"\u2068{HEBREW}\u2069"


@pytest.mark.parametrize("mark", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_a_mark_is_seen_and_turns_nothing(mark: str) -> None:
    assert isolated(f"a{mark}b") == "\u2068a\ufffdb\u2069"


def test_a_turned_name_leaves_its_pages_straight(client: FlaskClient) -> None:
    create(client, "domains", name="example.com")
    with client.application.app_context():
        domain = db.session.query(Domain).one()
        domain_id = domain.id
        domain.name = "\u202eexample"
        db.session.commit()
    assert "\ufffdexample" in client.get("/domains").text
    assert "\ufffdexample" in client.get(f"/domains/{domain_id}/delete").text
