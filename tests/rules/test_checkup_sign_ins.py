"""What the checkup says of the way to the directory."""

import pytest

from postmaster.db import db
from postmaster.rules import settings
from postmaster.rules.checkup import sign_ins
from postmaster.rules.directories import Trust
from tests.rules.conftest import alter_setting

UNVERIFIED, READABLE = "directory-unverified", "directory-readable-passwords"
UNENCRYPTED = "directory-unencrypted"
UNCHECKED = Trust(verify=False)
PLAIN = Trust(allow_plain_passwords=True)
BOTH = Trust(verify=False, allow_plain_passwords=True)
LDAPS, LDAP = "ldaps://dc1.example.com:636", "ldap://dc1.example.com:389"

pytestmark = pytest.mark.usefixtures("context")


def describe(url: str, *, method: str = "SIMPLE", start_tls: bool = False, on: bool = True) -> None:
    alter_setting(settings.LDAP_SERVER, url)
    alter_setting(settings.LDAP_DOMAIN, "example.com")
    alter_setting(settings.LDAP_GROUP, "Mail Admins")
    alter_setting(settings.LDAP_METHOD, method)
    alter_setting(settings.LDAP_START_TLS, str(start_tls))
    alter_setting(settings.LDAP_ENABLED, str(on))


def found(trust: Trust) -> list[str]:
    return [finding.code for finding in sign_ins.find(db.session(), trust)]


@pytest.mark.parametrize(
    ("url", "options", "trust", "codes"),
    [
        (LDAPS, {}, Trust(), []),
        (LDAPS, {}, UNCHECKED, [UNVERIFIED]),
        (LDAPS, {}, PLAIN, []),
        (LDAP, {"start_tls": True}, UNCHECKED, [UNVERIFIED]),
        (LDAP, {}, UNCHECKED, []),
        (LDAP, {}, PLAIN, [READABLE]),
        (LDAP, {"method": "NTLM"}, PLAIN, [UNENCRYPTED]),
        (f"{LDAPS} {LDAP}", {}, BOTH, [UNVERIFIED, READABLE]),
        (LDAPS, {"on": False}, BOTH, []),
    ],
)
def test_who_could_listen_or_pretend(
    url: str, options: dict[str, object], trust: Trust, codes: list[str]
) -> None:
    describe(url, **options)  # type: ignore[arg-type]
    assert found(trust) == codes


def test_the_servers_are_named() -> None:
    describe(f"{LDAPS} {LDAP}")
    unverified, readable = sign_ins.find(db.session(), BOTH)
    assert unverified.values == {"servers": LDAPS}
    assert readable.values == {"servers": LDAP}
    assert f"PostMaster and {LDAPS} can pretend" in unverified.plain()["meaning"]
