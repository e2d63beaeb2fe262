"""Lists: pages, links, search, order, filters."""

import pytest
from flask.testing import FlaskClient

from tests.api.calls import create, listed, refused

NAMES = [f"d{number:02}.example" for number in range(23)]


@pytest.fixture
def domains(client: FlaskClient) -> FlaskClient:
    for name in reversed(NAMES):
        create(client, "domains", name=name)
    return client


def test_a_page_says_where_it_is(domains: FlaskClient) -> None:
    body = domains.get("/api/v1/domains?page=2").get_json()
    base = "http://localhost/api/v1/domains?page="
    assert [item["name"] for item in body["items"]] == NAMES[10:20]
    assert body["meta"] == {
        "page": 2,
        "per_page": 10,
        "total": 23,
        "pages": 3,
        "first": f"{base}1",
        "last": f"{base}3",
        "prev": f"{base}1",
        "next": f"{base}3",
    }


def test_the_links_lead_through_all_pages_and_keep_what_was_asked(domains: FlaskClient) -> None:
    link = "/api/v1/domains?search=D&per_page=7&sort=name&order=desc"
    names = []
    while link:
        body = domains.get(link).get_json()
        names += [item["name"] for item in body["items"]]
        link = body["meta"]["next"]
        assert link is None or "search=D&per_page=7&sort=name&order=desc" in link
    assert names == NAMES[::-1]


def test_an_empty_list_has_one_empty_page(client: FlaskClient) -> None:
    body = client.get("/api/v1/aliases").get_json()
    assert body["items"] == []
    assert (body["meta"]["total"], body["meta"]["pages"]) == (0, 0)
    assert (body["meta"]["prev"], body["meta"]["next"]) == (None, None)


@pytest.mark.parametrize("page", ["4", "9" * 30])
def test_a_page_past_the_last_is_not_found(domains: FlaskClient, page: str) -> None:
    refused(domains.get(f"/api/v1/domains?page={page}"), 404, "not found")


@pytest.mark.parametrize("noun", ["domains", "users", "aliases", "admins", "configs"])
@pytest.mark.parametrize(
    ("query", "key_word"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=", "page"),
        ("per_page=0", "per_page"),
        ("per_page=1.5", "per_page"),
        ("sort=password", "sort"),
        ("order=up", "order"),
    ],
)
def test_a_bad_question_is_refused(
    client: FlaskClient, noun: str, query: str, key_word: str
) -> None:
    refused(client.get(f"/api/v1/{noun}?{query}"), 400, key_word)


def test_up_to_a_hundred_rows_come_at_once(client: FlaskClient) -> None:
    for number in range(101):
        create(client, "domains", name=f"d{number}.example")
    assert len(listed(client, "domains", "per_page=100")) == 100
    assert len(listed(client, "domains", "per_page=1000")) == 100
    assert client.get("/api/v1/domains?per_page=1000").get_json()["meta"]["per_page"] == 100


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("EXAMPLE", 2),
        ("one", 1),
        ("%25", 0),
        ("_", 0),
        ("x%25", 0),
        ("%5C", 0),
        ("%00", 0),
        ("%27", 0),
        ("%F0%9F%98%80", 0),
        ("xn--", 1),
    ],
)
def test_a_search_is_a_part_of_the_name_as_it_is_written(
    client: FlaskClient, search: str, found: int
) -> None:
    create(client, "domains", name="one.example")
    create(client, "domains", name="bücher.example")
    assert len(listed(client, "domains", f"search={search}")) == found


def test_percent_and_underscore_are_letters(client: FlaskClient) -> None:
    create(client, "domains", name="a.example")
    for email in ("a_b@a.example", "axb@a.example"):
        create(client, "users", email=email, password="password")
    assert [u["email"] for u in listed(client, "users", "search=a_b")] == ["a_b@a.example"]


def test_each_list_has_its_own_order(client: FlaskClient) -> None:
    create(client, "domains", name="b.example")
    create(client, "domains", name="a.example")
    for email in ("z@a.example", "a@b.example"):
        create(client, "users", email=email, password="password")
    create(client, "aliases", source="y@a.example", destination="z@a.example")
    create(client, "aliases", source="x@b.example", destination="z@a.example")
    create(client, "admins", username="aaron", password="password", name="A")
    assert [i["name"] for i in listed(client, "domains")] == ["a.example", "b.example"]
    assert [i["email"] for i in listed(client, "users")] == ["a@b.example", "z@a.example"]
    assert [i["source"] for i in listed(client, "aliases")] == ["x@b.example", "y@a.example"]
    assert [i["username"] for i in listed(client, "admins")] == ["aaron", "admin"]
    assert listed(client, "users", "sort=id")[0]["email"] == "z@a.example"


@pytest.mark.parametrize("noun", ["domains", "users", "aliases", "admins", "configs", "logs"])
def test_a_stranger_is_refused_in_json(stranger: FlaskClient, noun: str) -> None:
    refused(stranger.get(f"/api/v1/{noun}"), 401)


@pytest.mark.parametrize("noun", ["domains", "users", "aliases", "admins", "configs", "logs"])
def test_a_method_that_is_not_taken_is_refused_in_json(client: FlaskClient, noun: str) -> None:
    response = client.delete(f"/api/v1/{noun}")
    refused(response, 405)
    assert "GET" in response.headers["Allow"]
