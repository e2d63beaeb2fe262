"""Mail that arrives and users who sign in, without a pause, while something else goes on."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, cycle
from types import TracebackType
from typing import Self

from tests.mail.server import MailServer, Sent

SENDERS = 2


@dataclass(frozen=True)
class Message:
    """One message, and when its conversation with Postfix began and ended."""

    subject: str
    recipient: str
    sent: Sent
    began: float
    ended: float

    @property
    def was_taken(self) -> bool:
        """No 4xx and no 5xx, neither for the recipient nor for the text."""
        replies = (*self.sent.recipients.values(), self.sent.data)
        return all(reply is not None and reply.accepted for reply in replies)


class Traffic:
    """Goes on from ``with`` to its end; then it has ``messages`` and ``sign_ins``."""

    def __init__(
        self, server: MailServer, recipients: Sequence[str], users: Sequence[str], password: str
    ) -> None:
        self.server = server
        self.messages: list[Message] = []
        self.sign_ins: list[bool] = []
        self._numbers = count(1)
        self._recipients = cycle(recipients)
        self._users = cycle(users)
        self._password = password
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = ThreadPoolExecutor(SENDERS + 1)
        self._work: list[Future[None]] = []

    def __enter__(self) -> Self:
        jobs: list[Callable[[], None]] = [self._send] * SENDERS + [self._sign_in]
        self._work = [self._threads.submit(self._repeat, job) for job in jobs]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._threads.shutdown()
        if error is None:
            for work in self._work:
                work.result()

    def _repeat(self, job: Callable[[], None]) -> None:
        while not self._over.is_set():
            job()

    def _send(self) -> None:
        with self._lock:
            subject, recipient = f"message {next(self._numbers)}", next(self._recipients)
        began = time.monotonic()
        sent = self.server.send(recipient, subject=subject)
        message = Message(subject, recipient, sent, began, time.monotonic())
        with self._lock:
            self.messages.append(message)

    def _sign_in(self) -> None:
        self.sign_ins.append(self.server.can_sign_in(next(self._users), self._password))

    def during(self, began: float, ended: float) -> list[Message]:
        """The messages whose conversation overlaps this time."""
        with self._lock:
            return [
                message
                for message in self.messages
                if message.began < ended and message.ended > began
            ]
