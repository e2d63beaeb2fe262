"""The API's description is made from what checks the requests."""

import re
from typing import Any

from flask.testing import FlaskClient


def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/openapi.json").get_json()
    return found


def test_it_is_openapi_3_1_and_has_every_route(client: FlaskClient) -> None:
    described = document(client)
    assert described["openapi"] == "3.1.0"
    routes = {
        (re.sub(r"<(?:int|string|path):(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        if rule.endpoint.startswith("api_") and not rule.endpoint.startswith("api_description.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths = {
        (path, method)
        for path, operations in described["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert paths == routes


def test_every_call_describes_its_refusals(client: FlaskClient) -> None:
    for path, operations in document(client)["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            statuses = set(operation["responses"])
            assert {"401", "403", "500", "503"} <= statuses, (method, path)
            assert statuses & {"200", "201", "204"}, (method, path)
            assert ("404" in statuses) or "{item_id}" not in path
            assert {"400", "413"} <= statuses or "requestBody" not in operation
            assert operation["summary"]


def test_a_field_is_described_by_its_column(client: FlaskClient) -> None:
    schemas = document(client)["components"]["schemas"]
    email = schemas["NewUser"]["properties"]["email"]
    assert (email["type"], email["minLength"], email["maxLength"]) == ("string", 1, 120)
    assert set(schemas["NewUser"]["required"]) == {"email", "password"}


def test_the_page_to_read_has_every_path_and_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    for path in document(client)["paths"]:
        assert f"<code>{path}</code>" in page.text
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page.text)
    assert not re.search(r"<script(?! src=)", page.text)
    assert "style=" not in page.text
