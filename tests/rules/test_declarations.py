"""What a YAML file says is to be there, is there afterwards, and nothing else is touched."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select

from postmaster.db import db, transact
from postmaster.errors import Conflict, Invalid, NotFound, RuleError
from postmaster.models import Alias, Domain, User
from postmaster.rules import exports, notes, settings, suspension_acts, suspensions, undo
from postmaster.rules.actions import Kind
from postmaster.rules.declarations import applying, differences, document
from postmaster.rules.declarations.differences import Plan
from tests.conftest import ADMIN
from tests.rules.conftest import alter_setting
from tests.rules.mail import HASH, by_hand, fill, newest, parts_of, rows_now

Do = Callable[..., Any]
ONE = f"""\
governs: [one.example]
domains:
  one.example:
    users:
      - ana
      - {{address: BOB@one.example, hash: "{HASH}12"}}
    aliases:
      team: [ana, dora@two.example]
      bob: [bob, eva@two.example]
"""


@pytest.fixture(autouse=True)
def mail(context: None) -> None:
    fill()


def read(text: str) -> document.Declaration:
    return document.read(io.BytesIO(text.encode()))


def plan(text: str) -> Plan:
    db.session.remove()
    return differences.plan(db.session(), ADMIN, read(text))


def told(found: Plan) -> list[str]:
    return [" ".join([step.sign, step.kind, step.name, *step.details]) for step in found.steps]


def apply(text: str, **hashes: str) -> None:
    found = plan(text)
    given = {address.replace("_at_", "@"): hashed for address, hashed in hashes.items()}
    transact(applying.apply, ADMIN, read(text), name="mail.yaml", seen=found.seen, hashes=given)


def take_back() -> None:
    transact(undo.undo, ADMIN, newest().id, log_is_writable=lambda: True)


def noted(kind: Kind, name: str) -> list[str]:
    db.session.remove()
    return [*notes.texts_of(db.session(), kind, [name]).values()]


def refusals(text: str) -> list[str]:
    return [str(refusal) for refusal in plan(text).refusals]


# --- the file -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "governs"),
        ("domains: {}", "governs"),
        ("governs: [a.example", "cannot be read as YAML"),
        ("governs: [a.example]\n---\nx: y", "cannot be read as YAML"),
        ("- a", "Line 1: There must be names with a colon here"),
        ("governs: a.example", "Line 1: There must be a list here"),
        ("governs: [a.example]\nx: 1", 'Line 2: There is no "x" here; known are governs, domains'),
        ("governs: [a.example, A.example]", 'Line 1: "a.example" stands in line 1 already'),
        ("governs: [nonsense]", 'Line 1: "nonsense" is not a valid domain name'),
        ("governs: []\ngoverns: []", 'Line 2: "governs" stands in line 1 already'),
        ("governs: [a.example]\ndomains:\n  b.example:", 'Line 3: The file does not govern "b.ex'),
        ("governs: [[a.example]]", "Line 1: There must be a text here"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(text)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("users: [ana, Ana]", 'Line 4: "ana@one.example" stands in line 4 already'),
        ("users: [{hash: x}]", "Line 4: The user has no address"),
        ("users: [{address: ana, hash: secret}]", "Line 4: This is no password hash"),
        ("users: [{address: ana, hash: '!suspended'}]", 'Line 4: "!suspended" is no password hash'),
        ("users: [{address: ana, suspended: yes}]", "Line 4: Suspended must be one of: sign-in"),
        ("users: [ana@two.example]", 'Line 4: "ana@two.example" stands under another domain'),
        ("users: ['']", "Line 4: There is an address missing here"),
        ("aliases: {x: []}", "Line 4: The alias has no destination"),
        ("aliases: {x: [a, A@one.example]}", 'Line 4: "a@one.example" stands in line 4 already'),
        ("aliases: {x@two.example: [a]}", 'Line 4: "x@two.example" stands under another'),
        ("aliases: {x: a, x: b}", 'Line 4: "x" stands in line 4 already'),
    ],
)
def test_what_is_wrong_in_a_domain_is_refused_with_its_line(inside: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read(f"governs: [one.example]\ndomains:\n  one.example:\n    {inside}\n")
    assert words in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_name_is_a_text_whatever_yaml_makes_of_it() -> None:
    found = read("governs: [one.example]\ndomains: {one.example: {users: [no, 007, 1e3]}}")
    assert [user.address.partition("@")[0] for user in found.users] == ["no", "007", "1e3"]


def test_a_file_with_bytes_that_are_no_text_is_refused() -> None:
    with pytest.raises(Invalid, match="UTF-8"):
        document.read(io.BytesIO(b"governs: [\xff]"))


# --- the plan -------------------------------------------------------------------


def test_a_file_that_says_what_is_there_has_nothing_to_do() -> None:
    assert told(plan(ONE)) == []
    before = rows_now()
    apply(ONE)
    assert rows_now() == before


def test_what_is_not_in_the_file_goes_and_other_domains_are_not_looked_at() -> None:
    by_hand(Domain(id=3, name="three.example"))
    text = f"""
