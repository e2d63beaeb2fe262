"""A throw-away domain controller of Active Directory: Samba, with a new domain of its own.

Samba's ports are fixed. Each server has an address of its own in 127.0.0.0/8 instead, where
ports 389 and 636 are free whatever runs on this machine.
"""

import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.directory.certificates import Authority, Certificate
from tests.directory.domain_accounts import DomainAccounts
from tests.mail.daemon import Daemon, end_of
from tests.mariadb import program

REALM = "corp.example.com"
DOMAIN = "CORP"
BASE = "DC=corp,DC=example,DC=com"
HOST = "dc1"
ADMINISTRATOR = "Administrator"
ADMINISTRATOR_PASSWORD = "Adm1nistrator of the tests"
SECONDS_TO_PROVISION = 180
LDAP, LDAPS = 389, 636
PORTS = (LDAP, LDAPS, 3268, 3269)
LOOPBACK_ADDRESSES = 1 << 24

# Debian's Samba takes NTLM over TLS only where it is told to; Windows takes it as it comes.
NTLM_OVER_TLS = "allow_sasl_over_tls"
STRONG_AUTH = "yes"  # the default

# Makes the certificate of a server that has these names and addresses.
Certify = Callable[[list[str]], Certificate]

SMB_CONF = """
[global]
netbios name = {host}
realm = {realm}
workgroup = {domain}
server role = active directory domain controller
server services = ldap
interfaces = {address}/8
bind interfaces only = yes
ldap server require strong auth = {strong_auth}
tls certfile = {certificate}
tls keyfile = {key}
tls cafile = {authority}
private dir = {domain_folder}/private
state directory = {domain_folder}/state
binddns dir = {domain_folder}/bind-dns
cache directory = {folder}/cache
lock directory = {folder}/lock
pid directory = {folder}/run
ncalrpc dir = {folder}/ncalrpc
winbindd socket directory = {folder}/winbindd
ntp signd socket directory = {folder}/ntp_signd
usershare path =
log level = 1 auth_audit:3
ldb:nosync = true
"""


class Listener:
    """One Samba process that serves the domain on an address, from start to stop."""

    def __init__(
        self,
        folder: Path,
        domain_folder: Path,
        authority: Authority,
        *,
        certify: Certify | None = None,
        strong_auth: str = STRONG_AUTH,
    ) -> None:
        self.folder = folder
        self.address = free_address()
        names = [f"{HOST}.{REALM}", self.address]
        own = certify(names) if certify else authority.issue(folder.name, names)
        for name in ("cache", "lock", "run"):
            (folder / name).mkdir(parents=True)
        self.smb_conf = folder / "smb.conf"
        self.smb_conf.write_text(
            SMB_CONF.format(
                host=HOST.upper(),
                realm=REALM.upper(),
                domain=DOMAIN,
                address=self.address,
                strong_auth=strong_auth,
                certificate=own.certificate,
                key=own.key,
                authority=authority.file,
                domain_folder=domain_folder,
                folder=folder,
            ),
            encoding="utf-8",
        )
        self._samba = Daemon(folder / "log")

    @property
    def ldaps(self) -> str:
        """The address of LDAP in TLS."""
        return f"ldaps://{self.address}:{LDAPS}"

    @property
    def ldap(self) -> str:
        """The address of LDAP, which can do StartTLS."""
        return f"ldap://{self.address}:{LDAP}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        command = [
            *(program("samba"), "--foreground", "--no-process-group", "--model=single"),
            *("--debug-stdout", f"--configfile={self.smb_conf}"),
        ]
        if not self._samba.start(command, self._greet):
            raise RuntimeError(f"Samba does not start:\n{self.log}")

    def stop(self) -> None:
        """End it."""
        self._samba.stop()

    @property
    def log(self) -> str:
        """The last lines that it wrote."""
        return end_of(self._samba.output)

    def _greet(self) -> None:
        for port in (LDAP, LDAPS):
            socket.create_connection((self.address, port), 5).close()


class DomainController:
    """The domain and its server, from the first entry to the end of every process.

    ``accounts`` changes users and groups, ``listener`` is the server.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="postmaster-domain-"))
        self.authority = Authority(self.folder)
        self.listener = self._listener("dc")
        self._accounts: DomainAccounts | None = None

    def __enter__(self) -> Self:
        try:
            self._provision()
            self._accounts = DomainAccounts(self.listener.smb_conf, BASE)
            self.listener.start()
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
        self.listener.stop()
        if self._accounts is not None:
            self._accounts.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def accounts(self) -> DomainAccounts:
        """The users and groups of the domain."""
        assert self._accounts is not None
        return self._accounts

    @contextmanager
    def another(
        self,
        name: str,
        *,
        certify: Certify | None = None,
        strong_auth: str = STRONG_AUTH,
    ) -> Iterator[Listener]:
        """Another server of the same domain, on an address of its own."""
        listener = self._listener(name, certify=certify, strong_auth=strong_auth)
        try:
            listener.start()
            yield listener
        finally:
            listener.stop()

    def _listener(
        self,
        name: str,
        *,
        certify: Certify | None = None,
        strong_auth: str = STRONG_AUTH,
    ) -> Listener:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        return Listener(
            folder,
            self.folder / "domain",
            self.authority,
            certify=certify,
            strong_auth=strong_auth,
        )

    def _provision(self) -> None:
        """Make the domain. Samba finds every folder in the file that is named here."""
        empty = self.folder / "provision.conf"
        empty.touch()
        command = [
            *(program("samba-tool"), "domain", "provision", "--quiet"),
            *(f"--configfile={empty}", f"--targetdir={self.folder / 'domain'}"),
            *(f"--realm={REALM.upper()}", f"--domain={DOMAIN}", f"--host-name={HOST}"),
            *("--host-ip=127.0.0.1", "--server-role=dc", "--dns-backend=NONE"),
            *(f"--adminpass={ADMINISTRATOR_PASSWORD}", "--option=ldb:nosync=true"),
            # A container's root may not set the attributes of files that Windows has.
            f"--option=xattr_tdb:file={self.folder / 'xattr.tdb'}",
        ]
        made = subprocess.run(
            command,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_TO_PROVISION,
        )
        if made.returncode != 0:
            raise RuntimeError(f"No domain can be made:\n{made.stdout}")


def free_address() -> str:
    """An address of this machine on which nobody listens on Samba's ports."""
    while True:
        number = random.randrange(256, LOOPBACK_ADDRESSES - 256)
        address = f"127.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        if all(_is_free(address, port) for port in PORTS):
            return address


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def can_run() -> bool:
    """Whether this process may have ports below 1024, which Samba has."""
    return os.geteuid() == 0
