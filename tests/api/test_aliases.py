"""/api/v1/aliases, as the contract and the mail server have it."""

import pytest
from flask.testing import FlaskClient

from tests.api.calls import create, listed, refused
from tests.conftest import set_setting

ALIASES = "/api/v1/aliases"


@pytest.fixture(autouse=True)
def mailboxes(client: FlaskClient) -> None:
    for name in ("example.com", "example.org"):
        create(client, "domains", name=name)
    for email in ("ana@example.com", "bob@example.com", "dora@example.org"):
        create(client, "users", email=email, password="password")


def pair(source: str, destination: str) -> dict[str, str]:
    return {"source": source, "destination": destination}


def test_an_alias_belongs_to_the_domain_of_its_source(client: FlaskClient) -> None:
    item = create(client, "aliases", **pair(" Sales@EXAMPLE.org ", "Ana@example.com"))
    assert set(item) == {"id", "domain_id", "source", "destination", "note"}
    assert (item["source"], item["destination"]) == ("sales@example.org", "ana@example.com")
    domains = {item["name"]: item["id"] for item in listed(client, "domains")}
    assert item["domain_id"] == domains["example.org"]


def test_one_source_has_several_destinations_each_once(client: FlaskClient) -> None:
    create(client, "aliases", **pair("team@example.com", "ana@example.com"))
    create(client, "aliases", **pair("team@example.com", "bob@example.com"))
    again = pair("TEAM@example.com", "bob@EXAMPLE.com")
    refused(client.post(ALIASES, json=again), 400, "already exists")
    assert len(listed(client, "aliases")) == 2


def test_an_alias_may_lead_to_an_alias(client: FlaskClient) -> None:
    create(client, "aliases", **pair("team@example.com", "ana@example.com"))
    create(client, "aliases", **pair("chain@example.com", "team@example.com"))


@pytest.mark.parametrize(
    ("body", "key_words"),
    [
        ({"destination": "ana@example.com"}, "source email was not specified"),
        (pair(" ", "ana@example.com"), "source email was not specified"),
        ({"source": 7, "destination": "ana@example.com"}, "must be text"),
        ({"source": "sales@example.com"}, "destination email was not specified"),
        ({"source": "sales@example.com", "destination": None}, "destination email was not"),
        (pair("sales", "ana@example.com"), "not in a valid email format"),
        (pair("a b@example.com", "ana@example.com"), "not in a valid email format"),
        (pair("a!b@example.com", "ana@example.com"), "not in a valid email format"),
        (pair("-a@example.com", "ana@example.com"), "not in a valid email format"),
        (pair("@", "ana@example.com"), "not in a valid email format"),
        (pair("@exa mple.com", "ana@example.com"), "not in a valid email format"),
        (pair("sales@example.com", "ana"), "not in a valid email format"),
        (pair("sales@example.com", "ana@example.com,bob@example.com"), "valid email format"),
        (pair("sales@example.com", "ana@example.com; bob@example.com"), "valid email format"),
        (pair("sales@example.com", "a\nb@example.com"), "not in a valid email format"),
        (pair("sales@example.com", "@example.org"), "not in a valid email format"),
        (pair("sales@example.com", "|/bin/sh"), "not in a valid email format"),
        (pair("sales@example.net", "ana@example.com"), "not managed by this database"),
        (pair("@example.net", "ana@example.com"), "not managed by this database"),
        (pair("sales@example.com", "ana@example.net"), "not managed by this database"),
        (pair("sales@example.com", "nobody@example.com"), "not a current email address"),
        (pair("ana@example.com", "bob@example.com"), "existing email address"),
        (pair(f"{'a' * 60}@{'b' * 30}.example.com", "ana@example.com"), "too long"),
        (pair("sales@example.com", f"{'a' * 60}@{'b' * 30}.example.com"), "too long"),
    ],
)
def test_a_bad_alias_is_refused(
    client: FlaskClient, body: dict[str, object], key_words: str
) -> None:
    refused(client.post(ALIASES, json=body), 400, key_words)
    assert listed(client, "aliases") == []


def test_destinations_elsewhere_are_a_setting(client: FlaskClient) -> None:
    elsewhere = pair("sales@example.com", "Someone@elsewhere.example")
    refused(client.post(ALIASES, json=elsewhere), 400, "not managed by this database")
    set_setting(client, "Allow External Alias Destinations", "True")
    item = create(client, "aliases", **elsewhere)
    assert item["destination"] == "someone@elsewhere.example"
    unknown_here = pair("sales@example.com", "nobody@example.com")
    refused(client.post(ALIASES, json=unknown_here), 400, "not a current email address")


