"""The history: every change, with who, when, from where, old and new; never a secret."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from postmaster.db import db, transact
from postmaster.errors import RuleError
from postmaster.models import Admin, Alias, Domain, HistoryEntry, HistorySecret, User
from postmaster.rules import admins, aliases, domains, history, settings_acts, users
from postmaster.rules.actor import Actor
from tests.api.calls import create
from tests.api.test_admins import secret_of, turn_on
from tests.conftest import ADMIN, set_setting

Do = Callable[..., Any]


def entries() -> list[HistoryEntry]:
    """All entries, the oldest first."""
    return list(db.session.scalars(select(HistoryEntry).order_by(HistoryEntry.id)))


def only_entry() -> HistoryEntry:
    (entry,) = entries()
    return entry


def test_an_entry_says_who_when_from_where_and_what(do: Do) -> None:
    domain = do(domains.create, name="Example.com")
    entry = only_entry()
    assert (entry.admin_id, entry.admin, entry.via, entry.ip) == (
        ADMIN.admin_id,
        ADMIN.name,
        ADMIN.via,
        ADMIN.ip,
    )
    assert (entry.action, entry.kind, entry.object_id) == ("create", "domain", domain.id)
    assert (entry.object_name, entry.old, entry.new) == (
        "example.com",
        None,
        {"name": "example.com"},
    )
    assert entry.moment.year >= 2026


def test_a_change_has_old_and_new(do: Do) -> None:
    domain = do(domains.create, name="exmaple.com")
    do(domains.change, domain.id, name="example.com")
    entry = entries()[-1]
    assert (entry.old, entry.new) == ({"name": "exmaple.com"}, {"name": "example.com"})


def test_a_change_to_the_same_is_none(do: Do) -> None:
    domain = do(domains.create, name="example.com")
    do(domains.change, domain.id, name="EXAMPLE.com")
    do(admins.change, 1, name="Default User")
    do(settings_acts.change, 1, value="8", log_is_writable=lambda: True)
    assert len(entries()) == 1


def test_a_replaced_hash_is_kept_apart(do: Do) -> None:
    do(domains.create, name="example.com")
    user = do(users.create, email="ana@example.com", password="password")
    first = user.password
    do(users.change, user.id, password="another one")
    entry = entries()[-1]
    assert (entry.action, entry.old, entry.new) == ("change password", None, None)
    assert db.session.get_one(HistorySecret, entry.id).password == first


def test_what_goes_along_is_part_of_the_deletion(do: Do) -> None:
    domain = do(domains.create, name="example.com")
    do(domains.create, name="example.org")
    user = do(users.create, email="ana@example.com", password="password")
    do(aliases.create, source="sales@example.com", destination="ana@example.com")
    do(aliases.create, source="sales@example.org", destination="ana@example.com")
    do(domains.remove, domain.id)
    deletion, *along = entries()[5:]
    assert (deletion.action, deletion.kind, deletion.part_of) == ("delete", "domain", None)
    assert {entry.part_of for entry in along} == {deletion.id}
    assert [(entry.kind, entry.object_name) for entry in along] == [
        ("user", "ana@example.com"),
        ("alias", "sales@example.com -> ana@example.com"),
        ("alias", "sales@example.org -> ana@example.com"),
    ]
    assert along[0].old == {"domain_id": domain.id, "email": "ana@example.com"}
    assert db.session.get_one(HistorySecret, along[0].id).password == user.password


def prepare() -> None:
    """Rows that the acts below change: each has the id 1, but for the second admin."""
    db.session.add_all([Domain(id=1, name="example.com"), Domain(id=2, name="example.org")])
    db.session.flush()
    db.session.add_all(
        [
            User(id=1, domain_id=1, email="ana@example.com", password="*"),
            Alias(id=1, domain_id=1, source="a@example.com", destination="ana@example.com"),
            Admin(id=2, username="bob", name="Bob", password="*", failed_attempts=1, active=True),
        ]
    )
    db.session.commit()


ALIAS = {"domain_id": 1, "source": "a@example.com", "destination": "ana@example.com"}
BOB = {"username": "bob", "name": "Bob", "source": None}
EVA = {"username": "eva", "name": "Eva", "source": "local"}
NEW_ALIAS = {"source": "b@example.org", "destination": "ana@example.com"}
TO_EVA = {"username": "eva", "password": "password", "name": "Eva"}
WRITABLE: dict[str, Any] = {"log_is_writable": lambda: True}
ONE_CHANGE: list[tuple[Any, tuple[Any, ...], dict[str, Any], str, str, Any, Any]] = [
    # act, its arguments; then the entry: what happened, to what, old, new
    (domains.create, (), {"name": "b.example"}, "create", "b.example", None, {"name": "b.example"}),
    (
        *(domains.change, (2,), {"name": "c.example"}, "change", "example.org"),
        *({"name": "example.org"}, {"name": "c.example"}),
    ),
    (domains.remove, (2,), {}, "delete", "example.org", {"name": "example.org"}, None),
    (
        *(users.create, (), {"email": "b@example.com", "password": "password"}, "create"),
        *("b@example.com", None, {"domain_id": 1, "email": "b@example.com"}),
    ),
    (
        *(users.change, (1,), {"password": "password"}, "change password"),
        *("ana@example.com", None, None),
    ),
    (
        *(aliases.create, (), NEW_ALIAS, "create", "b@example.org -> ana@example.com"),
        *(None, {"domain_id": 2, **NEW_ALIAS}),
    ),
    (
        *(aliases.change, (1,), NEW_ALIAS, "change", "a@example.com -> ana@example.com"),
        *(ALIAS, {"domain_id": 2, **NEW_ALIAS}),
    ),
    (aliases.remove, (1,), {}, "delete", "a@example.com -> ana@example.com", ALIAS, None),
    (admins.create, (), TO_EVA, "create", "eva", None, EVA),
    (
        *(admins.change, (2,), {"username": "EVA", "name": "Eva"}, "change", "bob"),
        *(BOB, {**EVA, "source": None}),
    ),
    (admins.change, (2,), {"password": "password"}, "change password", "bob", None, None),
    (admins.unlock, (2,), {}, "unlock", "bob", None, None),
    (admins.remove, (2,), {}, "delete", "bob", {**BOB, "active": True, "language": None}, None),
    (
        *(settings_acts.change, (1,), {"value": "9", **WRITABLE}, "change"),
        *("Minimum Password Length", {"value": "8"}, {"value": "9"}),
    ),
]


@pytest.mark.parametrize(
    ("act", "arguments", "fields", "action", "name", "old", "new"),
    ONE_CHANGE,
    ids=[f"{row[0].__module__.rpartition('.')[2]} {row[3]}" for row in ONE_CHANGE],
)
def test_each_act_writes_exactly_one_entry(
    do: Do,
    act: Callable[..., Any],
    arguments: tuple[Any, ...],
    fields: dict[str, Any],
    action: str,
    name: str,
    old: object,
    new: object,
) -> None:
    prepare()
    before = history.now()
    do(act, *arguments, **fields)
    entry = only_entry()
    assert (entry.action, entry.object_name, entry.old, entry.new) == (action, name, old, new)
    assert (entry.admin_id, entry.admin, entry.via, entry.ip, entry.part_of) == (
        *(ADMIN.admin_id, ADMIN.name, ADMIN.via, ADMIN.ip),
        None,
    )
    assert before <= entry.moment <= history.now()
    replaces_a_hash = action == "change password" or (action, name) == ("delete", "bob")
    secrets = [row.password for row in db.session.scalars(select(HistorySecret))]
    assert secrets == (["*"] if replaces_a_hash else [])


def test_the_operator_at_the_command_line_has_no_id(context: None) -> None:
    transact(domains.create, Actor(None, "root", "command"), name="example.com")
    entry = only_entry()
    assert (entry.admin_id, entry.admin, entry.via, entry.ip) == (None, "root", "command", "")


def test_a_new_name_and_a_new_password_at_once_are_two_entries(do: Do) -> None:
    prepare()
    do(admins.change, 2, username="eva", password="password")
    assert [(entry.action, entry.object_name) for entry in entries()] == [
        ("change", "bob"),
        ("change password", "eva"),
    ]


def test_a_deleted_user_takes_its_aliases_and_its_hash_into_the_history(do: Do) -> None:
    prepare()
    do(users.remove, 1)
    deletion, along = entries()
    assert (deletion.kind, deletion.old) == ("user", {"domain_id": 1, "email": "ana@example.com"})
    assert (along.kind, along.object_id, along.old) == ("alias", 1, ALIAS)
    assert (deletion.part_of, along.part_of) == (None, deletion.id)
    assert along.moment >= deletion.moment
    assert [row.entry_id for row in db.session.scalars(select(HistorySecret))] == [deletion.id]


REFUSED: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
    (domains.create, (), {"name": "example.com"}),
    (domains.change, (1,), {"name": "b.example"}),
    (domains.remove, (4711,), {}),
    (users.create, (), {"email": "b@example.net", "password": "password"}),
    (users.change, (1,), {"password": "short"}),
    (users.remove, (4711,), {}),
    (aliases.create, (), {"source": "ana@example.com", "destination": "ana@example.net"}),
    (aliases.change, (1,), {"destination": "nobody@example.com"}),
    (aliases.remove_several, ([1, 4711],), {}),
    (admins.create, (), {**TO_EVA, "username": "BOB"}),
    (admins.change, (2,), {"username": "eva", "password": "short"}),
    (admins.remove, (4711,), {}),
    (settings_acts.change, (1,), {"value": "26", **WRITABLE}),
]


@pytest.mark.parametrize(
    ("act", "arguments", "fields"),
    REFUSED,
    ids=[f"{row[0].__module__.rpartition('.')[2]} {row[0].__name__}" for row in REFUSED],
)
def test_a_refused_act_leaves_no_entry(
    do: Do, act: Callable[..., Any], arguments: tuple[Any, ...], fields: dict[str, Any]
) -> None:
    prepare()
    with pytest.raises(RuleError):
        do(act, *arguments, **fields)
    db.session.remove()
    assert entries() == []
    assert db.session.get_one(Admin, 2).username == "bob"
    assert db.session.query(Alias).count() == 1


def test_nothing_secret_is_in_the_history_the_log_or_an_answer(client: FlaskClient) -> None:
    """Everything that has a secret is done once; then all that can be read is searched."""
    set_setting(client, "Login Auditing", "True")
    set_setting(client, "Mail Database Auditing", "True")
    answers = []
    create(client, "domains", name="example.com")
    user = create(client, "users", email="ana@example.com", password="mail secret 1")
    answers.append(client.patch(f"/api/v1/users/{user['id']}", json={"password": "mail secret 2"}))
    answers.append(client.post("/api/v1/users", json={"email": "x", "password": "mail secret 3"}))
    admin = create(client, "admins", username="bob", password="admin secret 1", name="Bob")
    path = f"/api/v1/admins/{admin['id']}"
    answers.append(client.patch(path, json={"password": "admin secret 2"}))
    stranger = client.application.test_client()
    answers.append(stranger.post("/login", data={"username": "bob", "password": "admin secret 3"}))
    codes = turn_on(client)
    otp_secret = secret_of(client, 1)
    form = {"username": "admin", "password": "PostMaster", "two_factor": codes[0]}
    answers.append(stranger.post("/login", data=form))
    client.delete(f"/api/v1/users/{user['id']}")
    client.delete(path)
    answers += [client.get(f"/api/v1/{noun}") for noun in ("users", "admins", "configs", "logs")]
    answers += [client.get(page) for page in ("/users", "/admins", "/logs")]
    with client.application.app_context():
        hashes = {row.password for row in db.session.scalars(select(HistorySecret))}
        history = json.dumps(
            [
                {column.key: str(getattr(entry, column.key)) for column in entry.__table__.columns}
                for entry in entries()
            ]
        )
    assert len(hashes) == 4
    log = client.application.extensions["postmaster_log"].path.read_text()
    readable = history + log + "".join(answer.text for answer in answers)
    for secret in ["mail secret", "admin secret", otp_secret, "$6$", "$2b$", *codes, *hashes]:
        assert secret not in readable


def test_a_kept_hash_belongs_to_the_entry_that_it_was_made_for(do: Do) -> None:
    """Also where SQLite gave the id of a deleted row away within the same act."""

    def write(session: Session, actor: Actor) -> int:
        head = history.batch(session, actor, history.Action.APPLY, history.Kind.MAIL, 3)
        user = history.Kind.USER
        changes = [
            history.Change(history.Action.CREATE, user, 2, "new@x.example", new={}),
            history.Change(history.Action.DELETE, user, 1, "a@x.example", old={}, password="a"),
            history.Change(history.Action.CREATE, user, 1, "b@x.example", new={}),
            history.Change(history.Action.DELETE, user, 3, "c@x.example", old={}, password="c"),
        ]
        # In two goes, as an act does that takes several transactions.
        history.add_to(session, actor, head.id, changes[:1])
        history.add_to(session, actor, head.id, changes[1:])
        return head.id

    do(write)
    kept = select(HistoryEntry.object_name, HistorySecret.password).join(
        HistorySecret, HistorySecret.entry_id == HistoryEntry.id
    )
    assert dict(list(db.session.execute(kept))) == {"a@x.example": "a", "c@x.example": "c"}
