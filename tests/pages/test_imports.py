"""The pages of imports and of the export, without scripts."""

import io
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from postmaster.db import db
from postmaster.models import Domain, HistoryEntry, Import, ImportPart, User
from postmaster.rules import passwords
from postmaster.rules.history import now
from postmaster.rules.imports import planning, uploads
from tests.pages.browsing import Browser, Page
from tests.rules.mail import HASH

FILE = f"""\
kind,address,destination,hash
domain,new.example,,
user,ana@new.example,,{HASH}
alias,@new.example,ana@new.example,
alias,x@new.example,nobody@new.example,
user,ana@one.example,,{HASH}
"""


def send(browser: Browser, text: str = FILE, **choices: str | bool) -> Page:
    browser.open("/import")
    return browser.submit("import", text=text, **choices)


def number(browser: Browser) -> int:
    with browser.client.application.app_context():
        return db.session.scalar(select(func.max(Import.id))) or 0


def parts(browser: Browser) -> dict[str, bytes]:
    with browser.client.application.app_context():
        found = select(ImportPart.role, ImportPart.content)
        return dict(list(db.session.execute(found)))


def test_a_file_is_planned_and_nothing_is_done_yet(mail: Browser) -> None:
    page = send(mail)
    assert page.status == 200
    assert "3 things would be added or changed." in page.text
    assert "1 line cannot be imported and is left out." in page.text
    assert "nobody@new.example" in page.text
    page = mail.open(f"{page.url}?verdict=create")
    assert "@new.example → ana@new.example" in page.text.replace("\u2068", "").replace("\u2069", "")
    page = mail.open(f"/import/{number(mail)}?verdict=skip")
    assert "It is there already and keeps its password." in page.text
    with mail.client.application.app_context():
        assert db.session.scalar(select(Domain).where(Domain.name == "new.example")) is None


def test_it_is_done_in_steps_and_undone_as_one(mail: Browser) -> None:
    send(mail)
    page = mail.submit("/next")
    while "are done." in page.text:
        page = mail.submit("/next")
    assert "Done: 5 lines." in page.text
    user = mail.row(User, mail.id_of(User, email="ana@new.example"))
    assert user.password == HASH
    assert parts(mail) == {}
    page = mail.submit("/undo")
    assert "This was undone." in mail.open(f"/import/{number(mail)}").text
    with mail.client.application.app_context():
        assert db.session.scalar(select(Domain).where(Domain.name == "new.example")) is None


def test_it_can_be_left_and_gone_on_with(mail: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "STEP_SECONDS", 0)
    send(mail)
    page = mail.submit("/next")
    monkeypatch.undo()
    assert "1 of 5 lines are done." in page.text
    assert "1 of 5 lines are done" in mail.open("/import").text
    # The same file, sent once more, is the same import.
    page = send(mail)
    assert "1 of 5 lines are done." in page.text
    page = mail.submit("/next")
    assert "Done: 5 lines." in page.text
    with mail.client.application.app_context():
        heads = select(HistoryEntry).where(HistoryEntry.action == "import")
        assert len(db.session.scalars(heads.where(HistoryEntry.part_of.is_(None))).all()) == 1


def test_a_step_that_somebody_else_did_is_not_done_twice(mail: Browser) -> None:
    send(mail)
    mail.submit("/next")
    page = mail.send(f"/import/{number(mail)}/next")
    assert "Done: 5 lines." in page.text
    with mail.client.application.app_context():
        assert db.session.scalar(select(func.count()).where(User.email == "ana@new.example")) == 1


def test_generated_passwords_are_fetched_and_then_deleted(mail: Browser) -> None:
    send(mail, "kind,address\nuser,new@one.example\n", generate=True)
    page = mail.submit("/next")
    stored = b"".join(parts(mail).values())
    page = mail.submit("/passwords")
    assert page.response.headers["Cache-Control"] == "no-store"
    assert page.response.headers["Content-Disposition"].startswith("attachment")
    header, row = page.html.splitlines()
    address, _, word = row.partition(",")
    assert (header, address) == ("address,password", "new@one.example")
    assert word.encode() not in stored
    user = mail.row(User, mail.id_of(User, email="new@one.example"))
    assert passwords.matches_mail(word, user.password)
    assert "The passwords wait to be fetched" in mail.open("/import").text
    mail.open(f"/import/{number(mail)}")
    page = mail.submit("/delete")
    assert "The generated passwords" not in page.text
    assert mail.send(f"/import/{number(mail)}/passwords").status == 404