governs: [one.example, three.example, new.example]
domains:
  one.example:
    users: [{{address: ana, hash: {HASH}new}}, {{address: carl, hash: {HASH}13}}]
    aliases: {{team: ana, "@": ana}}
  new.example:
"""
    assert told(plan(text)) == [
        "delete alias bob@one.example -> bob@one.example",
        "delete alias bob@one.example -> eva@two.example",
        "delete alias team@one.example -> dora@two.example",
        "delete user bob@one.example",
        "delete domain three.example",
        "change user ana@one.example another password",
        "create domain new.example",
        "create user carl@one.example",
        "create alias @one.example -> ana@one.example",
    ]


def test_all_of_it_is_done_and_undone_as_one() -> None:
    transact(notes.set_note, ADMIN, Kind.USER, 12, text="on leave")
    transact(notes.set_note, ADMIN, Kind.ALIAS, 101, text="everybody")
    before = rows_now()
    text = f"""
governs: [one.example]
domains:
  one.example:
    users:
      - {{address: ana, hash: {HASH}new}}
      - eva
      - {{address: off, hash: "{HASH}14", suspended: all}}
    aliases: {{team: eva}}
"""
    apply(text, **{"eva_at_one.example": f"{HASH}15"})
    db.session.remove()
    users = db.session.execute(select(User.email, User.password).where(User.domain_id == 1))
    assert dict(list(users)) == {
        "ana@one.example": f"{HASH}new",
        "eva@one.example": f"{HASH}15",
        "!off@one.example": suspensions.MARKER,
    }
    assert told(plan(text)) == []
    assert noted(Kind.ALIAS, "team@one.example") == ["everybody"]
    assert noted(Kind.USER, "bob@one.example") == []
    head = newest()
    assert (head.action, head.kind, head.object_name) == ("apply", "mail", "mail.yaml")
    assert len(parts_of(head.id)) == 10
    take_back()
    assert rows_now() == before
    assert noted(Kind.USER, "bob@one.example") == ["on leave"]


def test_a_domain_goes_with_all_that_is_in_it_and_comes_back() -> None:
    before = rows_now()
    found = plan("governs: [one.example]\n")
    assert told(found)[-1] == "delete domain one.example"
    assert len(found.steps) == 7
    assert [*map(str, found.warnings)] == [
        f'The alias "{name}", in a domain that the file does not govern, would lead nowhere'
        for name in (
            "sales@two.example -> ana@one.example",
            "press@two.example -> team@one.example",
        )
    ]
    apply("governs: [one.example]\n")
    assert db.session.scalars(select(Domain.name)).all() == ["two.example"]
    take_back()
    assert rows_now() == before


def test_a_suspension_is_changed_and_taken_back_with_the_password() -> None:
    before = rows_now()
    text = ONE.replace("- ana", f'- {{address: ana, suspended: sign-in, hash: "{HASH}new"}}')
    assert told(plan(text)) == ["change user ana@one.example another password suspended: sign-in"]
    apply(text)
    assert db.session.get_one(User, 11).password == suspensions.MARKER
    assert told(plan(text)) == []
    assert told(plan(text.replace("sign-in", "no"))) == [
        "change user ana@one.example not suspended any more"
    ]
    take_back()
    assert rows_now() == before


def test_a_user_that_is_suspended_stays_so_where_the_file_says_nothing() -> None:
    transact(suspension_acts.suspend, ADMIN, 11, mode=suspensions.Mode.ALL)
    assert told(plan(ONE)) == []


def test_a_user_whose_hash_was_not_kept_is_resumed_with_another() -> None:
    by_hand(User(id=13, domain_id=1, email="!lea@one.example", password=suspensions.MARKER))
    before = rows_now()
    text = ONE.replace("- ana", "- ana\n      - {address: lea, suspended: no}")
    assert "was not kept by PostMaster" in refusals(text)[0]
    text = text.replace("suspended: no", f"suspended: no, hash: {HASH}new")
    assert told(plan(text)) == [
        "change user lea@one.example another password not suspended any more"
    ]
    apply(text)
    (user,) = users_of("lea@one.example")
    assert user.password == f"{HASH}new"
    take_back()
    assert rows_now() == before


def users_of(email: str) -> list[User]:
    db.session.remove()
    return list(db.session.scalars(select(User).where(User.email == email)))


def test_a_new_user_without_a_hash_needs_a_password() -> None:
    text = ONE.replace("- ana", "- ana\n      - new")
    found = plan(text)
    assert found.generated == ["new@one.example"]
    assert told(found) == ["create user new@one.example a password is generated"]
    with pytest.raises(Invalid, match="has to be generated"):
        apply(text)


def test_nothing_is_done_if_the_tables_were_changed_since() -> None:
    text = ONE.replace("team: [ana, dora@two.example]", "team: ana")
    seen = plan(text).seen
    by_hand(Alias(id=110, domain_id=1, source="x@one.example", destination="ana@one.example"))
    before = rows_now()
    with pytest.raises(Conflict, match="since the plan was made"):
        transact(applying.apply, ADMIN, read(text), name="mail.yaml", seen=seen, hashes={})
    assert rows_now() == before


# --- the rules ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("team: [ana, dora", "team: [nobody, dora", 'Line 8: The destination "nobody@one.example"'),
        ("dora@two.example]", "x@elsewhere.example]", 'Line 8: The domain "elsewhere.example"'),
        ("bob: [bob, eva@two.example]", "ana: eva@two.example", "is an existing email address"),
        ("bob: [bob, ", "bob: [", 'Line 9: The source "bob@one.example" is an existing'),
        ("bob: [bob, eva@two.example]", "a: b\n      b: a", "would close a circle"),
        ("dora@two.example]", "press@two.example]", "would close a circle"),
        ("- ana\n", "", 'Line 7: The alias "team@one.example" leads to "ana@one.example", which'),
        ("- ana", "- ana\n      - a+b", 'Line 6: "a+b@one.example" is not a valid email address'),
    ],
)
def test_what_the_rules_forbid_is_refused_with_its_line(old: str, new: str, words: str) -> None:
    text = ONE.replace(old, new)
    assert text != ONE
    assert any(words in refusal for refusal in refusals(text)), refusals(text)
    before = rows_now()
    with pytest.raises(RuleError):
        apply(text)
    assert rows_now() == before


def test_destinations_elsewhere_are_permitted_by_the_setting() -> None:
    text = ONE.replace("dora@two.example]", "x@elsewhere.example]")
    alter_setting(settings.EXTERNAL_DESTINATIONS, "True")
    assert refusals(text) == []


def stray_rows() -> None:
    """Of one.example by their addresses, of two.example by their ids of a domain."""
    by_hand(
        User(id=29, domain_id=2, email="lost@one.example", password=HASH),
        Alias(id=209, domain_id=2, source="Team@one.example", destination="evil@evil.example"),
    )


def test_a_row_that_belongs_to_a_wrong_domain_is_one_of_its_addresss_domain() -> None:
    stray_rows()
    alter_setting(settings.EXTERNAL_DESTINATIONS, "True")
    before = rows_now()
    assert told(plan(ONE)) == [
        "delete alias Team@one.example -> evil@evil.example",
        "delete user lost@one.example",
    ]
    text = ONE.replace("- ana", "- ana\n      - lost")
    text = text.replace("team: [", "team: [evil@evil.example, ")
    assert (told(plan(text)), refusals(text)) == ([], [])
    apply(ONE)
    assert told(plan(ONE)) == []
    take_back()
    assert rows_now() == before


def test_a_row_that_belongs_to_a_wrong_domain_is_written_in_its_addresss() -> None:
    stray_rows()
    text = written("one.example")
    assert '"lost"' in text
    assert '"evil@evil.example"' in text
    assert told(plan(text)) == []
    assert "evil" not in written("two.example")
    assert told(plan(written())) == []


def test_a_name_that_only_the_database_takes_for_a_governed_one_is_left_alone() -> None:
    by_hand(
        Domain(id=3, name="muller.example"),
        Domain(id=4, name="m\u00fcller.example"),
        User(id=41, domain_id=4, email="b@m\u00fcller.example", password=HASH),
    )
    found = plan("governs: [muller.example]\n")
    assert told(found) == ["delete domain muller.example"]
    if db.engine.dialect.name != "sqlite":
        assert [*map(str, found.warnings)] == [
            'The domain "m\u00fcller.example" is left alone: only the database takes it for one '
            "that the file governs; to people the two names differ"
        ]
    apply("governs: [muller.example]\n")
    assert db.session.get_one(User, 41).domain_id == 4


def test_a_name_that_the_database_takes_for_one_that_is_there_is_not_made() -> None:
    by_hand(
        Domain(id=4, name="m\u00fcller.example"),
        User(id=25, domain_id=2, email="J\u00fcrgen@two.example", password=HASH),
    )
    text = f"""
