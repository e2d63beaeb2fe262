"""/ : a tile for each area"""

from flask import Blueprint, render_template

blueprint = Blueprint("dashboard", __name__)

TILES = (
    ("users.find", "Users", "The mailboxes"),
    ("domains.find", "Domains", "What this server receives mail for"),
    ("configs.find", "Configurations", "The settings of PostMaster"),
    ("aliases.find", "Aliases", "Where mail to other addresses goes"),
    ("logs.find", "Logs", "What happened"),
    ("admins.find", "Administrators", "Who may sign in here"),
)


@blueprint.get("/")
def show() -> str:
    """The dashboard."""
    return render_template("dashboard.html", tiles=TILES)