def test_a_file_is_encrypted_in_the_database(mail: Browser) -> None:
    send(mail, "kind,address,password\nuser,new@one.example,correct horse\n")
    stored = parts(mail)
    assert {"file 0", "about", "plan create"} <= stored.keys()
    assert not any(b"horse" in each or b"one.example" in each for each in stored.values())


def test_what_is_not_wanted_is_forgotten(mail: Browser) -> None:
    send(mail)
    page = mail.submit("/discard")
    assert "Not finished" not in page.text
    assert parts(mail) == {}


def test_a_file_is_kept_for_a_day(mail: Browser) -> None:
    send(mail)
    mail.alter(Import, number(mail), started=now() - timedelta(days=2))
    send(mail, "kind,address\ndomain,other.example\n")
    with mail.client.application.app_context():
        (record,) = db.session.scalars(select(Import))
        assert record.total == 1
    assert len(parts(mail)) == 3


GENERATED = "kind,address\nuser,a@one.example\nuser,b@one.example\nuser,c@one.example\n"


@pytest.fixture
def half_done(mail: Browser, monkeypatch: pytest.MonkeyPatch) -> int:
    """An import with generated passwords that somebody left two days ago."""
    monkeypatch.setattr(planning, "HASHING_BATCH", 1)
    monkeypatch.setattr(uploads, "STEP_SECONDS", 0)
    send(mail, GENERATED, generate=True)
    mail.submit("/next")
    long_ago(mail)
    return number(mail)


def long_ago(mail: Browser) -> None:
    with mail.client.application.app_context():
        for record in db.session.scalars(select(Import)):
            record.started -= timedelta(days=2)
            if record.finished is not None:
                record.finished -= timedelta(days=2)
        for entry in db.session.scalars(select(HistoryEntry)):
            entry.moment -= timedelta(days=2)
        db.session.commit()


def passwords_of(mail: Browser, import_id: int) -> list[str]:
    """Whose generated passwords are kept."""
    page = mail.send(f"/import/{import_id}/passwords")
    return (
        [line.partition("@")[0] for line in page.html.splitlines()[1:]]
        if page.status == 200
        else []
    )


def test_passwords_stay_until_their_import_is_finished(mail: Browser, half_done: int) -> None:
    send(mail, "kind,address\ndomain,other.example\n")
    assert passwords_of(mail, half_done) == ["a"]
    assert "The file is not here any more" in mail.open(f"/import/{half_done}").text
    send(mail, GENERATED, generate=True)
    mail.send(f"/import/{half_done}/next")
    send(mail, "kind,address\ndomain,another.example\n")
    mail.send(f"/import/{half_done}/next")
    assert passwords_of(mail, half_done) == ["a", "b", "c"], "the file was kept too"
    send(mail, "kind,address\ndomain,third.example\n")
    assert passwords_of(mail, half_done) == ["a", "b", "c"], "for a day after the end"
    long_ago(mail)
    send(mail, "kind,address\ndomain,fourth.example\n")
    assert passwords_of(mail, half_done) == []


def test_a_day_begins_with_the_last_step(mail: Browser, half_done: int) -> None:
    mail.send(f"/import/{half_done}/next")
    send(mail, "kind,address\ndomain,other.example\n")
    assert "Go on" in mail.open(f"/import/{half_done}").text


def test_passwords_of_what_was_undone_are_not_kept_longer(mail: Browser, half_done: int) -> None:
    with mail.client.application.app_context():
        head_id = db.session.get_one(Import, half_done).head_id
    assert mail.send(f"/history/{head_id}/undo").status == 200
    long_ago(mail)
    send(mail, "kind,address\ndomain,other.example\n")
    assert passwords_of(mail, half_done) == []


