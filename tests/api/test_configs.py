"""/api/v1/configs, as the contract has it."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from postmaster.logfile import LogFile
from tests.api.calls import listed, refused
from tests.conftest import set_setting

IN_ORDER = [
    ("Minimum Password Length", "8"),
    ("Account Lockout Threshold", "5"),
    ("Account Lockout Duration in Minutes", "30"),
    ("Reset Account Lockout Counter in Minutes", "30"),
    ("Login Auditing", "False"),
    ("Mail Database Auditing", "False"),
    ("Enable LDAP Authentication", "False"),
    ("AD Server LDAP String", None),
    ("AD Domain", None),
    ("AD PostMaster Group", None),
    ("LDAP Authentication Method", "NTLM"),
    ("Allow External Alias Destinations", "False"),
    ("Email2Email Map", "False"),
    ("Recipient Delimiter", "+"),
    ("Mail Folder", "/var/mail/vhosts/%d/%n"),
    ("LDAP Directory Type", "Active Directory"),
    ("LDAP StartTLS", "False"),
    ("LDAP Base DN", None),
    ("LDAP Bind Account", None),
    ("LDAP User Filter", None),
    ("LDAP Group Filter", None),
    ("LDAP Name Attribute", None),
    ("LDAP Username Attribute", None),
    ("Directory Check in Minutes", "15"),
    ("Enable OpenID Connect", "False"),
    ("OpenID Issuer", None),
    ("OpenID Client ID", None),
    ("OpenID Claim", "groups"),
    ("OpenID Claim Value", None),
]
NUMBERS = {name: number for number, (name, _) in enumerate(IN_ORDER, 1)}
LDAP_PARTS = {
    "AD Server LDAP String": "ldaps://dc.example.com:636",
    "AD Domain": "example.com",
    "AD PostMaster Group": "Mail Admins",
}


def path(name: str) -> str:
    return f"/api/v1/configs/{NUMBERS[name]}"


def test_the_settings_are_listed_in_their_order(client: FlaskClient) -> None:
    items = listed(client, "configs")
    assert [(item["setting"], item["value"]) for item in items] == IN_ORDER
    assert [item["id"] for item in items] == list(NUMBERS.values())
    assert set(items[0]) == {"id", "setting", "value", "regex"}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("Minimum Password Length", 0, "0"),
        ("Minimum Password Length", "25", "25"),
        ("Account Lockout Threshold", 25, "25"),
        ("Account Lockout Duration in Minutes", 1, "1"),
        ("Reset Account Lockout Counter in Minutes", " 99 ", "99"),
        ("Login Auditing", True, "True"),
        ("Login Auditing", "true", "True"),
        ("Mail Database Auditing", "True", "True"),
        ("Mail Database Auditing", False, "False"),
        ("AD Server LDAP String", "ldap://192.0.2.1:389", "ldap://192.0.2.1:389"),
        ("AD Domain", "Example.COM", "example.com"),
        ("AD PostMaster Group", "Mail Admins", "Mail Admins"),
        ("AD PostMaster Group", "", None),
        ("AD PostMaster Group", None, None),
        ("LDAP Authentication Method", "simple", "SIMPLE"),
        ("Email2Email Map", True, "True"),
    ],
)
def test_an_accepted_value_is_stored(
    client: FlaskClient, method: str, name: str, value: object, stored: str | None
) -> None:
    response = client.open(path(name), method=method, json={"value": value})
    assert response.status_code == 200, response.text
    assert response.get_json()["value"] == stored
    assert client.get(path(name)).get_json()["value"] == stored


@pytest.mark.parametrize(
    ("name", "value", "key_words"),
    [
        ("Minimum Password Length", 26, "between 0-25"),
        ("Minimum Password Length", -1, "between 0-25"),
        ("Minimum Password Length", "eight", "between 0-25"),
        ("Minimum Password Length", True, "between 0-25"),
        ("Minimum Password Length", "", "invalid setting value"),
        ("Minimum Password Length", "\N{ARABIC-INDIC DIGIT FIVE}", "between 0-25"),
        ("Account Lockout Threshold", "26", "between 0-25"),
        ("Account Lockout Duration in Minutes", 0, "between 1-99"),
        ("Account Lockout Duration in Minutes", 100, "between 1-99"),
        ("Reset Account Lockout Counter in Minutes", 0, "between 1-99"),
        ("Reset Account Lockout Counter in Minutes", 10**30, "between 1-99"),
        ("Login Auditing", "yes", "invalid setting value"),
        ("Mail Database Auditing", None, "invalid setting value"),
        ("Enable LDAP Authentication", 1, "invalid setting value"),
        ("Enable LDAP Authentication", True, "must be configured before"),
        ("AD Server LDAP String", "dc.example.com", "invalid setting value"),
        ("AD Server LDAP String", "http://dc.example.com:80", "invalid setting value"),
        ("AD Server LDAP String", "ldap://dc.example.com:70000", "invalid setting value"),
        ("AD Server LDAP String", "ldap://dc.example.com", "invalid setting value"),
        ("AD Domain", "example", "invalid setting value"),
        ("AD Domain", "a b.example", "invalid setting value"),
        ("AD PostMaster Group", "a*b", "invalid setting value"),
        ("AD PostMaster Group", "a" * 257, "invalid setting value"),
        ("LDAP Authentication Method", "KERBEROS", 'either "NTLM" or "SIMPLE"'),
        ("LDAP Authentication Method", ["NTLM"], "must be a text"),
        ("Email2Email Map", "maybe", "invalid setting value"),
    ],
)
def test_a_value_that_is_not_accepted_changes_nothing(
    client: FlaskClient, name: str, value: object, key_words: str
) -> None:
    refused(client.patch(path(name), json={"value": value}), 400, key_words)
    assert client.get(path(name)).get_json()["value"] == dict(IN_ORDER)[name]


def test_the_value_must_be_supplied(client: FlaskClient) -> None:
    refused(client.patch(path("Login Auditing"), json={}), 400, "value was not supplied")


def test_ldap_is_enabled_once_its_parts_are_set_and_they_then_stay(client: FlaskClient) -> None:
    enable = path("Enable LDAP Authentication")
    for name, value in LDAP_PARTS.items():
        message = refused(client.patch(enable, json={"value": True}), 400, "configured before")
        assert name in message
        set_setting(client, name, value)
    set_setting(client, "Enable LDAP Authentication", "True")
    for name in LDAP_PARTS:
        refused(client.patch(path(name), json={"value": ""}), 400, "must be disabled")
    set_setting(client, "Enable LDAP Authentication", "False")
    assert client.patch(path("AD Domain"), json={"value": ""}).get_json()["value"] is None


@pytest.mark.parametrize("name", ["Login Auditing", "Mail Database Auditing"])
def test_auditing_needs_a_log_that_can_be_written(
    client: FlaskClient, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    client.application.extensions["postmaster_log"] = LogFile(tmp_path / "file" / "log")
    refused(client.patch(path(name), json={"value": True}), 400, "log could not be written")


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT"])
def test_an_unknown_setting_is_not_found(client: FlaskClient, method: str) -> None:
    response = client.open("/api/v1/configs/4711", method=method, json={"value": "8"})
    refused(response, 404, "not found")
