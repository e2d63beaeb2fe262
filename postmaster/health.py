"""/healthz: the process is alive and can do its work on the database, nothing more."""

from flask import Blueprint, Response, jsonify

from . import examining
from .db import db
from .errors import RuleError, fill
from .rules.checkup import accounts, installation
from .rules.checkup.findings import Finding

blueprint = Blueprint("health", __name__)

# With these a host cannot do its work: a balancer takes it out.
REFUSING = (*installation.REFUSING, accounts.DATABASE_LESS)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200, or 503 with what is wrong while the database cannot be used.

    A wrong clock is a warning: signing in mostly works, and a balancer would take out every
    host if the database server's is the wrong one. Strangers read this, so no account, database
    or file is named.
    """
    session = db.session()
    try:
        found = [*installation.find(session), *accounts.database_user(session)]
    except Exception as error:
        refusal = error if isinstance(error, RuleError) else examining.explained(error)
        if refusal is None:
            raise
        return _unavailable(str(refusal))
    for finding in found:
        if finding.kind in REFUSING:
            return _unavailable(_in_words(finding))
    warnings = [_in_words(finding) for finding in found if finding.kind in installation.CLOCKS]
    return jsonify(status="ok", warning=warnings[0]) if warnings else jsonify(status="ok")


def _in_words(finding: Finding) -> str:
    return f"{finding.kind.what}. {fill(finding.kind.meaning, finding.values)}"


def _unavailable(message: str) -> Response:
    response = jsonify(status="database unavailable", message=message)
    response.status_code = 503
    return response
