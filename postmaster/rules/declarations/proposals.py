"""What is sent to the panel to be declared: carried through its plan, and then applied.

Nothing is kept here between the two: the text goes to the browser and comes back, encrypted.
"""

import hashlib
import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from ...errors import Conflict, Invalid
from ...models import HistoryEntry, Import
from .. import history, lengths, passwords, suspensions, turns
from ..actor import Actor
from ..consequences import Planned
from ..imports import uploads
from ..imports.hashing import Task, done
from ..imports.parts import Parts
from ..imports.sealing import Seal
from ..imports.verdicts import Options, Verdict
from . import applying, differences, document
from .differences import Plan
from .document import NOT_SUSPENDED, Declaration

MOST_BYTES = 4 * 1024 * 1024  # of a text; a command takes any number
# In a request: as JSON or sealed and in base64, with the rest of the form.
MOST_SENT_BYTES = 2 * MOST_BYTES
MOST_GENERATED = 1000  # passwords, each of which takes milliseconds to hash; a command takes more
DIGEST_LENGTH = 32
PURPOSE = b"postmaster: declarations between plan and act"


@dataclass(frozen=True)
class Sent:
    """A text, what the history is to call it, and whether passwords may be generated for it."""

    name: str
    content: bytes = field(repr=False)
    generates: bool = False


class Envelope:
    """Takes what was sent through a page that shows nothing of it: it may hold hashes."""

    def __init__(self, secret_key: str) -> None:
        self._seal = Seal(secret_key, PURPOSE)

    def close(self, sent: Sent) -> str:
        """What was sent, compressed and encrypted."""
        about = json.dumps([sent.name, sent.generates]).encode()
        return self._seal.close(zlib.compress(about + b"\n" + sent.content)).decode("ascii")

    def open(self, sealed: str) -> Sent:
        """What was sent. Raises Invalid where it is not what ``close`` gave."""
        try:
            opened = self._seal.open(sealed.encode())
        except Invalid:
            raise Invalid("What you sent cannot be read any more. Send it again") from None
        about, _newline, content = zlib.decompress(opened).partition(b"\n")
        name, generates = json.loads(about)
        return Sent(name, content, generates)


