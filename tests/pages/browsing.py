"""A browser without scripts: opens pages, fills their own forms, sends them, follows on.

So a test posts what a person could post: hidden fields and the CSRF token come from the
page, and a field that the page does not have is an error. With ``into`` it asks for a
part of a page, as htmx does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from postmaster.db import Base, db, transact

Row = TypeVar("Row", bound=Base)
Result = TypeVar("Result")
Value = str | bool | list[str]
VOID = {"input", "br", "img", "link", "meta", "hr", "source", "wbr", "col"}


@dataclass
class Form:
    """A form as it stands in a page."""

    action: str
    method: str
    id: str
    # What would be sent: each field's name with its values.
    values: dict[str, list[str]] = field(default_factory=dict)
    # What may be ticked or chosen besides: each name with all the values that are offered.
    offered: dict[str, list[str]] = field(default_factory=dict)


class Reader(HTMLParser):
    """Reads forms, alerts, headings and text out of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.outside: list[tuple[str, dict[str, str]]] = []
        self.ids: list[str] = []
        self.alerts: list[str] = []
        self.headings: list[str] = []
        self.errors: dict[str, str] = {}
        self.links: list[str] = []
        self.texts: list[str] = []
        self._open: list[tuple[str, dict[str, str]]] = []
        self._inside: Form | None = None
        self._select: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value if value is not None else "" for name, value in attrs}
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "form":
            self._inside = Form(
                found.get("action", ""), found.get("method", "get"), found.get("id", "")
            )
            self.forms.append(self._inside)
        elif tag in ("input", "select", "option", "textarea", "button"):
            self._control(tag, found)
        elif tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag not in VOID:
            self._open.append((tag, found))
        if found.get("role") == "alert":
            self.alerts.append("")
        if "field-error" in found.get("class", "").split():
            self.errors[found.get("id", "").removesuffix("-error").rpartition("-")[2]] = ""
        if tag in ("h1", "h2"):
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        if tag == "select":
            self._select = ""
        while self._open:
            name, _attributes = self._open.pop()
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text or any(name in ("script", "style", "title") for name, _ in self._open):
            return
        self.texts.append(text)
        for name, attributes in self._open:
            if attributes.get("role") == "alert":
                self.alerts[-1] = f"{self.alerts[-1]} {text}".strip()
            if "field-error" in attributes.get("class", "").split():
                key = list(self.errors)[-1]
                self.errors[key] = f"{self.errors[key]} {text}".strip()
            if name in ("h1", "h2"):
                self.headings[-1] = f"{self.headings[-1]} {text}".strip()

    def _control(self, tag: str, found: dict[str, str]) -> None:
        name = found.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and self._inside is not None:
            value = found.get("value", "")
            offered = self._inside.offered.setdefault(self._select, [])
            offered.append(value)
            # The first is chosen, unless another says so.
            if "selected" in found or len(offered) == 1:
                self._inside.values[self._select] = [value]
        elif name and "form" in found:
            self.outside.append((found["form"], found))
        elif name and tag != "button" and self._inside is not None:
            self._add(self._inside, found)

    def _add(self, form: Form, found: dict[str, str]) -> None:
        name, value = found["name"], found.get("value", "")
        if found.get("type") in ("checkbox", "radio"):
            value = found.get("value", "on")
            form.offered.setdefault(name, []).append(value)
            if "checked" not in found:
                return
        form.values.setdefault(name, []).append(value)

    def close(self) -> None:
        super().close()
        by_id = {form.id: form for form in self.forms}
        for owner, found in self.outside:
            if owner in by_id:
                self._add(by_id[owner], found)


class Page:
    """An answer, read as a person reads it."""

    def __init__(self, response: TestResponse, url: str) -> None:
        self.response = response
        self.status = response.status_code
        self.url = url
        self.html = response.get_data(as_text=True)
        reader = Reader()
        reader.feed(self.html)
        reader.close()
        self.forms = reader.forms
        self.alerts = reader.alerts
        self.errors = reader.errors
        self.headings = reader.headings
        self.links = reader.links
        self.ids = reader.ids
        self.text = " ".join(reader.texts)

    def form(self, which: str) -> Form:
        """The form with this id, or whose action is or ends with this."""
        for form in self.forms:
            if which in (form.id, form.action):
                return form
        found = [form for form in self.forms if form.action.endswith(which)]
        assert len(found) == 1, (which, [(form.id, form.action) for form in self.forms])
        return found[0]

    def has_form(self, action: str) -> bool:
        """Whether there is a form with exactly this action."""
        return any(form.action == action for form in self.forms)


