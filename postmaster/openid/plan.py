"""What is known of a provider, and who somebody of it is."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Provider:
    """A provider, PostMaster's name and secret there, and whom of its accounts to let in.

    The accounts that are let in have ``claim_value`` as the text of ``claim``, or in its list;
    without a value nobody is. A client without a secret is a public one. ``scopes`` replaces
    what is asked for, and ``ca_file`` the authorities that this host trusts.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str
    claim_value: str
    scopes: str = ""
    ca_file: Path | None = None


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and what it takes to recognize it when it is back."""

    url: str
    pending: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Person:
    """Somebody whom the provider knows and who may sign in.

    ``external_id`` stays the same whatever becomes of the names. Letters of both cases differ
    in it.
    """

    external_id: str
    username: str
    name: str


def is_issuer(text: str) -> bool:
    """Whether this can be an issuer: https, or http on this host itself."""
    return is_safe(text, text) and not set("?#@ ") & set(text) and text.isprintable()


def is_safe(url: str, issuer: str) -> bool:
    """Whether nobody on the network can read or change what goes to this address."""
    try:
        parts, at = urlsplit(url), urlsplit(issuer)
        hosts = (parts.hostname, at.hostname)
        is_local = at.scheme == "http" and all(_is_loopback(host or "") for host in hosts)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and is_local)
        )
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
