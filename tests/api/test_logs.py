"""/api/v1/logs, as the contract has it."""

from flask.testing import FlaskClient

from tests.api.calls import create, listed, refused
from tests.conftest import set_setting


def test_no_log_has_no_items(client: FlaskClient) -> None:
    assert client.get("/api/v1/logs").get_json() == {"items": []}


def test_changes_are_logged_while_auditing_is_on(client: FlaskClient) -> None:
    create(client, "domains", name="before.example")
    set_setting(client, "Mail Database Auditing", "True")
    create(client, "domains", name="during.example")
    set_setting(client, "Mail Database Auditing", "False")
    create(client, "domains", name="after.example")
    items = listed(client, "logs", "")
    assert [item["category"] for item in items] == ["audit", "audit"]
    assert set(items[0]) == {"timestamp", "category", "admin", "message"}
    assert items[1]["admin"] == "admin"
    assert "during.example" in items[1]["message"]
    assert items[1]["timestamp"].endswith("Z")


def test_the_newest_lines_are_taken_and_may_come_first(client: FlaskClient) -> None:
    log = client.application.extensions["postmaster_log"]
    for number in range(60):
        log.write("error", None, f"line {number}")

    def messages(query: str) -> list[str]:
        return [item["message"] for item in listed(client, "logs", query)]

    assert messages("") == [f"line {number}" for number in range(10, 60)]
    assert messages("lines=2") == ["line 58", "line 59"]
    assert messages("lines=2&reverse=1") == ["line 59", "line 58"]


def test_bad_numbers_are_refused(client: FlaskClient) -> None:
    for query in ("lines=0", "lines=x", "lines=10001", "reverse=2"):
        refused(client.get(f"/api/v1/logs?{query}"), 400)
