"""/api/v1/checkup"""

import pytest
from flask.testing import FlaskClient

from tests.api.calls import PREFIX, listed, refused
from tests.rules.mail import by_hand
from tests.rules.odd_rows import ANA, BOB, TEAM, alias, fill_well, user

CHECKUP = f"{PREFIX}/checkup"


@pytest.fixture
def odd(client: FlaskClient) -> FlaskClient:
    """An admin's browser on a server with some odd rows."""
    with client.application.app_context():
        fill_well()
        by_hand(alias(301, TEAM, ANA), user(31, f" {BOB}"), user(32, "Lea@one.example"))
    return client


def test_a_checkup_tells_all_that_was_found(odd: FlaskClient) -> None:
    report = odd.get(CHECKUP).get_json()
    assert set(report) == {"well", "complete", "findings", "schemes"}
    assert (report["well"], report["complete"]) == (False, True)
    assert [(f["code"], f["severity"], f["count"]) for f in report["findings"]] == [
        ("default-password", "error", 1),
        ("user-never-found", "error", 1),
        ("user-mixed-case", "note", 1),
        ("alias-double", "note", 1),
    ]
    double = report["findings"][-1]
    assert double["sample"] == [{"kind": "alias", "id": 301, "name": f"{TEAM} -> {ANA}"}]
    assert double["repair"].startswith("Deletes the further rows")
    assert report["findings"][0]["repair"] is None
    assert report["schemes"] == [
        {"scheme": "SHA512-CRYPT", "state": "readable", "weak": False, "users": 5}
    ]


def test_a_plan_is_shown_carried_out_and_undone(odd: FlaskClient) -> None:
    plan = odd.get(f"{CHECKUP}/alias-double").get_json()
    assert (plan["count"], plan["whole"], plan["left"]) == (1, True, [])
    values = {"domain_id": 1, "source": TEAM, "destination": ANA}
    assert plan["steps"] == [
        {
            "action": "delete",
            "kind": "alias",
            "id": 301,
            "before": f"{TEAM} -> {ANA}",
            "after": None,
            "old": values,
            "new": None,
        }
    ]
    answer = odd.post(f"{CHECKUP}/alias-double", json={"version": plan["version"]})
    assert answer.status_code == 200, answer.text
    done = answer.get_json()
    assert (done["count"], done["sentence"]) == (
        1,
        '1 changes repaired "Aliases that are there twice"',
    )
    assert 301 not in [item["id"] for item in listed(odd, "aliases")]
    assert odd.post(f"{PREFIX}/history/{done['change']}/undo").status_code == 200
    assert 301 in [item["id"] for item in listed(odd, "aliases")]


def test_what_is_left_has_its_reason(odd: FlaskClient) -> None:
    plan = odd.get(f"{CHECKUP}/user-never-found").get_json()
    assert plan["steps"] == []
    (left,) = plan["left"]
    assert left == {
        "kind": "user",
        "id": 31,
        "name": f" {BOB}",
        "reason": f'"{BOB}" already exists',
    }


def test_a_repair_without_version_does_what_there_is(odd: FlaskClient) -> None:
    assert odd.post(f"{CHECKUP}/alias-double", json={}).status_code == 200
    refused(odd.post(f"{CHECKUP}/alias-double", json={}), 409, "nothing to repair")


def test_another_plan_is_refused(odd: FlaskClient) -> None:
    call = odd.post(f"{CHECKUP}/alias-double", json={"version": "0123456789abcdef"})
    refused(call, 409, "is not what was shown any more")
    assert 301 in [item["id"] for item in listed(odd, "aliases")]


@pytest.mark.parametrize("code", ["user-mixed-case", "nothing-like-it", "server"])
def test_what_has_no_repair_is_not_found(odd: FlaskClient, code: str) -> None:
    refused(odd.get(f"{CHECKUP}/{code}"), 404, "no repair", code)
    if code != "server":  # that is the mail server's configuration
        refused(odd.post(f"{CHECKUP}/{code}", json={}), 404, "no repair", code)


def test_a_wrong_body_is_refused(odd: FlaskClient) -> None:
    refused(odd.post(f"{CHECKUP}/alias-double", data="no JSON"), 400, "invalid request")
    refused(odd.post(f"{CHECKUP}/alias-double", json={"version": 7}), 400, "version", "text")
