"""How far the directory is believed, and who on the way could be it or read its passwords."""

from sqlalchemy.orm import Session

from ...errors import Phrase
from .. import directories
from ..directories import Trust
from .findings import Finding, Kind, Severity

UNVERIFIED = Kind(
    "directory-unverified",
    Severity.ERROR,
    Phrase("The directory's certificate is not checked"),
    Phrase(
        "Anybody between PostMaster and %(servers)s can pretend to be the directory, read "
        "passwords and sign in as any administrator of it. Name the file with the certificate of "
        "its authority as ldap_ca_file in postmaster.toml, and take ldap_verify_certificate out."
    ),
)
READABLE = Kind(
    "directory-readable-passwords",
    Severity.ERROR,
    Phrase("Passwords go to the directory unencrypted"),
    Phrase(
        "Everybody on the network between PostMaster and %(servers)s can read them. Use ldaps:// "
        "or StartTLS, and take ldap_allow_plain_passwords out of postmaster.toml."
    ),
)
UNENCRYPTED = Kind(
    "directory-unencrypted",
    Severity.WARNING,
    Phrase("The connection to the directory is not encrypted"),
    Phrase(
        "NTLM hides passwords from whoever listens between PostMaster and %(servers)s, but whoever "
        "can change what is said there can let anybody in. Use ldaps:// or StartTLS."
    ),
)


def find(session: Session, trust: Trust) -> list[Finding]:
    """What is wrong with the way to the directory, while accounts of it may sign in. One query."""
    directory = directories.enabled(session, trust)
    if directory is None:
        return []
    encrypted = [s for s in directory.servers if s.encrypted or directory.start_tls]
    readable = [s for s in directory.servers if directory.sends_passwords_readable(s)]
    found = []
    if encrypted and not directory.verify:
        found.append((UNVERIFIED, encrypted))
    if readable and directory.allow_plain_passwords:
        found.append((READABLE, readable))
    by_ntlm = [s for s in directory.servers if s not in encrypted and s not in readable]
    if by_ntlm:
        found.append((UNENCRYPTED, by_ntlm))
    return [
        Finding(kind, 1, values={"servers": ", ".join(server.url for server in servers)})
        for kind, servers in found
    ]
