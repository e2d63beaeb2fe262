"""A throw-away mail server as the guides build it: Postfix and Dovecot on a MariaDB of the tests.

It runs as root, from Debian's packages, in a temporary folder and on ports of its own, and
uses nothing of an installed mail server but the programs. Tests get it by the fixture
``mail_server``::

    mail_server.use("the_database")               # and flavour="digitalocean", into_sink=True
    mail_server.rcpt("ana@example.com").code      # 250: the answer to RCPT, nothing is sent
    ends = mail_server.deliver("team@example.com", subject="hello")
                                                  # waits; a Delivery for each final recipient
    mail_server.inbox("ana@example.com", "password")           # ["hello"], by a real sign-in
    mail_server.can_sign_in("ana@example.com", "password")     # by IMAP and by SMTP AUTH
    mail_server.lookup("virtual-alias-maps", "team@example.com")
    mail_server.sink.received()                   # what went to other servers, with ORCPT
    mail_server.bounces()                         # what was sent back to the sender

Rows of the database may change at any time: nothing is remembered between two connections.
"""

import imaplib
import re
import shutil
import smtplib
import tempfile
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.mail import maps
from tests.mail.dovecot import Dovecot
from tests.mail.maillog import Delivery
from tests.mail.postfix import Postfix
from tests.mail.sink import Received, Sink
from tests.mariadb import MariaDB

SENDER = "sender@outside.example"
SECONDS_TO_ANSWER = 30
# Postfix's answers to RCPT.
UNKNOWN_USER = 550
NOT_HERE = 554
# Its answers to AUTH.
SIGNED_IN = 235
SIGN_IN_REFUSED = 535
QUEUED = re.compile(r"queued as (?P<id>\w+)")


@dataclass(frozen=True)
class Reply:
    """What an SMTP server answers."""

    code: int
    text: str

    @property
    def accepted(self) -> bool:
        return self.code // 100 == 2

    @classmethod
    def of(cls, answer: tuple[int, bytes]) -> Self:
        return cls(answer[0], answer[1].decode("utf-8", "replace"))


@dataclass(frozen=True)
class Sent:
    """What Postfix answered to one message: to each RCPT, and to the text (None: not sent)."""

    recipients: dict[str, Reply]
    data: Reply | None

    @property
    def queue_id(self) -> str:
        """The name of the message in the queue."""
        found = QUEUED.search(self.data.text) if self.data is not None else None
        if found is None:
            raise AssertionError(f"The message was not taken: {self}")
        return found["id"]


def credentials(address: str, password: str) -> bytes:
    """Name and password as SASL PLAIN writes them (RFC 4616)."""
    return f"\0{address}\0{password}".encode()


