"""/configs/directory: trying the directory out."""

from http import HTTPStatus

from flask import Blueprint, Response
from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, StringField

from ..db import db, transact
from ..directory.trail import Step
from ..errors import Invalid, Throttled
from ..rules import trials
from ..security import actor, configuration
from ..signing_in import trust
from . import surface
from .forms import PageForm
from .translation import translated

blueprint = Blueprint("directory_trial", __name__)


class TrialForm(PageForm):
    """Whom to try, and with which password."""

    username = StringField(_l("Username"))
    password = PasswordField(
        _l("Password"),
        description=_l(
            "It is shown to the directory and kept nowhere. Without it the account is only looked "
            "up, which needs a bind account."
        ),
    )


@blueprint.get("/configs/directory")
def show() -> Response:
    """The form."""
    return _page(surface.standing(TrialForm(formdata=None)))


@blueprint.post("/configs/directory")
def run() -> Response:
    """The steps, with what to do where one failed."""
    form = TrialForm()
    username = form.username.data or ""
    try:
        directory = transact(
            trials.begin,
            actor(),
            trust(),
            username=username,
            failures_per_hour=configuration().sign_in_failures_per_hour,
        )
        if isinstance(directory, Throttled):
            raise directory
    except (Invalid, Throttled) as error:
        return surface.refused(form, error, lambda: _page(form))
    db.session.remove()  # no connection is held while the directory is asked
    steps = trials.run(directory, username=username, password=form.password.data or "")
    transact(trials.end, actor(), steps, username=username)
    return _page(form, steps)


def _page(form: PageForm, steps: list[Step] | None = None) -> Response:
    return surface.show(
        "configs/directory.html",
        HTTPStatus.OK,
        form=form,
        steps=steps,
        translated=translated,
        is_good=trials.is_good,
    )
