"""/aliases: a source is one row of the list, with all its destinations."""

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse
from wtforms import BooleanField, RadioField, SelectField, StringField

from ..db import db, transact
from ..models import Alias
from ..rules import aliases, domains, foresight, history, overviews, planned_acts
from ..rules.aliases import Orphans
from ..security import actor
from . import foreseeing, notes, surface
from .forms import PageForm
from .selections import ORPHAN_CHOICES, orphans_of

blueprint = Blueprint("aliases", __name__)

ADD_PLACE = "edit-add-"


class NewAliasForm(PageForm):
    """A source and its first destination."""

    source = StringField(_l("Source"))
    destination = StringField(_l("Destination"))
    keep_copy = BooleanField(_l("If the source is a mailbox: forward, and keep a copy in it"))
    keep_mailboxes = BooleanField(
        _l("If the source is a catch-all: let the domain's mailboxes keep their own mail"),
        default=True,
    )


class DestinationForm(PageForm):
    """One destination, to change or to add."""

    destination = StringField(_l("Destination"))


class SourceForm(PageForm):
    """Another source for all destinations."""

    source = StringField(_l("Source"))


class RepointForm(PageForm):
    """Which destination is replaced in the chosen aliases, and by what."""

    replaced = SelectField(_l("Replace"), validate_choice=False)
    destination = StringField(_l("Replace by"))


class DeleteForm(PageForm):
    """The choice about aliases that lead to the deleted ones."""

    orphans = RadioField(_l("Aliases elsewhere"), choices=ORPHAN_CHOICES, default=Orphans.KEEP)


# --- the list -------------------------------------------------------------------


@blueprint.get("/aliases")
def find() -> Response:
    """The list of aliases."""
    return _list(surface.fresh(NewAliasForm(formdata=None)))


@blueprint.post("/aliases")
def create() -> BaseResponse:
    """Add an alias, or one more destination to it."""
    form = NewAliasForm()
    if foreseeing.is_asked():
        return _list(form)
    return surface.submit(
        form,
        lambda: transact(
            aliases.create,
            actor(),
            source=form.source.data or "",
            destination=form.destination.data or "",
            keep_copy=form.keep_copy.data,
            keep_mailboxes=form.keep_mailboxes.data,
        ),
        lambda: _list(form),
        to=lambda: url_for(".find"),
    )


def _list(form: NewAliasForm) -> Response:
    session = db.session()
    domain = request.args.get("domain", "").strip()
    destination = request.args.get("destination", "").strip()
    ids = domains.ids_named(session, actor(), domain) if domain else None
    if request.method == "POST":
        foreseeing.show_in(
            form,
            planned_acts.creating_alias,
            source=form.source.data or "",
            destination=form.destination.data or "",
            keep_copy=form.keep_copy.data,
            keep_mailboxes=form.keep_mailboxes.data,
        )
    page = surface.page_of(
        lambda criteria: overviews.find_aliases(
            session, actor(), criteria, domain_ids=ids, destination=destination
        )
    )
    return surface.show(
        "aliases/list.html",
        page=page,
        form=form,
        domain=domain,
        destination=destination,
        is_domain_known=not domain or bool(ids),
    )


@blueprint.get("/aliases/preview")
def preview() -> Response:
    """What a new alias's source would mean, as one types it."""
    typed = request.args.get("source", "")
    return surface.preview(
        lambda: _about(aliases.about_source(db.session(), actor(), typed)), typed
    )


def _about(about: aliases.AboutSource) -> list[str]:
    sentences = [_("The source will be %(source)s", source=about.source)]
    if about.is_mailbox:
        sentences.append(_("It is a mailbox: tick the box to keep a copy of its mail there"))
    if about.destinations:
        sentences.append(
            ngettext(
                "It leads to %(num)s address already; this adds one more",
                "It leads to %(num)s addresses already; this adds one more",
                about.destinations,
            )
        )
    if about.swallowed:
        sentences.append(
            ngettext(
                "This catch-all would take the mail of %(num)s mailbox too, unless the box "
                "below is ticked",
                "This catch-all would take the mail of %(num)s mailboxes too, unless the box "
                "below is ticked",
                about.swallowed,
            )
        )
    return sentences


