"""/domains"""

from flask import Blueprint

from ..db import db
from ..rules import domains
from ..security import actor
from . import surface

blueprint = Blueprint("domains", __name__)

COLUMNS = (("name", "Domain"),)


@blueprint.get("/domains")
def find() -> str:
    """The list of domains."""
    page = domains.find(db.session(), actor(), surface.criteria())
    return surface.list_page("Domains", page, COLUMNS, search=True)
