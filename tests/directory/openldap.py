"""A throw-away OpenLDAP: a real slapd of Debian's package, in a folder and on ports of its own.

There are no people in it::

    with OpenLdap() as openldap: ...
    alice = openldap.user("alice", "password", cn="Alice Example")      # the DN
    openldap.group_of_names("postmasters", alice)
    openldap.modify(alice, pwdAccountLockedTime="000001010000Z")
    openldap.remove(alice)
    openldap.log_since(mark)     # what slapd says it was asked; a password is never in it

Nothing is written outside the folder; the schemas are read where the package puts them. The
server keeps ``memberOf`` of groupOfNames (overlay memberof), takes removed and renamed accounts
out of groupOfUniqueNames (refint), and locks accounts (ppolicy).

With ``Flavour.FREEIPA`` it is still slapd, with FreeIPA's tree, with those of its attributes
that PostMaster reads, and with the answers that FreeIPA gives to a bind. It is NO FreeIPA:
there is no 389 Directory Server in it, no Kerberos, and nobody who keeps ``memberOf``, so that
the tests write that themselves. FreeIPA itself cannot be started below a folder.
"""

import shutil
import socket
import tempfile
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.dn import escape_rdn

from tests.directory.certificates import Authority
from tests.mail.daemon import Daemon, end_of
from tests.mariadb import free_port, program

SCHEMAS = Path("/etc/ldap/schema")
DOMAIN = "example.org"
SUFFIX = "dc=example,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
# PostMaster's own account there.
BIND_ACCOUNT = f"cn=postmaster,ou=services,{SUFFIX}"
BIND_PASSWORD = "password of the service"
# FreeIPA's tree.
IPA_PEOPLE = f"cn=users,cn=accounts,{SUFFIX}"
IPA_GROUPS = f"cn=groups,cn=accounts,{SUFFIX}"
# Who may do everything, for the tests themselves.
ROOT = "cn=config"
ROOT_PASSWORD = "root-of-the-tests"
# slapd listens on both, and its certificate is for the first.
ADDRESS = "127.0.0.1"
OTHER_ADDRESS = "127.0.0.2"

LOCKED_FOR_EVER = "000001010000Z"  # draft-behera-ldap-password-policy, 5.3.3
FAILURES_TO_LOCK = 4
LOCK_SECONDS = 600
ANSWER_SECONDS = 20
STARTS = 3  # another process may take a free port before slapd has it

Values = str | bytes | list[str] | list[bytes]


class Reading(StrEnum):
    """What somebody who gave no name may do, as operators set it."""

    OPEN = "everybody may read"
    HIDDEN = "nothing is there for strangers"
    REFUSED = "a search without a name is refused"
    NO_STRANGERS = "a bind without a name is refused"


class Flavour(StrEnum):
    """Whose tree it is."""

    OPENLDAP = "OpenLDAP"
    FREEIPA = "slapd with FreeIPA's attributes"


class Tls(StrEnum):
    """What the server has for encryption."""

    GOOD = "a certificate for its address, of its own authority"
    EXPIRED = "one whose last day was yesterday"
    NONE = "none"


# The line of the whole server and the last rule of who may read.
READING = {
    Reading.OPEN: ("", "by * read"),
    Reading.HIDDEN: ("", "by * none"),
    Reading.REFUSED: ("require authc", "by * none"),
    Reading.NO_STRANGERS: ("disallow bind_anon", "by * none"),
}

# Their numbers are of OpenLDAP's range for experiments and not FreeIPA's own. There nsAccountLock
# is operational, which slapd takes of no configuration.
IPA_SCHEMA = """
objectidentifier tests 1.3.6.1.4.1.4203.666.11.7
attributetype ( tests:1 NAME 'ipaUniqueID' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( tests:2 NAME 'nsAccountLock' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( tests:3 NAME 'krbPrincipalExpiration' EQUALITY generalizedTimeMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.24 SINGLE-VALUE )
attributetype ( tests:4 NAME 'memberOf' EQUALITY distinguishedNameMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
objectclass ( tests:11 NAME 'ipaObject' AUXILIARY MAY ( ipaUniqueID $ memberOf ) )
objectclass ( tests:12 NAME 'krbPrincipalAux' AUXILIARY
  MAY ( krbPrincipalExpiration $ nsAccountLock ) )
objectclass ( tests:13 NAME 'nsContainer' STRUCTURAL MUST cn )
objectclass ( tests:14 NAME 'ipaUserGroup' SUP groupOfNames STRUCTURAL MAY memberOf )
"""

