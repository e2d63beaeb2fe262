"""The rest of the world: takes every message that leaves the mail server, and keeps it.

It speaks SMTP and LMTP, announces DSN (RFC 3461), and so also learns by ORCPT which address
each recipient was before the aliases.
"""

import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Self, cast

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN")
PATH = re.compile(r"<(?P<address>[^>]*)>(?P<parameters>.*)")


@dataclass(frozen=True)
class Recipient:
    """One RCPT command: the address, and what ORCPT said that it was (or "")."""

    address: str
    original: str


@dataclass(frozen=True)
class Received:
    """One message with its envelope. A bounce has the sender ""."""

    sender: str
    recipients: tuple[Recipient, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def addresses(self) -> list[str]:
        return [recipient.address for recipient in self.recipients]

    @property
    def failed(self) -> list[str]:
        """Of a bounce: the addresses that it says got nothing (RFC 3464), as they were sent to."""
        found = []
        for part in self.message.walk():
            if part.get_content_type() == "message/delivery-status":
                for block in part.iter_parts() if part.is_multipart() else ():
                    named = block["Original-Recipient"] or block["Final-Recipient"]
                    if named is not None:
                        found.append(str(named).partition(";")[2].strip())
        return found


class Conversation(socketserver.StreamRequestHandler):
    """One connection, from the greeting to QUIT."""

    def handle(self) -> None:
        self.lmtp = False
        self._reset()
        self._say("220 sink ESMTP")
        for line in self._lines():
            verb, _, rest = line.partition(" ")
            if verb.upper() == "QUIT":
                self._say("221 Bye")
                return
            self._answer(verb.upper(), rest)

    def _lines(self) -> Iterator[str]:
        while line := self.rfile.readline():
            yield line.decode("utf-8", "replace").rstrip("\r\n")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _reset(self) -> None:
        self.sender = ""
        self.recipients: list[Recipient] = []

    def _answer(self, verb: str, rest: str) -> None:
        if verb in ("EHLO", "LHLO"):
            self.lmtp = verb == "LHLO"
            self._say("250-sink", *(f"250-{name}" for name in EXTENSIONS[:-1]))
            self._say(f"250 {EXTENSIONS[-1]}")
        elif verb == "MAIL":
            self._reset()
            self.sender = self._path(rest)[0]
            self._say("250 Ok")
        elif verb == "RCPT":
            self.recipients.append(Recipient(*self._path(rest)))
            self._say("250 Ok")
        elif verb == "DATA":
            self._say("354 Go on")
            self._take(self._content())
        elif verb == "RSET":
            self._reset()
            self._say("250 Ok")
        else:
            self._say("250 Ok" if verb in ("HELO", "NOOP") else "500 Not here")

    def _path(self, rest: str) -> tuple[str, str]:
        """The address of a MAIL or RCPT command, and its ORCPT, decoded from xtext."""
        found = PATH.search(rest)
        if found is None:
            raise ValueError(f"no path in {rest!r}")
        original = ""
        for parameter in found["parameters"].split():
            name, _, value = parameter.partition("=")
            if name.upper() == "ORCPT":
                encoded = value.partition(";")[2]
                original = re.sub(r"\+([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), encoded)
        return found["address"], original

    def _content(self) -> bytes:
        content = bytearray()
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            content += line.removeprefix(b".") if line.startswith(b".") else line
        return bytes(content)

    def _take(self, content: bytes) -> None:
        cast("Listener", self.server).keep(Received(self.sender, tuple(self.recipients), content))
        # LMTP answers for each recipient (RFC 2033), SMTP once.
        self._say(*["250 Taken"] * (len(self.recipients) if self.lmtp else 1))
        self._reset()


class Listener(socketserver.ThreadingTCPServer):
    """The listening socket, and what came in by it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self._lock = threading.Lock()
        self._kept: list[Received] = []

    def keep(self, message: Received) -> None:
        with self._lock:
            self._kept.append(message)

    def kept(self) -> list[Received]:
        with self._lock:
            return list(self._kept)

    def empty(self) -> None:
        with self._lock:
            self._kept.clear()


class Sink:
    """The listener in a thread of its own."""

    def __init__(self) -> None:
        self._listener = Listener()
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(0.05,), name="sink", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    def received(self) -> list[Received]:
        """Every message since the last ``empty``, bounces too, in order."""
        return self._listener.kept()

    def empty(self) -> None:
        """Forget what came."""
        self._listener.empty()
