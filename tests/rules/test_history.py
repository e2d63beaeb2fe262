"""The history: every change, with who, when, from where, old and new; never a secret."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from postmaster.db import db
from postmaster.errors import Invalid
from postmaster.models import HistoryEntry, HistorySecret
from postmaster.rules import admins, aliases, domains, settings_acts, users
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


def test_a_refused_act_leaves_no_entry(do: Do) -> None:
    with pytest.raises(Invalid):
        do(users.create, email="ana@example.com", password="password")
    assert entries() == []


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
