"""/logs"""

from collections.abc import Callable

from flask import Blueprint, Response, current_app, request, stream_with_context
from flask_babel import lazy_gettext as _l

from ..logfile import CATEGORIES, Line, LogFile
from . import surface
from .translation import moment

blueprint = Blueprint("logs", __name__)

STEP = 50
MOST_LINES = 5000
# A filter that finds little must not read a log of years.
MOST_FILTERED = 100_000
KINDS = {"audit": _l("Changes"), "auth": _l("Sign-ins"), "error": _l("Errors")}


@blueprint.get("/logs")
def find() -> Response:
    """The last lines of the log, the newest first."""
    wanted = _wanted()
    most = min(max(request.args.get("lines", STEP, type=int), 1), MOST_LINES)
    lines, problem = [], ""
    try:
        among = MOST_FILTERED if wanted else None
        lines = _log().newest(most + 1, wanted, among=among)
    except OSError as error:
        problem = error.strerror or str(error)
    return surface.show(
        "logs/list.html",
        lines=lines[:most],
        more=most + STEP if most < len(lines) and most < MOST_LINES else None,
        problem=problem,
        unwritable=_log().problem(),
        kinds=KINDS,
        is_filtered=wanted is not None,
        among=MOST_FILTERED,
        path=_log().path,
    )


@blueprint.get("/logs/download")
def download() -> Response:
    """The log as a file, or of it what the filter lets through; the oldest line first."""
    content = stream_with_context(_log().content(_wanted()))
    response = Response(content, mimetype="text/plain")
    response.headers["Content-Disposition"] = "attachment; filename=postmaster.log"
    return response


@blueprint.app_template_filter()
def log_moment(line: Line) -> str:
    """When a line was written; as it stands there if that is no moment."""
    try:
        return moment(line.timestamp)
    except ValueError:
        return line.timestamp


def _log() -> LogFile:
    log: LogFile = current_app.extensions["postmaster_log"]
    return log


def _wanted() -> Callable[[Line], bool] | None:
    """What the filter lets through; None for all."""
    kind = request.args.get("kind", "")
    text = request.args.get("search", "").strip().casefold()
    if kind not in CATEGORIES:
        kind = ""
    if not kind and not text:
        return None

    def wanted(line: Line) -> bool:
        return (not kind or line.category == kind) and (
            text in line.message.casefold() or text in (line.admin or "").casefold()
        )

    return wanted
