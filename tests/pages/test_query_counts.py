"""How many statements a page takes: the same on a large server, whatever is asked for.

200 domains, 20,000 users, 4,000 aliases; see ``large.py``. The tests only read.
"""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from postmaster.db import db
from tests.api.test_query_counts import statements
from tests.conftest import Prepared, dispose, sign_in
from tests.mariadb import MariaDB
from tests.pages import large

# Every list: the session, the rows, the total; on MariaDB before it, whether it is remembered.
LIST = 4
# Which notes hold what is searched for is asked first.
SEARCHED = LIST + 1
# At most, before a deletion: the session, what is meant (twice: its name, and for what goes
# along), its users, its aliases, what leads to them, whether the places of these stay (as an
# alias, as a mailbox, twice: of the mailboxes and of the aliases; the rest in one more), what
# leads to those.
GOES = 13
# What it means for mail: what leads to what goes, the settings, aliases level by level (two
# levels here), mailboxes, domains. As many however many rows go.
FORESEEN = 6
QUESTION = GOES + FORESEEN

# Each page with the most statements it may take. {n} is the rows on a page.
PAGES = [
    # The session, the counts (and whether they are remembered), who is locked, the newest changes.
    ("/", 5),
    ("/domains?per_page={n}", LIST),
    ("/domains?per_page={n}&search=d7", SEARCHED),
    ("/domains?per_page={n}&sort=id&order=desc", LIST),
    ("/domains?per_page={n}&page=2", LIST),
    ("/domains/1", 5),  # the session, the row, its counts, its version, its changes
    ("/domains/1/delete", QUESTION),
    ("/domains/selected?id=1&id=2&id=3", QUESTION),
    ("/users?per_page={n}", LIST),
    ("/users?per_page={n}&search=u7", SEARCHED),
    ("/users?per_page={n}&search=%40d7.example", SEARCHED + 1),  # which domains are meant
    ("/users?per_page={n}&sort=id&order=desc", LIST),
    ("/users?per_page={n}&page=199", LIST),
    ("/users?per_page=10&page=1999", LIST),
    ("/users?per_page={n}&domain=d7.example", LIST + 1),  # which rows have this name
    ("/users?per_page={n}&domain=d7.example&search=u7", SEARCHED + 1),
    # The session, the row, its count, its version, its forwarding, what leads to it, its changes.
    ("/users/1", 7),
    ("/users/1/delete", QUESTION - 2),
    ("/users/selected?id=1&id=2&id=3", QUESTION - 2),
    ("/users/selected?action=password&id=1&id=2&id=3", 2),  # the session, the rows
    ("/users?per_page={n}&suspended=1", LIST),
    # The session, the rows, their catch-alls, what leads to them, their forwarding; and what
    # it would mean for mail.
    ("/users/suspend?id=1&id=2&id=3", QUESTION),
    ("/users/resume?id=1&id=2&id=3", 5),
    # The session, the user, the domain, whether there is a user, whether there is an alias,
    # and whether aliases have to hold the new address: its own, what leads to it.
    ("/users/preview?user=1&email=new@d7.example", 7),
    # The session, the domain, whether there is a user, whether there is an alias.
    ("/users/preview?email=new@d7.example", 4),
    ("/aliases?per_page={n}", LIST),
    ("/aliases?per_page={n}&search=a7", SEARCHED),
    ("/aliases?per_page={n}&order=desc", LIST),
    ("/aliases?per_page={n}&page=19", LIST),
    ("/aliases?per_page={n}&domain=d7.example", LIST + 1),
    ("/aliases?per_page={n}&destination=u0@d0.example", LIST),
    # The session, the row, all of its source, their versions, their changes.
    ("/aliases/1", 5),
    (f"/aliases/{large.TEAM}", 5),
    ("/aliases/1/delete", QUESTION - 4),  # nothing leads to it, and it is still a place
    (f"/aliases/selected?id=1&id=2&id={large.TEAM}", QUESTION),
    # The session, the rows, those beside them, and all of these.
    (f"/aliases/selected?action=repoint&id=1&id={large.TEAM}", 4),
    # The session, the domain, how many there are, whether it is a mailbox.
    ("/aliases/preview?source=new@d7.example", 4),
    ("/aliases/preview?source=@d7.example", 6),  # also the setting, and who has no row
    # The session, what is a mailbox, and what it would mean.
    ("/aliases/foreseen?source=new@d7.example&destination=u7@d7.example", 8),
    ("/aliases/foreseen?source=@d7.example&destination=u7@d7.example", 9),
    ("/aliases/1/foreseen?destination=u7@d7.example", 11),
    ("/aliases/1/source/foreseen?source=new@d1.example", 9),
    (f"/aliases/selected/foreseen?id=1&id={large.TEAM}&destination=u7@d7.example", 13),
    ("/users/foreseen?email=new@d7.example", 8),
    ("/users/1/forward/foreseen?destination=u7@d7.example", 13),
    ("/users/1/email/foreseen?email=new@d7.example&keep_alias=y", 10),
    # The session, the settings, the aliases, the mailboxes, the domains.
    ("/trace?address=u1@d1.example", 5),
    ("/trace?address=@d7.example", 5),
    ("/aliases/suggestions?destination=u7", 3),  # the session, the users, the aliases
    ("/admins?per_page={n}", LIST),
    ("/admins?per_page={n}&search=a1", LIST),
    ("/admins/1", 4),  # the session, the row, its version, its changes
    ("/admins/5/delete", 3),  # the session, the row, how many there are
    ("/admins/5/twofactor/off", 3),
    ("/configs", 3),  # the session, the rows, their versions
    ("/configs/directory", 1),
    ("/logs", 1),
    # A list with how many parts each has, and who there is to choose.
    ("/history?per_page={n}", LIST + 2),
    ("/history?per_page={n}&kind=user&search=n7", LIST + 2),
    ("/history?per_page={n}&page=59", LIST + 2),
    ("/history?kind=user&object=7", LIST + 2),
    ("/history/5", 4),  # the session, the change, its parts, how many they are
    ("/checkup/server", 1),
    ("/import", 2),  # the session, what waits
    ("/declared", 1),
    # The session; on MariaDB 7 for the form of the tables and 2 for rights; the administrators;
    # each table once or twice, with the settings that its rows are judged by.
    ("/checkup", 26),
    ("/checkup/alias-dangling", 6),
    ("/account", 2),  # the session, and the sessions
]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def large_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """An admin's browser on a large server, with a database of its own."""
    folder = tmp_path_factory.mktemp("large")
    uri = f"sqlite:///{folder}/postmaster.sqlite3"
    if request.param == "mariadb":
        server: MariaDB = request.getfixturevalue("mariadb")
        uri = server.create_database("large")
    prepared = Prepared(uri, folder)
    with prepared.app.app_context(), db.engine.begin() as connection:
        large.fill(connection)
    yield sign_in(prepared.app)
    dispose(prepared.app)