def test_the_options_are_obeyed(mail: Browser) -> None:
    text = f"kind,address,hash\nuser,x@missing.example,{HASH}\nuser,ana@one.example,{HASH}new\n"
    send(mail, text, create_domains=True, update=True)
    page = mail.submit("/next")
    assert "Done" in page.text
    assert mail.id_of(Domain, name="missing.example")
    assert mail.row(User, 11).password == f"{HASH}new"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is no file"),
        ("a,b\n1,2\n", "The format of the file is not known"),
        ("kind,address\n", "There is nothing in the file"),
        ("kind,address,nonsense\nuser,a@b.example,1\n", "must name the columns"),
    ],
)
def test_what_cannot_be_read_is_refused_beside_the_field(
    mail: Browser, text: str, words: str
) -> None:
    page = send(mail, text)
    assert page.status == 400
    assert any(words in said for said in [*page.errors.values(), *page.alerts])
    assert number(mail) == 0


def test_too_many_lines_are_for_the_command(mail: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_LINES", 4)
    assert "manage.py import" in send(mail).errors["files"]
    many = "kind,address\n" + "".join(f"user,a@d{n}.example\n" for n in range(4))
    assert "At most 4 lines" in send(mail, many, create_domains=True).errors["files"]
    monkeypatch.setattr(uploads, "MOST_LINES", 8)
    named = "".join(f"domain,d{n}.example\n" for n in range(4))
    assert send(mail, many + named, create_domains=True).status == 200


def test_several_files_may_be_sent_and_be_large(mail: Browser) -> None:
    mail.open("/import")
    assert mail.page is not None
    token = mail.page.form("import").values["csrf_token"][0]
    domain = b"domain,aliases,mailboxes,active\nnew.example,0,0,1\n"
    alias = b"address,goto,domain,active\nx@new.example,ana@one.example,new.example,1\n"
    padding = b"\n" * (2 * 1024 * 1024)
    sent = {
        "csrf_token": token,
        "files": [
            FileStorage(io.BytesIO(content), name)
            for name, content in (("domain.csv", domain), ("a.csv", alias + padding))
        ],
    }
    boundary, body = encode_multipart(sent)
    response = mail.client.post(
        "/import", data=body, content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert response.status_code == 303
    page = mail.open(response.headers["Location"])
    assert "Import of domain.csv, a.csv" in page.headings
    assert "2 things would be added or changed." in page.text


def test_other_forms_take_no_more_than_before(mail: Browser) -> None:
    mail.open("/import")
    response = mail.client.post("/domains", data={"name": "x" * (2 * 1024 * 1024)})
    assert response.status_code == 413


def test_another_secret_key_cannot_read_the_file(
    mail: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(mail)
    monkeypatch.setattr("postmaster.rules.imports.sealing.PURPOSE", b"another key")
    page = mail.submit("/next")
    assert page.status == 400
    assert "Send the file again" in page.text


# --- export ---------------------------------------------------------------------


def test_an_export_is_a_file_that_an_import_reads(mail: Browser) -> None:
    mail.open("/import")
    page = mail.submit("export", format="csv")
    assert page.status == 200
    assert page.response.headers["Content-Disposition"] == 'attachment; filename="mail.csv"'
    assert "ana@one.example" in page.html
    page = send(mail, page.html)
    assert "There is nothing to add or change." in page.text


@pytest.mark.parametrize(("name", "begins"), [("json", "{"), ("yaml", "governs:")])
def test_an_export_of_one_domain(mail: Browser, name: str, begins: str) -> None:
    mail.open("/import")
    page = mail.submit("export", format=name, domain="two.example")
    assert page.html.startswith(begins)
    assert "dora" in page.html
    assert "bob" not in page.html.replace("bob@one", "")


def test_an_export_of_an_unknown_domain_is_refused(mail: Browser) -> None:
    mail.open("/import")
    page = mail.submit("export", domain="unknown.example")
    assert page.status == 404
    assert "was not found" in page.errors["domain"]


def test_an_export_needs_the_pages_own_token(mail: Browser, client: FlaskClient) -> None:
    assert client.post("/export", data={"format": "csv"}).status_code == 400
    assert client.get("/export").status_code == 405
