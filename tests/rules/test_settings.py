"""The settings' declarations: each value is read in one place only."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmaster.db import db
from postmaster.errors import Invalid
from postmaster.models import SettingRow
from postmaster.rules import lengths, settings

TYPED = (
    st.integers(-5, 200).map(str)
    | st.sampled_from(["True", "False", "NTLM", "SIMPLE", "ntlm", "a.example", "Mail Admins"])
    | st.from_regex(r"ldaps?://[a-z0-9.]{1,8}:[0-9]{1,6}", fullmatch=True)
    | st.text(max_size=12)
)


# A domain may be typed in its international form, and distinguished names and filters have
# brackets in brackets, which no pattern can tell.
BEYOND_PATTERNS = (
    settings.LDAP_DOMAIN,
    settings.LDAP_BASE,
    settings.LDAP_USER_FILTER,
    settings.LDAP_GROUP_FILTER,
    settings.OPENID_ISSUER,  # http:// is for this host only
)


def accepts(setting: settings.Setting[object], text: str) -> bool:
    try:
        setting.read(text)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize(
    "setting",
    [s for s in settings.ALL if s not in BEYOND_PATTERNS],
    ids=lambda setting: setting.name,
)
@given(text=TYPED)
def test_the_pattern_for_scripts_says_the_same(
    setting: settings.Setting[object], text: str
) -> None:
    if accepts(setting, text):
        assert re.fullmatch(setting.pattern, text, re.IGNORECASE)
    if re.fullmatch(setting.pattern, text) and "\n" not in text:
        assert accepts(setting, text)


@pytest.mark.parametrize("setting", settings.ALL, ids=lambda setting: setting.name)
def test_a_declaration_fits_its_row(setting: settings.Setting[object]) -> None:
    assert len(setting.name) <= lengths.of(SettingRow.setting)
    assert len(setting.pattern) <= lengths.of(SettingRow.regex)
    assert setting.stored(setting.text(setting.default)) == setting.default


@pytest.mark.parametrize("setting", settings.ALL, ids=lambda setting: setting.name)
@given(text=TYPED | st.text(st.characters(), max_size=12))
def test_what_is_stored_is_utf_8_fits_its_pattern_and_reads_the_same(
    setting: settings.Setting[object], text: str
) -> None:
    if accepts(setting, text):
        stored = setting.text(setting.read(text))
        assert stored is not None
        assert stored.encode()
        assert re.fullmatch(setting.pattern, stored)
        assert setting.stored(stored) == setting.read(text)


NUMBER_0_25 = "between 0-25"
NUMBER_1_99 = "between 1-99"
INVALID = "invalid setting value"
ON_OR_OFF = (
    ["True", "False", "true", "FALSE"],
    ["", "1", "0", "yes", "on", "None", "True "],
    INVALID,
)
# Default, what is accepted, what is refused, and the words of the refusal.
CONTRACT: dict[str, tuple[object, list[str], list[str], str]] = {
    "Minimum Password Length": (
        *(8, ["0", "1", "8", "25"], ["-1", "26", "8.0", "+8", "08", "eight", "", "8\n", "٣"]),
        NUMBER_0_25,
    ),
    "Account Lockout Threshold": (5, ["0", "5", "25"], ["-1", "26", "1e1", "five"], NUMBER_0_25),
    "Account Lockout Duration in Minutes": (
        *(30, ["1", "30", "99"], ["0", "100", "-1", "0.5", "00"]),
        NUMBER_1_99,
    ),
    "Reset Account Lockout Counter in Minutes": (
        *(30, ["1", "30", "99"], ["0", "100", "-1", "9" * 5000]),
        NUMBER_1_99,
    ),
    "Login Auditing": (False, *ON_OR_OFF),
    "Mail Database Auditing": (False, *ON_OR_OFF),
    "Enable LDAP Authentication": (False, *ON_OR_OFF),
    "AD Server LDAP String": (
        None,
        [
            *("ldap://dc.example.com:389", "ldaps://dc1:636", "ldap://192.0.2.1:1"),
            *("ldaps://[2001:db8::1]:65535", f"ldap://{'a' * 500}:389"),
            *("ldaps://dc1:636 ldaps://dc2:636", "ldap://a:1  ldap://b:2 ldaps://c:3"),
        ],
        [
            *("dc.example.com", "ldap://dc.example.com", "http://dc.example.com:389"),
            *("ldap://dc.example.com:0", "ldap://dc.example.com:65536", "ldap://:389"),
            *("ldap://-dc:389", "ldap://dc:389/o=x", "ldap://u:p@dc:389", "ldap://d c:389"),
            *("ldap://dc:389 ", "ldap://dc:389,ldap://b:389", "ldap://dc:389 dc2"),
            *("ldap://dc:389\n", f"ldap://{'a' * 503}:389"),
        ],
        INVALID,
    ),
    "AD Domain": (
        None,
        ["example.com", "Example.COM", "bücher.example", "xn--bcher-kva.example"],
        ["example", "a b.example", "example.com.", "-a.example", "192.0.2.1", "a_b.example"],
        INVALID,
    ),
    "AD PostMaster Group": (
        None,
        ["PostMaster Admins", "Größe", "a-b_c.d", "x" * 256],
        [*'/\\[]:;|=,+*?<>@"', "a\nb", "a\x00b", "a\x85b", "\ud800", "x" * 257],
        INVALID,
    ),
    "LDAP Authentication Method": (
        *(
            "NTLM",
            ["NTLM", "SIMPLE", "ntlm", "simple", "Simple"],
            ["", "KERBEROS", "NTLM ", "s\u0131mple"],
        ),
        'either "NTLM" or "SIMPLE"',
    ),
    "Allow External Alias Destinations": (False, *ON_OR_OFF),
    "Email2Email Map": (False, *ON_OR_OFF),
    "Recipient Delimiter": ("+", ["+", "-", "none", "="], ["", "++", "@", "a", "None"], INVALID),
    "Mail Folder": (
        "/var/mail/vhosts/%d/%n",
        ["/var/mail/vhosts/%d/%n", "/srv/%u", "/home/mail/%d/%n/Maildir"],
        ["", "var/mail/%n", "/var/mail", "/a b/%n", "/var/$(id)/%n", "/var/'%n", "/%n;id"],
        INVALID,
    ),
    "LDAP Directory Type": (
        *(
            "Active Directory",
            ["Active Directory", "OpenLDAP", "FreeIPA", "openldap"],
            ["", "AD", "389 Directory Server"],
        ),
        "one of: Active Directory, OpenLDAP, FreeIPA",
    ),
    "LDAP StartTLS": (False, *ON_OR_OFF),
    "LDAP Base DN": (
        *(None, ["dc=example,dc=com", "ou=Größe\\, Süd,o=Example"]),
        *(["example.com", "dc=", "dc=example,dc", "a\x00=b", f"o={'x' * 500}"], INVALID),
    ),
    "LDAP Bind Account": (
        *(None, ["postmaster", "cn=PostMaster,dc=example,dc=com", r"CORP\postmaster"]),
        *(["a\nb", "x" * 501], INVALID),
    ),
    "LDAP User Filter": (
        *(None, ["(uid={user})", "(&(objectClass=person)(|(uid={user})(mail={user})))"]),
        *(["uid={user}", "(uid=ana)", "(uid={user}", "((uid={user}))", "({user}"], INVALID),
    ),
    "LDAP Group Filter": (
        *(None, ["memberOf", "(member={dn})", "(memberUid={user})"]),
        *(["memberof", "member={dn}", "(cn=admins)", "(member={dn}"], INVALID),
    ),
    "LDAP Name Attribute": (None, ["cn", "displayName"], ["", "a b", "1a", "cn;lang-de"], INVALID),
    "LDAP Username Attribute": (None, ["uid", "mail"], ["", "a=b", "*"], INVALID),
    "Directory Check in Minutes": (
        *(15, ["5", "15", "999"], ["0", "4", "1000", "-1", "05"]),
        "between 5-999",
    ),
    "Enable OpenID Connect": (False, *ON_OR_OFF),
    "OpenID Issuer": (
        *(None, ["https://login.example.com", "https://id.example.com/realms/a"]),
        *(
            ["login.example.com", "ftp://a", "https://", "https://a b", "http://login.example.com"],
            INVALID,
        ),
    ),
    "OpenID Client ID": (None, ["postmaster", "https://mail.example.com"], ["", "a\nb"], INVALID),
    "OpenID Claim": ("groups", ["groups", "https://example.com/roles"], ["", "a b"], INVALID),
    "OpenID Claim Value": (None, ["Mail Admins", "/postmasters"], ["", "a\x00"], INVALID),
}


def test_the_settings_are_those_of_the_contract_in_its_order() -> None:
    assert [setting.name for setting in settings.ALL] == list(CONTRACT)
    for setting in settings.ALL:
        assert setting.default == CONTRACT[setting.name][0]
        assert settings.BY_NAME[setting.name] is setting


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, text) for name, (_, accepted, _, _) in CONTRACT.items() for text in accepted],
)
def test_what_the_contract_accepts_is_read(name: str, text: str) -> None:
    assert settings.BY_NAME[name].read(text) is not None


@pytest.mark.parametrize(
    ("name", "text", "key_words"),
    [
        (name, text, key_words)
        for name, (_, _, refused, key_words) in CONTRACT.items()
        for text in refused
    ],
    ids=ascii,
)
def test_what_the_contract_refuses_is_refused_in_its_words(
    name: str, text: str, key_words: str
) -> None:
    setting = settings.BY_NAME[name]
    with pytest.raises(Invalid) as refusal:
        setting.read(text)
    assert key_words.lower() in str(refusal.value).lower()
    assert INVALID in str(refusal.value).lower()
    assert refusal.value.field == "value"
    assert setting.stored(text) == setting.default


@pytest.mark.parametrize("unreadable", ["", None, "twelve", "999", "-1", "3.5"])
def test_a_value_that_nobody_can_read_counts_as_the_default(unreadable: str | None) -> None:
    assert settings.MINIMUM_PASSWORD_LENGTH.stored(unreadable) == 8


def test_a_missing_row_counts_as_the_default(context: None) -> None:
    db.session.query(SettingRow).delete()
    assert settings.value_of(db.session(), settings.LOCKOUT_THRESHOLD) == 5
    assert settings.values_of(db.session(), *settings.ALL) == {
        setting: setting.default for setting in settings.ALL
    }
    assert settings.values_of(db.session()) == {}


def test_the_rows_say_what_counts(context: None) -> None:
    texts = {
        settings.LOCKOUT_THRESHOLD: "0",
        settings.LDAP_METHOD: "simple",
        settings.EMAIL2EMAIL_MAP: "True",
        settings.LDAP_DOMAIN: "example.com",
        settings.LOCKOUT_MINUTES: "long",
    }
    for setting, text in texts.items():
        db.session.query(SettingRow).filter_by(setting=setting.name).update({"value": text})
    counts = {
        settings.LOCKOUT_THRESHOLD: 0,
        settings.LDAP_METHOD: "SIMPLE",
        settings.EMAIL2EMAIL_MAP: True,
        settings.LDAP_DOMAIN: "example.com",
        settings.LOCKOUT_MINUTES: 30,
    }
    assert settings.values_of(db.session(), *texts) == counts
    for setting, value in counts.items():
        assert settings.value_of(db.session(), setting) == value  # type: ignore[arg-type]


def rows() -> list[tuple[int, str | None, str | None, str | None]]:
    """The settings' table."""
    found = db.session.query(SettingRow).order_by(SettingRow.id)
    return [(row.id, row.setting, row.value, row.regex) for row in found]


def test_a_new_installation_has_the_rows_in_order_and_more_are_added_once(context: None) -> None:
    expected = [
        (number, setting.name, setting.text(setting.default), setting.pattern)
        for number, setting in enumerate(settings.ALL, 1)
    ]
    assert rows() == expected
    settings.add_missing(db.session())
    assert rows() == expected


def test_a_row_that_nobody_declared_is_left_alone(context: None) -> None:
    db.session.add(SettingRow(setting="Of An Older Version", value="x", regex=None))
    settings.add_missing(db.session())
    assert ("Of An Older Version", "x", None) in [row[1:] for row in rows()]
    assert len(rows()) == len(settings.ALL) + 1


def test_missing_rows_are_added_in_order_and_others_left_alone(context: None) -> None:
    db.session.query(SettingRow).filter(SettingRow.id > 11).delete()
    db.session.query(SettingRow).filter_by(id=1).update({"value": "12"})
    settings.add_missing(db.session())
    names = [row.setting for row in db.session.query(SettingRow).order_by(SettingRow.id)]
    assert names == [setting.name for setting in settings.ALL]
    assert settings.value_of(db.session(), settings.MINIMUM_PASSWORD_LENGTH) == 12