def test_a_mailbox_forwards_and_keeps_a_copy(client: FlaskClient) -> None:
    forward = pair("ana@example.com", "bob@example.com")
    refused(client.post(ALIASES, json=forward), 400, "existing email address")
    copy = create(client, "aliases", **pair("ana@example.com", "ana@example.com"))
    create(client, "aliases", **forward)
    lost = client.patch(f"{ALIASES}/{copy['id']}", json={"destination": "dora@example.org"})
    refused(lost, 400, "existing email address")


@pytest.mark.parametrize("email2email", ["False", "True"])
def test_a_circle_is_refused(client: FlaskClient, email2email: str) -> None:
    set_setting(client, "Email2Email Map", email2email)
    create(client, "aliases", **pair("a@example.com", "ana@example.com"))
    create(client, "aliases", **pair("b@example.com", "a@example.com"))
    create(client, "aliases", **pair("c@example.com", "b@example.com"))
    refused(client.post(ALIASES, json=pair("a@example.com", "c@example.com")), 400, "circle")
    refused(client.post(ALIASES, json=pair("a@example.com", "b@example.com")), 400, "circle")
    first = listed(client, "aliases", "search=a@example.com")[0]
    changed = client.patch(f"{ALIASES}/{first['id']}", json={"destination": "c@example.com"})
    refused(changed, 400, "circle")


def test_a_circle_through_a_catch_all_depends_on_the_server(client: FlaskClient) -> None:
    """Without the email2email map a catch-all takes the mailboxes' mail too."""
    create(client, "aliases", **pair("info@example.com", "dora@example.org"))
    circle = pair("@example.org", "info@example.com")
    refused(client.post(ALIASES, json=circle), 400, "circle")
    set_setting(client, "Email2Email Map", "True")
    create(client, "aliases", **circle)


def test_a_catch_all_to_a_mailbox_of_its_domain_is_no_circle(client: FlaskClient) -> None:
    item = create(client, "aliases", **pair("@example.org", "dora@example.org"))
    assert item["source"] == "@example.org"


def test_source_and_destination_are_changed_together(client: FlaskClient) -> None:
    item = create(client, "aliases", **pair("sales@example.com", "ana@example.com"))
    body = pair("Sales@example.org", "bob@example.com")
    changed = client.patch(f"{ALIASES}/{item['id']}", json=body).get_json()
    assert changed["source"] == "sales@example.org"
    assert changed["destination"] == "bob@example.com"
    assert changed["domain_id"] != item["domain_id"]


@pytest.mark.parametrize(
    ("body", "key_words"),
    [
        ({}, "source or destination was not supplied"),
        ({"source": None, "destination": None}, "source or destination was not supplied"),
        ({"source": ""}, "source email was not specified"),
        ({"destination": " "}, "destination email was not specified"),
        ({"source": "x"}, "not in a valid email format"),
        ({"destination": "x"}, "not in a valid email format"),
        ({"source": "x@example.net"}, "not managed by this database"),
        ({"destination": "x@example.net"}, "not managed by this database"),
        ({"destination": "x@example.com"}, "not a current email address"),
        ({"source": "ana@example.com", "destination": "bob@example.com"}, "existing email"),
        ({"source": "team@example.com", "destination": "bob@example.com"}, "already exists"),
    ],
)
def test_a_bad_change_changes_nothing(
    client: FlaskClient, body: dict[str, object], key_words: str
) -> None:
    create(client, "aliases", **pair("team@example.com", "bob@example.com"))
    item = create(client, "aliases", **pair("sales@example.com", "ana@example.com"))
    refused(client.patch(f"{ALIASES}/{item['id']}", json=body), 400, key_words)
    assert client.get(f"{ALIASES}/{item['id']}").get_json() == item


def test_an_alias_is_deleted(client: FlaskClient) -> None:
    item = create(client, "aliases", **pair("sales@example.com", "ana@example.com"))
    assert client.delete(f"{ALIASES}/{item['id']}").status_code == 204
    refused(client.get(f"{ALIASES}/{item['id']}"), 404, "not found")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_an_unknown_alias_is_not_found(client: FlaskClient, method: str) -> None:
    body = pair("sales@example.com", "ana@example.com")
    refused(client.open(f"{ALIASES}/4711", method=method, json=body), 404, "not found")
