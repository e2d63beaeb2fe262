"""The acts on settings: what depends on other settings, on the log, or on the row."""

from collections.abc import Callable
from typing import Any

import pytest

from postmaster.db import db
from postmaster.errors import Invalid, NotFound
from postmaster.models import SettingRow
from postmaster.rules import settings, settings_acts
from postmaster.rules.paging import Criteria

Do = Callable[..., Any]
LDAP_VALUES = {
    settings.LDAP_SERVER: "ldaps://dc.example.com:636",
    settings.LDAP_DOMAIN: "example.com",
    settings.LDAP_GROUP: "PostMaster Admins",
}


def number(setting: settings.Setting[Any]) -> int:
    """The id of a setting's row on a new installation."""
    return settings.ALL.index(setting) + 1


def change(
    do: Do, setting: settings.Setting[Any], value: str | None, writable: bool = True
) -> str | None:
    """Change a setting; what is stored then."""
    row: SettingRow = do(
        settings_acts.change, number(setting), value=value, log_is_writable=lambda: writable
    )
    assert row.setting == setting.name
    return row.value


def stored(setting: settings.Setting[Any]) -> str | None:
    db.session.remove()
    return db.session.query(SettingRow).filter_by(setting=setting.name).one().value


def configure_ldap(do: Do) -> None:
    for setting, value in LDAP_VALUES.items():
        change(do, setting, value)


@pytest.mark.parametrize(
    ("setting", "typed", "kept"),
    [
        (settings.MINIMUM_PASSWORD_LENGTH, " 12\n", "12"),
        (settings.LOGIN_AUDITING, "true", "True"),
        (settings.LDAP_DOMAIN, " Bücher.Example ", "xn--bcher-kva.example"),
        (settings.LDAP_METHOD, "simple", "SIMPLE"),
        (settings.LDAP_GROUP, " PostMaster Admins ", "PostMaster Admins"),
        (settings.LDAP_GROUP, None, None),
        (settings.LDAP_SERVER, "  ", None),
    ],
    ids=lambda each: getattr(each, "name", ascii(each)),
)
def test_a_value_is_kept_in_one_spelling(
    do: Do, setting: settings.Setting[Any], typed: str | None, kept: str | None
) -> None:
    assert change(do, setting, typed) == kept
    assert stored(setting) == kept


@pytest.mark.parametrize(
    "setting",
    [s for s in settings.ALL if s.default is not None],
    ids=lambda setting: setting.name,
)
@pytest.mark.parametrize("empty", [None, "", " \t"])
def test_a_setting_with_a_default_may_not_be_empty(
    do: Do, setting: settings.Setting[Any], empty: str | None
) -> None:
    with pytest.raises(Invalid, match="Invalid setting value"):
        change(do, setting, empty)
    assert stored(setting) == str(setting.default)


@pytest.mark.parametrize("setting", [settings.LOGIN_AUDITING, settings.MAIL_AUDITING])
def test_auditing_is_turned_on_only_where_the_log_can_be_written(
    do: Do, setting: settings.Setting[bool]
) -> None:
    with pytest.raises(Invalid, match="log could not be written"):
        change(do, setting, "True", writable=False)
    assert stored(setting) == "False"
    assert change(do, setting, "True") == "True"
    assert change(do, setting, "False", writable=False) == "False"


def test_a_log_that_is_not_needed_is_not_tried(do: Do) -> None:
    assert change(do, settings.EMAIL2EMAIL_MAP, "True", writable=False) == "True"


@pytest.mark.parametrize("missing", LDAP_VALUES, ids=lambda setting: setting.name)
def test_ldap_is_not_enabled_before_each_part_is_there(
    do: Do, missing: settings.Setting[Any]
) -> None:
    configure_ldap(do)
    change(do, missing, "")
    with pytest.raises(Invalid, match=f"{missing.name} must be configured before"):
        change(do, settings.LDAP_ENABLED, "True")
    assert stored(settings.LDAP_ENABLED) == "False"


@pytest.mark.parametrize("part", LDAP_VALUES, ids=lambda setting: setting.name)
def test_while_ldap_is_enabled_no_part_is_emptied(do: Do, part: settings.Setting[Any]) -> None:
    configure_ldap(do)
    change(do, settings.LDAP_ENABLED, "True")
    with pytest.raises(Invalid, match="must be disabled"):
        change(do, part, None)
    assert stored(part) == LDAP_VALUES[part]
    change(do, settings.LDAP_ENABLED, "False")
    assert change(do, part, None) is None


def test_a_part_of_ldap_is_changed_while_it_is_enabled(do: Do) -> None:
    configure_ldap(do)
    change(do, settings.LDAP_ENABLED, "True")
    assert change(do, settings.LDAP_DOMAIN, "example.org") == "example.org"


@pytest.mark.parametrize("row_id", [0, -1, 4711, 2**31, 10**30])
def test_a_row_that_is_not_there_is_not_found(do: Do, row_id: int) -> None:
    with pytest.raises(NotFound, match="not found"):
        do(settings_acts.change, row_id, value="1", log_is_writable=lambda: True)


def test_a_row_that_nobody_declared_is_listed_and_not_changed(do: Do) -> None:
    row = SettingRow(setting="Of An Older Version", value="x")
    db.session.add(row)
    db.session.commit()
    row_id = row.id
    with pytest.raises(Invalid, match="not known"):
        do(settings_acts.change, row_id, value="y", log_is_writable=lambda: True)
    found = do(settings_acts.find, Criteria(per_page=100))
    assert [each.id for each in found.items] == [*range(1, len(settings.ALL) + 1), row_id]
    assert found.items[-1].value == "x"
