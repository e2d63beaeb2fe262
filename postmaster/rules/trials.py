"""Trying out what the settings say of a directory, before anybody needs it."""

from sqlalchemy.orm import Session

from ..db import announce
from ..directory import asking
from ..directory.plan import Directory
from ..directory.trail import Step
from ..errors import Invalid
from . import addresses, directories, history
from .actor import Actor
from .directories import Trust


def begin(session: Session, actor: Actor, trust: Trust, *, username: str) -> Directory:
    """The directory to try. Raises Invalid where it is not configured or nobody is named.

    The log tells of it: whoever tries passwords here shall be seen.
    """
    if not username.strip():
        raise Invalid("The username was not specified", field="username")
    directory = directories.configured(session, trust)
    sentence = f"The directory was tried as {addresses.shown(username.strip())}"
    announce(session, history.LogEntry("auth", actor.name, sentence, actor.ip))
    return directory


def run(directory: Directory, *, username: str, password: str) -> list[Step]:
    """The steps of a sign-in; without a password those of looking an account up.

    Slow, and needs no database.
    """
    return asking.try_out(directory, username, password)


def is_good(steps: list[Step]) -> bool:
    """Whether the verdict, which is the last step, is that this account can sign in."""
    return bool(steps) and steps[-1].passed
