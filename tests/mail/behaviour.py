"""What a mail server does, seen from outside, to compare before and after."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.mail.server import MailServer


@dataclass(frozen=True)
class Behaviour:
    """Of each address the answer to RCPT, and where its mail ends; of each user the sign-in."""

    replies: dict[str, int]
    ends: dict[str, set[tuple[str, str]]]
    signs_in: dict[str, bool]

    @property
    def answers(self) -> set[int]:
        """The different answers to RCPT."""
        return set(self.replies.values())


def of(
    server: MailServer, addresses: Sequence[str], users: Sequence[str], password: str
) -> Behaviour:
    """One message to all of the addresses, and a sign-in by each of the users."""
    sent = server.send(*addresses)
    ends: dict[str, set[tuple[str, str]]] = {}
    for end in server.wait_for(sent):
        ends.setdefault(end.original, set()).add((end.to, end.status))
    with ThreadPoolExecutor(len(users)) as together:  # those that are refused wait
        signs_in = together.map(partial(server.can_sign_in, password=password), users)
    return Behaviour(
        {address: reply.code for address, reply in sent.recipients.items()},
        ends,
        dict(zip(users, signs_in, strict=True)),
    )


def recipients(server: MailServer, address: str) -> list[str]:
    """Where mail to an address arrives."""
    ends = server.deliver(address)
    assert {end.status for end in ends} == {"sent"}, ends
    return sorted(end.to for end in ends)


def bounced(server: MailServer, address: str) -> list[str]:
    """Of which addresses the sender hears that they got nothing."""
    ends = server.deliver(address)
    assert {end.status for end in ends} == {"bounced"}, ends
    return server.bounces()[-1].failed
