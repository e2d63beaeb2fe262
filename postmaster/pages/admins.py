"""/admins"""

from flask import Blueprint

from ..db import db
from ..rules import admins
from ..security import actor
from . import surface

blueprint = Blueprint("admins", __name__)

COLUMNS = (("username", "Username"), ("name", "Name"), ("source", "Source"))


@blueprint.get("/admins")
def find() -> str:
    """The list of administrators."""
    page = admins.find(db.session(), actor(), surface.criteria())
    return surface.list_page("Administrators", page, COLUMNS, search=True)
