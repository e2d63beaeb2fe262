"""The directory that the settings and the configuration file describe."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from ..directory.kinds import Kind
from ..directory.plan import Directory, Method, Server
from ..errors import Invalid
from . import settings

SETTINGS = (
    settings.LDAP_ENABLED,
    *settings.LDAP_PARTS,
    settings.LDAP_METHOD,
    settings.DIRECTORY_KIND,
    settings.LDAP_START_TLS,
    settings.LDAP_BASE,
    settings.LDAP_BIND_ACCOUNT,
    settings.LDAP_USER_FILTER,
    settings.LDAP_GROUP_FILTER,
    settings.LDAP_NAME_ATTRIBUTE,
    settings.LDAP_USERNAME_ATTRIBUTE,
)


@dataclass(frozen=True)
class Trust:
    """What the configuration file says of the directory: secrets, and whom to believe."""

    bind_password: str = field(default="", repr=False)
    ca_file: Path | None = None
    verify: bool = True
    allow_plain_passwords: bool = False


def enabled(session: Session, trust: Trust) -> Directory | None:
    """The directory, if accounts of it may sign in."""
    values = settings.values_of(session, *SETTINGS)
    is_ready = all(values[part] for part in (settings.LDAP_ENABLED, *settings.LDAP_PARTS))
    return _described(values, trust) if is_ready else None


def configured(session: Session, trust: Trust) -> Directory:
    """The directory, also before it is enabled. Raises Invalid while a part is missing."""
    values = settings.values_of(session, *SETTINGS)
    missing = [part.name for part in settings.LDAP_PARTS if not values[part]]
    if missing:
        raise Invalid("%(missing)s must be configured first", missing=missing)
    return _described(values, trust)


def _described(values: dict[settings.Setting[Any], Any], trust: Trust) -> Directory:
    def text(setting: settings.Setting[Any]) -> str:
        return values[setting] or ""

    return Directory(
        servers=tuple(Server.of(url) for url in text(settings.LDAP_SERVER).split()),
        domain=text(settings.LDAP_DOMAIN),
        group=text(settings.LDAP_GROUP),
        kind=Kind(text(settings.DIRECTORY_KIND)),
        method=Method(text(settings.LDAP_METHOD)),
        start_tls=bool(values[settings.LDAP_START_TLS]),
        base=text(settings.LDAP_BASE),
        user_filter=text(settings.LDAP_USER_FILTER),
        group_filter=text(settings.LDAP_GROUP_FILTER),
        name_attribute=text(settings.LDAP_NAME_ATTRIBUTE),
        username_attribute=text(settings.LDAP_USERNAME_ATTRIBUTE),
        bind_account=text(settings.LDAP_BIND_ACCOUNT),
        bind_password=trust.bind_password,
        ca_file=trust.ca_file,
        verify=trust.verify,
        allow_plain_passwords=trust.allow_plain_passwords,
    )
