"""The API's description: as an OpenAPI document, and as a page to read."""

from flask import Blueprint, Response, current_app, jsonify, render_template

from .surface import PREFIX

blueprint = Blueprint("api_description", __name__, url_prefix=PREFIX)
METHODS = ("get", "post", "put", "patch", "delete")


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The document, made from the schemas that check the requests."""
    return jsonify(current_app.extensions["openapi"].spec.to_dict())


@blueprint.get("/docs")
def docs() -> str:
    """The same document as a page, rendered here: no script, no other host."""
    return render_template(
        "api/docs.html",
        document=current_app.extensions["openapi"].spec.to_dict(),
        methods=METHODS,
    )
