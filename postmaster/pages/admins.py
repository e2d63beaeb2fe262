"""/admins"""

from collections.abc import Callable

from flask import Blueprint, Response, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField, StringField

from ..db import db, transact
from ..errors import Invalid
from ..rules import admins, history, passwords, sessions, twofactor
from ..security import actor
from ..signing_in import renew_session
from . import surface
from .forms import PageForm

blueprint = Blueprint("admins", __name__)


# Where the password of an administrator is kept; here, where nothing else is said.
PLACES = {
    sessions.LDAP: _l("Directory"),
    sessions.OPENID: _l("OpenID Connect"),
    sessions.PROXY: _l("Proxy"),
}


def place_of(source: str | None) -> LazyString:
    """Whom an administrator has the account of."""
    return PLACES.get(source or "", _l("PostMaster"))


class NewAdminForm(PageForm):
    """What a new administrator needs."""

    username = StringField(_l("Username"))
    name = StringField(_l("Name"))
    password = PasswordField(_l("Password"))


class AdminForm(PageForm):
    """What an administrator is called."""

    username = StringField(_l("Username"))
    name = StringField(_l("Name"))


class PasswordForm(PageForm):
    """A new password."""

    password = PasswordField(_l("New password"))


class QuestionForm(PageForm):
    """Nothing but yes or no."""


# --- the list -------------------------------------------------------------------


@blueprint.get("/admins")
def find() -> Response:
    """The list of administrators."""
    return _list(surface.standing(NewAdminForm(formdata=None)))


@blueprint.post("/admins")
def create() -> BaseResponse:
    """Add an administrator."""
    form = NewAdminForm()
    return surface.submit(
        form,
        lambda: transact(
            admins.create,
            actor(),
            username=form.username.data or "",
            password=form.password.data or "",
            name=form.name.data or "",
        ),
        lambda: _list(form),
        to=_home,
    )


def _list(form: PageForm) -> Response:
    return surface.show(
        "admins/list.html",
        page=surface.page_of(lambda criteria: admins.find(db.session(), actor(), criteria)),
        form=form,
        is_locked=admins.is_locked,
        place_of=place_of,
        suggestion=passwords.suggestion(),
    )


# --- one administrator ----------------------------------------------------------


@blueprint.get("/admins/<int:admin_id>")
def get(admin_id: int) -> Response:
    """One administrator. Also the place to edit the names."""
    form = surface.standing(AdminForm(formdata=None))
    admin = admins.get(db.session(), actor(), admin_id)
    form.username.data, form.name.data = admin.username, admin.name
    return _one(admin_id, form, surface.standing(PasswordForm(formdata=None)))


@blueprint.post("/admins/<int:admin_id>")
def change(admin_id: int) -> BaseResponse:
    """Change an administrator's username or name."""
    form = AdminForm()
    return surface.submit(
        form,
        lambda: transact(
            admins.change,
            actor(),
            admin_id,
            username=form.username.data or "",
            name=form.name.data or "",
            seen=form.seen.data or None,
        ),
        lambda: _one(admin_id, form, surface.standing(PasswordForm(formdata=None))),
        to=_page_of(admin_id),
    )


@blueprint.post("/admins/<int:admin_id>/password")
def change_password(admin_id: int) -> BaseResponse:
    """Give an administrator another password; one's own is changed in one's account."""
    if _is_own_here(admin_id):
        raise Invalid(
            "You change your own password in My account, where your present one is asked for"
        )
    form = PasswordForm()

    def act() -> None:
        transact(
            admins.change,
            actor(),
            admin_id,
            password=form.password.data or "",
            seen=form.seen.data or None,
        )

    def again() -> Response:
        names = surface.standing(AdminForm(formdata=None))
        admin = admins.get(db.session(), actor(), admin_id)
        names.username.data, names.name.data = admin.username, admin.name
        return _one(admin_id, names, form)

    return surface.submit(form, act, again, to=_page_of(admin_id))


@blueprint.post("/admins/<int:admin_id>/unlock")
def unlock(admin_id: int) -> BaseResponse:
    """End an administrator's lock."""
    transact(admins.unlock, actor(), admin_id)
    return surface.done(surface.came_from() or url_for(".get", admin_id=admin_id))


