"""What can be done about odd users and their passwords."""

import re
from collections.abc import Collection

from sqlalchemy.orm import Session

from ...errors import Invalid
from ...models import Alias, User
from .. import addresses, alias_rules, lengths, passwords, rows, suspensions
from .. import users as user_acts
from ..history import Kind as Noun
from . import aliases, users
from . import passwords as password_findings
from .plans import (
    LOOKS_LIKE_A_HASH,
    MOST_ROWS,
    MOST_SLOW_ROWS,
    Left,
    Plan,
    Step,
    changed,
    made,
    reset,
)
from .scanning import BLANKS

# A digest in hexadecimal digits, as other programs store it.
DIGEST = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64,}")


def trim(session: Session) -> Plan:
    """Blanks that keep a user from being found go."""
    found = users.scan().rows(session, users.NEVER_FOUND.code, MOST_SLOW_ROWS + 1)
    steps: list[Step] = []
    left: list[Left] = []
    taken: set[str] = set()
    for user in found[:MOST_SLOW_ROWS]:
        try:
            address = addresses.mailbox(suspensions.address_of(user).strip(BLANKS))
            _check_is_free(session, address, taken)
            domain = alias_rules.domain_of(session, address, field="email")
        except Invalid as error:
            left.append(Left.because(users.sample(user), error))
        else:
            taken.add(address)
            steps.append(changed(user, email=address, domain_id=domain.id))
    return Plan(users.NEVER_FOUND, steps, left, len(found) <= MOST_SLOW_ROWS)


def _check_is_free(session: Session, address: str, taken: Collection[str]) -> None:
    if (
        address in taken
        or alias_rules.is_mailbox(session, address)
        or suspensions.is_without_mail(session, address)
    ):
        raise user_acts.is_taken(address)
    if alias_rules.sources_at(session, address):
        raise user_acts.is_an_alias(address)


def hash_passwords(session: Session) -> Plan:
    """Passwords that are stored as they are typed are hashed."""
    found = password_findings.plain(session, MOST_SLOW_ROWS + 1)
    steps: list[Step] = []
    left: list[Left] = []
    for user in found[:MOST_SLOW_ROWS]:
        if DIGEST.fullmatch(user.password):
            left.append(Left(users.sample(user), LOOKS_LIKE_A_HASH))
            continue
        try:
            passwords.check(user.password, minimum=0, most_bytes=passwords.MAIL_PASSWORD_BYTES)
        except Invalid as error:
            left.append(Left.because(users.sample(user), error))
        else:
            steps.append(reset(user))
    return Plan(password_findings.PLAIN, steps, left, len(found) <= MOST_SLOW_ROWS)


# --- mailboxes that get nothing -------------------------------------------------


def keep_swallowed(session: Session) -> Plan:
    """Each mailbox whose mail a catch-all takes gets an alias to itself."""
    query = users.swallowed(session)
    found = [] if query is None else list(session.scalars(query.limit(MOST_ROWS + 1)))
    steps, left = _copies(found[:MOST_ROWS])
    return Plan(users.SWALLOWED, steps, left, len(found) <= MOST_ROWS)


def keep_copies(session: Session) -> Plan:
    """Each mailbox whose mail an alias takes gets an alias to itself."""
    found = aliases.scan(session).rows(session, aliases.OVER_MAILBOX.code, MOST_ROWS + 1)
    sources = {alias.source for alias in found[:MOST_ROWS]}
    mailboxes = rows.where_in(session, User, User.email, sources)
    steps, left = _copies(sorted(mailboxes, key=lambda user: user.id))
    return Plan(aliases.OVER_MAILBOX, steps, left, len(found) <= MOST_ROWS)


def _copies(mailboxes: list[User]) -> tuple[list[Step], list[Left]]:
    steps: list[Step] = []
    left: list[Left] = []
    for user in mailboxes:
        address = user.email.rstrip(" ").lower()
        try:
            lengths.check(address, Alias.source, "source")
        except Invalid as error:
            left.append(Left.because(users.sample(user), error))
        else:
            values = {"domain_id": user.domain_id, "source": address, "destination": address}
            steps.append(made(Noun.ALIAS, **values))
    return steps, left
