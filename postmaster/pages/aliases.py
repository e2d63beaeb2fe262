"""/aliases"""

from flask import Blueprint

from ..db import db
from ..rules import aliases
from ..security import actor
from . import surface

blueprint = Blueprint("aliases", __name__)

COLUMNS = (("source", "Source"), ("destination", "Destination"))


@blueprint.get("/aliases")
def find() -> str:
    """The list of aliases."""
    page = aliases.find(db.session(), actor(), surface.criteria())
    return surface.list_page("Aliases", page, COLUMNS, search=True)
