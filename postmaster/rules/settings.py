"""The settings that admins change while PostMaster runs, each declared once.

The declaration order is the order of the rows. A row that is missing means the
default; a row that nobody declared is left alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..directory import syntax
from ..directory.kinds import Kind
from ..errors import Invalid, Phrase
from ..models import SettingRow
from ..openid.plan import is_issuer
from . import addresses, lengths

T = TypeVar("T")


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One setting: its stored name, its default, how its text is read and shown.

    ``read`` turns text into the value and raises Invalid; ``pattern`` is the
    same bounds as a regular expression, for scripts that look at it.
    """

    name: Phrase
    default: T
    read: Callable[[str], T]
    pattern: str
    needs_log: bool = False
    bounds: tuple[int, int] | None = None

    def text(self, value: T) -> str | None:
        """The value as it is stored."""
        return None if value is None else str(value)

    def takes(self, text: str) -> bool:
        """Whether this text can be its value."""
        try:
            self.read(text)
        except Invalid:
            return False
        return True

    def stored(self, text: str | None) -> T:
        """The value of a row; what nobody can read counts as the default."""
        if text is None or text == "":
            return self.default
        try:
            return self.read(text)
        except Invalid:
            return self.default


def _whole_number(
    name: Phrase, default: int, lowest: int, highest: int, pattern: str
) -> Setting[int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"0|[1-9][0-9]{0,3}", text) or not lowest <= int(text) <= highest:
            raise Invalid(
                "Invalid setting value: %(name)s must be a whole number between "
                "%(lowest)s-%(highest)s",
                field="value",
                name=name,
                lowest=lowest,
                highest=highest,
            )
        return int(text)

    return Setting(name, default, read, pattern, bounds=(lowest, highest))


def _switch(name: Phrase, default: bool, *, needs_log: bool = False) -> Setting[bool]:
    def read(text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise Invalid(
                "Invalid setting value: %(name)s must be True or False", field="value", name=name
            )
        return text.lower() == "true"

    return Setting(name, default, read, "^(True|False)$", needs_log)


def _text(
    name: Phrase,
    pattern: str,
    form: Phrase,
    default: str | None = None,
) -> Setting[str | None]:
    def read(text: str) -> str | None:
        if len(text) > lengths.of(SettingRow.value) or not re.fullmatch(pattern, text):
            raise Invalid(
                "Invalid setting value: %(name)s must be %(form)s",
                field="value",
                name=name,
                form=form,
            )
        return text

    return Setting(name, default, read, f"^{pattern}$")


def _read_domain(text: str) -> str | None:
    try:
        return addresses.domain_name(text)
    except Invalid:
        raise Invalid(
            "Invalid setting value: %(name)s must be a DNS domain such as example.com",
            field="value",
            name=Phrase("AD Domain"),
        ) from None


def _read_method(text: str) -> str:
    if text.lower() not in ("ntlm", "simple"):  # upper() would take a dotless i for an I
        raise Invalid(
            'Invalid setting value: %(name)s must be either "NTLM" or "SIMPLE"',
            field="value",
            name=Phrase("LDAP Authentication Method"),
        )
    return text.upper()


def _one_of(name: Phrase, default: str, choices: tuple[str, ...]) -> Setting[str]:
    spelled = {choice.lower(): choice for choice in choices}

    def read(text: str) -> str:
        if text.lower() not in spelled:
            raise Invalid(
                "Invalid setting value: %(name)s must be one of: %(choices)s",
                field="value",
                name=name,
                choices=choices,
            )
        return spelled[text.lower()]

    return Setting(name, default, read, f"^({'|'.join(choices)})$")


def _checked_text(
    name: Phrase,
    pattern: str,
    form: Phrase,
    is_right: Callable[[str], bool],
) -> Setting[str | None]:
    """Text that a regular expression cannot check."""
    plain = _text(name, pattern, form)

    def read(text: str) -> str | None:
        if not is_right(text):
            raise Invalid(
                "Invalid setting value: %(name)s must be %(form)s",
                field="value",
                name=name,
                form=form,
            )
        return plain.read(text)

    return Setting(name, None, read, plain.pattern)


HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]"
UP_TO_25 = "^([0-9]|1[0-9]|2[0-5])$"
UP_TO_99 = "^([1-9]|[1-9][0-9])$"
PORT = r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"

