"""The acts on settings: search and change."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..errors import Invalid, Phrase
from ..models import HistoryEntry, SettingRow
from . import history, paging, rows, settings, turns, versions
from .actor import Actor

LISTING = paging.Listing(
    model=SettingRow,
    searched=(),
    sortable={"id": SettingRow.id, "setting": SettingRow.setting},
    sorted_by="id",
)


# What has to be set before a switch is turned on, and stays set while it is.
NEEDED: Mapping[settings.Setting[Any], tuple[tuple[settings.Setting[Any], ...], Phrase]] = {
    settings.LDAP_ENABLED: (settings.LDAP_PARTS, Phrase("LDAP authentication")),
    settings.OPENID_ENABLED: (settings.OPENID_PARTS, Phrase("OpenID Connect")),
}


def find(session: Session, actor: Actor, criteria: paging.Criteria) -> paging.Page[SettingRow]:
    """A page of settings."""
    return LISTING.find(session, criteria)


def all_rows(session: Session, actor: Actor) -> list[SettingRow]:
    """Every setting, in order."""
    return list(session.scalars(select(SettingRow).order_by(SettingRow.id)))


def all_versions(session: Session, actor: Actor, found: list[SettingRow]) -> dict[int, str]:
    """The versions of all settings, for a page that can change each of them."""
    recorded = {row.id: as_recorded(row) for row in found}
    return versions.of_all(session, history.Kind.SETTING, recorded)


def get(session: Session, actor: Actor, setting_id: int) -> SettingRow:
    """One setting by the id of its row. Raises NotFound."""
    return rows.by_id(session, SettingRow, setting_id, "setting")


def version(session: Session, actor: Actor, row: SettingRow) -> str:
    """The version of a row, for a form that changes it."""
    return versions.of(session, history.Kind.SETTING, row.id, as_recorded(row))


def as_recorded(row: SettingRow) -> dict[str, object]:
    """The setting as the history keeps it."""
    return {"value": row.value}


def change(
    session: Session,
    actor: Actor,
    setting_id: int,
    *,
    value: str | None,
    log_is_writable: Callable[[], bool],
    seen: str | None = None,
) -> SettingRow:
    """Give a setting another value; None or an empty text empties it."""
    turns.take(session, turns.Queue.SETTINGS)
    row = get(session, actor, setting_id)
    versions.check(session, history.Kind.SETTING, row.id, as_recorded(row), seen)
    setting = _declared(row)
    text = (value or "").strip()
    if text:
        stored = setting.text(setting.read(text))
    else:
        if setting.default is not None:
            raise Invalid(
                "Invalid setting value: %(name)s may not be empty",
                field="value",
                name=setting.name,
            )
        stored = None
    _check_suits(session, setting, stored, log_is_writable)
    if stored != row.value:
        _write(session, actor, row, stored)
    return row


def put_back(
    session: Session,
    actor: Actor,
    row: SettingRow,
    value: str | None,
    *,
    log_is_writable: Callable[[], bool],
    undoes: int,
) -> HistoryEntry:
    """Give a setting its old value again, as it was written, and record that it was undone.

    An old value may have come by hand, be empty or be spelled as ``change`` never would.
    """
    setting = _declared(row)
    _check_suits(session, setting, setting.text(setting.stored(value)), log_is_writable)
    return _write(session, actor, row, value, undoes)


def _declared(row: SettingRow) -> settings.Setting[Any]:
    setting = settings.BY_NAME.get(row.setting or "")
    if setting is None:
        raise Invalid("Invalid setting value: this setting is not known", field="value")
    return setting


def _write(
    session: Session, actor: Actor, row: SettingRow, value: str | None, undoes: int | None = None
) -> HistoryEntry:
    old, row.value = row.value, value
    session.flush()
    settings.read_again(session)
    return history.record(
        session,
        actor,
        history.Action.CHANGE,
        history.Kind.SETTING,
        row.id,
        row.setting or "",
        old={"value": old},
        new={"value": value},
        undoes=undoes,
    )


def _check_suits(
    session: Session,
    setting: settings.Setting[Any],
    value: str | None,
    log_is_writable: Callable[[], bool],
) -> None:
    """Refuse a value that the log, or the other settings, do not bear now."""
    if value is None:
        _check_may_be_emptied(session, setting)
    if setting.needs_log and value == "True" and not log_is_writable():
        raise Invalid(
            "%(name)s cannot be turned on: the log could not be written",
            field="value",
            name=setting.name,
        )
    if value == "True":
        _check_parts_are_set(session, setting)


def _check_may_be_emptied(session: Session, setting: settings.Setting[Any]) -> None:
    for switch, (parts, what) in NEEDED.items():
        if setting in parts and settings.value_of(session, switch):
            raise Invalid(
                "%(what)s must be disabled before %(name)s can be emptied",
                field="value",
                what=what,
                name=setting.name,
            )


def _check_parts_are_set(session: Session, setting: settings.Setting[Any]) -> None:
    if setting not in NEEDED:
        return
    parts, what = NEEDED[setting]
    values = settings.values_of(session, *parts)
    missing = [part.name for part in parts if not values[part]]
    if missing:
        raise Invalid(
            "%(missing)s must be configured before %(what)s is enabled",
            field="value",
            missing=missing,
            what=what,
        )
