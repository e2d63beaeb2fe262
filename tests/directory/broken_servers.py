"""Servers that fail as directories do: silent ones, and real ones with the line cut."""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

LOCALHOST = "127.0.0.1"
CHUNK = 65536
SECONDS_TO_END = 5

Address = tuple[str, int]
Serve = Callable[[socket.socket], None]


class Server:
    """Something that listens on a free port and does ``serve`` with each connection.

    ``connections`` is how many there were.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._listening = socket.create_server((LOCALHOST, 0))
        self._taken: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.connections = 0

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _wake(self._listening)
        for connection in self._taken:
            _wake(connection)
        for thread in self._threads:
            thread.join(SECONDS_TO_END)
        self._listening.close()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @property
    def ldaps(self) -> str:
        """Its address for LDAP in TLS."""
        return f"ldaps://{LOCALHOST}:{self.port}"

    @property
    def ldap(self) -> str:
        """Its address for LDAP."""
        return f"ldap://{LOCALHOST}:{self.port}"

    def _accept(self) -> None:
        with suppress(OSError):  # it listens no more
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._taken.append(connection)
                self._run(partial(self._one, connection))

    def _one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._serve(connection)

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()


class Relay(Server):
    """Passes everything on to a real server and back, until the line breaks.

    ``cut_after``: so many octets of the real server's answers pass. Then the line is cut, or
    with ``hangs`` nothing passes any more. ``passed`` counts them, of the last connection;
    ``asked`` is what its client sent.
    """

    def __init__(self, to: Address, *, cut_after: int | None = None, hangs: bool = False) -> None:
        super().__init__(self._pass_on)
        self._to = to
        self._cut_after = cut_after
        self._hangs = hangs
        self.passed = 0
        self.asked = b""

    def _pass_on(self, client: socket.socket) -> None:
        self.passed, self.asked = 0, b""
        with socket.create_connection(self._to, SECONDS_TO_END) as real:
            while True:
                for side in select.select([client, real], [], [])[0]:
                    data = side.recv(CHUNK)
                    if not data:
                        return
                    if side is client:
                        self.asked += data
                        real.sendall(data)
                    elif not self._answer(client, data):
                        return

    def _answer(self, client: socket.socket, data: bytes) -> bool:
        """Pass an answer on. False once the line is cut."""
        if self._cut_after is None:
            self.passed += len(data)
            client.sendall(data)
            return True
        passes = data[: self._cut_after - self.passed]
        self.passed += len(passes)
        client.sendall(passes)
        if self.passed < self._cut_after:
            return True
        if self._hangs:
            _say_nothing(client)
        return False


def silent() -> Server:
    """It takes connections and never says a word: neither TLS nor LDAP."""
    return Server(_say_nothing)


def trickling(words: bytes) -> Server:
    """It says these words, and then for ever one octet after the other."""

    def trickle(connection: socket.socket) -> None:
        connection.sendall(words)
        while not select.select([connection], [], [], 0.2)[0] or connection.recv(CHUNK):
            connection.sendall(b"\0")

    return Server(trickle)


def hanging_up() -> Server:
    """It takes connections and ends them when it has been asked something."""
    return Server(lambda connection: _ignore(connection.recv(CHUNK)))


def greeting(words: bytes) -> Server:
    """It speaks another language: it says these words first, as a mail server does."""

    def greet(connection: socket.socket) -> None:
        connection.sendall(words)
        _say_nothing(connection)

    return Server(greet)


def answering(words: bytes) -> Server:
    """It answers whatever it is asked with the same words."""

    def answer(connection: socket.socket) -> None:
        while connection.recv(CHUNK):
            connection.sendall(words)

    return Server(answer)


def _say_nothing(connection: socket.socket) -> None:
    while connection.recv(CHUNK):
        pass


def _ignore(_data: bytes) -> None:
    """The question does not matter."""


def _wake(waited_for: socket.socket) -> None:
    """End the waiting of a thread, which then closes what it waited for."""
    with suppress(OSError):
        waited_for.shutdown(socket.SHUT_RDWR)
