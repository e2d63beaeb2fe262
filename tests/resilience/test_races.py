"""Two at once: what one of them gets, the other is refused."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from postmaster.db import db
from postmaster.models import Admin, Alias, Domain, User
from postmaster.rules import passwords
from tests.api.calls import create
from tests.conftest import Prepared, sign_in

ROUNDS = 20
Call = tuple[str, str, dict[str, str]]


@pytest.fixture
def shared(prepared_mariadb: Prepared) -> Iterator[Flask]:
    """The application on MariaDB: SQLite lets one writer at a time in anyway."""
    prepared_mariadb.reset()
    yield prepared_mariadb.app
    with prepared_mariadb.app.app_context():
        db.session.remove()


def at_once(app: Flask, *calls: Call) -> list[tuple[int, Any]]:
    """Send the calls from as many browsers at the same moment; their answers."""
    browsers = [sign_in(app) for _ in calls]
    gate = threading.Barrier(len(calls))
    answers: list[tuple[int, Any]] = [(0, None)] * len(calls)

    def send(number: int, browser: FlaskClient, call: Call) -> None:
        method, path, body = call
        gate.wait()
        response = browser.open(f"/api/v1/{path}", method=method, json=body)
        answers[number] = (response.status_code, response.get_json(silent=True))

    threads = [
        threading.Thread(target=send, args=(number, browser, call))
        for number, (browser, call) in enumerate(zip(browsers, calls, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def one_wins(answers: list[tuple[int, Any]], refusal: str) -> None:
    assert sorted(status for status, _ in answers) == [201, 400], answers
    (message,) = [body["message"] for status, body in answers if status == 400]
    assert refusal in message


def rows(app: Flask, model: type[Any]) -> int:
    with app.app_context():
        return int(db.session.query(model).count())


def test_the_same_domain_twice(shared: Flask) -> None:
    """No index of the guides' tables would refuse the second."""
    for number in range(ROUNDS):
        call = ("POST", "domains", {"name": f"d{number}.example"})
        one_wins(at_once(shared, call, call), "already exists")
    assert rows(shared, Domain) == ROUNDS


def test_the_same_user_twice(shared: Flask) -> None:
    create(sign_in(shared), "domains", name="example.com")
    for number in range(ROUNDS):
        body = {"email": f"u{number}@example.com", "password": "password"}
        one_wins(at_once(shared, ("POST", "users", body), ("POST", "users", body)), "exists")
    assert rows(shared, User) == ROUNDS


def test_the_same_alias_twice(shared: Flask) -> None:
    browser = sign_in(shared)
    create(browser, "domains", name="example.com")
    create(browser, "users", email="ana@example.com", password="password")
    for number in range(ROUNDS):
        call = (
            "POST",
            "aliases",
            {"source": f"a{number}@example.com", "destination": "ana@example.com"},
        )
        one_wins(at_once(shared, call, call), "already exists")
    assert rows(shared, Alias) == ROUNDS


def test_a_user_and_an_alias_of_one_address(shared: Flask) -> None:
    browser = sign_in(shared)
    create(browser, "domains", name="example.com")
    create(browser, "users", email="ana@example.com", password="password")
    for number in range(ROUNDS):
        address = f"x{number}@example.com"
        user = ("POST", "users", {"email": address, "password": "password"})
        alias = ("POST", "aliases", {"source": address, "destination": "ana@example.com"})
        one_wins(at_once(shared, user, alias), "exist")


def test_two_halves_of_a_circle(shared: Flask) -> None:
    browser = sign_in(shared)
    create(browser, "domains", name="example.com")
    create(browser, "users", email="ana@example.com", password="password")
    for number in range(ROUNDS):
        a, b = f"a{number}@example.com", f"b{number}@example.com"
        for source in (a, b):
            create(browser, "aliases", source=source, destination="ana@example.com")
        there = ("POST", "aliases", {"source": a, "destination": b})
        back = ("POST", "aliases", {"source": b, "destination": a})
        one_wins(at_once(shared, there, back), "circle")


def test_the_last_two_admins_at_once(shared: Flask) -> None:
    for _ in range(ROUNDS):
        browser = sign_in(shared)
        bob = create(browser, "admins", username="bob", password="password", name="Bob")["id"]
        # Both by the one that stays or goes: a session ends with its admin.
        answers = at_once(shared, ("DELETE", f"admins/{bob}", {}), ("DELETE", "admins/1", {}))
        assert rows(shared, Admin) == 1
        assert {status for status, _ in answers} <= {204, 400, 401}
        with shared.app_context():
            if db.session.get(Admin, 1) is None:
                restore_first(db.session.query(Admin).one())
            db.session.remove()


def restore_first(left: Admin) -> None:
    """Make the one who is left the first again, for the next round."""
    left.id, left.username = 1, "admin"
    left.password = passwords.hash_for_admin("PostMaster")
    db.session.commit()


def test_attempts_at_once_never_exceed_the_threshold(shared: Flask) -> None:
    """Five wrong passwords lock; of twenty at once no more than five were looked at."""
    gate = threading.Barrier(20)
    answers: list[str] = []

    def guess() -> None:
        browser = shared.test_client()
        gate.wait()
        form = {"username": "admin", "password": "wrong"}
        answers.append(browser.post("/login", data=form).text)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("incorrect" in answer for answer in answers) == 5
    assert sum("locked out" in answer for answer in answers) == 15
