"""/users"""

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse
from wtforms import BooleanField, PasswordField, RadioField, StringField

from ..db import db, transact
from ..errors import Invalid
from ..rules import (
    aliases,
    domains,
    foresight,
    history,
    overviews,
    passwords,
    planned_acts,
    settings,
    strengths,
    user_moves,
    users,
)
from ..rules.aliases import Orphans
from ..rules.suspensions import address_of
from ..security import actor
from . import foreseeing, notes, surface, suspensions
from .forms import PageForm
from .selections import ORPHAN_CHOICES, orphans_of
from .translation import translated

blueprint = Blueprint("users", __name__)

MOST_LEADING_HERE = 50

STRENGTHS = (
    _l("Very weak: guessed at once"),
    _l("Weak: guessed quickly"),
    _l("Fair"),
    _l("Good"),
    _l("Strong"),
)


class NewUserForm(PageForm):
    """What a new mailbox needs."""

    email = StringField(_l("Email address"))
    password = PasswordField(_l("Password"))
    keep_copy = BooleanField()


class PasswordForm(PageForm):
    """A new password."""

    password = PasswordField(_l("New password"))


class AddressForm(PageForm):
    """Another address for a mailbox."""

    email = StringField(_l("New address"))
    keep_alias = BooleanField(_l("Leave an alias from the old address to the new one"))
    keep_copy = BooleanField()


class ForwardForm(PageForm):
    """Where a copy of a mailbox's mail goes."""

    destination = StringField(_l("Forward to"))


class DeleteForm(PageForm):
    """The choice about the aliases that lead to a mailbox."""

    orphans = RadioField(_l("Aliases elsewhere"), choices=ORPHAN_CHOICES, default=Orphans.ALL)


# --- the list -------------------------------------------------------------------


@blueprint.get("/users")
def find() -> Response:
    """The list of users."""
    return _list(None if surface.is_rows_only() else surface.fresh(NewUserForm()))


@blueprint.post("/users")
def create() -> BaseResponse:
    """Add a mailbox."""
    form = NewUserForm()
    if foreseeing.is_asked():
        return _list(form)
    return surface.submit(
        form,
        lambda: transact(
            users.create,
            actor(),
            email=completed(form.email.data or ""),
            password=form.password.data or "",
            keep_copy=form.keep_copy.data,
        ),
        lambda: _list(form),
        to=lambda: url_for(".find"),
    )


def completed(email: str) -> str:
    """The address as typed; in a domain's own list its name may be left off."""
    domain = request.values.get("domain", "").strip()
    return f"{email.strip()}@{domain}" if email.strip() and domain and "@" not in email else email


def _list(form: NewUserForm | None) -> Response:
    session = db.session()
    domain = request.args.get("domain", "").strip()
    ids = domains.ids_named(session, actor(), domain) if domain else None
    page = surface.page_of(
        lambda criteria: overviews.find_users(
            session,
            actor(),
            criteria,
            domain_ids=ids,
            suspended=True if request.args.get("suspended") == "1" else None,
        )
    )
    if form is not None and form.email.data:
        foreseeing.show_in(
            form,
            planned_acts.creating_user,
            email=completed(form.email.data),
            keep_copy=form.keep_copy.data,
        )
    return surface.show(
        "users/list.html",
        page=page,
        form=form,
        domain=domain,
        is_domain_known=not domain or bool(ids),
        suggestion=passwords.suggestion() if form is not None else "",
    )


@blueprint.get("/users/preview")
def preview() -> Response:
    """Which address a new user would get, or why it would be refused, as one types."""
    typed = completed(request.args.get("email", ""))

    def sentences() -> list[str]:
        user_id = request.args.get("user", type=int)
        if user_id is None:
            address = users.checked_address(db.session(), actor(), typed)
        else:
            address = user_moves.checked_address(db.session(), actor(), user_id, typed)
        return [_("The address will be %(address)s", address=address)]

    return surface.preview(sentences, request.args.get("email", ""))


# --- one user -------------------------------------------------------------------


@blueprint.get("/users/<int:user_id>")
def get(user_id: int) -> Response:
    """One user: password, forwarding, what leads to it, its history."""
    return _one(user_id)


@blueprint.post("/users/<int:user_id>/password")
def change_password(user_id: int) -> BaseResponse:
    """Give a mailbox another password."""
    form = PasswordForm()
    return surface.submit(
        form,
        lambda: transact(
            users.change,
            actor(),
            user_id,
            password=form.password.data or "",
            seen=form.seen.data or None,
        ),
        lambda: _one(user_id, password=form),
        to=lambda: url_for(".get", user_id=user_id),
    )


@blueprint.post("/users/<int:user_id>/email")
def rename(user_id: int) -> BaseResponse:
    """Give a mailbox another address; the aliases that lead to it follow."""
    form = AddressForm()
    if foreseeing.is_asked():
        return _one(user_id, moving=form)
    return surface.submit(
        form,
        lambda: transact(
            user_moves.rename,
            actor(),
            user_id,
            email=form.email.data or "",
            keep_alias=form.keep_alias.data,
            keep_copy=form.keep_copy.data,
            seen=form.seen.data or None,
        ),
        lambda: _one(user_id, moving=form),
        to=lambda: url_for(".get", user_id=user_id),
    )


@blueprint.post("/users/<int:user_id>/note")
def change_note(user_id: int) -> BaseResponse:
    """Write the note on a mailbox."""
    return notes.change(
        *(history.Kind.USER, user_id, lambda form: _one(user_id, note=form)),
        to=url_for(".get", user_id=user_id),
    )