# --- the plan -------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """What was sent, read and planned. ``digest`` changes with all that a plan says.

    ``refusals`` are the plan's, and what lacks the permission to generate passwords.
    """

    sent: Sent
    declaration: Declaration
    plan: Plan
    refusals: Sequence[Invalid]
    digest: str


def plan(session: Session, actor: Actor, sent: Sent) -> Proposal:
    """Read what was sent and plan it; nothing is written. Raises Invalid, with the line."""
    if len(sent.content) > MOST_BYTES:
        raise Invalid(
            "The file has more than %(most)s MB: use manage.py apply for larger ones",
            field="file",
            most=MOST_BYTES // 1024**2,
        )
    return _planned(session, actor, sent, document.read(io.BytesIO(sent.content)))


def _planned(session: Session, actor: Actor, sent: Sent, declaration: Declaration) -> Proposal:
    found = differences.plan(session, actor, declaration)
    refusals = [*found.refusals, *_without_password(found, sent)]
    return Proposal(sent, declaration, found, refusals, _digest(found, refusals))


def _without_password(found: Plan, sent: Sent) -> list[Invalid]:
    if not sent.generates:
        return [
            document.at_line(each.line, applying.has_no_hash(each.address))
            for each in found.new_users
            if each.hashed is None
        ]
    if len(found.generated) > MOST_GENERATED:
        return [
            Invalid(
                "%(count)s passwords would have to be generated, and at most %(most)s can be "
                "here: use manage.py apply",
                count=len(found.generated),
                most=MOST_GENERATED,
            )
        ]
    return []


def _digest(found: Plan, refusals: Sequence[Invalid]) -> str:
    steps = [[each.sign, each.kind, each.name, each.line, each.details] for each in found.steps]
    said = [
        found.seen,
        steps,
        [str(warning) for warning in found.warnings],
        [str(refusal) for refusal in refusals],
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:DIGEST_LENGTH]


def planned(found: Plan) -> Planned:
    """The rows that would come and go, to see what that means for mail."""
    silenced = [user for user, mode in found.new_modes if mode is suspensions.Mode.ALL]
    heard = [
        suspensions.address_of(user)
        for user, mode in found.new_modes
        if mode is not suspensions.Mode.ALL and suspensions.mode_of(user) is suspensions.Mode.ALL
    ]
    new = [
        declared.address
        for declared in found.new_users
        if declared.suspended in (None, NOT_SUSPENDED, suspensions.Mode.SIGN_IN)
    ]
    return Planned(
        gone_aliases=found.gone_aliases,
        new_aliases=[(each.source, each.destination) for each in found.new_aliases],
        gone_users=[
            user
            for user in (*found.gone_users, *silenced)
            if suspensions.mode_of(user) is not suspensions.Mode.ALL
        ],
        new_users=[*heard, *new],
        gone_domains=found.gone_domains,
    )


# --- the act --------------------------------------------------------------------


@dataclass(frozen=True)
class Generated:
    """A password for a new user, and its hash."""

    address: str
    password: str = field(repr=False)
    hashed: str = field(repr=False)


@dataclass(frozen=True)
class Applied:
    """The change in the history, None where there was nothing to do, and the import that keeps
    the passwords that were generated, if there are any.
    """

    head: HistoryEntry | None
    keeper: Import | None


def check_is_shown(proposal: Proposal, shown: str) -> None:
    """Raises Conflict where another plan was shown."""
    if proposal.digest != shown:
        raise Conflict(
            "The tables were changed since the plan was made, and nothing was done. Look at the "
            "plan again"
        )


def generate(proposal: Proposal) -> list[Generated]:
    """Passwords for the new users that have none; before the act, since that holds the turn."""
    if proposal.refusals:
        return []
    addresses = proposal.plan.generated
    tasks = [Task(passwords.suggestion()) for _address in addresses]
    return [
        Generated(address, task.password, hashed or "")
        for address, task, hashed in zip(addresses, tasks, done(tasks), strict=True)
    ]


def apply(
    session: Session,
    actor: Actor,
    seal: Seal,
    proposal: Proposal,
    generated: Sequence[Generated],
    *,
    shown: str,
) -> Applied:
    """Do all of it or nothing, if it still is what was ``shown``: the plan's digest.

    Generated passwords are kept like an import's, to be fetched within a day. Raises Conflict,
    and Invalid where the plan has refusals.
    """
    turns.take(session, turns.Queue.MAIL)
    now = _planned(session, actor, proposal.sent, proposal.declaration)
    check_is_shown(now, shown)
    for refusal in now.refusals:
        raise refusal
    head = applying.apply(
        session,
        actor,
        proposal.declaration,
        name=proposal.sent.name[: lengths.of(HistoryEntry.object_name)],
        seen=now.plan.seen,
        hashes={each.address: each.hashed for each in generated},
    )
    if head is None or not generated:
        return Applied(head, None)
    return Applied(head, _kept(session, actor, seal, now, generated, head))


def _kept(
    session: Session,
    actor: Actor,
    seal: Seal,
    proposal: Proposal,
    generated: Sequence[Generated],
    head: HistoryEntry,
) -> Import:
    """An import that is finished: it has made these users, and their passwords wait."""
    uploads.clear(session)
    moment = history.now()
    record = Import(
        started=moment,
        finished=moment,
        admin=actor.name[: lengths.of(Import.admin)],
        name=proposal.sent.name[: lengths.of(Import.name)],
        digest=proposal.digest,
        options=Options(generate=True).stored(),
        counts={Verdict.CREATE: len(generated)},
        total=len(generated),
        done=len(generated),
        head_id=head.id,
    )
    session.add(record)
    session.flush()
    Parts(session, seal, record.id).add_passwords(
        [(each.address, each.password) for each in generated]
    )
    return record
