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
from ..directory.kinds import Kind
from ..models import SettingRow
from ..rules import settings, settings_acts
from ..rules.settings import Setting
from ..security import actor
from . import surface
from .forms import PageForm, choices

blueprint = Blueprint("configs", __name__)


@dataclass(frozen=True)
class Group:
    """Settings that belong together; those that few ever need are folded away."""

    name: str
    title: LazyString
    settings: tuple[Setting[Any], ...]
    rarely: tuple[Setting[Any], ...] = ()


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
            settings.DIRECTORY_KIND,
            settings.LDAP_SERVER,
            settings.LDAP_START_TLS,
            settings.LDAP_DOMAIN,
            settings.LDAP_GROUP,
            settings.LDAP_METHOD,
            settings.LDAP_BIND_ACCOUNT,
            settings.ELSEWHERE_MINUTES,
            settings.LDAP_BASE,
            settings.LDAP_USER_FILTER,
            settings.LDAP_GROUP_FILTER,
            settings.LDAP_NAME_ATTRIBUTE,
            settings.LDAP_USERNAME_ATTRIBUTE,
        ),
        # A type of directory has usual values for these.
        rarely=(
            settings.LDAP_BASE,
            settings.LDAP_USER_FILTER,
            settings.LDAP_GROUP_FILTER,
            settings.LDAP_NAME_ATTRIBUTE,
            settings.LDAP_USERNAME_ATTRIBUTE,
        ),
    ),
    Group(
        "openid",
        _l("OpenID Connect"),
        (
            settings.OPENID_ENABLED,
            settings.OPENID_ISSUER,
            settings.OPENID_CLIENT,
            settings.OPENID_CLAIM,
            settings.OPENID_CLAIM_VALUE,
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
    settings.DIRECTORY_KIND: _l(
        "How users and groups are found, unless the filters and attributes below say otherwise."
    ),
    settings.LDAP_SERVER: _l(
        "Where the directory answers: ldap://host:port, or ldaps://host:port for an encrypted "
        "connection. Several, with blanks between, are tried one after the other."
    ),
    settings.LDAP_START_TLS: _l("Encrypts connections to ldap:// before anything else is said."),
    settings.LDAP_DOMAIN: _l("The directory's domain, such as corp.example.com."),
    settings.LDAP_GROUP: _l(
        "Who is in this group may sign in here: its name before Windows 2000 (sAMAccountName), or "
        "its cn in other directories."
    ),
    settings.LDAP_METHOD: _l(
        "How Active Directory is shown the password. NTLM does not send it. SIMPLE does, so it "
        "needs ldaps:// or StartTLS. Other directories are always asked by SIMPLE."
    ),
    settings.LDAP_BIND_ACCOUNT: _l(
        "An account of the directory by which PostMaster looks others up. Its password is set by "
        "manage.py setldappassword. Without it, sessions of Active Directory's accounts end after "
        "the minutes below."
    ),
    settings.ELSEWHERE_MINUTES: _l(
        "After so many minutes the directory is asked again whether somebody who is signed in "
        "still may be. Sessions by OpenID Connect end after them."
    ),
    settings.LDAP_BASE: _l(
        "Below which users are looked for, and outside Active Directory the group too, such as "
        "dc=example,dc=com. Empty: in the whole domain."
    ),
    settings.LDAP_USER_FILTER: _l(
        "Which entries are users, with {user} for the typed name. Empty: as usual in this type of "
        "directory."
    ),
    settings.LDAP_GROUP_FILTER: _l(
        "Which groups hold somebody, with {dn} and {user}; or memberOf, where the directory keeps "
        "that. Empty: as usual. Not for Active Directory."
    ),
    settings.LDAP_NAME_ATTRIBUTE: _l("What holds a user's name. Empty: displayName, else cn."),
    settings.LDAP_USERNAME_ATTRIBUTE: _l(
        "What holds the name to sign in with. Empty: sAMAccountName in Active Directory, else uid."
    ),
    settings.OPENID_ENABLED: _l(
        "The sign-in page offers the provider. Issuer, client and value have to be set first."
    ),
    settings.OPENID_ISSUER: _l(
        "The provider's address, exactly as it calls itself. PostMaster's address for it ends in "
        "/login/openid/callback."
    ),
    settings.OPENID_CLIENT: _l(
        "What the provider calls PostMaster. The secret, if it has one, is set by manage.py "
        "setopenidsecret."
    ),
    settings.OPENID_CLAIM: _l("What the provider says of an account that lets it in or not."),
    settings.OPENID_CLAIM_VALUE: _l(
        "Who may sign in here: whose claim is this, or has it in its list."
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
KINDS = {
    Kind.ACTIVE_DIRECTORY.value: _l("Active Directory"),
    Kind.OPENLDAP.value: _l("OpenLDAP"),
    Kind.FREEIPA.value: _l("FreeIPA"),
}
SWITCH = {"True": _l("On"), "False": _l("Off")}
METHODS = {"NTLM": _l("NTLM"), "SIMPLE": _l("SIMPLE")}
CHOICES: Mapping[Setting[Any], Mapping[str, Any]] = {
    settings.LDAP_METHOD: METHODS,
    settings.DIRECTORY_KIND: KINDS,
}


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
    found = _choices(setting)
    if found:
        form: Any = ChoiceForm(**options)
        form.value.choices = choices(found)
        return form
    return TextForm(**options)


def _choices(setting: Setting[Any] | None) -> Mapping[str, Any]:
    """What is chosen from; nothing where the value is typed."""
    if setting is None:
        return {}
    return CHOICES.get(setting, SWITCH if isinstance(setting.default, bool) else {})


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
