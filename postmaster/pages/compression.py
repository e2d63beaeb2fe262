"""Style sheets and scripts are sent compressed, and kept by the browser for good.

Whole pages are not compressed: they hold what was typed beside the forms' token, and
the length of such an answer can give the token away (the BREACH attack). The rows of a
list that htmx fetches have no token, and another site cannot ask for them.
"""

from datetime import timedelta

from flask import Flask, Response, g, request
from flask_compress import Compress

COMPRESSED = (
    "text/html",
    "text/css",
    "text/javascript",
    "application/javascript",
    "image/svg+xml",
)
KEPT_FOR = timedelta(days=365)


def init_app(app: Flask) -> None:
    """Compress static files, and let browsers keep those whose address has their hash."""
    app.config.update(
        COMPRESS_MIMETYPES=list(COMPRESSED),
        COMPRESS_BR_LEVEL=6,
        COMPRESS_DEFLATE_LEVEL=9,
        COMPRESS_REGISTER=False,
    )
    compress.init_app(app)
    app.after_request(_keep)
    app.after_request(_compress)


compress = Compress()


def hold_no_secret() -> None:
    """Say of this request that its answer has no token in it."""
    g.holds_no_secret = True


def _compress(response: Response) -> Response:
    if request.endpoint == "static" or g.get("holds_no_secret"):
        return compress.after_request(response)
    return response


def _keep(response: Response) -> Response:
    if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
        response.cache_control.public = True
        response.cache_control.max_age = int(KEPT_FOR.total_seconds())
        response.cache_control.immutable = True
        response.cache_control.no_cache = None
    return response
