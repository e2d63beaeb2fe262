"""Every page in a language that does not exist: each sentence stands in ⟦ ⟧.

What a person can read outside of them was never marked for translation, unless it is
a row's value. Every page without arguments is looked at, and those that are listed.
"""

from collections.abc import Iterable, Iterator, Mapping

import flask_babel
import pytest
from babel.support import NullTranslations
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from postmaster import security
from postmaster.db import db
from postmaster.pages import wording
from tests.conftest import set_setting, sign_in
from tests.visible_text import Visible, has_letters, without

# Pages beside those that the application's own list of addresses gives; ids count from 1.
MORE_PATHS = [
    "/nowhere",
    "/domains?search=nothing",
    "/users?search=nothing",
    "/aliases?search=nothing",
    "/admins?search=nothing",
    "/configs?per_page=100",
]
# Files, JSON, and what would sign the reader out.
NO_PAGES = {"static", "health.healthz", "login.sign_out"}
# Columns whose values are words of ours, which a page has to translate.
OUR_WORDS = {
    "postmaster_admins.source",
    "postmaster_configuration.setting",
    "postmaster_history.action",
    "postmaster_history.kind",
    "postmaster_history.via",
}

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


class Pseudo(NullTranslations):
    """Translates nothing, and shows what passed through here."""

    def ugettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ungettext(self, singular: str, plural: str, number: int) -> str:
        return f"⟦{singular if number == 1 else plural}⟧"

    def upgettext(self, _context: str, message: str) -> str:
        return f"⟦{message}⟧"

    def unpgettext(self, _context: str, singular: str, plural: str, number: int) -> str:
        return self.ungettext(singular, plural, number)


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page in the pseudo-language."""
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda _domain: Pseudo())
    # What is rendered once for each language is not that of another one.
    monkeypatch.setattr(wording, "language", lambda: "pseudo")


@pytest.fixture
def rows(client: FlaskClient) -> FlaskClient:
    """A signed-in browser, with some of everything in the tables and in the log."""
    for name in ("Login Auditing", "Mail Database Auditing"):
        set_setting(client, name, "True")
    for noun, values in (
        ("domains", {"name": "xn--bcher-kva.example"}),
        ("users", {"email": "ana@xn--bcher-kva.example", "password": "password"}),
        ("users", {"email": "bob@xn--bcher-kva.example", "password": "password"}),
        ("aliases", {"source": "info@xn--bcher-kva.example", "destination": "ana@bücher.example"}),
        ("aliases", {"source": "info@xn--bcher-kva.example", "destination": "bob@bücher.example"}),
        ("admins", {"username": "zoe", "name": "Zoë Quist", "password": "password"}),
    ):
        assert client.post(f"/api/v1/{noun}", json=values).status_code == 201
    for number in range(12):
        client.post("/api/v1/domains", json={"name": f"d{number}.example"})
    client.patch("/api/v1/admins/2", json={"name": "Zoë Quistberg"})
    client.delete("/api/v1/users/2")
    sign_in(client.application, "zoe", "password")
    client.application.test_client().post("/login", data={"username": "zoe", "password": "no"})
    return client


def paths(app: Flask) -> list[str]:
    """Every address that a GET reaches, with 1 for each argument."""
    with app.test_request_context():
        found = [
            app.url_for(rule.endpoint, **dict.fromkeys(rule.arguments, 1))
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and rule.endpoint not in NO_PAGES
        ]
    return [*(path for path in found if not path.startswith(security.API_PREFIX)), *MORE_PATHS]


def values(app: Flask) -> list[str]:
    """What the tables and the log hold: a page shows it as it is."""
    found: set[str] = set()
    with app.app_context():
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(select(table)).mappings():
                for column, value in row.items():
                    if f"{table.name}.{column}" not in OUR_WORDS:
                        found |= set(texts_in(value))
        db.session.remove()
    for line in app.extensions["postmaster_log"].newest(1000):
        found |= {line.message, line.admin or ""}
    return [text for text in found if text.strip()]


def texts_in(value: object) -> Iterator[str]:
    """The texts of a row's value, which may be JSON."""
    if isinstance(value, str):
        yield value
        if "xn--" in value:
            yield value.replace("xn--bcher-kva", "bücher")
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)


def unmarked(page: str, known: Iterable[str]) -> Iterator[str]:
    """What can be read outside of ⟦ ⟧ and is no row's value."""
    visible = Visible(page)
    depth = 0
    for text in visible.texts:
        outside, depth = outside_of_marks(text, depth)
        if has_letters(without(outside, [*known])):
            yield " ".join(outside.split())
    for name, text in visible.attributes:
        outside, _depth = outside_of_marks(text, 0)
        if has_letters(without(outside, [*known])):
            yield f'{name}="{text}"'


def outside_of_marks(text: str, depth: int) -> tuple[str, int]:
    """The part of a text that stands in no mark; a mark may reach over several texts."""
    outside = []
    for character in text:
        depth += {"⟦": 1, "⟧": -1}.get(character, 0)
        outside.append(character if depth == 0 and character != "⟧" else " ")
    return "".join(outside), depth


def check(browser: FlaskClient, known: Iterable[str]) -> int:
    """Look at every page; how many there were."""
    faults: dict[str, str] = {}  # each text once, with the first page that says it
    pages = 0
    for path in paths(browser.application):
        response = browser.get(path)
        if response.mimetype == "text/html" and not 300 <= response.status_code < 400:
            pages += 1
            for text in unmarked(response.text, known):
                faults.setdefault(text, path)
        response.close()
    assert not faults, (
        "Put these in _() (or Phrase() and say()), then run ops/translate and translate them:\n"
        + "\n".join(f"{path}: {text}" for text, path in faults.items())
    )
    return pages


def test_every_page_with_rows(app: Flask, rows: FlaskClient, pseudo: None) -> None:
    assert check(rows, values(app)) > 10


def test_every_page_of_a_new_installation(app: Flask, client: FlaskClient, pseudo: None) -> None:
    assert check(client, values(app)) > 10


def test_what_a_stranger_sees(app: Flask, stranger: FlaskClient, pseudo: None) -> None:
    refused = stranger.post("/login", data={"username": "admin", "password": "no"})
    for response in (stranger.get("/login"), refused, stranger.get("/nowhere")):
        assert not list(unmarked(response.text, ["admin"]))


def test_an_unmarked_word_is_noticed(app: Flask) -> None:
    page = """<html lang="xx"><title>⟦Users⟧ · PostMaster</title><body>
      <p>⟦The account <b>admin</b> is new⟧ <time>Nov 1</time> ana, 12
      <button title="⟦Close⟧" aria-label="Shut">⟦Go to ⟦Users⟧⟧</button> lost</p>
      <script>var words = 1;</script><code>manage.py</code></body></html>"""
    assert list(unmarked(page, ["ana"])) == ["lost", 'button aria-label="Shut"']
