"""The OpenID Connect provider that the settings describe, and who somebody of it is here."""

from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from ..openid.plan import Person as OpenIdPerson
from ..openid.plan import Provider
from . import sessions, settings
from .elsewhere import Person

SETTINGS = (settings.OPENID_ENABLED, *settings.OPENID_PARTS, settings.OPENID_CLAIM)


def enabled(session: Session, secret: str) -> Provider | None:
    """The provider, if accounts of it may sign in; ``secret`` is of the configuration file."""
    values = settings.values_of(session, *SETTINGS)
    if not all(values[setting] for setting in SETTINGS):
        return None
    return Provider(
        issuer=values[settings.OPENID_ISSUER],
        client_id=values[settings.OPENID_CLIENT],
        client_secret=secret,
        claim=values[settings.OPENID_CLAIM],
        claim_value=values[settings.OPENID_CLAIM_VALUE],
    )


def person(provider: Provider, found: OpenIdPerson) -> Person:
    """The person behind an account of the provider; the user name has its host in it."""
    username = found.username
    if "@" not in username:
        username = f"{username}@{urlsplit(provider.issuer).hostname}"
    return Person(sessions.OPENID, found.external_id, username.lower(), found.name)
