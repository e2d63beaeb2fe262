"""The API's fields: what is accepted, and the words when it is not.

A field checks the shape only (there, of the right type); the rules check the rest.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields
from sqlalchemy.orm import InstrumentedAttribute
from werkzeug.http import http_date

from ..models import Note
from ..rules import lengths


class Text(fields.String):
    """A text that a person knows as ``what``; described by its column and an example."""

    def __init__(
        self,
        what: str,
        *,
        column: InstrumentedAttribute[Any] | None = None,
        example: str | None = None,
        description: str | None = None,
        **options: Any,
    ) -> None:
        messages: dict[str, Any] = {
            "required": f"The {what} was not specified",
            "null": f"The {what} was not specified",
            "invalid": f"The {what} must be text",
            "invalid_utf8": f"The {what} must be text",
        }
        about: dict[str, Any] = {"minLength": 1}
        if column is not None:
            about["maxLength"] = lengths.of(column)
        if example is not None:
            about["examples"] = [example]
        if description is not None:
            about["description"] = description
        super().__init__(error_messages=messages, metadata=about, **options)


class FileText(Text):
    """A text that was, or becomes, a file's: JSON can name half of a character, UTF-8 cannot."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        text = super()._deserialize(value, *arguments, **options)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.make_error("invalid_utf8") from None
        return text


class NoteText(fields.String):
    """A note: any text, none or an empty one deletes it."""

    def __init__(self, **options: Any) -> None:
        about: dict[str, Any] = {
            "maxLength": lengths.of(Note.text),
            "description": "What administrators want to remember; empty: none",
        }
        messages: dict[str, Any] = dict.fromkeys(
            ("invalid", "invalid_utf8"), "The note must be text"
        )
        super().__init__(error_messages=messages, metadata=about, allow_none=True, **options)


class Scalar(fields.Field[str]):
    """A text, number or truth value, read as the text it would be."""

    def __init__(self, what: str, kinds: list[str], **options: Any) -> None:
        messages: dict[str, Any] = {
            "required": f"The {what} was not supplied",
            "null": f"The {what} was not supplied",
            "invalid": f"The {what} must be a text, a number or true or false",
        }
        super().__init__(error_messages=messages, metadata={"type": kinds}, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str | int):
            raise self.make_error("invalid")
        return str(value)


class Switch(fields.Boolean):
    """True or false."""

    def __init__(self, name: str, **options: Any) -> None:
        sentence = f"{name} must be true or false"
        super().__init__(error_messages=dict.fromkeys(("invalid", "null"), sentence), **options)


class Choice(fields.String):
    """One of some words."""

    def __init__(self, what: str, words: Sequence[str], **options: Any) -> None:
        sentence = f"The {what} must be one of: {', '.join(words)}"
        super().__init__(
            validate=ma.validate.OneOf(words, error=sentence),
            error_messages=dict.fromkeys(("invalid", "invalid_utf8"), sentence),
            **options,
        )


class Objects(fields.List[Any]):
    """A list of 1 to ``most`` objects, which a person knows as ``what``."""

    def __init__(self, what: str, of: type[ma.Schema], *, most: int) -> None:
        messages: dict[str, Any] = {
            "required": f"The {what} were not specified",
            "null": f"The {what} were not specified",
            "invalid": f"The {what} must be a list of objects with {' and '.join(of().fields)}",
        }
        super().__init__(
            fields.Nested(of),
            required=True,
            validate=ma.validate.Length(1, most, error=f"Give 1 to {most} {what}"),
            error_messages=messages,
        )

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.make_error("invalid")
        return super()._deserialize(value, *arguments, **options)


class Code(Scalar):
    """The six digits; a number lost its leading zeros on the way."""

    def __init__(self, what: str, **options: Any) -> None:
        super().__init__(what, ["string", "integer"], **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, bool):
            raise self.make_error("invalid")
        if isinstance(value, int):
            return f"{value:06d}" if 0 <= value < 10**6 else "not a code"
        return super()._deserialize(value)


class Whole(fields.Integer):
    """A whole number in a query, within bounds."""

    def __init__(self, what: str, *, lowest: int, highest: int | None = None, **options: Any):
        bounds = f"from {lowest} on" if highest is None else f"from {lowest} to {highest}"
        sentence = f"The {what} must be a whole number {bounds}"
        super().__init__(
            validate=ma.validate.Range(min=lowest, max=highest, error=sentence),
            error_messages={"invalid": sentence, "too_large": sentence},
            **options,
        )


class HttpDate(fields.Field[datetime]):
    """A moment as PostMaster 1.x gave it: ``Tue, 24 Nov 2026 12:00:00 GMT``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            dump_only=True, metadata={"type": ["string", "null"], "format": "http-date"}, **options
        )

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else http_date(value)


class Request(ma.Schema):
    """A request's body. What it holds besides the fields is not looked at."""

    class Meta:
        """How marshmallow and the description treat unknown fields."""

        unknown = ma.EXCLUDE


class ErrorItem(ma.Schema):
    """Every refusal has this form."""

    status = fields.Integer(required=True)
    error = fields.String(required=True)
    message = fields.String(required=True)


UNCOUNTED = {"description": "null only after counted=false"}


class Meta(ma.Schema):
    """Where a page is among the others."""

    page = fields.Integer(required=True)
    per_page = fields.Integer(required=True)
    total = fields.Integer(required=True, allow_none=True, metadata=UNCOUNTED)
    pages = fields.Integer(required=True, allow_none=True, metadata=UNCOUNTED)
    first = fields.String(required=True)
    last = fields.String(required=True, allow_none=True, metadata=UNCOUNTED)
    prev = fields.String(required=True, allow_none=True)
    next = fields.String(required=True, allow_none=True)
