"""Where Postfix hands over to Dovecot, and whether Dovecot listens there.

Hosts are not compared: one server has many names. The forms and the defaults are those of
lmtp(8), postconf(5), and ``doveconf -d``.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import Phrase
from . import dovecot
from .dovecot_syntax import Block
from .findings import Finding, Kind, Severity, found
from .postfix_syntax import Parameters

QUEUE_FOLDER = "/var/spool/postfix"
DOVECOTS_FOLDER = "/run/dovecot"
LMTP_PORT = "24"
# Those that are there without being named in the configuration.
ALWAYS = {"lmtp": ("lmtp",), "auth": ("auth-client",)}

LMTP = Kind(
    "lmtp",
    Severity.OK,
    Phrase("Postfix hands mail over by %(transport)s."),
    Phrase("Dovecot puts it into the mailboxes."),
)
NOT_SEEN = Phrase("Whether Dovecot listens there is not known.")
OTHER_SOCKET = Kind(
    "other-socket",
    Severity.WARNING,
    Phrase("Postfix's %(parameter)s leads to %(path)s, and Dovecot listens at %(sockets)s."),
    Phrase("If none of these is the same place, mail waits, or nobody can sign in to send."),
)

# host:port, [address]:port, or a host alone
_HOST_AND_PORT = re.compile(r"(?:\[[^\]]*\]|[^\[\]:,\s]*)(?::(\w+))?")


@dataclass(frozen=True)
class Place:
    """A socket's path, or the port of one on the network, as ``written``."""

    written: str
    path: str = ""
    port: str = ""

    def is_at(self, other: "Place") -> bool:
        """Whether both are the same, as far as it can be told."""
        return (self.path, self.port) == (other.path, other.port)


def judge(main: Parameters | None, other: Block | None) -> Iterator[Finding]:
    """Whether Postfix and Dovecot meet, for delivery and for signing in to send."""
    if main is None:
        return
    transport = main.get("virtual_transport")
    if transport.partition(":")[0] == "lmtp":
        place = _place(main, transport.removeprefix("lmtp").removeprefix(":"), is_path=False)
        apart = list(_apart(main, other, "virtual_transport", place, "lmtp"))
        yield from apart
        if other is None or place is None:
            yield found(LMTP, main.where, means=NOT_SEEN, transport=transport)
        elif not apart and not dovecot.lacks_lmtp(other):
            yield found(LMTP, main.where, transport=transport)
    sasl = main.get("smtpd_sasl_path")
    if main.get("smtpd_sasl_type") == "dovecot" and sasl:
        place = _place(main, sasl, is_path=True)
        yield from _apart(main, other, "smtpd_sasl_path", place, "auth")


def _place(main: Parameters, written: str, *, is_path: bool) -> Place | None:
    """Where it leads; None if that is not understood. ``is_path``: what has no type is one."""
    kind, colon, rest = written.partition(":")
    if colon and kind == "unix":
        return _socket(_queue_folder(main), rest)
    if colon and kind == "inet":
        written = rest
    elif is_path:
        return _socket(_queue_folder(main), written)
    address = _HOST_AND_PORT.fullmatch(written)
    if address is None or "$" in written:
        return None
    port = address[1] or LMTP_PORT
    port = LMTP_PORT if port == "lmtp" else port
    return Place(written, port=port) if port.isdecimal() else None


def _queue_folder(main: Parameters) -> str:
    return main.get("queue_directory", QUEUE_FOLDER)


def _socket(folder: str, path: str) -> Place | None:
    """A socket's place; a path that does not begin at the root begins at the folder."""
    if "$" in path:
        return None
    full = posixpath.normpath(posixpath.join(folder, path))
    # Since the FHS 3.0, the one is a link to the other.
    return Place(full, re.sub("^/var/run/", "/run/", full))


def _listening(other: Block, service: str) -> Iterator[Place]:
    """Where one of Dovecot's services listens: those that are named, then the others."""
    folder = other.get("base_dir", DOVECOTS_FOLDER)
    for listener in dovecot.listeners(other, service):
        port = listener.get("port")
        if listener.kind == "unix_listener":
            place = _socket(folder, listener.get("path") or listener.label)
            if place:
                yield place
        elif port.isdecimal() and port != "0":
            yield Place(f"port {port}", port=port)
    for name in ALWAYS[service]:
        place = _socket(folder, name)
        if place:
            yield place


def _apart(
    main: Parameters, other: Block | None, parameter: str, place: Place | None, service: str
) -> Iterator[Finding]:
    """The finding if Dovecot does not listen where Postfix asks."""
    if other is None or place is None:
        return
    listening = list(dict.fromkeys(_listening(other, service)))
    if any(place.is_at(one) for one in listening):
        return
    folder = f"{_queue_folder(main).rstrip('/')}/"
    begin = "lmtp:unix:" if service == "lmtp" else ""
    within = [one.written for one in listening if one.written.startswith(folder)]
    yield found(
        OTHER_SOCKET,
        main.where,
        *(f"{parameter} = {begin}{path.removeprefix(folder)}" for path in within[:1]),
        parameter=parameter,
        path=place.written,
        sockets=[one.written for one in listening],
    )
