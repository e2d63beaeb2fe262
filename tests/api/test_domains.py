"""/api/v1/domains, as the contract has it."""

import pytest
from flask.testing import FlaskClient

from tests.api.calls import create, listed, refused

DOMAINS = "/api/v1/domains"


def test_a_domain_is_created_lower_case(client: FlaskClient) -> None:
    item = create(client, "domains", name=" Example.COM ")
    assert set(item) == {"id", "name", "note"}
    assert item["name"] == "example.com"


def test_both_forms_of_an_international_name_are_one_domain(client: FlaskClient) -> None:
    assert create(client, "domains", name="Bücher.example")["name"] == "xn--bcher-kva.example"
    refused(client.post(DOMAINS, json={"name": "xn--bcher-kva.example"}), 400, "already exists")


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": ""}, {"name": " \t "}])
def test_a_missing_name_is_refused(client: FlaskClient, body: dict[str, str | None]) -> None:
    refused(client.post(DOMAINS, json=body), 400, "not specified")


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "a b.example",
        "a,b.example",
        "-a.example",
        "a..example",
        "a.example.",
        "192.0.2.1",
        "a_b.example",
        "ana@example.com",
        "a.example\x00",
        "a.exam\nple",
        "x" * 64 + ".example",
        "\U0001f600\U0001f600",
        "xn--zzzz9999.example",
    ],
)
def test_what_is_no_domain_is_refused(client: FlaskClient, name: str) -> None:
    refused(client.post(DOMAINS, json={"name": name}), 400, "not a valid")
    assert listed(client, "domains") == []


def test_a_name_longer_than_its_column_is_refused(client: FlaskClient) -> None:
    fits = "a" * 42 + ".example"
    assert len(fits) == 50
    create(client, "domains", name=fits)
    refused(client.post(DOMAINS, json={"name": f"a{fits}"}), 400, "too long")


def test_a_name_in_use_is_refused_in_any_case(client: FlaskClient) -> None:
    create(client, "domains", name="example.com")
    refused(client.post(DOMAINS, json={"name": "EXAMPLE.com"}), 400, "already exists")


def test_an_empty_domain_is_renamed(client: FlaskClient) -> None:
    number = create(client, "domains", name="exmaple.com")["id"]
    response = client.patch(f"{DOMAINS}/{number}", json={"name": "example.com"})
    assert response.get_json() == {"id": number, "name": "example.com", "note": ""}


def test_a_domain_with_users_is_not_renamed(client: FlaskClient) -> None:
    number = create(client, "domains", name="example.com")["id"]
    create(client, "users", email="ana@example.com", password="password")
    refused(client.patch(f"{DOMAINS}/{number}", json={"name": "a.example"}), 400, "cannot be")


def test_a_domain_is_not_renamed_to_one_in_use(client: FlaskClient) -> None:
    create(client, "domains", name="example.com")
    number = create(client, "domains", name="example.org")["id"]
    refused(client.patch(f"{DOMAINS}/{number}", json={"name": "example.com"}), 400, "exists")


def test_a_deleted_domain_takes_along_what_leads_to_it(client: FlaskClient) -> None:
    number = create(client, "domains", name="example.com")["id"]
    create(client, "domains", name="example.org")
    create(client, "users", email="ana@example.com", password="password")
    create(client, "users", email="bob@example.org", password="password")
    create(client, "aliases", source="sales@example.com", destination="bob@example.org")
    create(client, "aliases", source="team@example.org", destination="ana@example.com")
    kept = create(client, "aliases", source="team@example.org", destination="bob@example.org")
    response = client.delete(f"{DOMAINS}/{number}")
    assert (response.status_code, response.data) == (204, b"")
    assert [item["name"] for item in listed(client, "domains")] == ["example.org"]
    assert [item["email"] for item in listed(client, "users")] == ["bob@example.org"]
    assert listed(client, "aliases") == [kept]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
@pytest.mark.parametrize("number", ["0", "4711", "2147483648", "9" * 30, "abc", "-1"])
def test_an_unknown_domain_is_not_found(client: FlaskClient, method: str, number: str) -> None:
    response = client.open(f"{DOMAINS}/{number}", method=method, json={"name": "a.example"})
    refused(response, 404, "not found")
