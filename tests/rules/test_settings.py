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


def accepts(setting: settings.Setting[object], text: str) -> bool:
    try:
        setting.read(text)
    except Invalid:
        return False
    return True


@pytest.mark.parametrize(
    "setting",
    [s for s in settings.ALL if s is not settings.LDAP_DOMAIN],
    ids=lambda setting: setting.name,
)
@given(text=TYPED)
def test_the_pattern_for_scripts_says_the_same(
    setting: settings.Setting[object], text: str
) -> None:
    if accepts(setting, text) and text.isascii():
        assert re.fullmatch(setting.pattern, text, re.IGNORECASE)
    if re.fullmatch(setting.pattern, text) and "\n" not in text:
        assert accepts(setting, text)


@pytest.mark.parametrize("setting", settings.ALL, ids=lambda setting: setting.name)
def test_a_declaration_fits_its_row(setting: settings.Setting[object]) -> None:
    assert len(setting.name) <= lengths.of(SettingRow.setting)
    assert len(setting.pattern) <= lengths.of(SettingRow.regex)
    assert setting.stored(setting.text(setting.default)) == setting.default


@pytest.mark.parametrize("unreadable", ["", None, "twelve", "999", "-1", "3.5"])
def test_a_value_that_nobody_can_read_counts_as_the_default(unreadable: str | None) -> None:
    assert settings.MINIMUM_PASSWORD_LENGTH.stored(unreadable) == 8


def test_a_missing_row_counts_as_the_default(context: None) -> None:
    db.session.query(SettingRow).delete()
    assert settings.value_of(db.session(), settings.LOCKOUT_THRESHOLD) == 5
    values = settings.values_of(db.session(), settings.LDAP_METHOD, settings.LOGIN_AUDITING)
    assert values == {settings.LDAP_METHOD: "NTLM", settings.LOGIN_AUDITING: False}


def test_missing_rows_are_added_in_order_and_others_left_alone(context: None) -> None:
    db.session.query(SettingRow).filter(SettingRow.id > 11).delete()
    db.session.query(SettingRow).filter_by(id=1).update({"value": "12"})
    settings.add_missing(db.session())
    names = [row.setting for row in db.session.query(SettingRow).order_by(SettingRow.id)]
    assert names == [setting.name for setting in settings.ALL]
    assert settings.value_of(db.session(), settings.MINIMUM_PASSWORD_LENGTH) == 12