MINIMUM_PASSWORD_LENGTH = _whole_number(Phrase("Minimum Password Length"), 8, 0, 25, UP_TO_25)
LOCKOUT_THRESHOLD = _whole_number(Phrase("Account Lockout Threshold"), 5, 0, 25, UP_TO_25)
LOCKOUT_MINUTES = _whole_number(Phrase("Account Lockout Duration in Minutes"), 30, 1, 99, UP_TO_99)
LOCKOUT_RESET_MINUTES = _whole_number(
    Phrase("Reset Account Lockout Counter in Minutes"), 30, 1, 99, UP_TO_99
)
LOGIN_AUDITING = _switch(Phrase("Login Auditing"), False, needs_log=True)
MAIL_AUDITING = _switch(Phrase("Mail Database Auditing"), False, needs_log=True)
LDAP_ENABLED = _switch(Phrase("Enable LDAP Authentication"), False)
# Several, as they are tried, with blanks between: written so that it is short enough for a row.
LDAP_SERVER = _text(
    Phrase("AD Server LDAP String"),
    rf"(?:ldaps?://(?:{HOST}):(?:{PORT})(?: +(?!$)|$))+",
    Phrase("ldap://host:port or ldaps://host:port, or several of them with blanks between"),
)
LDAP_DOMAIN: Setting[str | None] = Setting(
    Phrase("AD Domain"), None, _read_domain, r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
)
# A sAMAccountName has none of these characters (MS-ADTS, 3.1.1.5.2.2); half a surrogate
# pair is no character, and no database stores it.
LDAP_GROUP = _text(
    Phrase("AD PostMaster Group"),
    r'[^\x00-\x1f\x7f-\x9f\ud800-\udfff"/\\\[\]:;|=,+*?<>@]{1,256}',
    Phrase("the sAMAccountName of a group"),
)
LDAP_METHOD: Setting[str] = Setting(
    Phrase("LDAP Authentication Method"), "NTLM", _read_method, "^(NTLM|SIMPLE|ntlm|simple)$"
)
EXTERNAL_DESTINATIONS = _switch(Phrase("Allow External Alias Destinations"), False)
EMAIL2EMAIL_MAP = _switch(Phrase("Email2Email Map"), False)
NO_DELIMITER = "none"
# recipient_delimiter of postconf(5); Debian's main.cf, which the guides build on, has "+".
RECIPIENT_DELIMITER = _text(
    Phrase("Recipient Delimiter"),
    "(none|[+_=.#-])",
    Phrase("one of + - _ = . #, or none"),
    "+",
)
# mail_location of Dovecot: %d is the domain, %n what stands before the @, %u the address.
PATH = "[A-Za-z0-9._/%+@-]"
MAIL_FOLDER = _text(
    Phrase("Mail Folder"),
    f"/{PATH}{{0,200}}%[nu]{PATH}{{0,100}}",
    Phrase("a path with %%n or %%u in it, such as /var/mail/vhosts/%%d/%%n"),
    "/var/mail/vhosts/%d/%n",
)

DIRECTORY_KIND = _one_of(
    Phrase("LDAP Directory Type"), Kind.ACTIVE_DIRECTORY.value, tuple(kind.value for kind in Kind)
)
NO_CONTROLS = r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,500}"
LDAP_BASE = _checked_text(
    Phrase("LDAP Base DN"), NO_CONTROLS, Phrase("a distinguished name"), syntax.is_dn
)
LDAP_USER_FILTER = _checked_text(
    Phrase("LDAP User Filter"),
    NO_CONTROLS,
    Phrase("an LDAP filter in brackets with {user} in it"),
    lambda text: "{user}" in text and syntax.is_filter(text),
)
LDAP_GROUP_FILTER = _checked_text(
    Phrase("LDAP Group Filter"),
    NO_CONTROLS,
    Phrase("memberOf, or an LDAP filter in brackets with {dn} or {user} in it"),
    lambda text: (
        text == "memberOf" or (("{dn}" in text or "{user}" in text) and syntax.is_filter(text))
    ),
)
ATTRIBUTE = "[A-Za-z][A-Za-z0-9-]{0,63}"
LDAP_NAME_ATTRIBUTE = _text(
    Phrase("LDAP Name Attribute"), ATTRIBUTE, Phrase("the name of an attribute")
)
LDAP_USERNAME_ATTRIBUTE = _text(
    Phrase("LDAP Username Attribute"), ATTRIBUTE, Phrase("the name of an attribute")
)
LDAP_BIND_ACCOUNT = _text(
    Phrase("LDAP Bind Account"),
    NO_CONTROLS,
    Phrase("a user name of the directory or a distinguished name"),
)
LDAP_START_TLS = _switch(Phrase("LDAP StartTLS"), False)
ELSEWHERE_MINUTES = _whole_number(
    Phrase("Directory Check in Minutes"), 15, 5, 999, "^([5-9]|[1-9][0-9]{1,2})$"
)
OPENID_ENABLED = _switch(Phrase("Enable OpenID Connect"), False)
OPENID_ISSUER = _checked_text(
    Phrase("OpenID Issuer"),
    "https?://[!-~]{1,240}",
    Phrase("the address of the provider, such as https://login.example.com"),
    is_issuer,
)
OPENID_CLIENT = _text(Phrase("OpenID Client ID"), NO_CONTROLS, Phrase("the client's identifier"))
OPENID_CLAIM = _text(
    Phrase("OpenID Claim"),
    r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,100}",
    Phrase("the name of a claim"),
    "groups",
)
OPENID_CLAIM_VALUE = _text(
    Phrase("OpenID Claim Value"), NO_CONTROLS, Phrase("the value that lets people in")
)

