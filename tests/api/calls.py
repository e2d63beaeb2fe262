"""What the tests of the API say over and over, said once."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PREFIX = "/api/v1"
PHRASES = {
    400: "bad request",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    409: "conflict",
    413: "request entity too large",
    429: "too many requests",
    503: "service unavailable",
}


def refused(response: TestResponse, status: int, *key_words: str) -> str:
    """The refusal has the contract's form and these words; its message."""
    body = response.get_json()
    assert response.status_code == status, response.text
    assert body["status"] == status
    assert body["error"] == PHRASES[status]
    assert set(body) == {"status", "error", "message"}
    for key_word in key_words:
        assert key_word.lower() in body["message"].lower()
    return str(body["message"])


def create(client: FlaskClient, noun: str, **fields: Any) -> dict[str, Any]:
    """Add an item, which comes back with its place."""
    response = client.post(f"{PREFIX}/{noun}", json=fields)
    assert response.status_code == 201, response.text
    item: dict[str, Any] = response.get_json()
    assert response.headers["Location"] == f"{PREFIX}/{noun}/{item['id']}"
    assert client.get(response.headers["Location"]).get_json() == item
    return item


def listed(client: FlaskClient, noun: str, query: str = "per_page=100") -> list[dict[str, Any]]:
    """The items of a list."""
    response = client.get(f"{PREFIX}/{noun}?{query}")
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.get_json()["items"]
    return items
