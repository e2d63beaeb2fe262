"""/logs"""

from flask import Blueprint, current_app, render_template

LINES = 50

blueprint = Blueprint("logs", __name__)


@blueprint.get("/logs")
def find() -> str:
    """The last lines of the log, the newest first."""
    lines = current_app.extensions["postmaster_log"].newest(LINES)
    return render_template("logs.html", lines=lines)
