"""Another site, which an administrator visits in the same browser and which means harm."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class OtherSite:
    """Serves the pages that a test gives it, under two names.

    To a browser ``localhost`` is another site than 127.0.0.1, where PostMaster is served:
    cookies that are SameSite do not go along. Another port of 127.0.0.1 is the same site,
    a neighbour: they do, and only the server can tell.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                body = pages.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def url(self, name: str, path: str = "/") -> str:
        """The address by one of the names ``localhost`` and ``127.0.0.1``."""
        return f"http://{name}:{self.http.server_address[1]}{path}"

    def put(self, path: str, body: str) -> None:
        """A page with this in its body."""
        self.pages[path] = f"<!doctype html><title>Prizes</title><body>{body}".encode()
