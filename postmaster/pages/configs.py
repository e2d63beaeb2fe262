"""/configs: every setting has a small form of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse
from wtforms import SelectField, StringField

from ..db import db, transact
from ..models import SettingRow
from ..rules import settings, settings_acts
from ..rules.settings import Setting
from ..security import actor
from . import surface
from .forms import PageForm, choices

blueprint = Blueprint("configs", __name__)


@dataclass(frozen=True)
class Group:
    """Settings that belong together."""

    name: str
    title: LazyString
    settings: tuple[Setting[Any], ...]


GROUPS = (
    Group("passwords", _l("Passwords"), (settings.MINIMUM_PASSWORD_LENGTH,)),
    Group(
        "lockout",
        _l("Lockout"),
        (settings.LOCKOUT_THRESHOLD, settings.LOCKOUT_MINUTES, settings.LOCKOUT_RESET_MINUTES),
    ),
    Group("auditing", _l("Auditing"), (settings.LOGIN_AUDITING, settings.MAIL_AUDITING)),
    Group(
        "directory",
        _l("Directory (LDAP, Active Directory)"),
        (
            settings.LDAP_ENABLED,
            settings.LDAP_SERVER,
            settings.LDAP_DOMAIN,
            settings.LDAP_GROUP,
            settings.LDAP_METHOD,
        ),
    ),
    Group(
        "mail",
        _l("Mail"),
        (
            settings.EXTERNAL_DESTINATIONS,
            settings.EMAIL2EMAIL_MAP,
            settings.RECIPIENT_DELIMITER,
            settings.MAIL_FOLDER,
        ),
    ),
)
HELP: Mapping[Setting[Any], LazyString] = {
    settings.MINIMUM_PASSWORD_LENGTH: _l(
        "How many characters a new password of a user or an administrator needs at least."
    ),
    settings.LOCKOUT_THRESHOLD: _l(
        "After so many wrong passwords in a row an administrator is locked out. 0: never."
    ),
    settings.LOCKOUT_MINUTES: _l("How long an administrator then stays locked out."),
    settings.LOCKOUT_RESET_MINUTES: _l(
        "After so many minutes without a wrong password, counting begins anew."
    ),
    settings.LOGIN_AUDITING: _l("The log tells of every sign-in, refused or not."),
    settings.MAIL_AUDITING: _l("The log tells of every change. The history has it in any case."),
    settings.LDAP_ENABLED: _l(
        "Members of a directory's group sign in here with the directory's password. "
        "Server, domain and group have to be set first."
    ),
    settings.LDAP_SERVER: _l(
        "Where the directory answers: ldap://host:port, or ldaps://host:port for an encrypted "
        "connection."
    ),
    settings.LDAP_DOMAIN: _l("The directory's domain, such as corp.example.com."),
    settings.LDAP_GROUP: _l(
        "Who is in this group may sign in here; its name before Windows 2000 (sAMAccountName)."
    ),
    settings.LDAP_METHOD: _l(
        "How the directory is shown the password. NTLM does not send it; SIMPLE does, so use "
        "it with ldaps:// only."
    ),
    settings.EXTERNAL_DESTINATIONS: _l(
        "Aliases may lead to addresses on other servers. Whoever writes to such an alias, also "
        "a spammer, then reaches them through this server."
    ),
    settings.EMAIL2EMAIL_MAP: _l(
        "Whether Postfix also looks addresses up in virtual_users (the map email2email). "
        "Without it a catch-all takes the mail of the mailboxes too."
    ),
    settings.RECIPIENT_DELIMITER: _l(
        "What stands between an address and its extension, as in ana+news@example.com: "
        "recipient_delimiter of Postfix, or none."
    ),
    settings.MAIL_FOLDER: _l(
        "Where Dovecot keeps a mailbox on the disk: %d is the domain, %n what stands before "
        "the @, %u the whole address. PostMaster only shows it."
    ),
}
SWITCH = {"True": _l("On"), "False": _l("Off")}
METHODS = {"NTLM": _l("NTLM"), "SIMPLE": _l("SIMPLE")}


class TextForm(PageForm):
    """A value that is typed."""

    value = StringField()


class ChoiceForm(PageForm):
    """A value that is chosen."""

    value = SelectField(validate_choice=False)


@dataclass(frozen=True)
class Item:
    """A setting with its row and its form; ``control`` are the field's own attributes."""

    setting: Setting[Any]
    row: SettingRow
    form: PageForm
    control: Mapping[str, Any]
    default: str


@blueprint.get("/configs")
def find() -> Response:
    """All settings, in groups."""
    return _page()


@blueprint.post("/configs/<int:setting_id>")
def change(setting_id: int) -> BaseResponse:
    """Give a setting another value."""
    row = settings_acts.get(db.session(), actor(), setting_id)
    form = _form(settings.BY_NAME.get(row.setting or ""))
    form.space = f"setting-{setting_id}"
    return surface.submit(
        form,
        lambda: transact(
            settings_acts.change,
            actor(),
            setting_id,
            value=form.value.data,
            log_is_writable=current_app.extensions["postmaster_log"].is_writable,
            seen=form.seen.data or None,
        ),
        lambda: _page(setting_id, form),
        to=lambda: url_for(".find"),
    )


def _page(tried_id: int | None = None, tried: PageForm | None = None) -> Response:
    session = db.session()
    found = settings_acts.all_rows(session, actor())
    rows = {row.setting: row for row in found}
    versions = settings_acts.all_versions(session, actor(), found)
    groups = []
    for group in GROUPS:
        items = []
        for setting in group.settings:
            row = rows.get(setting.name)
            if row is None:  # the next upgrade adds it
                continue
            again = tried if row.id == tried_id else None
            items.append(_item(setting, row, versions[row.id], again))
        groups.append((group, items))
    return surface.show("configs/list.html", groups=groups)


def _item(setting: Setting[Any], row: SettingRow, version: str, tried: PageForm | None) -> Item:
    form: Any = tried
    if form is None:
        form = surface.standing(_form(setting, formdata=None))
        form.place.data = ""  # it stands in the page's main part, but not alone
        form.space = f"setting-{row.id}"
        form.value.data = setting.text(setting.stored(row.value)) or ""
    form.seen.data = version
    form.value.label.text = _(setting.name)
    form.value.description = HELP[setting]
    return Item(setting, row, form, _control(setting), _in_words(setting))


def _form(setting: Setting[Any] | None, **options: Any) -> Any:
    """The form that fits the values of a setting."""
    if setting is settings.LDAP_METHOD or (setting and isinstance(setting.default, bool)):
        form: Any = ChoiceForm(**options)
        form.value.choices = choices(METHODS if setting is settings.LDAP_METHOD else SWITCH)
        return form
    return TextForm(**options)


def _control(setting: Setting[Any]) -> dict[str, Any]:
    if setting.bounds is None:
        return {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
    lowest, highest = setting.bounds
    return {"type": "number", "min": lowest, "max": highest, "inputmode": "numeric"}


def _in_words(setting: Setting[Any]) -> str:
    """The default, as the form shows values."""
    if setting.default is None:
        return str(_("empty"))
    return str(SWITCH.get(str(setting.default), setting.default))
