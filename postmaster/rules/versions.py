"""Versions of rows, so that two people who edit the same row do not overwrite each other.

A form remembers the version that was shown. A version is made of the newest change in
the history and of the row's values, which also change by hand; never of a password.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from ..errors import Conflict
from ..models import HistoryEntry
from . import history

DIGEST_LENGTH = 12
# What people do not know a row by.
UNSPOKEN = ("domain_id",)


def of(session: Session, kind: str, object_id: int, recorded: Mapping[str, Any]) -> str:
    """The version of a row, from its values as the history records them."""
    return _version(history.latest_id(session, kind, object_id), recorded)


def of_all(
    session: Session, kind: str, recorded: Mapping[int, Mapping[str, Any]]
) -> dict[int, str]:
    """The versions of several rows of a kind, in one query."""
    latest = history.latest_ids(session, kind, recorded)
    return {
        object_id: _version(latest.get(object_id, 0), values)
        for object_id, values in recorded.items()
    }


def check(
    session: Session, kind: str, object_id: int, recorded: Mapping[str, Any], seen: str | None
) -> None:
    """Refuse to change what is not any more what was seen. Raises Conflict."""
    if seen is None or seen == of(session, kind, object_id, recorded):
        return
    newest = session.get(HistoryEntry, history.latest_id(session, kind, object_id))
    if newest is None or not seen.endswith(f"-{_digest(recorded)}"):
        raise Conflict(
            "Somebody changed this since you opened it: it is now %(present)s",
            present=", ".join(
                f'"{value}"' for field, value in recorded.items() if field not in UNSPOKEN
            ),
        )
    raise Conflict(
        "Somebody changed this since you opened it: it is now as %(admin)s left it on "
        "%(moment)s UTC",
        admin=newest.admin,
        moment=newest.moment.strftime("%Y-%m-%d %H:%M:%S"),
    )


def _version(latest: int, recorded: Mapping[str, Any]) -> str:
    return f"{latest}-{_digest(recorded)}"


def _digest(recorded: Mapping[str, Any]) -> str:
    text = json.dumps(dict(recorded), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]
