"""The trace's answers beside those of the real mail server, for many addresses at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pymysql.cursors import Cursor

from postmaster.db import db
from postmaster.rules import trace
from postmaster.rules.expansion import Map
from postmaster.rules.trace_words import Verdict
from postmaster.rules.traces import Trace
from tests.conftest import ADMIN
from tests.mail.random_tables import ELSEWHERE, HERE, Tables
from tests.mail.server import MailServer, Sent

Key = tuple[Map, str]


@dataclass(frozen=True)
class Answer:
    """What becomes of mail to an address. ``lookups``: each key's answer, row by row."""

    taken: bool
    put_off: bool = False
    reached: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    lookups: Mapping[Key, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = ["refused" if not self.taken else "put off" if self.put_off else "taken"]
        lines += [f"reaches {name}" for name in sorted(self.reached)]
        lines += [f"lost at {name}" for name in sorted(self.lost)]
        lines += [f"{name} of {key!r}: {text!r}" for (name, key), text in self.lookups.items()]
        return "\n".join(f"    {line}" for line in lines)


@dataclass(frozen=True)
class Disagreement:
    """An address for which the two say different things."""

    tables: Tables
    address: str
    by_trace: Answer
    by_server: Answer

    def __str__(self) -> str:
        return (
            f"{self.tables.sql()}\n-- {self.address}\n"
            f"  The trace:\n{self.by_trace}\n  The mail server:\n{self.by_server}"
        )


@dataclass
class Asked:
    """Tables with the addresses that were tried on them, while the mail is still under way."""

    tables: Tables
    traces: dict[str, Trace]
    lookups: dict[Key, str]
    lmtp: dict[str, bool]
    domains: set[str]
    sent: dict[str, Sent]
    subject: str
    bounced: set[str] = field(default_factory=set)
    _ends: dict[str, set[str]] = field(default_factory=dict)

    def ends_of(self, address: str) -> set[str]:
        """The final recipients of what was sent to this address, as far as they are known."""
        return self._ends.setdefault(address.lower(), set())


class Comparison:
    """Puts tables into the database and asks both sides."""

    def __init__(self, cursor: Cursor, server: MailServer) -> None:
        self._cursor = cursor
        self._server = server
        self._count = 0

    def disagreements(self, asked: Sequence[Asked]) -> Iterator[Disagreement]:
        """Wait for all the mail, and compare."""
        self._wait(asked)
        for one in asked:
            for address, traced in one.traces.items():
                by_trace, by_server = _by_trace(traced), _by_server(one, address)
                if by_trace != by_server:
                    yield Disagreement(one.tables, address, by_trace, by_server)

    def ask(self, tables: Tables, addresses: Sequence[str]) -> Asked:
        """Ask both sides about these addresses, and send mail to them."""
        self._put(tables)
        db.session.remove()
        found = trace.of_many(db.session(), ADMIN, addresses)
        db.session.remove()
        traces = dict(zip(addresses, found, strict=True))
        self._count += 1
        subject = f"tables {self._count}"
        lookups = self._lookups(found)
        here = {key for (name, key), answer in lookups.items() if name is Map.DOMAINS and answer}
        finals = {final for one in found for final in (*one.passed_on, *one.lost)}
        mailboxes = sorted(final for final in finals if final.rpartition("@")[2] in here)
        return Asked(
            tables,
            traces,
            lookups,
            {to: reply.accepted for to, reply in self._server.lmtp_rcpts(mailboxes).items()},
            here,
            self._send(traces, subject),
            subject,
        )

    def _put(self, tables: Tables) -> None:
        self._cursor.execute("BEGIN")
        for name in ("virtual_aliases", "virtual_users", "virtual_domains"):
            self._cursor.execute(f"DELETE FROM {name}")
        for statement, rows in tables.statements():
            self._cursor.executemany(statement, rows)
        self._cursor.execute("COMMIT")

    def _lookups(self, found: Sequence[Trace]) -> dict[Key, str]:
        """What the maps answer to every question that the traces say is asked."""
        domains = dict.fromkeys((*HERE, ELSEWHERE))
        keys: dict[Map, dict[str, None]] = {Map.DOMAINS: domains}
        for one in found:
            for step in one.steps:
                for asked in step.asked:
                    keys.setdefault(asked.map, {})[asked.key] = None
        answers: dict[Key, str] = {}
        for name, wanted in keys.items():
            known = self._server.lookup(name, *wanted)
            answers |= {(name, key): known.get(key, "") for key in wanted}
        return answers

    def _send(self, traces: Mapping[str, Trace], subject: str) -> dict[str, Sent]:
        """One message to all; those that are put off, alone, as they take the others along."""
        alone = [address for address, one in traces.items() if one.verdict is Verdict.PUT_OFF]
        together = [address for address in traces if address not in alone]
        groups = [together] if together else []
        sent = self._server.send_all([*groups, *([one] for one in alone)], subject)
        if together and _is_put_off(sent[0]):  # the trace does not know of somebody
            sent[:1] = self._server.send_all([[one] for one in together], subject)
        return {address: one for one in sent for address in one.recipients}

    def _wait(self, asked: Sequence[Asked]) -> None:
        """Until everything has arrived; then each knows its final recipients."""
        by_subject = {one.subject: one for one in asked}
        for one in asked:
            for queue_id in {sent.queue_id for sent in one.sent.values() if _is_queued(sent)}:
                for end in self._server.postfix.log.wait_for(queue_id):
                    if end.status == "bounced":  # by Postfix itself; the sink takes everything
                        one.bounced.add(end.to.lower())
                        one.ends_of(end.original).add(end.to.lower())
        for message in self._server.sink.received():
            if message.subject in by_subject:
                for recipient in message.recipients:
                    ends = by_subject[message.subject].ends_of(recipient.original)
                    ends.add(recipient.address.lower())
        self._server.sink.empty()


def _is_queued(sent: Sent) -> bool:
    return sent.data is not None and sent.data.accepted


def _is_put_off(sent: Sent) -> bool:
    return sent.data is not None and not sent.data.accepted


def _by_trace(traced: Trace) -> Answer:
    return Answer(
        taken=traced.verdict is not Verdict.REFUSED,
        put_off=traced.verdict is Verdict.PUT_OFF,
        reached=frozenset(traced.passed_on),
        lost=frozenset(traced.lost),
        lookups={
            (asked.map, asked.key): ",".join(asked.answers)
            for step in traced.steps
            for asked in step.asked
        },
    )


def _by_server(asked: Asked, address: str) -> Answer:
    traced = _by_trace(asked.traces[address])
    sent = asked.sent[address]
    finals = asked.ends_of(address)
    here = {to for to in finals if to.rpartition("@")[2] in asked.domains}
    lost = (finals & asked.bounced) | {to for to in here if not asked.lmtp.get(to)}
    taken = sent.recipients[address].accepted
    return Answer(
        taken=taken,
        put_off=taken and _is_put_off(sent),
        reached=frozenset(finals - lost),
        lost=frozenset(lost),
        lookups={key: asked.lookups[key] for key in traced.lookups},
    )
