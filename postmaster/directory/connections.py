"""A connection to one server of a directory: TCP, TLS, bind."""

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException
from pyasn1.error import PyAsn1Error

from ..errors import Phrase
from . import binding
from .faults import NotAnswered, Refused
from .plan import Directory, Method, Server

CONNECT_SECONDS = 3
ANSWER_SECONDS = 5
LONGEST_SECONDS = 15
# X509_V_ERR_ of openssl-verification-options(1ssl).
EXPIRED, NOT_YET_VALID, HOSTNAME_MISMATCH, IP_MISMATCH = 10, 9, 62, 64

# What comes out of ldap3 and pyspnego where a server's answer is not what it should be.
UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    struct.error,
    PyAsn1Error,
)
# What ldap3 puts before the words of the system.
LDAP3S_OWN = re.compile(r"^(socket [a-z ]+|error receiving data): (\[Errno -?\d+\] )?")

CHECK_SERVER = Phrase("Check the address and the port, and that a firewall lets this host through")
CHECK_PROTOCOL = Phrase(
    "Check that this port speaks LDAP: ldaps:// is mostly 636, ldap:// mostly 389"
)
CHECK_CA = Phrase(
    "Name the file with the certificate of the directory's authority as ldap_ca_file in "
    "postmaster.toml"
)
RENEW = Phrase("Renew the server's certificate; check this host's clock too")
CHECK_NAME = Phrase("Write the server's name as its certificate has it")
NEEDS_TLS = Phrase(
    "Use ldaps://, or ldap:// with StartTLS. Only ldap_allow_plain_passwords in postmaster.toml "
    "permits passwords that everybody on the network can read"
)
NO_START_TLS = Phrase("Let the server do StartTLS, or use ldaps://")
SET_PASSWORD = Phrase(
    "Check LDAP Bind Account, and give its present password to: manage.py setldappassword"
)


class CheckedTls(ldap3.Tls):
    """ldap3's TLS with the host name checked by OpenSSL; what it found wrong is kept."""

    def __init__(self, context: ssl.SSLContext):
        super().__init__()
        self.context = context
        self.fault: OSError | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Put TLS around the connection's socket."""
        # Else the last part of the handshake and the first question wait for each other.
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.socket = self.context.wrap_socket(
                connection.socket,
                server_hostname=connection.server.host,
                do_handshake_on_connect=do_handshake,
            )
        except OSError as error:  # ssl.SSLError is one
            self.fault = error
            raise


@contextlib.contextmanager
def opened(directory: Directory, server: Server) -> Iterator[ldap3.Connection]:
    """An open connection that nobody has signed in to yet. Raises NotAnswered."""
    _check_passwords_are_hidden(directory, server)
    tls = CheckedTls(_context(directory))
    connection = ldap3.Connection(
        ldap3.Server(
            server.host,
            server.port,
            use_ssl=server.encrypted,
            tls=tls,
            connect_timeout=CONNECT_SECONDS,
            get_info=ldap3.NONE,
        ),
        client_strategy=ldap3.SYNC,
        receive_timeout=ANSWER_SECONDS,
        auto_referrals=False,  # a referral would send the password to another server
        check_names=False,
        read_only=True,
        raise_exceptions=False,
    )
    # Its time-outs are for each part of an answer, and a server may trickle.
    deadline = threading.Timer(LONGEST_SECONDS, _shut_down, (connection,))
    deadline.daemon = True
    deadline.start()
    try:
        _open(connection, directory, server)
    except (LDAPException, OSError, ValueError) as error:  # ValueError: a host that is no name
        deadline.cancel()
        _hang_up(connection)
        raise _not_opened(server, tls.fault or error) from None
    try:
        yield connection
    except (LDAPException, OSError) as error:
        raise NotAnswered(
            Phrase("%(server)s stopped answering: %(reason)s"),
            Phrase("See the server's own log"),
            server=server.url,
            reason=_reason(error),
        ) from None
    except UNREADABLE as error:
        raise NotAnswered(
            Phrase("%(server)s answers what is no LDAP: %(reason)s"),
            CHECK_PROTOCOL,
            server=server.url,
            reason=f"{type(error).__name__} {error}",
        ) from None
    finally:
        deadline.cancel()
        _hang_up(connection)


def bind(
    connection: ldap3.Connection, directory: Directory, server: Server, name: str, password: str
) -> None:
    """Show the directory a password. Raises Refused, or NotAnswered if it was not looked at."""
    if not password:
        # RFC 4513, 5.1.2: a name without a password is anonymous, and is answered "success".
        raise binding.wrong_password("")
    if directory.is_active and directory.method is Method.NTLM:
        from . import ntlm  # noqa: PLC0415 -- see __init__

        result = ntlm.bind(connection, directory, name, password)
    else:
        result = binding.by_simple(connection, name, password)
    binding.check(result, server, is_encrypted=server.encrypted or directory.start_tls)