CONFIGURATION = """
modulepath /usr/lib/ldap
moduleload back_mdb
{more_module}
moduleload refint
moduleload ppolicy
moduleload retcode
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
include {schemas}/nis.schema
{more_schema}
{server_wide}
{tls}

database config
rootpw {root_password}

database mdb
suffix {suffix}
directory {folder}/data
maxsize 67108864
dbnosync
rootdn {root}
index objectClass,uid,cn,member,uniqueMember,memberUid,entryUUID eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact={bind_account} read {last_rule}
{overlays}
"""

TLS = """
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSVerifyClient never
"""

OPENLDAP_OVERLAYS = f"""
overlay memberof
memberof-refint TRUE
overlay refint
refint_attributes uniqueMember
refint_nothing cn=nobody,{SUFFIX}
overlay ppolicy
ppolicy_default cn=usual,ou=policies,{SUFFIX}
"""


# While it is there an entry may say what is answered to a bind. It has faults with other requests.
ANSWERING = "olcOverlay=retcode,olcDatabase={1}mdb,cn=config"


class OpenLdap:
    """The server, from start to stop; it can be stopped and started between."""

    def __init__(
        self,
        reading: Reading = Reading.HIDDEN,
        flavour: Flavour = Flavour.OPENLDAP,
        *,
        tls: Tls = Tls.GOOD,
        more: str = "",
    ) -> None:
        """``more`` is lines of slapd.conf for the whole server."""
        self.folder = Path(tempfile.mkdtemp(prefix="postmaster-openldap-"))
        self.log = self.folder / "log"
        self.port = self.tls_port = 0
        self.authority = Authority(self.folder)
        self._tls = tls
        self._more = more
        self._reading = reading
        self._flavour = flavour
        self._daemon = Daemon(self.log)
        self._root: ldap3.Connection | None = None
        self._made: set[str] = set()  # what the tests find there

    def __enter__(self) -> Self:
        try:
            self._configure()
            self._start_somewhere()
            self._plant()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the process ----------------------------------------------------------------

    @property
    def url(self) -> str:
        """Without encryption, until StartTLS."""
        return f"ldap://{ADDRESS}:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://{ADDRESS}:{self.tls_port}"

    @property
    def other_url(self) -> str:
        """The same server, at an address that is not in its certificate."""
        return f"ldaps://{OTHER_ADDRESS}:{self.tls_port}"

    def start(self) -> None:
        """Start the server where it was and wait until it answers."""
        listeners = [self.url]
        if self._tls is not Tls.NONE:
            listeners += [self.tls_url, self.other_url]
        command = [
            program("slapd"),
            "-f",
            str(self.folder / "slapd.conf"),
            "-h",
            " ".join(listeners),
            "-d",  # in the foreground, and tell what is asked
            "stats",
        ]
        if not self._daemon.start(command, self._greet):
            self.stop()
            raise RuntimeError(f"slapd does not start:\n{end_of(self.log)}")

    def stop(self) -> None:
        """Stop the server in order."""
        if self._root is not None:
            with suppress(LDAPException, OSError):
                self._root.unbind()
            self._root = None
        self._daemon.stop()

    def mark(self) -> int:
        """This moment in the log."""
        return self.log.stat().st_size

    def log_since(self, mark: int) -> str:
        """What slapd wrote since: connections, binds with their DNs, searches, results."""
        return self.log.read_bytes()[mark:].decode("utf-8", "replace")

    def _configure(self) -> None:
        (self.folder / "data").mkdir()
        is_ipa = self._flavour is Flavour.FREEIPA
        server_wide, last_rule = READING[self._reading]
        text = CONFIGURATION.format(
            schemas=SCHEMAS,
            more_module="" if is_ipa else "moduleload memberof",  # memberOf would be its own
            more_schema=IPA_SCHEMA if is_ipa else "",
            server_wide=f"{server_wide}\n{self._more}",
            tls=self._tls_lines(),
            suffix=SUFFIX,
            folder=self.folder,
            root=ROOT,
            root_password=ROOT_PASSWORD,
            bind_account=BIND_ACCOUNT,
            last_rule=last_rule,
            overlays="" if is_ipa else OPENLDAP_OVERLAYS,
        )
        (self.folder / "slapd.conf").write_text(text, "utf-8")

    def _tls_lines(self) -> str:
        if self._tls is Tls.NONE:
            return ""
        issue = self.authority.issue_expired if self._tls is Tls.EXPIRED else self.authority.issue
        issued = issue("server", [ADDRESS])
        return TLS.format(certificate=issued.certificate, key=issued.key)

    def _start_somewhere(self) -> None:
        for left in reversed(range(STARTS)):
            self.port, self.tls_port = free_port(), free_port()
            try:
                self.start()
            except RuntimeError:
                if not left:
                    raise
            else:
                return

    def _greet(self) -> None:
        has_tls = self._tls is not Tls.NONE
        port = self.tls_port if has_tls else self.port
        # ldap3 leaves a socket behind where nobody listens yet.
        socket.create_connection((ADDRESS, port), 1).close()
        root = ldap3.Connection(
            ldap3.Server(ADDRESS, port, use_ssl=has_tls, get_info=ldap3.NONE, connect_timeout=1),
            ROOT,
            ROOT_PASSWORD,
            receive_timeout=ANSWER_SECONDS,
            check_names=False,
            raise_exceptions=True,
        )
        try:
            root.bind(read_server_info=False)
        except LDAPException as error:
            raise OSError(str(error)) from error
        self._root = root

    # --- entries --------------------------------------------------------------------

    def _do(self, operation: str, *arguments: Any, **more: Any) -> list[dict[str, Any]]:
        """One of ldap3's operations, as root; what a search finds."""
        assert self._root is not None, "slapd does not run"
        getattr(self._root, operation)(*arguments, **more)
        return self._root.response or []

    def add(self, dn: str, classes: list[str], **attributes: Values) -> str:
        """Add any entry; its DN."""
        self._do("add", dn, classes, attributes)
        return dn

    def user(
        self,
        uid: str,
        password: str,
        *,
        below: str = "",
        rdn: str = "",
        **attributes: Values,
    ) -> str:
        """Add somebody; the DN. Its first part is the user name, unless ``rdn`` says another."""
        classes = ["inetOrgPerson", "posixAccount", "shadowAccount"]
        if self._flavour is Flavour.FREEIPA:
            classes += ["ipaObject", "krbPrincipalAux"]
        usual = {
            "cn": uid,
            "sn": uid,
            "uidNumber": "1000",
            "gidNumber": "1000",
            "homeDirectory": "/nowhere",
            "userPassword": password,
        }
        people = IPA_PEOPLE if self._flavour is Flavour.FREEIPA else PEOPLE
        dn = f"{rdn or f'uid={escape_rdn(uid)}'},{below or people}"
        return self.add(dn, classes, uid=uid, **usual | attributes)

    def group_of_names(self, name: str, *members: str, below: str = GROUPS) -> str:
        """A group that names its members by their DNs; these may be groups too."""
        return self._group(name, below, "groupOfNames", "member", members)

    def group_of_unique_names(self, name: str, *members: str, below: str = GROUPS) -> str:
        """The older class, whose members have another attribute."""
        return self._group(name, below, "groupOfUniqueNames", "uniqueMember", members)

    def posix_group(self, name: str, *users: str, below: str = GROUPS) -> str:
        """A group that names its members by their user names."""
        more: dict[str, Values] = {"memberUid": list(users)} if users else {}
        return self.add(f"cn={escape_rdn(name)},{below}", ["posixGroup"], gidNumber="100", **more)

    def ipa_group(self, name: str, *members: str) -> str:
        """A group of FreeIPA. There the server writes the members' memberOf; here it does not."""
        dn = self._group(name, IPA_GROUPS, "ipaUserGroup", "member", members)
        for member in members:
            self._do("modify", member, {"memberOf": [(ldap3.MODIFY_ADD, [dn])]})
        return dn

    def answer_bind(self, dn: str, code: int, text: str) -> None:
        """Answer this to whoever binds with the DN, whatever the password.

        slapd looks it up as the stranger who binds, so that Reading has to be OPEN.
        """
        self._answer_as_usual()
        values = {
            "objectClass": [(ldap3.MODIFY_ADD, ["errAuxObject"])],
            "errCode": [(ldap3.MODIFY_ADD, [str(code)])],
            "errOp": [(ldap3.MODIFY_ADD, ["bind"])],
            "errText": [(ldap3.MODIFY_ADD, [text])],
        }
        self._do("modify", dn, values)
        more = {"olcRetcodeInDir": "TRUE", "olcRetcodeParent": f"cn=nothing,{SUFFIX}"}
        self._do("add", ANSWERING, ["olcRetcodeConfig"], more)

    def _answer_as_usual(self) -> None:
        for item in self._do("search", "cn=config", "(objectClass=olcRetcodeConfig)"):
            self.remove(item["dn"])

    def modify(self, dn: str, **attributes: Values | None) -> None:
        """Replace attributes; None removes one."""
        changes = {
            name: [(ldap3.MODIFY_REPLACE, [] if value is None else value)]
            for name, value in attributes.items()
        }
        self._do("modify", dn, changes)

    def add_member(self, group: str, member: str) -> None:
        """Put a member into a group of names."""
        self._do("modify", group, {"member": [(ldap3.MODIFY_ADD, [member])]})

    def remove_member(self, group: str, member: str) -> None:
        """Take a member out of a group of names."""
        self._do("modify", group, {"member": [(ldap3.MODIFY_DELETE, [member])]})

    def rename(self, dn: str, uid: str) -> str:
        """Give somebody another user name; the new DN. The groups follow."""
        new = f"uid={escape_rdn(uid)}"
        self._do("modify_dn", dn, new)
        return f"{new},{dn.partition(',')[2]}"

    def remove(self, dn: str) -> None:
        """Remove an entry."""
        self._do("delete", dn)

    def value(self, dn: str, attribute: str) -> str | None:
        """The first value of an attribute, also of those that slapd keeps; None without any."""
        found = self._search(dn, ldap3.BASE, attribute)
        values: list[bytes] = found[0]["raw_attributes"].get(attribute, [])
        return values[0].decode() if values else None

    def entry_uuid(self, dn: str) -> str:
        """What identifies an entry for ever."""
        found = self.value(dn, "entryUUID")
        assert found is not None
        return found

    def empty(self) -> None:
        """Remove all that was added since the start."""
        self._answer_as_usual()
        added = sorted(self._all() - self._made, key=lambda dn: -dn.count(","))
        for dn in added:
            self.remove(dn)

    def _all(self) -> set[str]:
        return {item["dn"] for item in self._search(SUFFIX, ldap3.SUBTREE, ldap3.NO_ATTRIBUTES)}

    def _search(self, base: str, scope: str, attribute: str) -> list[dict[str, Any]]:
        return self._do(
            "search", base, "(objectClass=*)", search_scope=scope, attributes=[attribute]
        )

    def _group(
        self, name: str, below: str, kind: str, attribute: str, members: tuple[str, ...]
    ) -> str:
        # Both classes want a member; who does not exist is one.
        everybody = list(members) or [f"cn=nobody,{SUFFIX}"]
        more: dict[str, Values] = {attribute: everybody}
        return self.add(f"cn={escape_rdn(name)},{below}", [kind], **more)

    def _plant(self) -> None:
        """The tree, the account of PostMaster, and the rule of who is locked."""
        self.add(SUFFIX, ["domain"])
        for name in ("people", "groups", "services", "policies"):
            self.add(f"ou={name},{SUFFIX}", ["organizationalUnit"])
        self.add(
            BIND_ACCOUNT,
            ["organizationalRole", "simpleSecurityObject"],
            userPassword=BIND_PASSWORD,
        )
        if self._flavour is Flavour.FREEIPA:
            for dn in (f"cn=accounts,{SUFFIX}", IPA_PEOPLE, IPA_GROUPS):
                self.add(dn, ["nsContainer"])
        else:
            self.add(
                f"cn=usual,ou=policies,{SUFFIX}",
                ["organizationalRole", "pwdPolicy"],
                pwdAttribute="userPassword",
                pwdLockout="TRUE",
                pwdMaxFailure=str(FAILURES_TO_LOCK),
                pwdLockoutDuration=str(LOCK_SECONDS),
            )
        self._made = self._all()