@blueprint.get("/aliases/suggestions")
def suggestions() -> Response:
    """Addresses of this server that begin with what was typed, to complete a destination."""
    found = overviews.addresses_like(
        db.session(), actor(), request.args.get("destination", ""), most=10
    )
    return surface.show("aliases/suggestions.html", addresses=found)


# --- one alias ------------------------------------------------------------------


@blueprint.get("/aliases/<int:alias_id>")
def get(alias_id: int) -> Response:
    """One alias with all its destinations; also the place to edit one, or to add one."""
    return _one(alias_id)


@blueprint.post("/aliases/<int:alias_id>")
def change(alias_id: int) -> BaseResponse:
    """Change one destination."""
    form = DestinationForm()
    if foreseeing.is_asked():
        return _one(alias_id, changing=form)
    return surface.submit(
        form,
        lambda: transact(
            aliases.change,
            actor(),
            alias_id,
            destination=form.destination.data or "",
            seen=form.seen.data or None,
        ),
        lambda: _one(alias_id, changing=form),
        to=lambda: url_for(".get", alias_id=alias_id),
    )


@blueprint.post("/aliases/<int:alias_id>/destinations")
def add_destination(alias_id: int) -> BaseResponse:
    """Add one more destination."""
    form = DestinationForm()
    if foreseeing.is_asked():
        return _one(alias_id, adding=form)
    return surface.submit(
        form,
        lambda: transact(
            aliases.create,
            actor(),
            source=aliases.get(db.session(), actor(), alias_id).source,
            destination=form.destination.data or "",
        ),
        lambda: _one(alias_id, adding=form),
        to=lambda: url_for(".get", alias_id=alias_id),
    )


@blueprint.post("/aliases/<int:alias_id>/note")
def change_note(alias_id: int) -> BaseResponse:
    """Write the note on an alias."""
    return notes.change(
        *(history.Kind.ALIAS, alias_id, lambda form: _one(alias_id, note=form)),
        to=url_for(".get", alias_id=alias_id),
    )


@blueprint.post("/aliases/<int:alias_id>/source")
def change_source(alias_id: int) -> BaseResponse:
    """Give all destinations another source."""
    form = SourceForm()
    if foreseeing.is_asked():
        return _one(alias_id, renaming=form)
    return surface.submit(
        form,
        lambda: transact(
            aliases.rename,
            actor(),
            alias_id,
            source=form.source.data or "",
            seen=form.seen.data or None,
        ),
        lambda: _one(alias_id, renaming=form),
        to=lambda: url_for(".get", alias_id=alias_id),
    )


def _one(
    alias_id: int,
    *,
    changing: DestinationForm | None = None,
    adding: DestinationForm | None = None,
    renaming: SourceForm | None = None,
    note: notes.NoteForm | None = None,
) -> Response:
    session = db.session()
    group = overviews.get_alias(session, actor(), alias_id)
    versions = aliases.versions_of(session, actor(), [item.alias for item in group.destinations])
    if changing is not None:
        changing.seen.data = versions[alias_id]
        foreseeing.show_in(
            changing,
            planned_acts.changing_alias,
            alias_id,
            destination=changing.destination.data or "",
        )
    if adding is not None:
        foreseeing.show_in(
            adding,
            planned_acts.creating_alias,
            source=group.source,
            destination=adding.destination.data or "",
        )
    if renaming is not None:
        foreseeing.show_in(
            renaming, planned_acts.renaming_alias, alias_id, source=renaming.source.data or ""
        )
    return surface.show(
        "aliases/one.html",
        group=group,
        alias_id=alias_id,
        changes={
            item.alias.id: changing
            if changing is not None and item.alias.id == alias_id
            else _changing(item.alias, versions[item.alias.id])
            for item in group.destinations
        },
        adding=adding or _adding(),
        renaming=_renaming(group, versions[group.id], renaming),
        note=notes.shown(group.note, note),
        is_adding=surface.place().startswith(ADD_PLACE),
        timeline=history.timeline(
            session,
            actor(),
            history.Kind.ALIAS,
            *(item.alias.id for item in group.destinations),
            noted=group.source,
        ),
    )