def as_service(connection: ldap3.Connection, directory: Directory, server: Server) -> None:
    """Bind with PostMaster's own account, or as nobody where there is none. Raises NotAnswered."""
    if not directory.bind_account:
        connection.authentication = ldap3.ANONYMOUS
        if not connection.bind(read_server_info=False):
            raise NotAnswered(
                Phrase("%(server)s answers nobody without a name: %(reason)s"),
                Phrase("Set LDAP Bind Account"),
                others_may=False,
                server=server.url,
                reason=connection.result["description"],
            )
        return
    if not directory.bind_password:
        raise NotAnswered(
            Phrase("The bind account %(name)s has no password"),
            SET_PASSWORD,
            others_may=False,
            name=directory.bind_account,
        )
    try:
        bind(connection, directory, server, directory.bind_account, directory.bind_password)
    except Refused as error:
        raise NotAnswered(
            Phrase("The directory refused the bind account %(name)s: %(reason)s"),
            SET_PASSWORD,
            others_may=False,
            name=directory.bind_account,
            reason=error.detail or str(error),
        ) from None


def _check_passwords_are_hidden(directory: Directory, server: Server) -> None:
    if directory.allow_plain_passwords or not directory.sends_passwords_readable(server):
        return
    raise NotAnswered(
        Phrase("%(server)s is not encrypted, and SIMPLE would send the password readable"),
        NEEDS_TLS,
        server=server.url,
    )


def _context(directory: Directory) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(
            cafile=str(directory.ca_file) if directory.ca_file else None
        )
    except OSError as error:  # ssl.SSLError is one
        raise NotAnswered(
            Phrase("The authorities' certificates in %(file)s cannot be read: %(reason)s"),
            Phrase("Give ldap_ca_file in postmaster.toml a file with certificates in PEM form"),
            others_may=False,
            file=str(directory.ca_file),
            reason=_reason(error),
        ) from None
    if not directory.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _open(connection: ldap3.Connection, directory: Directory, server: Server) -> None:
    connection.open(read_server_info=False)
    if directory.start_tls and not server.encrypted:
        connection.start_tls(read_server_info=False)


def _shut_down(connection: ldap3.Connection) -> None:
    """Wake whoever waits for this connection's server."""
    with contextlib.suppress(OSError, AttributeError):
        connection.socket.shutdown(socket.SHUT_RDWR)


def _hang_up(connection: ldap3.Connection) -> None:
    with contextlib.suppress(LDAPException, OSError):
        if connection.bound:
            connection.unbind()
        else:
            connection.strategy.close()
    if connection.socket is not None:  # ldap3 forgets one that did not get as far as TLS
        connection.socket.close()


def _not_opened(server: Server, error: Exception) -> NotAnswered:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_trusted(server, error)
    if isinstance(error, ssl.SSLError):
        return NotAnswered(
            Phrase("%(server)s does not speak TLS as it should: %(reason)s"),
            CHECK_PROTOCOL,
            server=server.url,
            reason=_reason(error),
        )
    if "startTLS" in str(error) or "StartTLS" in type(error).__name__:
        return NotAnswered(
            Phrase("%(server)s does not do StartTLS: %(reason)s"),
            NO_START_TLS,
            server=server.url,
            reason=_reason(error),
        )
    return NotAnswered(
        Phrase("%(server)s does not answer: %(reason)s"),
        CHECK_SERVER,
        server=server.url,
        reason=_reason(error),
    )


def _not_trusted(server: Server, error: ssl.SSLCertVerificationError) -> NotAnswered:
    advice = CHECK_CA
    if error.verify_code in (EXPIRED, NOT_YET_VALID):
        advice = RENEW
    elif error.verify_code in (HOSTNAME_MISMATCH, IP_MISMATCH):
        advice = CHECK_NAME
    return NotAnswered(
        Phrase("The certificate of %(server)s was refused: %(reason)s"),
        advice,
        server=server.url,
        reason=error.verify_message,
    )


def _reason(error: Exception) -> str:
    """The exception's own words, without ldap3's notes on its lists of addresses."""
    reason = getattr(error, "reason", None)  # ldap3 has an ssl.SSLError of its own without one
    if isinstance(error, ssl.SSLError) and reason:
        return str(reason)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return LDAP3S_OWN.sub("", str(error)) or type(error).__name__