@blueprint.post("/users/<int:user_id>/forward")
def forward(user_id: int) -> BaseResponse:
    """Send a copy of a mailbox's mail to another address; the mailbox keeps its own."""
    form = ForwardForm()
    if foreseeing.is_asked():
        return _one(user_id, forwarding=form)
    return surface.submit(
        form,
        lambda: transact(
            aliases.create,
            actor(),
            source=address_of(users.get(db.session(), actor(), user_id)),
            destination=form.destination.data or "",
            keep_copy=True,
        ),
        lambda: _one(user_id, forwarding=form),
        to=lambda: url_for(".get", user_id=user_id),
    )


def _one(
    user_id: int,
    *,
    password: PasswordForm | None = None,
    moving: AddressForm | None = None,
    forwarding: ForwardForm | None = None,
    note: notes.NoteForm | None = None,
) -> Response:
    session = db.session()
    row = overviews.get_user(session, actor(), user_id)
    password = password or surface.fresh(PasswordForm(formdata=None))
    password.seen.data = users.version(session, actor(), row.user)
    forwarding = forwarding or surface.fresh(ForwardForm(formdata=None))
    moving = _moving(row, moving, str(password.seen.data))
    changes = history.timeline(session, actor(), history.Kind.USER, user_id, noted=row.email)
    of_user = [change for change in changes if change.kind == history.Kind.USER]
    move = user_moves.last_move(of_user)
    if forwarding.destination.data:
        foreseeing.show_in(
            forwarding,
            planned_acts.forwarding_user,
            user_id,
            destination=forwarding.destination.data,
        )
    return surface.show(
        "users/one.html",
        row=row,
        password=password,
        moving=moving,
        folders=user_moves.folders(session, *move) if move else None,
        is_just_moved=user_moves.last_move(of_user[:1]) is not None,
        forwarding=forwarding,
        forwards=overviews.aliases_at(session, actor(), row.email),
        leading_here=overviews.leading_to(session, actor(), row.email, most=MOST_LEADING_HERE),
        note=notes.shown(row.note, note),
        suggestion=passwords.suggestion(),
        timeline=changes,
    )


def _moving(row: overviews.UserRow, sent: AddressForm | None, version: str) -> AddressForm:
    form = sent or surface.fresh(AddressForm(formdata=None))
    form.seen.data = version
    if sent is None:
        form.email.data = row.email
    else:
        foreseeing.show_in(
            form,
            planned_acts.renaming_user,
            row.id,
            email=form.email.data or "",
            keep_alias=form.keep_alias.data,
            keep_copy=form.keep_copy.data,
        )
    return form


# --- deleting, and several at once ----------------------------------------------


@blueprint.get("/users/<int:user_id>/delete")
def ask_to_remove(user_id: int) -> Response:
    """What would go with a user, before it is deleted."""
    return _ask([user_id], surface.fresh(DeleteForm(), leads_back=True))


@blueprint.post("/users/<int:user_id>/delete")
def remove(user_id: int) -> BaseResponse:
    """Delete a user."""
    return _remove([user_id])


@blueprint.get("/users/selected")
def ask_about_selected() -> Response:
    """The question before an action on several users."""
    if request.args.get("action") == "password":
        return _ask_for_password(
            surface.selected_ids(), surface.fresh(PasswordForm(), leads_back=True)
        )
    if request.args.get("action") == "suspend":
        return suspensions.ask_to_suspend()
    if request.args.get("action") == "resume":
        return suspensions.ask_to_resume()
    return _ask(surface.selected_ids(), surface.fresh(DeleteForm(), leads_back=True))


@blueprint.post("/users/selected")
def change_selected() -> BaseResponse:
    """Delete several users, or set one password for all of them."""
    ids = surface.selected_ids()
    if request.form.get("action") != "password":
        return _remove(ids)
    form = PasswordForm()
    return surface.submit(
        form,
        lambda: transact(users.change_several, actor(), ids, password=form.password.data or ""),
        lambda: _ask_for_password(ids, form),
        to=lambda: url_for(".find"),
    )


def _remove(ids: list[int]) -> BaseResponse:
    form = DeleteForm()
    return surface.submit(
        form,
        lambda: transact(
            users.remove_several,
            actor(),
            ids,
            orphans=orphans_of(form),
            seen=form.seen.data or None,
        ),
        lambda: _ask(ids, form),
        to=lambda: url_for(".find"),
        never_to=[url_for(".get", user_id=user_id) for user_id in ids],
    )


def _ask(ids: list[int], form: DeleteForm) -> Response:
    session = db.session()
    chosen = users.get_several(session, actor(), ids)
    surface.check_any_is_there(ids, chosen, "user")
    gone = users.goes_with(session, actor(), ids)
    form.seen.data = gone.version
    foreseen = foresight.of_removal(session, actor(), gone, users=chosen)
    return surface.show("users/delete.html", users=chosen, gone=gone, foreseen=foreseen, form=form)


def _ask_for_password(ids: list[int], form: PasswordForm) -> Response:
    chosen = users.get_several(db.session(), actor(), ids)
    surface.check_any_is_there(ids, chosen, "user")
    return surface.show(
        "users/passwords.html", users=chosen, form=form, suggestion=passwords.suggestion()
    )


# --- passwords ------------------------------------------------------------------


@blueprint.post("/passwords/strength")
def strength() -> Response:
    """How strong a password is, as one types it, and whether it would be refused."""
    typed = request.form.get("password") or request.form.get("new", "")
    if not typed:
        return make_response("")
    minimum = settings.value_of(db.session(), settings.MINIMUM_PASSWORD_LENGTH)
    refused = ""
    try:
        passwords.check(typed, minimum=minimum, most_bytes=passwords.MAIL_PASSWORD_BYTES)
    except Invalid as error:
        refused = translated(error)
    score = strengths.score(typed)
    return make_response(
        render_template("_strength.html", score=score, words=STRENGTHS[score], refused=refused)
    )
