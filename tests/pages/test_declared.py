"""The page that makes the tables equal to a file, without scripts."""

import io

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from postmaster.db import db
from postmaster.models import Domain, HistoryEntry, ImportPart, User
from postmaster.rules import passwords
from postmaster.rules.declarations import proposals
from tests.conftest import ADMIN
from tests.pages.browsing import Browser, Page
from tests.rules.mail import HASH

SECRET = "{BLF-CRYPT}$2y$05$secretsecretsecret"
FILE = f"""\
governs: [three.example, two.example]
domains:
  three.example:
    users:
      - {{address: new, hash: "{SECRET}"}}
      - {{address: eva, hash: "{SECRET}", suspended: all}}
    aliases: {{"@": [new]}}
  two.example:
    users:
      - {{address: dora, hash: "{SECRET}"}}
      - {{address: eva, suspended: sign-in}}
    aliases: {{all: [eva]}}
"""
GENERATING = "governs: [three.example]\ndomains: {three.example: {users: [new]}}\n"


def send(browser: Browser, text: str = FILE, **choices: str | bool) -> Page:
    browser.open("/declared")
    return browser.submit("declare", text=text, **choices)


def is_there(browser: Browser, name: str) -> bool:
    with browser.client.application.app_context():
        return db.session.scalar(select(Domain.id).where(Domain.name == name)) is not None


def test_a_plan_shows_what_would_be_done_and_no_hash(mail: Browser) -> None:
    page = send(mail)
    assert page.status == 200
    for words in ("To delete: 4", "To change: 2", "To create: 4"):
        assert words in page.text
    assert "dora@two.example · another password" in page.text
    # What it means for mail, by the trace before and after.
    assert "What it means for mail:" in page.text
    assert "This stops mail to 3 addresses: it is refused" in page.text
    assert "secretsecret" not in page.html
    assert not is_there(mail, "three.example")


def test_it_is_applied_as_one_and_undone(mail: Browser) -> None:
    send(mail)
    page = mail.submit("apply")
    assert page.url == "/declared"
    assert '10 changes were made to match "pasted.yaml"' in page.text
    assert mail.row(User, 21).password == SECRET
    assert is_there(mail, "three.example")
    assert "secretsecret" not in page.html
    mail.undo()
    assert mail.row(User, 21).password == f"{HASH}21"
    assert not is_there(mail, "three.example")


def test_the_same_again_has_nothing_to_do(mail: Browser) -> None:
    send(mail)
    mail.submit("apply")
    page = send(mail)
    assert "There is nothing to do: the tables are as the file says." in page.text
    assert not page.has_form("/declared/apply")


def test_what_changed_meanwhile_is_shown_first(mail: Browser) -> None:
    send(mail)
    mail.alter(User, 21, password=f"{HASH}other")
    page = mail.submit("apply")
    assert page.status == 409
    assert "The tables were changed since the plan was made" in page.alerts[-1]
    assert mail.row(User, 21).password == f"{HASH}other"
    assert "To change: 2" in page.text
    page = mail.submit("apply")
    assert page.status == 200
    assert mail.row(User, 21).password == SECRET


def test_it_works_within_the_page(mail: Browser) -> None:
    send(mail)
    mail.alter(User, 21, password=f"{HASH}other")
    page = mail.submit("apply", into="main")
    assert page.status == 409
    assert page.response.headers["HX-Retarget"] == "#main"
    assert "<html" not in page.html
    assert "10 changes" in mail.submit("apply", into="main").text


