"""/api/v1/declared."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.rules import passwords
from postmaster.rules.users import by_email
from tests.api.calls import refused
from tests.conftest import ADMIN
from tests.rules.mail import HASH, Rows, fill, rows_now

TEXT = f"""\
governs: [two.example, three.example]
domains:
  two.example:
    users: [{{address: dora, hash: "{HASH}new"}}]
    aliases: {{all: [dora]}}
  three.example: {{}}
"""
URL = "/api/v1/declared"


@pytest.fixture
def mail(client: FlaskClient) -> FlaskClient:
    with client.application.app_context():
        fill()
    return client


def send(client: FlaskClient, act: str, text: str = TEXT, **more: Any) -> dict[str, Any]:
    response = client.post(f"{URL}/{act}", json={"text": text, **more})
    assert response.status_code == 200, response.text
    item: dict[str, Any] = response.get_json()
    return item


def rows(client: FlaskClient) -> Rows:
    with client.application.app_context():
        return rows_now()


def test_a_plan_and_what_it_was(mail: FlaskClient) -> None:
    before = rows(mail)
    plan = send(mail, "plan")
    assert plan["counts"] == {"delete": 6, "change": 1, "create": 2}
    assert plan["errors"] == []
    assert {
        "action": "change",
        "kind": "user",
        "name": "dora@two.example",
        "line": 4,
        "details": ["another password"],
    } in plan["steps"]
    assert HASH not in str(plan)
    assert rows(mail) == before
    done = send(mail, "apply", plan=plan["plan"], name="mail.yaml")
    assert (done["counts"], done["import"]) == (plan["counts"], None)
    entry = mail.get(f"/api/v1/history/{done['change']}").get_json()
    assert (entry["action"], entry["object_name"]) == ("apply", "mail.yaml")
    assert send(mail, "plan")["steps"] == []
    assert mail.post(f"/api/v1/history/{done['change']}/undo").status_code == 200
    assert rows(mail) == before


def test_nothing_to_do_is_no_change(mail: FlaskClient) -> None:
    assert send(mail, "apply")["change"] is not None
    assert send(mail, "apply")["change"] is None


def test_another_plan_than_the_one_that_was_seen_is_not_done(mail: FlaskClient) -> None:
    plan = send(mail, "plan")["plan"]
    assert mail.patch("/api/v1/users/21", json={"email": "doro@two.example"}).status_code == 200
    before = rows(mail)
    response = mail.post(f"{URL}/apply", json={"text": TEXT, "plan": plan})
    refused(response, 409, "changed since the plan was made")
    other = send(mail, "plan")["plan"]
    # Nor is the same plan of another text.
    response = mail.post(f"{URL}/apply", json={"text": f"# more\n{TEXT}", "plan": other})
    refused(response, 409)
    assert rows(mail) == before
    assert send(mail, "apply", plan=other)["change"]


def test_generated_passwords_are_fetched_like_an_imports(mail: FlaskClient) -> None:
    text = "governs: [three.example]\ndomains: {three.example: {users: [new]}}"
    (error,) = send(mail, "plan", text)["errors"]
    assert error.startswith("Line 2: ")
    response = mail.post(f"{URL}/apply", json={"text": text})
    refused(response, 400, "line 2", "has to be generated")
    done = send(mail, "apply", text, generate=True)
    (secret,) = mail.get(f"/api/v1/imports/{done['import']}/passwords").get_json()["items"]
    with mail.application.app_context():
        stored = by_email(db.session(), ADMIN, "new@three.example").password
    assert secret["address"] == "new@three.example"
    assert passwords.matches_mail(secret["password"], stored)


def test_what_the_rules_do_not_permit_is_an_error_of_the_plan(mail: FlaskClient) -> None:
    text = "governs: [one.example]\ndomains:\n  one.example:\n    aliases: {a: [b], b: [a]}"
    plan = send(mail, "plan", text)
    assert "Line 4: " in plan["errors"][0]
    before = rows(mail)
    refused(mail.post(f"{URL}/apply", json={"text": text}), 400, "line 4")
    assert rows(mail) == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "The text was not specified"),
        ({"text": 5}, "The text must be text"),
        ({"text": ""}, "The file is empty"),
        ({"text": "governs: [x"}, "cannot be read as YAML"),
        ({"text": "governs: []", "generate": "x"}, "generate must be true or false"),
        ({"text": "# " + "x" * (4 * 1024 * 1024)}, "more than 4 MB"),
    ],
)
@pytest.mark.parametrize("act", ["plan", "apply"])
def test_what_is_wrong_is_refused(
    mail: FlaskClient, act: str, body: dict[str, Any], words: str
) -> None:
    refused(mail.post(f"{URL}/{act}", json=body), 400, words)


def test_a_strangers_text_is_not_read(client: FlaskClient) -> None:
    stranger = client.application.test_client()
    for act in ("plan", "apply"):
        refused(stranger.post(f"{URL}/{act}", json={"text": TEXT}), 401)
