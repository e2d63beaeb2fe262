"""Domains, users and aliases that were made, changed and deleted as one are taken back as one."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from postmaster.db import db, transact
from postmaster.errors import Conflict
from postmaster.models import Alias, Domain, HistoryEntry, User
from postmaster.rules import actions, aliases, domains, history, notes, rows, undo, users
from postmaster.rules.actor import Actor
from postmaster.rules.declarations import applying, differences, document
from postmaster.rules.history import Action, Change, Kind
from tests.conftest import ADMIN
from tests.rules.mail import HASH, by_hand, fill, ids, rows_now

NAME = "a file.csv"
CHANGES = 10


@pytest.fixture(autouse=True)
def mail(context: None) -> None:
    fill()


def at_once(session: Session, actor: Actor) -> int:
    """One of everything: two.example goes, its eva moves to one.example, a user comes."""
    head = history.batch(session, actor, Action.IMPORT, Kind.MAIL, 0, name=NAME)
    eva = session.get_one(User, 22)
    before = users.as_recorded(eva)
    eva.domain_id = 1
    ana = session.get_one(User, 11)
    replaced, ana.password = ana.password, f"{HASH}new"
    new = User(domain_id=1, email="new@one.example", password=f"{HASH}30")
    session.add(new)
    session.flush()
    gone = session.query(Alias).filter_by(domain_id=2).all()
    changes = [
        Change(Action.CHANGE, Kind.USER, 22, eva.email, before, users.as_recorded(eva)),
        users.as_reset(ana, replaced, ana.password),
        Change(Action.CREATE, Kind.USER, new.id, new.email, new=users.as_recorded(new)),
        *(aliases.as_removed(alias) for alias in gone),
        users.as_removed(session.get_one(User, 21)),
        domains.as_removed(session.get_one(Domain, 2)),
    ]
    rows.remove(session, Alias, [alias.id for alias in gone])
    rows.remove(session, User, [21])
    rows.remove(session, Domain, [2])
    # In two portions, as an act does that takes several transactions.
    for some in (changes[:3], changes[3:]):
        history.add_to(session, actor, head.id, some)
        history.count_more(session, head.id, len(some))
    return head.id


def take_back(entry_id: int) -> HistoryEntry:
    return transact(undo.undo, ADMIN, entry_id, log_is_writable=lambda: True)


def test_all_of_it_is_taken_back() -> None:
    before = rows_now()
    head_id = transact(at_once, ADMIN)
    assert rows_now() != before
    taken_back = take_back(head_id)
    assert rows_now() == before
    assert actions.sentence(taken_back)[0].startswith("%(count)s changes were taken back")
    assert taken_back.object_name == NAME
    assert (taken_back.new or {})["count"] == CHANGES
    parts = db.session.query(HistoryEntry).filter_by(part_of=head_id).all()
    assert {part.undone_by for part in parts} == {taken_back.id}
    assert not undo.is_undoable(taken_back)


def test_the_head_counts_its_parts() -> None:
    head_id = transact(at_once, ADMIN)
    head = db.session.get_one(HistoryEntry, head_id)
    assert (head.new or {})["count"] == CHANGES
    assert history.count_parts(db.session(), [head_id]) == {head_id: CHANGES}
    template, values = actions.sentence(head)
    assert template % values == f'{CHANGES} changes were imported from "{NAME}"'


def test_a_newer_change_of_one_row_stands_in_the_way(do: Callable[..., Any]) -> None:
    head_id = transact(at_once, ADMIN)
    do(users.change, 11, password="another password")
    after = rows_now()
    with pytest.raises(Conflict, match="newer change stands in the way"):
        take_back(head_id)
    assert rows_now() == after


def test_a_name_that_is_taken_since_stands_in_the_way() -> None:
    head_id = transact(at_once, ADMIN)
    by_hand(User(id=99, domain_id=1, email="dora@two.example", password=HASH))
    after = rows_now()
    with pytest.raises(Conflict, match="there is a user of this address now"):
        take_back(head_id)
    assert rows_now() == after


def test_what_takes_the_place_of_the_deleted_gets_other_ids(do: Callable[..., Any]) -> None:
    """SQLite would give the highest ids away again, and nothing could come back."""
    do(notes.set_note, Kind.ALIAS, 205, text="a note")
    before = rows_now()
    text = f"""
governs: [two.example, three.example]
domains:
  three.example:
    users: [{{address: new, hash: "{HASH}new"}}, {{address: off, hash: "{HASH}", suspended: all}}]
    aliases: {{press: new}}
"""
    declaration = document.read(io.BytesIO(text.encode()))
    seen = do(differences.plan, declaration).seen
    head = do(applying.apply, declaration, name=NAME, seen=seen, hashes={})
    new = {model: set(ids(model)) for model in (Domain, User, Alias)}
    assert not new[Domain] & {2}
    assert not new[User] & {21, 22}
    assert not new[Alias] & {201, 202, 203, 204, 205}
    take_back(head.id)
    assert rows_now() == before
    assert do(notes.on, Kind.ALIAS, 205) == "a note"
