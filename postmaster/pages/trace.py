"""/trace: what the mail server does with an address."""

from flask import Blueprint, Response

from . import surface

blueprint = Blueprint("trace", __name__)


@blueprint.get("/trace")
def show() -> Response:
    """The verdict on an address, and how it comes about."""
    return surface.show("trace/show.html")
