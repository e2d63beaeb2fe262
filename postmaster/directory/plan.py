"""Where a directory is and how its entries are read."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .kinds import Kind, may_be_searched


class Method(StrEnum):
    """How the password is shown to Active Directory."""

    NTLM = "NTLM"
    SIMPLE = "SIMPLE"


@dataclass(frozen=True)
class Server:
    """One server of the directory."""

    url: str
    encrypted: bool
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Server":
        """Read ``ldap://host:port`` or ``ldaps://host:port``, which the setting has checked."""
        scheme, _, place = url.partition("://")
        host, _, port = place.rpartition(":")
        return cls(url, scheme.lower() == "ldaps", host.strip("[]"), int(port))


@dataclass(frozen=True)
class Preset:
    """What is usual in a kind of directory.

    ``users`` finds a user by ``{user}``; ``groups`` finds the group by ``{group}``;
    ``holders`` finds the groups that hold ``{dn}`` or ``{user}``. ``ids`` never change, not
    even when the account is renamed.
    """

    users: str
    groups: str
    holders: str
    username: str
    names: tuple[str, ...]
    ids: tuple[str, ...]
    base: str = ""  # what stands before the dc= parts of the domain


MEMBER_OF = "memberOf"
PRESETS = {
    # objectCategory is indexed; a computer is a user too, but no person.
    Kind.ACTIVE_DIRECTORY: Preset(
        users="(&(objectCategory=person)(objectClass=user)"
        "(|(sAMAccountName={user})(userPrincipalName={user})))",
        groups="(&(objectCategory=group)(sAMAccountName={group}))",
        holders="",
        username="sAMAccountName",
        names=("displayName", "cn"),
        ids=("objectGUID",),
    ),
    Kind.OPENLDAP: Preset(
        users="(&(objectClass=person)(uid={user}))",
        groups="(&(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)"
        "(objectClass=posixGroup))(cn={group}))",
        holders="(|(member={dn})(uniqueMember={dn})(memberUid={user}))",
        username="uid",
        names=("displayName", "cn"),
        ids=("entryUUID",),
    ),
    Kind.FREEIPA: Preset(
        users="(&(objectClass=posixAccount)(uid={user}))",
        groups="(&(objectClass=ipaUserGroup)(cn={group}))",
        holders=MEMBER_OF,  # the server keeps it, with the groups in the groups
        username="uid",
        names=("displayName", "cn"),
        ids=("ipaUniqueID", "entryUUID"),
        base="cn=accounts",
    ),
}


@dataclass(frozen=True)
class Directory:
    """A directory as the settings and the configuration file describe it.

    What is empty is as usual in this kind of directory. ``verify`` and
    ``allow_plain_passwords`` say what the connection has to be; see ``connections``.
    """

    servers: tuple[Server, ...]
    domain: str
    group: str
    kind: Kind = Kind.ACTIVE_DIRECTORY
    method: Method = Method.NTLM
    start_tls: bool = False
    base: str = ""
    user_filter: str = ""
    group_filter: str = ""
    name_attribute: str = ""
    username_attribute: str = ""
    bind_account: str = ""
    bind_password: str = field(default="", repr=False)
    ca_file: Path | None = None
    verify: bool = True
    allow_plain_passwords: bool = False

    @property
    def preset(self) -> Preset:
        """What is usual in this kind of directory."""
        return PRESETS[self.kind]

    @property
    def is_active(self) -> bool:
        """Whether this is Active Directory, which has ways of its own."""
        return self.kind is Kind.ACTIVE_DIRECTORY

    @property
    def root(self) -> str:
        """The DN of the domain, as DNS names it (RFC 2247)."""
        return ",".join(f"dc={label}" for label in self.domain.split("."))

    @property
    def user_base(self) -> str:
        """The DN below which users are looked for."""
        usual = f"{self.preset.base},{self.root}" if self.preset.base else self.root
        return self.base or usual

    @property
    def group_base(self) -> str:
        """The DN below which groups are: a domain has some where no people are."""
        return self.root if self.is_active else self.user_base

    @property
    def name_attributes(self) -> tuple[str, ...]:
        """Where the display name is, the best first."""
        return (self.name_attribute,) if self.name_attribute else self.preset.names

    @property
    def naming_attribute(self) -> str:
        """Where the user name is."""
        return self.username_attribute or self.preset.username

    @property
    def users(self) -> str:
        """The filter that finds a user by ``{user}``."""
        usual, named = self.preset.username, self.naming_attribute
        return self.user_filter or self.preset.users.replace(f"({usual}=", f"({named}=")

    def sends_passwords_readable(self, server: Server) -> bool:
        """Whether whoever listens on the way reads the passwords. NTLM does not send them."""
        by_ntlm = self.is_active and self.method is Method.NTLM
        return not (server.encrypted or self.start_tls or by_ntlm)

    @property
    def can_look_up(self) -> bool:
        """Whether people can be looked up without their password, as things are now."""
        lacks_password = bool(self.bind_account) and not self.bind_password
        return may_be_searched(self.kind, self.bind_account) and not lacks_password


@dataclass(frozen=True)
class Account:
    """Somebody whom the directory knows and whom its group lets in.

    ``external_id`` stays the same when the account is renamed.
    """

    external_id: str
    username: str
    name: str
    dn: str
