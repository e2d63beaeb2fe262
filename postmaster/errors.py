"""What a rule says when it refuses.

A rule raises one of these; each surface (pages, API, commands) turns them into
its own form in one place. Nothing here knows a surface, but each class carries
the HTTP status that both web surfaces answer with, so that they agree.

The sentences are English. The API, the commands and the log show them so; a page
translates them, which is why a sentence and its values are kept apart.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

Translate = Callable[[str], str]


class Phrase(str):
    """An English sentence, or a part of one, that a page may translate.

    ``ops/translate`` finds it by this name. It may have ``%(name)s`` places of its
    own; they are filled from the values of the sentence that it stands in.
    """

    __slots__ = ()


def fill(template: str, values: Mapping[str, Any], translate: Translate = str) -> str:
    """The sentence with its places filled; first it and each Phrase in it are translated."""
    return translate(template) % {
        name: _filled(value, values, translate) for name, value in values.items()
    }


def _filled(value: Any, values: Mapping[str, Any], translate: Translate) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(str(_filled(item, values, translate)) for item in value)
    if isinstance(value, RuleError):
        return value.sentence(translate)
    return translate(value) % values if isinstance(value, Phrase) else value


class RuleError(Exception):
    """A refusal that a person can act on.

    ``template`` is an English sentence with ``%(name)s`` places, which are filled
    from ``values``: numbers, names, addresses, Phrases, other refusals, and lists of them. A
    template that does not stand in the call itself is a Phrase. ``field`` names the input that
    is wrong, if it is one.
    """

    status: ClassVar[int] = 400

    def __init__(self, template: str, *, field: str | None = None, **values: Any) -> None:
        self.template = template
        self.field = field
        self.values = values
        super().__init__(self.sentence())

    def sentence(self, translate: Translate = str) -> str:
        """The refusal in English, or as ``translate`` gives it."""
        return fill(self.template, self.values, translate)

    def for_operators(self) -> "RuleError":
        """The same for whoever runs the server; see ``Unavailable``."""
        return self


class Invalid(RuleError):
    """The input breaks a rule."""


class Unauthenticated(RuleError):
    """Nobody is signed in."""

    status = 401


class SessionEnded(Unauthenticated):
    """Somebody was signed in, and has just been signed out for a reason."""


class Forbidden(RuleError):
    """The actor may not do this."""

    status = 403


class NotFound(RuleError):
    """There is no such row."""

    status = 404

    def __init__(
        self,
        template: str = Phrase("It was not found"),
        *,
        field: str | None = None,
        **values: Any,
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
    """A part that PostMaster needs, mostly the database, does not answer.

    ``in_full`` is the sentence for whoever runs the server: it may name accounts, databases
    and files, which are not for strangers. ``what`` is the title of a page about it.
    """

    status = 503
    what: ClassVar[Phrase] = Phrase("The database cannot be used now")

    def __init__(
        self,
        template: str,
        *,
        field: str | None = None,
        in_full: str | None = None,
        **values: Any,
    ) -> None:
        super().__init__(template, field=field, **values)
        self.in_full = in_full or template

    def for_operators(self) -> "Unavailable":
        """The same, with the sentence for whoever runs the server."""
        return Unavailable(self.in_full, field=self.field, **self.values)
