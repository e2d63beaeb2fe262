"""POST /api/v1/checkup/server"""

from typing import Any

import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from tests.api.calls import PREFIX, create, refused
from tests.rules.server_texts import GUIDE, MAIN, MARKER

PATH = f"{PREFIX}/checkup/server"


def texts(**changes: str) -> list[dict[str, str]]:
    return [{"name": name, "text": text} for name, text in (GUIDE | changes).items()]


def checked(client: FlaskClient, given: object) -> dict[str, Any]:
    response = client.post(PATH, json={"texts": given})
    assert response.status_code == 200, response.text
    assert MARKER not in response.text
    body: dict[str, Any] = response.get_json()
    return body


def codes(body: dict[str, Any], severity: str = "error") -> set[str]:
    return {item["code"] for item in body["findings"] if item["severity"] == severity}


def test_the_panel_s_own_database_and_settings_are_compared(client: FlaskClient) -> None:
    with client.application.app_context():
        url = db.engine.url
    texts_here = [
        item | {"text": item["text"].replace("servermail", url.database or "")} for item in texts()
    ]
    body = checked(client, texts_here)
    assert body["email2email"] is True
    assert body["mail_folder"] == "/var/mail/vhosts/%d/%n"
    assert {"name": "main.cf", "kind": "Postfix's main.cf"} in body["texts"]
    is_mysql = url.get_backend_name() == "mysql"
    # On SQLite the panel's file is none of the mail server's databases.
    assert body["worst"] == ("warning" if is_mysql else "error")
    assert codes(body) >= (set() if is_mysql else {"other-database"})
    (own,) = [item for item in body["findings"] if item["code"] == "lesser-setting-differs"]
    assert (own["where"], own["write"]) == ("PostMaster", [])
    change = own["setting"]
    assert change["name"] == "Email2Email Map"
    response = client.patch(f"{PREFIX}/configs/{change['id']}", json={"value": change["value"]})
    assert response.status_code == 200, response.text
    body = checked(client, texts_here)
    assert "lesser-setting-differs" not in codes(body, "warning")
    assert {item["setting"] for item in body["findings"]} == {None}
    assert (body["worst"] == "ok") == is_mysql
    assert (
        "panels-user"
        in codes(
            checked(
                client,
                texts(
                    **{
                        "dovecot-sql.conf.ext": GUIDE["dovecot-sql.conf.ext"].replace(
                            "mailuser", url.username or "-"
                        )
                    }
                ),
            ),
            "warning",
        )
    ) == is_mysql


def test_a_domain_of_the_table_in_mydestination_is_found(client: FlaskClient) -> None:
    main = {"main.cf": MAIN.replace("= localhost", "= localhost, Example.com, mine.example")}
    assert "domain-twice" not in codes(checked(client, texts(**main)))
    create(client, "domains", name="example.com")
    body = checked(client, texts(**main))
    (item,) = [item for item in body["findings"] if item["code"] == "domain-twice"]
    assert "example.com:" in item["sentence"]
    assert item["where"] == "main.cf"
    assert item["write"] == ["mydestination = localhost"]
    assert "tables" in item["meaning"]


def test_nothing_of_it_is_stored(client: FlaskClient) -> None:
    before = client.get(f"{PREFIX}/history").get_json()
    checked(client, texts())
    assert client.get(f"{PREFIX}/history").get_json() == before
    assert client.get(f"{PREFIX}/logs").get_json()["items"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "not specified"),
        ({"texts": None}, "not specified"),
        ({"texts": []}, "1 to 200"),
        ({"texts": MARKER}, "list of objects"),
        ({"texts": [MARKER]}, ""),
        ({"texts": [{"name": MARKER}]}, "text was not specified"),
        ({"texts": [{"text": [MARKER]}]}, "must be text"),
        ({"texts": [{"text": "x"}] * 201}, "1 to 200"),
    ],
)
def test_what_is_refused(client: FlaskClient, body: dict[str, Any], words: str) -> None:
    message = refused(client.post(PATH, json=body), 400, words)
    assert MARKER not in message


def test_odd_characters_come_back_as_json(client: FlaskClient) -> None:
    body = checked(client, [{"name": "\ud800\u202e\x00", "text": "query = \ud800\x00'"}])
    assert body["worst"] == "error"
