"""The whole checkup: what ``/checkup`` and ``manage.py checkup`` show."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from ...errors import Phrase
from ...logfile import LogFile
from ..actor import Actor
from ..directories import Trust
from . import (
    accounts,
    aliases,
    circles,
    domains,
    installation,
    passwords,
    scanning,
    sign_ins,
    tables,
    users,
)
from .findings import Finding, Report, in_order

Progress = Callable[[str], None]
# What is looked at, in this order.
INSTALLATION = Phrase("the installation")
FORM = Phrase("the form of the tables")
ACCOUNTS = Phrase("accounts")
DOMAINS = Phrase("domains")
USERS = Phrase("users")
PASSWORDS = Phrase("passwords")
ALIASES = Phrase("aliases")
STEPS = (INSTALLATION, FORM, ACCOUNTS, DOMAINS, USERS, PASSWORDS, ALIASES)


def check(
    session: Session,
    actor: Actor,
    *,
    log: LogFile | None = None,
    trust: Trust = Trust(),  # noqa: B008 -- it cannot be changed
    progress: Progress = lambda _step: None,
) -> Report:
    """Look at everything, and at the log if it is given.

    ``trust`` is what the configuration file says of the directory. ``progress`` is told what is
    looked at next.
    """
    progress(INSTALLATION)
    found: list[Finding] = installation.find(session)
    found += installation.find_log(log) if log else []
    if not installation.may_be_read(found):
        return Report(in_order(found), [], complete=False)
    progress(FORM)
    found += tables.find(session)
    progress(ACCOUNTS)
    found += accounts.find(session)
    found += sign_ins.find(session, trust)
    if not tables.may_be_compared(found):
        return Report(in_order(found), [], complete=False)
    progress(DOMAINS)
    found += scanning.find(session, domains.scan())
    progress(USERS)
    found += scanning.find(session, users.scan())
    progress(PASSWORDS)
    seen = passwords.find(session)
    found += seen.findings
    progress(ALIASES)
    found += scanning.find(session, aliases.scan(session))
    found += circles.find(session)
    found += users.find_swallowed(session)
    return Report(in_order(found), seen.schemes)
