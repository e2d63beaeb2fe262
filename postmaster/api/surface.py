"""What all calls share: reading a body, pages of items, descriptions, refusals."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlencode

import marshmallow as ma
from flask import Response, jsonify, request, url_for
from flask_smorest import Blueprint
from marshmallow import fields
from webargs.flaskparser import FlaskParser

from ..errors import Invalid, RuleError, Throttled
from ..rules import paging
from ..rules.rows import LARGEST_ID
from .fields import ErrorItem, Meta, Switch, Whole

PREFIX = "/api/v1"
ID = "/<int:item_id>"
# Any call may end like this; a view names the others that it may end like.
EVERYWHERE = (401, 403, 500, 503)
WITH_BODY = (400, 413)
REFUSAL = {"$ref": f"#/components/schemas/{ErrorItem.__name__}"}
IGNORE_UNKNOWN: dict[str, str | None] = {"json": ma.EXCLUDE, "query": ma.EXCLUDE}

View = TypeVar("View", bound=Callable[..., Any])


class Parser(FlaskParser):
    """Reads the body as JSON whatever its Content-Type says, and refuses in our form."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = IGNORE_UNKNOWN

    def load_json(self, req: Any, schema: Any) -> Any:  # noqa: ARG002 -- webargs' own signature
        """The body's object. Raises Invalid."""
        try:
            body = json.loads(req.get_data(), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise Invalid("Invalid request: the body is not JSON") from None
        if not isinstance(body, dict):
            raise Invalid("Invalid request: the body is not a JSON object")
        return body

    def handle_error(self, error: ma.ValidationError, *_: Any, **__: Any) -> NoReturn:
        """The first thing that is wrong, as a sentence that names its field."""
        field, sentence = _first(error.messages)
        raise Invalid("%(sentence)s", field=field, sentence=sentence)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _first(messages: Any, field: str = "") -> tuple[str, str]:
    while not isinstance(messages, str):
        if isinstance(messages, dict):
            key, messages = next(iter(messages.items()))
            field = field if key in ("json", "query") else str(key)
        else:
            messages = messages[0]
    return field, messages


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask_smorest has no types
    """A blueprint whose arguments are read by our parser."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: type[ma.Schema], **options: Any) -> Callable[[View], View]:
        """Flask-smorest's own, with one schema for all requests; else each would make one."""
        decorator: Callable[[View], View] = super().arguments(schema(), **options)
        return decorator


def blueprint(noun: str, about: str) -> ApiBlueprint:
    """The blueprint of one noun."""
    return ApiBlueprint(f"api_{noun}", __name__, url_prefix=f"{PREFIX}/{noun}", description=about)


def may_refuse(blueprint: ApiBlueprint, *statuses: int) -> Callable[[View], View]:
    """Describe the refusals of a call, those that any call may end with included.

    As a reference: flask-smorest's own ``alt_response`` makes a schema and a wrapper for each,
    and copies them all for the next, which takes 4 MB.
    """
    described: Callable[[View], View] = blueprint.doc(
        responses={
            str(status): {
                "description": HTTPStatus(status).phrase,
                "content": {"application/json": {"schema": REFUSAL}},
            }
            for status in sorted({*statuses, *EVERYWHERE})
        }
    )
    return described


def located(item: Any, status: HTTPStatus) -> tuple[Any, int, dict[str, str]]:
    """A new or changed item, with where it is found.

    With the status 200 that is a whole URL: a path would have mod_wsgi answer with what a GET of
    that path answers, as CGI says (RFC 3875, 6.2.2), and behind a proxy there may be no such path.
    """
    whole = status == HTTPStatus.OK
    return item, status, {"Location": url_for(".get", item_id=item.id, _external=whole)}


LOCATION = {
    "Location": {
        "schema": {"type": "string"},
        "description": "Where the item is: its path if it is new, its URL if it was changed",
    }
}


# --- lists ----------------------------------------------------------------------


def page_of(item: type[ma.Schema]) -> type[ma.Schema]:
    """The schema of a page of items."""
    return ma.Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "meta": fields.Nested(Meta, required=True),
        },
        name=f"{item.__name__}Page",
    )


def list_arguments(name: str, listing: paging.Listing[Any], *more: str) -> type[ma.Schema]:
    """The schema of what a list may be asked for."""
    arguments: dict[str, fields.Field[Any]] = {
        "page": Whole("page", lowest=1, load_default=1),
        "per_page": Whole(
            "per_page",
            lowest=1,
            load_default=paging.DEFAULT_PER_PAGE,
            metadata={"description": f"More than {paging.MOST_PER_PAGE} counts as that"},
        ),
        "sort": fields.String(
            validate=ma.validate.OneOf(
                listing.sortable, error="The sort column must be one of: {choices}"
            ),
        ),
        "order": fields.String(
            load_default="asc",
            validate=ma.validate.OneOf(paging.ORDERS, error='The order must be "asc" or "desc"'),
        ),
    }
    arguments["counted"] = Switch(
        "counted",
        load_default=True,
        metadata={
            "description": "False: the total is not waited for where many rows would have to be "
            "counted; it, pages and last are null then"
        },
    )
    if listing.searched:
        arguments["search"] = fields.String()
    for filter_name in more:
        arguments[filter_name] = Whole(filter_name, lowest=1, highest=LARGEST_ID)
    return ma.Schema.from_dict(arguments, name=f"{name}List")


def criteria(arguments: dict[str, Any]) -> paging.Criteria:
    """What the query asks of a list."""
    known = ("page", "per_page", "search", "sort", "order", "counted")
    return paging.Criteria(**{name: arguments[name] for name in known if name in arguments})


def domain_ids(arguments: dict[str, Any]) -> list[int] | None:
    """The domain that a list is limited to, if it is."""
    return [arguments["domain_id"]] if "domain_id" in arguments else None


def listed(page: paging.Page[Any]) -> dict[str, Any]:
    """A page as the API answers it, with links that keep search and order."""
    last = None if page.pages is None else max(page.pages, 1)
    return {
        "items": page.items,
        "meta": {
            "page": page.number,
            "per_page": page.per_page,
            "total": page.total,
            "pages": page.pages,
            "first": _link(1),
            "last": None if last is None else _link(last),
            "prev": _link(page.number - 1) if page.number > 1 else None,
            "next": _link(page.number + 1) if page.has_next else None,
        },
    }


def _link(number: int) -> str:
    arguments = request.args.to_dict() | {"page": str(number)}
    return f"{request.base_url}?{urlencode(arguments)}"


# --- refusals -------------------------------------------------------------------


def refusal(error: RuleError) -> Response:
    """A RuleError in the contract's form."""
    return answer(
        error.status, str(error), error.retry_after if isinstance(error, Throttled) else None
    )


def answer(status: int, message: str, retry_after: int | None = None) -> Response:
    """A refusal with any status."""
    response = jsonify(status=status, error=HTTPStatus(status).phrase.lower(), message=message)
    response.status_code = status
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        retry_after = retry_after or 5
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
