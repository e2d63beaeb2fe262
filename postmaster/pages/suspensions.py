"""The questions before users are suspended or resumed."""

from flask import Blueprint, Response, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse
from wtforms import RadioField

from ..db import db, transact
from ..rules import foresight, planned_acts, suspension_acts
from ..rules.suspensions import Mode, mode_of
from ..security import actor
from . import surface
from .forms import PageForm, choices

blueprint = Blueprint("suspensions", __name__)

MOST_COMMANDS = 20


class SuspendForm(PageForm):
    """How users are suspended."""

    mode = RadioField(
        _l("Suspend"),
        choices=choices(
            {
                Mode.SIGN_IN: _l("No sign-in: mail still arrives and waits"),
                Mode.ALL: _l("No sign-in and no mail: the mailbox gets none"),
            }
        ),
        default=Mode.SIGN_IN,
    )


class ResumeForm(PageForm):
    """The question before users are resumed."""


@blueprint.get("/users/suspend")
def ask_to_suspend() -> Response:
    """What it means to suspend users."""
    return _ask_to_suspend(surface.fresh(SuspendForm(), leads_back=True))


@blueprint.post("/users/suspend")
def suspend() -> BaseResponse:
    """Suspend users, all or none."""
    form = SuspendForm()
    return surface.submit(
        form,
        lambda: transact(
            suspension_acts.suspend_several,
            actor(),
            surface.selected_ids(),
            mode=Mode.ALL if form.mode.data == Mode.ALL else Mode.SIGN_IN,
            seen=form.seen.data or None,
        ),
        lambda: _ask_to_suspend(form),
        to=lambda: url_for("users.find"),
    )


@blueprint.get("/users/resume")
def ask_to_resume() -> Response:
    """What it means to resume users."""
    return _ask_to_resume(surface.fresh(ResumeForm(), leads_back=True))


@blueprint.post("/users/resume")
def resume() -> BaseResponse:
    """Resume users, all or none."""
    form = ResumeForm()
    return surface.submit(
        form,
        lambda: transact(
            suspension_acts.resume_several,
            actor(),
            surface.selected_ids(),
            seen=form.seen.data or None,
        ),
        lambda: _ask_to_resume(form),
        to=lambda: url_for("users.find"),
    )


def _ask_to_suspend(form: SuspendForm) -> Response:
    session, ids = db.session(), surface.selected_ids()
    about = suspension_acts.about(session, actor(), ids)
    surface.check_any_is_there(ids, about.users, "user")
    form.seen.data = about.version
    return surface.show(
        "users/suspend.html",
        about=about,
        foreseen=foresight.of(session, actor(), planned_acts.stopping_mail(about.users)),
        commands=[suspension_acts.ending_sessions(user) for user in about.users[:MOST_COMMANDS]],
        form=form,
    )


def _ask_to_resume(form: ResumeForm) -> Response:
    ids = surface.selected_ids()
    about = suspension_acts.about(db.session(), actor(), ids)
    surface.check_any_is_there(ids, about.users, "user")
    form.seen.data = about.version
    suspended = [user for user in about.users if mode_of(user) is not None]
    return surface.show("users/resume.html", chosen=about.users, users=suspended, form=form)
