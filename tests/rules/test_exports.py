"""What is exported comes back: to the row, and the second export is the first to the byte."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postmaster.db import db
from postmaster.errors import Invalid, NotFound
from postmaster.models import Alias, Domain, HistoryEntry, Note, Suspension, User
from postmaster.rules import exports
from tests.rules.bulk import ADMIN, HASH, run
from tests.rules.mail import by_hand, fill, rows_now

FORMATS = ("csv", "json")
NOTES = st.text(st.characters(exclude_categories=["C", "Z"], max_codepoint=0xFFFF), min_size=1)


def export(format_name: str, *domains: str) -> str:
    db.session.remove()
    text = "".join(exports.pieces(db.session(), ADMIN, format_name, domains))
    db.session.remove()
    return text


def empty() -> None:
    db.session.remove()
    for model in (HistoryEntry, Note, Suspension, Alias, User, Domain):
        db.session.query(model).delete()
    db.session.commit()


def read_back(text: str) -> None:
    _lines, record = run(text)
    assert set(record.counts) == {"create"}, record.counts


@pytest.fixture
def mail(context: None) -> None:
    """Notes, suspended users, catch-alls, and what a spreadsheet would run."""
    fill()
    by_hand(
        Domain(id=3, name="empty.example"),
        User(id=13, domain_id=1, email="sleeper@one.example", password="!suspended"),
        User(id=14, domain_id=1, email="!gone@one.example", password="!suspended"),
        User(id=15, domain_id=1, email="locked@one.example", password="!suspended"),
        Suspension(user_id=13, email="sleeper@one.example", password=HASH),
        Suspension(user_id=14, email="gone@one.example", password="{BLF-CRYPT}$2y$x"),
        Alias(id=301, domain_id=1, source="@one.example", destination="dora@two.example"),
        Alias(id=302, domain_id=1, source="staff@one.example", destination="gone@one.example"),
        Alias(id=303, domain_id=1, source="gone@one.example", destination="gone@one.example"),
        Alias(id=304, domain_id=1, source="gone@one.example", destination="dora@two.example"),
        Note(kind="user", name="gone@one.example", text='=cmd|"x";\n\tsecond line'),
        Note(kind="alias", name="team@one.example", text="'quoted"),
        Note(kind="domain", name="empty.example", text="-5, a note; of it"),
    )


@pytest.mark.parametrize("format_name", FORMATS)
def test_exported_imported_and_exported_again_it_is_the_same(mail: None, format_name: str) -> None:
    first = export(format_name)
    before = rows_now()
    kept = {row.email: row.password for row in db.session.query(Suspension)}
    empty()
    text = first
    if format_name == "csv":
        header, _, text = first.partition("\n")
        assert header == '"kind","address","destination","password","hash","suspended","note"'
    read_back(text)
    assert export(format_name) == first
    after = rows_now()
    for table, columns in (("virtual_users", slice(2, 4)), ("virtual_aliases", slice(2, 4))):
        assert sorted(row[columns] for row in after[table]) == sorted(
            row[columns] for row in before[table]
        )
    assert {row.email: row.password for row in db.session.query(Suspension)} == kept


def test_both_formats_say_the_same(mail: None) -> None:
    as_csv, as_json = export("csv"), export("json")
    empty()
    read_back(as_json)
    assert export("csv") == as_csv


def test_no_cell_is_a_formula(mail: None) -> None:
    for line in export("csv").splitlines()[1:]:
        for cell in line.split('","'):
            assert not cell.lstrip('"').startswith(("=", "+", "-", "@")), line


def test_some_domains_only(mail: None) -> None:
    text = export("csv", "two.example", "empty.example")
    assert "dora@two.example" in text
    assert '"domain","empty.example"' in text
    assert "sleeper@one.example" not in text
    assert '"domain","one.example"' not in text


def test_what_is_asked_for_wrongly_is_refused_at_once(mail: None) -> None:
    with pytest.raises(Invalid, match="must be one of"):
        exports.pieces(db.session(), ADMIN, "xls")
    with pytest.raises(NotFound, match=r"three\.example"):
        exports.pieces(db.session(), ADMIN, "csv", ["three.example"])


def test_an_empty_database(context: None) -> None:
    for format_name in FORMATS:
        text = export(format_name)
        assert text
        run(text.partition("\n")[2] if format_name == "csv" else text)
        assert export(format_name) == text


@pytest.mark.parametrize("format_name", FORMATS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(note=NOTES)
def test_any_note_comes_back(context: None, format_name: str, note: str) -> None:
    empty()
    by_hand(
        Domain(id=1, name="one.example"), Note(kind="domain", name="one.example", text=note[:99])
    )
    text = export(format_name)
    empty()
    run(text.partition("\n")[2] if format_name == "csv" else text)
    assert export(format_name) == text
    assert db.session.query(Note.text).scalar() == note[:99]