governs: [muller.example, two.example]
domains:
  muller.example:
  two.example:
    users: [dora, eva, {{address: jurgen, hash: {HASH}}}]
"""
    there = [
        'Line 4: The domain "muller.example" already exists',
        'Line 6: "jurgen@two.example" already exists',
    ]
    assert refusals(text) == ([] if db.engine.dialect.name == "sqlite" else there)


def test_blanks_after_a_name_are_none_where_the_database_sees_none() -> None:
    by_hand(
        Domain(id=3, name="Blank.example "),
        User(id=31, domain_id=3, email="a@blank.example", password=HASH),
        Alias(id=301, domain_id=3, source="x@blank.example ", destination="a@blank.example"),
    )
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite tells them apart")
    text = f"""
governs: [blank.example]
domains:
  blank.example:
    users: [a, {{address: n, hash: {HASH}}}]
    aliases: {{x: a}}
"""
    found = plan(text)
    assert (told(found), found.refusals) == (["create user n@blank.example"], [])
    apply(text)
    assert [user.domain_id for user in users_of("n@blank.example")] == [3]
    text = written("blank.example")
    assert '"blank.example"' in text
    assert told(plan(text)) == []


def test_a_catch_all_that_takes_mail_of_mailboxes_is_warned_of() -> None:
    text = ONE.replace("team:", '"@": ana\n      team:')
    found = plan(text)
    assert found.refusals == []
    assert "takes the mail of the mailboxes that have no alias" in str(found.warnings[0])
    alter_setting(settings.EMAIL2EMAIL_MAP, "True")
    assert plan(text).warnings == []


# --- written --------------------------------------------------------------------


def written(*names: str) -> str:
    db.session.remove()
    return "".join(exports.pieces(db.session(), ADMIN, "yaml", names))


def test_what_is_written_from_the_tables_has_nothing_to_do() -> None:
    by_hand(
        Domain(id=3, name="Odd.Example"),
        Domain(id=4, name="not a domain"),
        Domain(id=5, name="empty.example"),
        User(id=31, domain_id=3, email="Carla.Mixed@Odd.Example", password="{PLAIN}x"),
        User(id=32, domain_id=3, email="plus+sign@odd.example", password="no hash"),
        User(id=33, domain_id=3, email="in@another.example", password=HASH),
        User(id=34, domain_id=3, email="named@odd.example", password=f"{{CRYPT}}{HASH}"),
        Alias(id=301, domain_id=3, source="@odd.example", destination="gone@odd.example"),
        Alias(id=302, domain_id=3, source="*'\"#: @odd.example", destination="x@y.example"),
        Alias(id=303, domain_id=3, source="local@odd.example", destination="root"),
        Alias(id=304, domain_id=3, source="jürgen@odd.example", destination="no@odd.example"),
    )
    transact(suspension_acts.suspend, ADMIN, 21, mode=suspensions.Mode.ALL)
    transact(suspension_acts.suspend, ADMIN, 22, mode=suspensions.Mode.SIGN_IN)
    text = written()
    assert text.startswith('# Left out, since no rule permits such a domain: "not a domain"\n')
    found = plan(text)
    assert told(found) == []
    assert found.refusals == []


def test_what_is_written_makes_the_same_in_an_empty_database() -> None:
    transact(suspension_acts.suspend, ADMIN, 21, mode=suspensions.Mode.ALL)
    text = written()
    for model in (Alias, User, Domain):
        db.session.execute(delete(model))
    db.session.commit()
    assert ', "dora@two.example"' in text, "an alias leads to who is suspended"
    apply(text)
    assert written() == text


def test_only_the_domains_that_are_asked_for_are_written() -> None:
    assert written("two.example").startswith('governs:\n  - "two.example"\n')
    with pytest.raises(NotFound):
        written("unknown.example")