class Browser:
    """Opens pages and sends forms; goes on where it is sent to."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page: Page | None = None

    def row(self, model: type[Row], row_id: int) -> Row:
        """A row as it is now."""
        with self.client.application.app_context():
            found = db.session.get(model, row_id)
        assert found is not None, f"{model.__name__} {row_id} is gone"
        return found

    def id_of(self, model: type[Row], **values: object) -> int:
        """The id of the one row with these values."""
        with self.client.application.app_context():
            found = db.session.scalars(select(model.__table__.c["id"]).filter_by(**values)).one()
        return int(found)

    def is_gone(self, model: type[Row], row_id: int) -> bool:
        """Whether a row is not there any more."""
        with self.client.application.app_context():
            return db.session.get(model, row_id) is None

    def alter(self, model: type[Row], row_id: int, **values: object) -> None:
        """Change a row behind the panel's back."""
        with self.client.application.app_context(), db.engine.begin() as connection:
            table = model.__table__
            connection.execute(update(table).where(table.c["id"] == row_id).values(**values))

    def run(self, act: Callable[..., Result], *arguments: object, **fields: object) -> Result:
        """Run an act without a page, in a transaction of its own."""
        with self.client.application.app_context():
            return transact(act, *arguments, **fields)

    def open(self, path: str, *, into: str | None = None) -> Page:
        """A page; with ``into`` only what htmx would put into the element of this id."""
        response = self.client.get(path, headers=self._headers(into))
        return self._follow(response, path, into)

    def submit(
        self, which: str, *, into: str | None = None, button: str | None = None, **values: Value
    ) -> Page:
        """Fill in a form of the page that is open, and send it.

        ``button`` is ``name=value`` of the one that is pressed, if it has a name.
        """
        assert self.page is not None, "open a page first"
        form = self.page.form(which)
        data = {name: list(present) for name, present in form.values.items()}
        for name, value in values.items():
            assert name in form.values or name in form.offered, f"{which} has no field {name}"
            if isinstance(value, bool):
                data[name] = form.offered[name][:1] if value else []
            else:
                data[name] = [value] if isinstance(value, str) else value
        if button is not None:
            name, _, value = button.partition("=")
            data[name] = [value]
        address = form.action or self.page.url
        headers = self._headers(into)
        if form.method == "post":
            response = self.client.post(address, data=data, headers=headers)
        else:
            address = f"{address}?{urlencode(data, doseq=True)}"
            response = self.client.get(address, headers=headers)
        return self._follow(response, address, into)

    def undo(self) -> Page:
        """Press the one Undo that the messages offer."""
        assert self.page is not None, "open a page first"
        (action,) = {form.action for form in self.page.forms if form.action.endswith("/undo")}
        return self.submit(action)

    def send(self, path: str, *, into: str | None = None, **data: Value) -> Page:
        """Post what no form of the page that is open would send, with the page's token."""
        assert self.page is not None, "open a page first"
        token = next(form.values for form in self.page.forms if "csrf_token" in form.values)
        data["csrf_token"] = token["csrf_token"]
        response = self.client.post(path, data=data, headers=self._headers(into))
        return self._follow(response, path, into)

    def _headers(self, into: str | None) -> dict[str, str]:
        url = f"http://localhost{self.page.url}" if self.page else ""
        headers = {"Referer": url} if url else {}
        if into is not None:
            headers |= {"HX-Request": "true", "HX-Target": into, "HX-Current-URL": url}
        return headers

    def _follow(self, response: TestResponse, url: str, into: str | None) -> Page:
        for _ in range(5):
            if response.status_code not in (302, 303):
                break
            parts = urlsplit(response.headers["Location"])
            url = parts.path + (f"?{parts.query}" if parts.query else "")
            response = self.client.get(url, headers=self._headers(into))
        page = Page(response, url)
        # A part of a page stands in the page that is open.
        if into is None or into == "main":
            self.page = page
        elif self.page is not None:
            self.page.forms[:0] = page.forms
        return page
