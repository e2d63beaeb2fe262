"""/configs"""

from flask import Blueprint

from ..db import db
from ..rules import settings_acts
from ..security import actor
from . import surface

blueprint = Blueprint("configs", __name__)

COLUMNS = (("setting", "Setting"), ("value", "Value"))


@blueprint.get("/configs")
def find() -> str:
    """The list of settings."""
    page = settings_acts.find(db.session(), actor(), surface.criteria())
    return surface.list_page("Configurations", page, COLUMNS, search=False)
