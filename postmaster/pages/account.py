"""/account: what administrators do to their own account."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, url_for
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField, SelectField, StringField

from .. import security, signing_in
from ..db import db, transact
from ..errors import Invalid, Unauthenticated
from ..rules import account, passwords, sessions, totp, twofactor
from ..rules.languages import LANGUAGES
from ..security import actor
from . import surface
from .forms import PageForm, choices
from .translation import language

blueprint = Blueprint("account", __name__)


class NameForm(PageForm):
    """One's own name."""

    name = StringField(_l("Name"))


class LanguageForm(PageForm):
    """The language of one's own pages."""

    language = SelectField(_l("Language of the pages"), validate_choice=False)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.language.choices = choices({"": _("As the browser asks for")} | LANGUAGES)


class PasswordForm(PageForm):
    """The present password and a new one."""

    present = PasswordField(_l("Present password"))
    new = PasswordField(_l("New password"))


class OffForm(PageForm):
    """The present password, to turn the second factor off."""

    present = PasswordField(_l("Present password"))


class CodeForm(PageForm):
    """The first code of an authenticator."""

    code = StringField(_l("Six digits from the app"))


FORMS: dict[str, type[PageForm]] = {
    "name": NameForm,
    "language": LanguageForm,
    "password": PasswordForm,
    "off": OffForm,
}


@blueprint.get("/account")
def show() -> Response:
    """My account."""
    return _page()


def _page(**tried: PageForm) -> Response:
    """The page, with a form on it that was refused."""
    who = _who()
    session = db.session()
    forms: dict[str, Any] = {}
    for name, form_class in FORMS.items():
        forms[name] = tried.get(name) or form_class(formdata=None)
        forms[name].space = name
    if "name" not in tried:
        forms["name"].name.data = who.name
    if "language" not in tried:
        forms["language"].language.data = who.language or ""
    return surface.show(
        "account/show.html",
        who=who,
        forms=forms,
        is_local=who.source not in sessions.ELSEWHERE,
        suggestion=passwords.suggestion(),
        codes_left=twofactor.codes_left(session, actor()) if who.two_factor else 0,
        sessions=sessions.of_admin(session, who.admin_id, who.token),
    )


def _who() -> sessions.SignedIn:
    who = security.signed_in()
    if who is None:  # the gate has let nobody else through
        raise Unauthenticated("You are not signed in")
    return who


def _submit(name: str, form: PageForm, act: Callable[[], object]) -> BaseResponse:
    return surface.submit(form, act, lambda: _page(**{name: form}), to=_home)


def _home() -> str:
    return url_for(".show")


# --- name, language, password ---------------------------------------------------


@blueprint.post("/account/name")
def change_name() -> BaseResponse:
    """Change one's own name."""
    form = NameForm()
    return _submit(
        "name", form, lambda: transact(account.change_name, actor(), form.name.data or "")
    )


@blueprint.post("/account/language")
def choose_language() -> BaseResponse:
    """Choose the language of one's own pages."""
    form = LanguageForm()

    def act() -> None:
        chosen = form.language.data or None
        transact(account.choose_language, actor(), chosen)
        with force_locale(chosen or language()):
            flash(_("The language was saved."), "done")

    return _submit("language", form, act)


@blueprint.post("/account/password")
def change_password() -> BaseResponse:
    """Change one's own password."""
    form = PasswordForm()
    return _submit(
        "password",
        form,
        lambda: signing_in.change_own_password(
            present=form.present.data or "", new=form.new.data or ""
        ),
    )


# --- second factor --------------------------------------------------------------


@blueprint.post("/account/twofactor/begin")
def begin_second_factor() -> BaseResponse:
    """Make a fresh secret."""
    uri = transact(twofactor.fresh_uri, actor(), _who().admin_id)
    return redirect(url_for(".ask_for_code") if uri else _home(), 303)


@blueprint.get("/account/twofactor")
def ask_for_code() -> Response:
    """The secret, as a QR code and as text, and a field for its first code."""
    return _ask_for_code(CodeForm(formdata=None))


@blueprint.post("/account/twofactor")
def turn_on() -> BaseResponse:
    """Turn the second factor on, and show the recovery codes this once."""
    form = CodeForm()
    codes: list[str] = []

    def act() -> None:
        admin_id = _who().admin_id
        codes.extend(transact(twofactor.enable, actor(), admin_id, code=form.code.data or ""))
        if codes:
            signing_in.renew_session(admin_id)

    try:
        act()
    except Invalid as error:
        return surface.refused(form, error, lambda: _ask_for_code(form))
    return _codes(codes) if codes else redirect(_home(), 303)


def _ask_for_code(form: PageForm) -> Response:
    waiting = account.second_factor_uri(db.session(), actor())
    if waiting is None:
        return make_response(redirect(_home(), 303))
    uri, secret = waiting
    form.space = "code"
    return surface.show(
        "account/twofactor.html",
        form=form,
        # segno's own markup, made of nothing but the modules of the code.
        qr_code=Markup(totp.qr_code_inline(uri)),  # noqa: S704
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    )


@blueprint.post("/account/twofactor/off")
def turn_off() -> BaseResponse:
    """Turn one's own second factor off."""
    form = OffForm()
    return _submit(
        "off",
        form,
        lambda: signing_in.turn_off_own_second_factor(present=form.present.data or ""),
    )


@blueprint.post("/account/recoverycodes")
def renew_recovery_codes() -> BaseResponse:
    """Ten new recovery codes, shown this once."""
    return _codes(transact(twofactor.renew_recovery_codes, actor(), _who().admin_id))


def _codes(codes: list[str]) -> Response:
    return surface.show("account/codes.html", codes=codes)


# --- sessions -------------------------------------------------------------------


@blueprint.post("/account/sessions/end")
def end_other_sessions() -> BaseResponse:
    """End all of one's sessions but this one."""
    count = transact(sessions.end_others, actor(), _who().token)
    flash(
        ngettext("%(num)s other session was ended.", "%(num)s other sessions were ended.", count),
        "done",
    )
    return redirect(_home(), 303)
