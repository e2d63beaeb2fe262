"""Style sheets and scripts are sent compressed, and kept by the browser for good.

Whole pages are not compressed: they hold what was typed beside the forms' token, and
the length of such an answer can give the token away (the BREACH attack). The rows of a
list that htmx fetches are compressed where they have no form with a token in them.
"""

from datetime import timedelta
from http import HTTPStatus

from flask import Flask, Response, request
from flask_compress import Compress

COMPRESSED = (
    "text/html",
    "text/css",
    "text/javascript",
    "application/javascript",
    "image/svg+xml",
)
KEPT_FOR = timedelta(days=365)
FONTS_KEPT_FOR = timedelta(days=7)  # the style sheet names them without their hash


def init_app(app: Flask) -> None:
    """Compress static files, and let browsers keep those whose address has their hash."""
    app.config.update(
        COMPRESS_MIMETYPES=list(COMPRESSED),
        # Brotli where the browser takes it (over https, or on this machine); it is smallest.
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br", "deflate"],
        COMPRESS_BR_LEVEL=7,
        COMPRESS_DEFLATE_LEVEL=9,
        COMPRESS_REGISTER=False,
    )
    compress.init_app(app)
    app.after_request(_keep)
    app.after_request(_compress)


compress = Compress()


def _compress(response: Response) -> Response:
    if request.endpoint == "static" or _is_rows_only(response):
        return compress.after_request(response)
    return response


def _is_rows_only(response: Response) -> bool:
    return (
        request.method == "GET"
        and request.headers.get("HX-Target") == "list"
        and response.mimetype == "text/html"
        and b"csrf_token" not in response.get_data()
    )


def _keep(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code == HTTPStatus.OK:
        if "v" in request.args:
            _keep_for(response, KEPT_FOR)
            response.cache_control.immutable = True
        elif request.path.endswith(".woff2"):
            _keep_for(response, FONTS_KEPT_FOR)
    return response


def _keep_for(response: Response, time: timedelta) -> None:
    response.cache_control.public = True
    response.cache_control.max_age = int(time.total_seconds())
    response.cache_control.no_cache = None
