"""/users"""

from flask import Blueprint

from ..db import db
from ..rules import users
from ..security import actor
from . import surface

blueprint = Blueprint("users", __name__)

COLUMNS = (("email", "Email address"),)


@blueprint.get("/users")
def find() -> str:
    """The list of users."""
    page = users.find(db.session(), actor(), surface.criteria())
    return surface.list_page("Users", page, COLUMNS, search=True)
