"""GET /api/v1/trace/ADDRESS"""

from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from tests.api.calls import PREFIX, refused
from tests.rules.mail import HASH, fill


@pytest.fixture
def mail(client: FlaskClient) -> FlaskClient:
    with client.application.app_context():
        fill()
    return client


def test_the_whole_answer(mail: FlaskClient) -> None:
    answer = mail.get(f"{PREFIX}/trace/Team+x@one.example")
    assert answer.status_code == 200
    item = answer.get_json()
    assert set(item) == {
        *("address", "verdict", "sentence", "recipients", "lost", "steps", "tree"),
    }
    assert item["address"] == "team+x@one.example"
    assert item["verdict"] == "delivered"
    assert item["recipients"] == ["ana@one.example", "dora@two.example"]
    assert item["tree"]["how"] == "without extension"
    assert item["tree"]["key"] == "team@one.example"
    leaf = item["tree"]["children"][0]
    assert (leaf["state"], leaf["user_id"], leaf["children"]) == ("mailbox", 11, [])
    assert (leaf["address"], leaf["mailbox"]) == ("ana+x@one.example", "ana@one.example")
    lookups = [lookup for step in item["steps"] for lookup in step["lookups"]]
    assert {
        "map": "virtual-alias-maps",
        "key": "team@one.example",
        "sql": "SELECT destination FROM virtual_aliases WHERE source='team@one.example'",
        "answers": ["ana@one.example", "dora@two.example"],
        "ids": [101, 102],
    } in lookups
    assert HASH not in answer.text


@pytest.mark.parametrize("address", ["a/b?c#d@one.example", "@one.example", "ana+x@one.example"])
def test_an_address_is_url_encoded(mail: FlaskClient, address: str) -> None:
    item = mail.get(f"{PREFIX}/trace/{quote(address, safe='')}").get_json()
    assert item["address"] == address


def test_what_is_no_address_is_refused(mail: FlaskClient) -> None:
    refused(mail.get(f"{PREFIX}/trace/ana"), 400, "not a valid email address", "one @")


def test_nobody_signed_in(stranger: FlaskClient) -> None:
    refused(stranger.get(f"{PREFIX}/trace/ana@one.example"), 401)
