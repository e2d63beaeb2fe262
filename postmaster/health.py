"""/healthz: the process is alive and the database answers, nothing more."""

from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from .db import db, explain

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200, or 503 while the database does not answer."""
    try:
        db.session.execute(text("SELECT 1"))
    except Exception as error:
        if explain(error) is None:
            raise
        response = jsonify(status="database unavailable")
        response.status_code = 503
        return response
    return jsonify(status="ok")