def test_what_changes_between_the_two_looks_is_seen_in_the_act(
    mail: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(mail)
    monkeypatch.setattr(
        proposals, "generate", lambda _proposal: mail.alter(User, 21, password=f"{HASH}other")
    )
    assert mail.submit("apply").status == 409
    assert not is_there(mail, "three.example")


def test_refusals_stand_with_their_line_and_nothing_can_be_applied(mail: Browser) -> None:
    text = "governs: [one.example]\ndomains:\n  one.example:\n    users: [bad address, ana]\n"
    page = send(mail, text)
    assert page.status == 200
    assert "Errors" in page.headings
    assert "Line 4:" in page.text
    assert not page.has_form("/declared/apply")
    # Not by hand either.
    page = mail.send(
        "/declared/apply",
        seen="x",
        sealed=proposals.Envelope(mail.client.application.secret_key or "").close(
            proposals.Sent("mail.yaml", text.encode())
        ),
    )
    assert page.status == 409


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty"),
        ("governs: [a.example", "Line 2 cannot be read as YAML"),
        (f"governs: [a.example]\npasswords: '{SECRET}'", 'no "passwords" here'),
    ],
)
def test_what_cannot_be_read_is_refused_beside_the_field(
    mail: Browser, text: str, words: str
) -> None:
    page = send(mail, text)
    assert page.status == 400
    assert words in page.errors["file"]
    assert "secretsecret" not in page.html


def test_too_much_is_for_the_command(mail: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MOST_GENERATED", 0)
    page = send(mail, GENERATING, generate=True)
    assert "use manage.py apply" in page.text
    assert not page.has_form("/declared/apply")
    monkeypatch.setattr(proposals, "MOST_BYTES", 10)
    assert "use manage.py apply" in send(mail).errors["file"]


# --- files ----------------------------------------------------------------------


def upload(browser: Browser, content: bytes, text: str = "") -> Page:
    browser.open("/declared")
    assert browser.page is not None
    sent = {
        "csrf_token": browser.page.form("declare").values["csrf_token"][0],
        "text": text,
        "file": FileStorage(io.BytesIO(content), "our.yaml"),
    }
    boundary, body = encode_multipart(sent)
    response = browser.client.post(
        "/declared", data=body, content_type=f"multipart/form-data; boundary={boundary}"
    )
    browser.page = Page(response, "/declared")
    return browser.page


def test_a_file_may_be_large_and_names_the_change(mail: Browser) -> None:
    page = upload(mail, FILE.encode() + "".join(f"# {n}\n" for n in range(250_000)).encode())
    assert "Plan of our.yaml" in page.headings
    page = mail.submit("apply")
    assert '10 changes were made to match "our.yaml"' in page.text


def test_a_file_and_a_text_are_one_too_many(mail: Browser) -> None:
    page = upload(mail, FILE.encode(), FILE)
    assert page.errors["file"] == "There is a file and a text: send one of them."


def test_what_was_sent_comes_back_only_as_it_was(mail: Browser) -> None:
    mail.open("/declared")
    page = mail.send("/declared/apply", seen="x", sealed="gAAAA-x")
    assert page.status == 400
    assert "Send it again" in page.alerts[-1]


# --- generated passwords --------------------------------------------------------


def test_passwords_are_not_generated_unasked(mail: Browser) -> None:
    page = send(mail, GENERATING)
    assert 'The user "new@three.example" is new and has no hash' in page.text
    assert not page.has_form("/declared/apply")


def test_generated_passwords_wait_to_be_fetched(mail: Browser) -> None:
    page = send(mail, GENERATING, generate=True)
    assert "wait afterwards to be fetched" in page.text
    page = mail.submit("apply")
    assert page.url.startswith("/import/")
    assert '2 changes were made to match "pasted.yaml"' in page.text
    with mail.client.application.app_context():
        stored = b"".join(db.session.scalars(select(ImportPart.content)))
    page = mail.submit("/passwords")
    address, _, word = page.html.splitlines()[1].partition(",")
    assert address == "new@three.example"
    user = mail.row(User, mail.id_of(User, email=address))
    assert passwords.matches_mail(word, user.password)
    assert word.encode() not in stored
    assert "The passwords wait to be fetched" in mail.open("/import").text


def test_the_history_has_it_as_one(mail: Browser) -> None:
    send(mail)
    mail.submit("apply")
    with mail.client.application.app_context():
        heads = select(HistoryEntry).where(HistoryEntry.part_of.is_(None))
        (head,) = db.session.scalars(heads).all()
        assert (head.action, head.object_name, head.admin) == ("apply", "pasted.yaml", ADMIN.name)
    assert "What is to be there" in mail.open("/import").headings
