"""What the forms ask for while one types: what it would mean for mail. Nothing is changed."""

from flask import Blueprint, Response, request

from ..db import db
from ..rules import aliases, planned_acts
from ..security import actor
from . import surface
from .foreseeing import while_typing
from .users import completed

blueprint = Blueprint("foreseen", __name__)


def _typed(field: str) -> str:
    return request.args.get(field, "")


def _is_ticked(field: str) -> bool:
    return field in request.args


@blueprint.get("/aliases/foreseen")
def new_alias() -> Response:
    """One more alias, or one more destination."""
    return while_typing(
        planned_acts.creating_alias,
        source=_typed("source"),
        destination=_typed("destination"),
        keep_copy=_is_ticked("keep_copy"),
        keep_mailboxes=_is_ticked("keep_mailboxes"),
    )


@blueprint.get("/aliases/<int:alias_id>/foreseen")
def other_destination(alias_id: int) -> Response:
    """Another destination in place of one."""
    return while_typing(planned_acts.changing_alias, alias_id, destination=_typed("destination"))


@blueprint.get("/aliases/<int:alias_id>/source/foreseen")
def other_source(alias_id: int) -> Response:
    """Another source for all destinations."""
    return while_typing(planned_acts.renaming_alias, alias_id, source=_typed("source"))


@blueprint.get("/aliases/selected/foreseen")
def led_elsewhere() -> Response:
    """The selected aliases led elsewhere."""
    return while_typing(
        planned_acts.repointing_aliases,
        aliases.ids_beside(db.session(), actor(), surface.selected_ids()),
        replaced=_typed("replaced") or None,
        destination=_typed("destination"),
    )


@blueprint.get("/users/foreseen")
def new_user() -> Response:
    """One more mailbox."""
    return while_typing(
        planned_acts.creating_user,
        email=completed(_typed("email")),
        keep_copy=_is_ticked("keep_copy"),
    )


@blueprint.get("/users/<int:user_id>/forward/foreseen")
def forwarded(user_id: int) -> Response:
    """A copy of a mailbox's mail sent on."""
    return while_typing(planned_acts.forwarding_user, user_id, destination=_typed("destination"))


@blueprint.get("/users/<int:user_id>/email/foreseen")
def other_address(user_id: int) -> Response:
    """Another address for a mailbox."""
    return while_typing(
        planned_acts.renaming_user,
        user_id,
        email=_typed("email"),
        keep_alias=_is_ticked("keep_alias"),
        keep_copy=_is_ticked("keep_copy"),
    )