def _changing(alias: Alias, version: str) -> DestinationForm:
    form = surface.fresh(DestinationForm(formdata=None))
    form.space = f"row-{alias.id}"
    form.destination.data = alias.destination
    form.seen.data = version
    return form


def _adding() -> DestinationForm:
    form = surface.fresh(DestinationForm(formdata=None))
    form.space = "add"
    return form


def _renaming(group: overviews.AliasGroup, version: str, sent: SourceForm | None) -> SourceForm:
    form = sent or surface.fresh(SourceForm(formdata=None))
    if sent is None:
        form.source.data = group.source
    form.seen.data = version
    return form


# --- deleting, and several at once ----------------------------------------------


@blueprint.get("/aliases/<int:alias_id>/delete")
def ask_to_remove(alias_id: int) -> Response:
    """The question before one destination is deleted."""
    return _ask([alias_id], surface.fresh(DeleteForm(), leads_back=True))


@blueprint.post("/aliases/<int:alias_id>/delete")
def remove(alias_id: int) -> BaseResponse:
    """Delete one destination."""
    return _remove([alias_id])


@blueprint.get("/aliases/selected")
def ask_about_selected() -> Response:
    """The question before an action on several aliases."""
    if request.args.get("action") == "repoint":
        return _ask_where_to(surface.fresh(RepointForm(formdata=None), leads_back=True))
    # What is not there any more has no rows beside it; _ask says so.
    return _ask(
        _selected_rows() or surface.selected_ids(), surface.fresh(DeleteForm(), leads_back=True)
    )


@blueprint.post("/aliases/selected")
def change_selected() -> BaseResponse:
    """Delete several aliases, or lead them elsewhere."""
    ids = surface.selected_ids()
    if request.form.get("action") != "repoint":
        return _remove(ids)
    form = RepointForm()
    if foreseeing.is_asked():
        return _ask_where_to(form)
    return surface.submit(
        form,
        lambda: transact(
            aliases.repoint,
            actor(),
            _selected_rows(),
            replaced=form.replaced.data or None,
            destination=form.destination.data or "",
        ),
        lambda: _ask_where_to(form),
        to=lambda: url_for(".find"),
    )


def _selected_rows() -> list[int]:
    """The rows of all the sources that were ticked; a tick stands for all destinations."""
    return aliases.ids_beside(db.session(), actor(), surface.selected_ids())


def _remove(ids: list[int]) -> BaseResponse:
    form = DeleteForm()
    return surface.submit(
        form,
        lambda: transact(
            aliases.remove_several,
            actor(),
            ids,
            orphans=orphans_of(form),
            seen=form.seen.data or None,
        ),
        lambda: _ask(ids, form),
        to=lambda: url_for(".find"),
        never_to=[url_for(".get", alias_id=alias_id) for alias_id in ids],
    )


def _ask(ids: list[int], form: DeleteForm) -> Response:
    session = db.session()
    chosen = aliases.get_several(session, actor(), ids)
    surface.check_any_is_there(ids, chosen, "alias")
    gone = aliases.goes_with(session, actor(), ids)
    form.seen.data = gone.version
    foreseen = foresight.of_removal(session, actor(), gone, aliases=chosen)
    return surface.show(
        "aliases/delete.html", aliases=chosen, gone=gone, foreseen=foreseen, form=form
    )


def _ask_where_to(form: RepointForm) -> Response:
    chosen = aliases.get_several(db.session(), actor(), _selected_rows())
    surface.check_any_is_there(surface.selected_ids(), chosen, "alias")
    form.replaced.choices = [
        ("", _l("All their destinations")),
        *((name, name) for name in sorted({alias.destination for alias in chosen})),
    ]
    if request.method == "POST":
        foreseeing.show_in(
            form,
            planned_acts.repointing_aliases,
            _selected_rows(),
            replaced=form.replaced.data or None,
            destination=form.destination.data or "",
        )
    return surface.show(
        "aliases/repoint.html", aliases=chosen, ids=surface.selected_ids(), form=form
    )