class MailServer:
    """Postfix, Dovecot, and the rest of the world, from start to stop."""

    def __init__(self, mariadb: MariaDB) -> None:
        self.mariadb = mariadb
        self.folder = Path(tempfile.mkdtemp(prefix="postmaster-mail-"))
        self.folder.chmod(0o755)  # the servers' own users have to get in
        self.sink = Sink()
        self.postfix = Postfix(self.folder, self.sink.port)
        self.dovecot = Dovecot(self.folder / "dovecot", self.postfix.dovecot_sockets)
        self._in_use: tuple[str, str, bool] | None = None

    def __enter__(self) -> Self:
        self.sink.__enter__()
        maps.allow_reading(self.mariadb)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.postfix.stop()
        self.dovecot.stop()
        self.sink.__exit__(kind, error, trace)
        shutil.rmtree(self.folder, ignore_errors=True)

    def use(self, database: str, flavour: str = "linode", *, into_sink: bool = False) -> None:
        """Serve the tables of this database, as one of the two guides says.

        With ``into_sink`` the mailboxes' mail goes where the other servers' goes, so that
        the envelope can be seen.
        """
        wanted = (database, flavour, into_sink)
        if wanted == self._in_use:
            return
        self._in_use = None
        self.postfix.stop()
        self.dovecot.stop()
        maps.write(self.postfix.configuration, self.mariadb.port, database)
        self.postfix.configure(maps.FLAVOURS[flavour], into_sink=into_sink)
        self.dovecot.configure(maps.FLAVOURS[flavour], self.mariadb.port, database)
        self.dovecot.start()
        self.postfix.start()
        self._in_use = wanted

    def forget(self) -> None:
        """Remove all mail: the mailboxes' and the sink's."""
        for folder in self.dovecot.mail.iterdir():
            shutil.rmtree(folder)
        self.sink.empty()

    # --- sending ------------------------------------------------------------------

    def _smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP(
            "127.0.0.1", self.postfix.port, local_hostname="outside", timeout=SECONDS_TO_ANSWER
        )

    def rcpt(self, address: str) -> Reply:
        """The answer to RCPT; nothing is sent."""
        return self.rcpts([address])[address]

    def rcpts(self, addresses: Sequence[str]) -> dict[str, Reply]:
        """The answers to RCPT, asked in one connection; nothing is sent."""
        with self._smtp() as smtp:
            smtp.ehlo()
            smtp.mail(SENDER)
            return {address: Reply.of(smtp.rcpt(address)) for address in addresses}

    def send(
        self, *recipients: str, subject: str = "test", headers: dict[str, str] | None = None
    ) -> Sent:
        """Send one message to those of the recipients that are taken."""
        return self.send_all([recipients], subject=subject, headers=headers)[0]

    def send_all(
        self,
        groups: Sequence[Sequence[str]],
        subject: str = "test",
        headers: dict[str, str] | None = None,
    ) -> list[Sent]:
        """Send one message to each group of recipients, all in one connection."""
        message = EmailMessage()
        message["From"] = SENDER
        message["To"] = "undisclosed-recipients:;"
        message["Subject"] = subject
        for name, value in (headers or {}).items():
            message[name] = value
        message.set_content("A message of the tests.")
        with self._smtp() as smtp:
            smtp.ehlo()
            return [self._send(smtp, recipients, message.as_bytes()) for recipients in groups]

    @staticmethod
    def _send(smtp: smtplib.SMTP, recipients: Sequence[str], content: bytes) -> Sent:
        smtp.mail(SENDER)
        replies = {address: Reply.of(smtp.rcpt(address)) for address in recipients}
        if not any(reply.accepted for reply in replies.values()):
            smtp.rset()
            return Sent(replies, None)
        return Sent(replies, Reply.of(smtp.data(content)))

    def lmtp_rcpts(self, addresses: Sequence[str]) -> dict[str, Reply]:
        """Dovecot's own answers to RCPT, asked as Postfix would; nothing is sent."""
        socket = str(self.postfix.dovecot_sockets / "dovecot-lmtp")
        with smtplib.LMTP(socket, timeout=SECONDS_TO_ANSWER) as lmtp:
            lmtp.ehlo()
            lmtp.mail(SENDER)
            return {address: Reply.of(lmtp.rcpt(address)) for address in addresses}

    def wait_for(self, sent: Sent) -> list[Delivery]:
        """What became of a message's final recipients, once all are settled, bounces too."""
        return self.postfix.log.wait_for(sent.queue_id)

    def deliver(self, *recipients: str, subject: str = "test") -> list[Delivery]:
        """Send one message, which must be taken for all recipients, and wait for its end."""
        sent = self.send(*recipients, subject=subject)
        refused = {to: reply for to, reply in sent.recipients.items() if not reply.accepted}
        if refused:
            raise AssertionError(f"Postfix refuses {refused}")
        return self.wait_for(sent)

    def lookup(self, map_name: str, *keys: str) -> dict[str, str]:
        """What Postfix finds in one of the maps (``maps.QUERIES``), by ``postmap -q``."""
        return self.postfix.lookup(map_name, keys)

    def bounces(self) -> list[Received]:
        """The messages that told the sender of a failure; ``failed`` says for whom."""
        return [message for message in self.sink.received() if message.sender == ""]

    # --- receiving ----------------------------------------------------------------

    def inbox(self, address: str, password: str) -> list[str]:
        """The subjects in a mailbox, by IMAP. Raises imaplib.IMAP4.error if refused."""
        with self._imap() as imap:
            self._sign_in(imap, address, password)
            _, (count,) = imap.select(readonly=True)
            if not int(count or b"0"):
                return []
            _, parts = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            return [
                str(message_from_bytes(part[1])["Subject"])
                for part in parts
                if isinstance(part, tuple)
            ]

    def can_sign_in(self, address: str, password: str) -> bool:
        """Whether Dovecot lets this user in, by IMAP and by SMTP AUTH, which must agree."""
        with ThreadPoolExecutor(1) as beside:  # a refusal takes half a second, each
            waiting = beside.submit(self._can_sign_in_by_smtp, address, password)
            by_imap = self._can_sign_in_by_imap(address, password)
            by_smtp = waiting.result()
        if by_imap != by_smtp:
            raise AssertionError(f"{address}: IMAP says {by_imap}, SMTP AUTH says {by_smtp}")
        return by_imap

    def _can_sign_in_by_imap(self, address: str, password: str) -> bool:
        with self._imap() as imap, suppress(imaplib.IMAP4.error):
            self._sign_in(imap, address, password)
            return True
        return False

    def _can_sign_in_by_smtp(self, address: str, password: str) -> bool:
        with self._smtp() as smtp:
            smtp.ehlo()
            sent = b64encode(credentials(address, password)).decode()
            answer = Reply.of(smtp.docmd("AUTH", f"PLAIN {sent}"))
        if answer.code not in (SIGNED_IN, SIGN_IN_REFUSED):
            raise AssertionError(f"SMTP AUTH answers {answer}")
        return answer.accepted

    def _imap(self) -> imaplib.IMAP4:
        return imaplib.IMAP4("127.0.0.1", self.dovecot.port, timeout=SECONDS_TO_ANSWER)

    @staticmethod
    def _sign_in(imap: imaplib.IMAP4, address: str, password: str) -> None:
        imap.authenticate("PLAIN", lambda _challenge: credentials(address, password))
