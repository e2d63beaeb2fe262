"""/ : a tile for each area, and what needs attention"""

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from ..db import db
from ..logfile import LogFile
from ..rules import dashboard, history
from ..security import actor
from . import surface
from .translation import number

blueprint = Blueprint("dashboard", __name__)

MOST_LINES = 10_000
MOST_LOCKED = 10
NEWEST = 8
UNCOUNTED = "…"


@dataclass(frozen=True)
class Tile:
    """An area: its colour's name, where it is, what it is called, and its count."""

    area: str
    endpoint: str
    icon: str
    name: LazyString
    count: str


@blueprint.get("/")
def show() -> Response:
    """The dashboard."""
    session = db.session()
    counts = dashboard.counts(session, actor(), waits=surface.COMPLETED in request.args)
    log: LogFile = current_app.extensions["postmaster_log"]
    lines = log.count(MOST_LINES)
    return surface.show(
        "dashboard.html",
        tiles=_tiles(counts, number(lines) + ("+" if lines == MOST_LINES else "")),
        counts=counts,
        locked=dashboard.locked_admins(session, actor(), MOST_LOCKED),
        log_problem=log.problem(),
        newest=history.newest(session, actor(), NEWEST),
    )


def _tiles(counts: dashboard.Counts, lines: str) -> tuple[Tile, ...]:
    return (
        Tile("users", "users.find", "people", _l("Users"), _shown(counts.users)),
        Tile("domains", "domains.find", "globe", _l("Domains"), _shown(counts.domains)),
        Tile("configs", "configs.find", "gear", _l("Configurations"), _shown(counts.settings)),
        Tile("aliases", "aliases.find", "at", _l("Aliases"), _shown(counts.aliases)),
        Tile("logs", "logs.find", "journal-text", _l("Logs"), lines),
        Tile("admins", "admins.find", "shield-lock", _l("Administrators"), _shown(counts.admins)),
    )


def _shown(count: int | None) -> str:
    return UNCOUNTED if count is None else number(count)