def test_the_server_is_large(large_server: FlaskClient) -> None:
    assert f"{large.DOMAINS:,} domains" in large_server.get("/domains").text
    assert f"{large.USERS:,} users" in large_server.get("/users").text
    sources = large.SOURCES + large.WANTED + 1
    assert f"{sources:,} aliases" in large_server.get("/aliases").text


def test_no_page_takes_more_than_the_design_allows(large_server: FlaskClient) -> None:
    """The whole page, and its part with a hundred rows: with the same statements."""
    for path, most in PAGES:
        is_list = "{n}" in path
        part = {"HX-Request": "true", "HX-Target": "list" if is_list else "main"}
        taken = []
        for rows, headers in ((10, {}), (100, part)):
            with statements(large_server) as seen:
                answer = large_server.get(path.format(n=rows), headers=headers)
            assert answer.status_code == 200, path
            assert len(seen) <= most, (path, seen)
            taken.append(len(seen))
        assert taken[1] <= taken[0], path


@pytest.mark.parametrize(
    ("path", "into", "most"),
    [
        ("/domains/1/delete", "dialog", QUESTION),
        ("/users/1/delete", "dialog", QUESTION - 2),
        (f"/aliases/selected?id={large.TEAM}", "dialog", QUESTION),
        ("/domains/1", "edit-1", 5),
        ("/users/1", "edit-1", 7),
        (f"/aliases/{large.TEAM}", f"edit-{large.TEAM}", 5),
        (f"/aliases/{large.TEAM}", f"edit-add-{large.TEAM}", 5),
        ("/admins/1", "edit-1", 4),
    ],
)
def test_no_dialog_takes_more_either(
    large_server: FlaskClient, path: str, into: str, most: int
) -> None:
    with statements(large_server) as seen:
        answer = large_server.get(path, headers={"HX-Request": "true", "HX-Target": into})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert len(seen) <= most, seen


def test_a_deletion_question_names_all_that_goes(large_server: FlaskClient) -> None:
    page = large_server.get("/domains/1/delete").text
    assert "100 users with their passwords" in page
    assert f"u{large.USERS - large.DOMAINS}@d0.example" in page


def test_past_the_last_page_one_is_led_to_it(large_server: FlaskClient) -> None:
    with statements(large_server) as seen:
        answer = large_server.get("/users?page=99999")
    assert answer.headers["Location"] == f"/users?page={large.USERS // 10}"
    assert len(seen) <= LIST + 1, seen  # no rows are found first


@pytest.mark.parametrize("path", ["/admins", "/domains", "/users", "/aliases"])
def test_the_many_pages_have_few_links(large_server: FlaskClient, path: str) -> None:
    page = large_server.get(f"{path}?page=5").text
    assert page.count('class="page-link"') <= 9
