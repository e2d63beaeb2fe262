"""/domains"""

from flask import Blueprint, Response, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse
from wtforms import RadioField, StringField

from ..db import db, transact
from ..errors import Invalid
from ..rules import addresses, domains, foresight, history, overviews
from ..rules.aliases import Orphans
from ..rules.suspensions import address_of
from ..security import actor
from . import notes, surface
from .forms import PageForm
from .selections import ORPHAN_CHOICES, orphans_of

blueprint = Blueprint("domains", __name__)


class DomainForm(PageForm):
    """A domain's name, to add or to rename."""

    name = StringField(_l("Domain"))


class DeleteForm(PageForm):
    """The choice about aliases elsewhere, and the name typed once more."""

    orphans = RadioField(_l("Aliases elsewhere"), choices=ORPHAN_CHOICES, default=Orphans.ALL)
    confirmation = StringField(_l("Type the domain's name to confirm"))


@blueprint.get("/domains")
def find() -> Response:
    """The list of domains."""
    return _list(surface.fresh(DomainForm()))


@blueprint.post("/domains")
def create() -> BaseResponse:
    """Add a domain."""
    form = DomainForm()
    return surface.submit(
        form,
        lambda: transact(domains.create, actor(), name=form.name.data or ""),
        lambda: _list(form),
        to=_home,
    )


def _list(form: DomainForm) -> Response:
    page = surface.page_of(lambda criteria: overviews.find_domains(db.session(), actor(), criteria))
    return surface.show("domains/list.html", page=page, form=form)


@blueprint.get("/domains/<int:domain_id>")
def get(domain_id: int) -> Response:
    """One domain: its name, what is in it, its history. Also the place to edit its name."""
    return _one(domain_id)


@blueprint.post("/domains/<int:domain_id>")
def change(domain_id: int) -> BaseResponse:
    """Rename an empty domain."""
    form = DomainForm()
    return surface.submit(
        form,
        lambda: transact(
            domains.change,
            actor(),
            domain_id,
            name=form.name.data or "",
            seen=form.seen.data or None,
        ),
        lambda: _one(domain_id, form),
        to=lambda: url_for(".get", domain_id=domain_id),
    )


@blueprint.post("/domains/<int:domain_id>/note")
def change_note(domain_id: int) -> BaseResponse:
    """Write the note on a domain."""
    return notes.change(
        *(history.Kind.DOMAIN, domain_id, lambda form: _one(domain_id, note=form)),
        to=url_for(".get", domain_id=domain_id),
    )


def _one(
    domain_id: int, sent: DomainForm | None = None, *, note: notes.NoteForm | None = None
) -> Response:
    session = db.session()
    row = overviews.get_domain(session, actor(), domain_id)
    form = sent or surface.fresh(DomainForm(formdata=None))
    if sent is None:
        form.name.data = row.domain.name
    form.seen.data = domains.version(session, actor(), row.domain)
    timeline = history.timeline(
        session, actor(), history.Kind.DOMAIN, domain_id, noted=row.domain.name
    )
    return surface.show(
        "domains/one.html",
        row=row,
        form=form,
        note=notes.shown(row.note, note),
        timeline=timeline,
    )


@blueprint.get("/domains/<int:domain_id>/delete")
def ask_to_remove(domain_id: int) -> Response:
    """What would go with a domain, before it is deleted."""
    return _ask(domain_id, surface.fresh(DeleteForm(), leads_back=True))


@blueprint.post("/domains/<int:domain_id>/delete")
def remove(domain_id: int) -> BaseResponse:
    """Delete a domain; one with users in it only where its name was typed."""
    form = DeleteForm()
    return surface.submit(
        form,
        lambda: _remove(domain_id, form),
        lambda: _ask(domain_id, form),
        to=_home,
        never_to=[url_for(".get", domain_id=domain_id)],
    )


def _remove(domain_id: int, form: DeleteForm) -> None:
    domain = domains.get(db.session(), actor(), domain_id)
    gone = domains.goes_with(db.session(), actor(), domain_id)
    typed = (form.confirmation.data or "").strip().lower()
    if gone.users and typed not in (domain.name.lower(), addresses.u_labels(domain.name.lower())):
        raise Invalid(
            'The domain has users: type its name, "%(name)s", to delete it',
            field="confirmation",
            name=domain.name,
        )
    transact(
        domains.remove,
        actor(),
        domain_id,
        orphans=orphans_of(form),
        seen=form.seen.data or None,
    )


@blueprint.get("/domains/selected")
def ask_to_remove_several() -> Response:
    """What would go with several domains."""
    return _ask_several(surface.fresh(DeleteForm(), leads_back=True))


@blueprint.post("/domains/selected")
def remove_several() -> BaseResponse:
    """Delete several domains without users, all or none."""
    form = DeleteForm()
    return surface.submit(form, lambda: _remove_several(form), lambda: _ask_several(form), to=_home)


def _remove_several(form: DeleteForm) -> None:
    ids = surface.selected_ids()
    gone = domains.goes_with(db.session(), actor(), *ids)
    if gone.users:
        raise Invalid(
            'Users are in these domains, such as "%(email)s": delete such a domain by itself, '
            "after a look at what goes with it",
            email=address_of(gone.users[0]),
        )
    transact(
        domains.remove_several,
        actor(),
        ids,
        orphans=orphans_of(form),
        seen=form.seen.data or None,
    )


def _ask_several(form: DeleteForm) -> Response:
    session = db.session()
    chosen = domains.get_several(session, actor(), surface.selected_ids())
    surface.check_any_is_there(surface.selected_ids(), chosen, "domain")
    ids = [domain.id for domain in chosen]
    gone = domains.goes_with(session, actor(), *ids) if ids else None
    form.seen.data = gone.version if gone else ""
    foreseen = foresight.of_removal(session, actor(), gone, domains=chosen) if gone else None
    return surface.show(
        "domains/delete_several.html", domains=chosen, gone=gone, foreseen=foreseen, form=form
    )


def _ask(domain_id: int, form: DeleteForm) -> Response:
    session = db.session()
    domain = domains.get(session, actor(), domain_id)
    gone = domains.goes_with(session, actor(), domain_id)
    form.seen.data = gone.version
    foreseen = foresight.of_removal(session, actor(), gone, domains=[domain])
    return surface.show(
        "domains/delete.html", domain=domain, gone=gone, foreseen=foreseen, form=form
    )


def _home() -> str:
    return url_for(".find")