ALL: tuple[Setting[Any], ...] = (
    MINIMUM_PASSWORD_LENGTH,
    LOCKOUT_THRESHOLD,
    LOCKOUT_MINUTES,
    LOCKOUT_RESET_MINUTES,
    LOGIN_AUDITING,
    MAIL_AUDITING,
    LDAP_ENABLED,
    LDAP_SERVER,
    LDAP_DOMAIN,
    LDAP_GROUP,
    LDAP_METHOD,
    EXTERNAL_DESTINATIONS,
    EMAIL2EMAIL_MAP,
    RECIPIENT_DELIMITER,
    MAIL_FOLDER,
    DIRECTORY_KIND,
    LDAP_START_TLS,
    LDAP_BASE,
    LDAP_BIND_ACCOUNT,
    LDAP_USER_FILTER,
    LDAP_GROUP_FILTER,
    LDAP_NAME_ATTRIBUTE,
    LDAP_USERNAME_ATTRIBUTE,
    ELSEWHERE_MINUTES,
    OPENID_ENABLED,
    OPENID_ISSUER,
    OPENID_CLIENT,
    OPENID_CLAIM,
    OPENID_CLAIM_VALUE,
)
BY_NAME: dict[str, Setting[Any]] = {setting.name: setting for setting in ALL}
LDAP_PARTS = (LDAP_SERVER, LDAP_DOMAIN, LDAP_GROUP)
OPENID_PARTS = (OPENID_ISSUER, OPENID_CLIENT, OPENID_CLAIM_VALUE)


READ = "settings"  # where a session keeps what it has read, and in which transaction


def value_of(session: Session, setting: Setting[T]) -> T:
    """The present value of one setting."""
    return setting.stored(_texts(session).get(setting.name))


def values_of(session: Session, *wanted: Setting[Any]) -> dict[Setting[Any], Any]:
    """The present values of several settings."""
    texts = _texts(session)
    return {setting: setting.stored(texts.get(setting.name)) for setting in wanted}


def _texts(session: Session) -> dict[str | None, str | None]:
    """What the rows hold, read once in a transaction: an act asks for one after the other."""
    transaction: object
    texts: dict[str | None, str | None]
    transaction, texts = session.info.get(READ, (None, {}))
    if transaction is None or transaction is not session.get_transaction():
        rows = session.execute(select(SettingRow.setting, SettingRow.value))
        texts = dict(list(rows))
        session.info[READ] = (session.get_transaction(), texts)
    return texts


def read_again(session: Session) -> None:
    """After a change, within its transaction."""
    session.info.pop(READ, None)


def ids_of(session: Session, *wanted: Setting[Any]) -> dict[str, int]:
    """The ids of several settings' rows, by name, in one query."""
    names = [setting.name for setting in wanted]
    rows = select(SettingRow.setting, SettingRow.id).where(SettingRow.setting.in_(names))
    return {str(name): row_id for name, row_id in session.execute(rows)}


def add_missing(session: Session) -> None:
    """Give every declared setting its row, in order, with the default."""
    present = set(session.scalars(select(SettingRow.setting)))
    for setting in ALL:
        if setting.name not in present:
            session.add(
                SettingRow(
                    setting=setting.name,
                    value=setting.text(setting.default),
                    regex=setting.pattern,
                )
            )
            session.flush()  # one by one, so that the ids follow the order