def _one(admin_id: int, names: PageForm, password: PageForm) -> Response:
    session = db.session()
    admin = admins.get(session, actor(), admin_id)
    names.seen.data = password.seen.data = admins.version(session, actor(), admin)
    names.space, password.space = "names", "password"
    return surface.show(
        "admins/one.html",
        admin=admin,
        is_oneself=admin.id == actor().admin_id,
        is_locked=admins.is_locked(admin),
        is_local=admin.source not in sessions.ELSEWHERE,
        place_of=place_of,
        names=names,
        password=password,
        suggestion=passwords.suggestion(),
        timeline=history.timeline(session, actor(), history.Kind.ADMIN, admin_id),
    )


# --- questions ------------------------------------------------------------------


@blueprint.get("/admins/<int:admin_id>/twofactor/off")
def ask_to_turn_off(admin_id: int) -> BaseResponse:
    """What it means to turn off an administrator's second factor."""
    if _is_own_here(admin_id):
        return surface.done(url_for("account.show"), as_a_whole=True)
    return _question(
        "admins/turn_off.html", admin_id, surface.fresh(QuestionForm(), leads_back=True)
    )


@blueprint.post("/admins/<int:admin_id>/twofactor/off")
def turn_off(admin_id: int) -> BaseResponse:
    """Turn an administrator's second factor off; one's own in one's account."""
    if _is_own_here(admin_id):
        raise Invalid(
            "You turn your own second factor off in My account, where your present password "
            "is asked for"
        )
    form = QuestionForm()

    def act() -> None:
        transact(twofactor.disable, actor(), admin_id)
        renew_session(admin_id)

    return surface.submit(
        form,
        act,
        lambda: _question("admins/turn_off.html", admin_id, form),
        to=_page_of(admin_id),
    )


@blueprint.get("/admins/<int:admin_id>/delete")
def ask_to_remove(admin_id: int) -> Response:
    """What it means to delete an administrator."""
    return _question("admins/delete.html", admin_id, surface.fresh(QuestionForm(), leads_back=True))


@blueprint.post("/admins/<int:admin_id>/delete")
def remove(admin_id: int) -> BaseResponse:
    """Delete an administrator; the last one stays."""
    form = QuestionForm()
    return surface.submit(
        form,
        lambda: transact(admins.remove, actor(), admin_id, seen=form.seen.data or None),
        lambda: _question("admins/delete.html", admin_id, form),
        to=_home,
        never_to=[url_for(".get", admin_id=admin_id)],
    )


@blueprint.get("/admins/selected")
def ask_to_remove_several() -> Response:
    """What it means to delete several administrators."""
    return _ask_several(surface.fresh(QuestionForm(), leads_back=True))


@blueprint.post("/admins/selected")
def remove_several() -> BaseResponse:
    """Delete several administrators, all or none; one has to stay."""
    form = QuestionForm()
    return surface.submit(
        form,
        lambda: transact(admins.remove_several, actor(), surface.selected_ids()),
        lambda: _ask_several(form),
        to=_home,
    )


def _ask_several(form: PageForm) -> Response:
    ids = surface.selected_ids()
    chosen = admins.get_several(db.session(), actor(), ids)
    surface.check_any_is_there(ids, chosen, "administrator")
    is_oneself = actor().admin_id in {admin.id for admin in chosen}
    return surface.show(
        "admins/delete_several.html", admins=chosen, is_oneself=is_oneself, form=form
    )


def _question(template: str, admin_id: int, form: PageForm) -> Response:
    session = db.session()
    admin = admins.get(session, actor(), admin_id)
    form.seen.data = admins.version(session, actor(), admin)
    return surface.show(template, admin=admin, is_oneself=admin.id == actor().admin_id, form=form)


def _is_own_here(admin_id: int) -> bool:
    """Whether it is oneself, with a password that can be asked for first."""
    if admin_id != actor().admin_id:
        return False
    return admins.get(db.session(), actor(), admin_id).source not in sessions.ELSEWHERE


def _home() -> str:
    return url_for(".find")


def _page_of(admin_id: int) -> Callable[[], str]:
    return lambda: url_for(".get", admin_id=admin_id)
