"""Who may reach what: sessions, CSRF, headers. Closed by default."""

import posixpath
from collections.abc import Iterable
from io import BytesIO
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from flask import Flask, Request, Response, current_app, g, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from .config import Config, is_listed
from .db import db
from .errors import Forbidden, Unauthenticated
from .models import AdminSession
from .rules import admins, lengths, sessions
from .rules.actor import Actor
from .rules.declarations import proposals
from .rules.imports import uploads

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What a stranger may reach; everything else asks for a session.
PUBLIC_ENDPOINTS = frozenset(
    {
        "static",
        "health.healthz",
        "metrics.show",
        "login.sign_in",
        "openid.begin",
        "openid.finish",
    }
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
API_PREFIX = "/api/"
MOST_BODY_BYTES = 1024 * 1024
# Where whoever is signed in may send more: a file to import, or one that declares.
LARGE_BODIES = {
    "imports.upload": uploads.MOST_BYTES,
    "api_imports.create": uploads.MOST_BYTES,
    "declared.plan": proposals.MOST_SENT_BYTES,
    "declared.apply": proposals.MOST_SENT_BYTES,
    "api_declared.plan": proposals.MOST_SENT_BYTES,
    "api_declared.apply": proposals.MOST_SENT_BYTES,
}
FORWARDED_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
)
HEADERS = {
    "Content-Security-Policy": (
        # data: for the style sheet's own icons; an image cannot run anything.
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

csrf = CSRFProtect()
login_manager = LoginManager()


class InMemory(Request):
    """A request whose files are kept in memory: nothing is written outside the log's folder.

    How large they may be is ``LARGE_BODIES``.
    """

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 -- Werkzeug's own signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return BytesIO()


class SessionCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, Secure wherever the request came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 -- Flask's own signature
        """Whether the browser may send the cookie by https only."""
        return request.is_secure


class CurrentAdmin(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """The signed-in admin, as Flask-Login wants to see one."""

    def __init__(self, signed_in: sessions.SignedIn) -> None:
        self.signed_in = signed_in

    def get_id(self) -> str:
        """What the cookie holds: the session's token, not the admin's id."""
        return self.signed_in.token


def init_app(app: Flask, config: Config) -> None:
    """Close the application, and put the session's and the headers' rules on it."""
    app.config.update(
        SECRET_KEY=config.secret_key or None,
        SESSION_COOKIE_NAME="postmaster",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=MOST_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BODY_BYTES,
        TRUSTED_HOSTS=list(config.hosts) or None,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    app.request_class = InMemory
    app.session_interface = SessionCookie()
    app.wsgi_app = TrustedProxies(app.wsgi_app, config)  # type: ignore[method-assign]
    csrf.init_app(app)
    # Not Flask-Login's context processor: it would ask a database that is away once more,
    # while the page that says so is made.
    login_manager.init_app(app, add_context_processor=False)
    login_manager.session_protection = None  # an address may change; the token is the session
    login_manager.user_loader(_load)
    # Before Flask-WTF's check, which would answer a stranger first.
    app.before_request_funcs.setdefault(None, [])[:0] = [
        _refuse_other_sites,
        _require_session,
        _allow_large_body,
    ]
    app.after_request(_add_headers)
    app.add_template_global(signed_in)
    app.add_template_global(uses_default_password)


def configuration() -> Config:
    """What this application was configured with."""
    config: Config = current_app.extensions["postmaster"]
    return config


def _load(token: str) -> CurrentAdmin | None:
    signed_in = sessions.find(db.session(), token)
    return CurrentAdmin(signed_in) if signed_in else None


def signed_in() -> sessions.SignedIn | None:
    """The session behind this request, if there is one."""
    return current_user.signed_in if current_user.is_authenticated else None


def is_known_to_be_signed_in() -> bool:
    """Whether this request was found to be an administrator's, without asking the database."""
    user = g.get("_login_user")  # where Flask-Login keeps whom it has found
    return user is not None and user.is_authenticated


def actor() -> Actor:
    """Who makes this request."""
    who = signed_in()
    if who is None:
        raise Unauthenticated("You are not signed in")
    via = "api" if is_api() else "page"
    return Actor(who.admin_id, who.username, via, client_ip())


def client_ip() -> str:
    """The address the request came from, or that a listed proxy names."""
    return (request.remote_addr or "")[: lengths.of(AdminSession.ip)]


def is_api() -> bool:
    """Whether this path answers in JSON."""
    return request.path.startswith(API_PREFIX)


def _require_session() -> None:
    if request.endpoint is None or request.endpoint in PUBLIC_ENDPOINTS:
        return
    if signed_in() is None:
        raise Unauthenticated("Sign in first: this needs a session")


def _allow_large_body() -> None:
    most = LARGE_BODIES.get(request.endpoint or "")
    if most is not None:
        request.max_content_length = most
        request.max_form_memory_size = most  # else a text field ends where other bodies do


def uses_default_password() -> bool:
    """Whether a new installation's password still opens it."""
    who = signed_in()
    return who is not None and any(map(admins.is_default_password, who.default_admin_hashes))


# --- requests from other sites --------------------------------------------------


def is_from_another_site() -> bool:
    """Whether the browser says that another site, or a neighbour of ours, sent this."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return True
    origin = request.headers.get("Origin")
    # The scheme is not compared: a proxy that is not listed may have taken the TLS off.
    return origin is not None and urlsplit(origin).netloc != request.host


def _refuse_other_sites() -> None:
    if request.method not in SAFE_METHODS:
        refuse_if_from_another_site()


def refuse_if_from_another_site() -> None:
    """Refuse what another site made a browser send; also for the few GETs that change things."""
    if is_from_another_site():
        raise Forbidden(
            "This request came from another site and was refused. If PostMaster is behind a "
            "proxy, the proxy must pass the Host header on, or be listed under proxies"
        )


class TrustedProxies:
    """Believes listed proxies (X-Forwarded headers, whom they signed in), and nobody else."""

    def __init__(self, app: "WSGIApplication", config: Config) -> None:
        self.direct = app
        self.behind_proxy = ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
        self.proxies = config.proxies
        names = config.sign_in_header.upper().replace("-", "_")
        self.sign_in_header = f"HTTP_{names}" if names else None

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Pass the request on by the one way or the other."""
        if is_listed(environ.get("REMOTE_ADDR", ""), self.proxies):
            return self.behind_proxy(environ, start_response)
        for header in FORWARDED_HEADERS:
            environ.pop(header, None)
        if self.sign_in_header is not None:
            environ.pop(self.sign_in_header, None)
        return self.direct(environ, start_response)


def safe_next(target: str | None) -> str:
    """The path to go on to after sign-in: within this site, else the dashboard."""
    home = url_for("dashboard.show")
    if not target or not target.startswith("/") or target.startswith("//"):
        return home
    if any(c in "\\" or not c.isprintable() for c in target):
        return home
    try:
        parts = urlsplit(target)
    except ValueError:
        return home
    # Nobody signs in to be signed out at once, however it is spelled.
    leads_out = posixpath.normpath(unquote(parts.path)) == url_for("login.sign_out")
    return home if parts.scheme or parts.netloc or leads_out else target


# --- headers --------------------------------------------------------------------


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
