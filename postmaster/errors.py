"""What a rule says when it refuses.

A rule raises one of these; each surface (pages, API, commands) turns them into
its own form in one place. Nothing here knows a surface, but each class carries
the HTTP status that both web surfaces answer with, so that they agree.
"""

from typing import Any, ClassVar


class RuleError(Exception):
    """A refusal that a person can act on.

    ``template`` is an English sentence with ``%(name)s`` places, which are
    filled from ``values``; both are kept, so that a surface can translate the
    sentence first. ``field`` names the input that is wrong, if it is one.
    """

    status: ClassVar[int] = 400

    def __init__(self, template: str, *, field: str | None = None, **values: Any) -> None:
        self.template = template
        self.field = field
        self.values = {"field": field, **values}
        super().__init__(template % self.values)


class Invalid(RuleError):
    """The input breaks a rule."""


class Unauthenticated(RuleError):
    """Nobody is signed in."""

    status = 401


class Forbidden(RuleError):
    """The actor may not do this."""

    status = 403


class NotFound(RuleError):
    """There is no such row."""

    status = 404

    def __init__(
        self, template: str = "It was not found", *, field: str | None = None, **values: Any
    ) -> None:
        super().__init__(template, field=field, **values)


class Conflict(RuleError):
    """Something else changed the same rows meanwhile."""

    status = 409


class Throttled(RuleError):
    """Too many refused sign-ins from one address; ``retry_after`` is in seconds."""

    status = 429

    def __init__(self, template: str, *, retry_after: int, **values: Any) -> None:
        super().__init__(template, **values)
        self.retry_after = retry_after


class Unavailable(RuleError):
    """A part that PostMaster needs, mostly the database, does not answer."""

    status = 503
