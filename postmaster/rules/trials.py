"""Trying out what the settings say of a directory, before anybody needs it.

The log tells of each trial, and one that fails counts as a refused sign-in of its address:
whoever finds a browser open may guess no more here than at the sign-in.
"""

from sqlalchemy.orm import Session

from ..db import announce
from ..directory.plan import Directory
from ..directory.trail import Step
from ..errors import Invalid, Throttled
from . import addresses, attempts, directories, history
from .actor import Actor
from .directories import Trust


def begin(
    session: Session,
    actor: Actor,
    trust: Trust,
    *,
    username: str,
    failures_per_hour: int | None = None,
) -> Directory | Throttled:
    """The directory to try. Raises Invalid where it is not configured or nobody is named.

    Too many that failed are refused by what is returned; None: the operator may try as often
    as there is need.
    """
    if not username.strip():
        raise Invalid("The username was not specified", field="username")
    if failures_per_hour is not None:
        throttled = attempts.throttled(session, actor.ip, failures_per_hour)
        if throttled is not None:
            return throttled
    return directories.configured(session, trust)


def run(directory: Directory, *, username: str, password: str) -> list[Step]:
    """The steps of a sign-in; without a password those of looking an account up.

    Slow, and needs no database.
    """
    from ..directory import asking  # noqa: PLC0415 -- see directory/__init__

    return asking.try_out(directory, username, password)


def end(session: Session, actor: Actor, steps: list[Step], *, username: str) -> None:
    """Have the log tell of a trial, and count it if it failed."""
    if not is_good(steps) and actor.ip:
        attempts.add_failure(session, actor.ip)
    verdict = "can sign in" if is_good(steps) else "cannot sign in"
    sentence = f"The directory was tried as {addresses.shown(username.strip())}: {verdict}"
    announce(session, history.LogEntry("auth", actor.name, sentence, actor.ip))


def is_good(steps: list[Step]) -> bool:
    """Whether the verdict, which is the last step, is that this account can sign in."""
    return bool(steps) and steps[-1].passed
