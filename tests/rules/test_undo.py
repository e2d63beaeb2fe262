"""Undo: each sort of change is taken back to the last byte, or refused with the reason."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from postmaster.db import db, transact
from postmaster.errors import Conflict, Invalid, NotFound
from postmaster.models import Admin, AdminSession, Alias, Domain, HistoryEntry, User
from postmaster.rules import (
    admins,
    aliases,
    domains,
    history,
    sessions,
    settings,
    settings_acts,
    undo,
    users,
)
from postmaster.rules.aliases import Orphans
from tests.rules.mail import by_hand, fill, newest, parts_of, rows_now

Do = Callable[..., Any]
WRITABLE: dict[str, Any] = {"log_is_writable": lambda: True}


@pytest.fixture(autouse=True)
def filled(context: None) -> Iterator[None]:
    fill()
    by_hand(
        Admin(
            id=7,
            username="Bob",
            name="Bob",
            password="$2b$bob",
            source="local",
            active=False,
            language="de",
            failed_attempts=0,
            otp_active=True,
            otp_secret="ABCDEFGHIJKLMNOP",
        )
    )
    yield


@pytest.fixture
def take_back(do: Do) -> Callable[..., HistoryEntry]:
    """Undo a change: the newest unless another is said."""

    def run(entry_id: int | None = None) -> HistoryEntry:
        entry: HistoryEntry = do(undo.undo, entry_id or newest().id, **WRITABLE)
        return entry

    return run


Undo = Callable[..., HistoryEntry]
ACTS: list[tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    # what it is called; the act with its arguments; what the undo is recorded as
    ("a new domain", domains.create, (), {"name": "three.example"}, "delete"),
    ("a renamed domain", domains.change, (3,), {"name": "four.example"}, "change"),
    ("a deleted domain", domains.remove, (1,), {}, "restore"),
    ("with all orphans", domains.remove, (1,), {"orphans": Orphans.ALL}, "restore"),
    ("with no orphans", domains.remove, (1,), {"orphans": Orphans.KEEP}, "restore"),
    ("both domains", domains.remove_several, ([1, 2],), {}, "restore"),
    ("a new user", users.create, (), {"email": "x@one.example", "password": "password"}, "delete"),
    (
        *("a new user that joins an alias", users.create, ()),
        *({"email": "team@one.example", "password": "password", "keep_copy": True}, "delete"),
    ),
    ("a new password", users.change, (11,), {"password": "password"}, "change password"),
    (
        *("new passwords", users.change_several, ([11, 12, 21],)),
        *({"password": "password"}, "change password"),
    ),
    ("a deleted user", users.remove, (11,), {}, "restore"),
    ("a deleted user with a copy", users.remove, (12,), {"orphans": Orphans.ALL}, "restore"),
    ("deleted users", users.remove_several, ([11, 12, 21],), {"orphans": Orphans.ALL}, "restore"),
    (
        *("a new alias", aliases.create, ()),
        *({"source": "new@one.example", "destination": "ana@one.example"}, "delete"),
    ),
    (
        *("forward and keep a copy", aliases.create, ()),
        *({"source": "ana@one.example", "destination": "eva@two.example", "keep_copy": True},),
        "delete",
    ),
    (
        *("a catch-all that spares mailboxes", aliases.create, ()),
        {"source": "@one.example", "destination": "eva@two.example", "keep_mailboxes": True},
        "delete",
    ),
    ("a changed alias", aliases.change, (101,), {"destination": "eva@two.example"}, "change"),
    ("an alias moved", aliases.change, (101,), {"source": "t@two.example"}, "change"),
    ("a renamed alias", aliases.rename, (101,), {"source": "crew@two.example"}, "change"),
    ("a deleted alias", aliases.remove, (201,), {"orphans": Orphans.ALL}, "restore"),
    ("deleted aliases", aliases.remove_several, ([101, 201, 203],), {}, "restore"),
    (
        *("aliases led elsewhere", aliases.repoint, ([101, 102, 203, 204],)),
        *({"replaced": None, "destination": "eva@two.example"}, "change"),
    ),
    (
        "a new admin",
        admins.create,
        (),
        {"username": "eva", "password": "x" * 9, "name": "E"},
        "delete",
    ),
    ("a renamed admin", admins.change, (7,), {"username": "rob", "name": "Rob"}, "change"),
    ("an admin's password", admins.change, (7,), {"password": "x" * 9}, "change password"),
    ("a deleted admin", admins.remove, (7,), {}, "restore"),
]


@pytest.mark.parametrize(
    ("act", "arguments", "fields", "action"), [row[1:] for row in ACTS], ids=[r[0] for r in ACTS]
)
def test_each_change_is_taken_back_as_it_was(
    do: Do,
    take_back: Undo,
    act: Callable[..., Any],
    arguments: tuple[Any, ...],
    fields: dict[str, Any],
    action: str,
) -> None:
    by_hand(Domain(id=3, name="Odd.example"))
    before = rows_now()
    do(act, *arguments, **fields)
    assert rows_now() != before
    done = newest()
    assert undo.is_undoable(done)
    undone = take_back()
    assert rows_now() == before
    assert (undone.action, undone.kind, undone.undoes) == (action, done.kind, done.id)
    assert len(parts_of(undone.id)) == len(parts_of(done.id))
    db.session.remove()
    assert db.session.get_one(HistoryEntry, done.id).undone_by == undone.id
    with pytest.raises(Conflict, match=f"undone already, by change {undone.id}"):
        take_back(done.id)
    assert rows_now() == before


def test_a_setting_is_taken_back(do: Do, take_back: Undo) -> None:
    do(settings_acts.change, 1, value="12", **WRITABLE)
    undone = take_back()
    assert settings.value_of(db.session(), settings.MINIMUM_PASSWORD_LENGTH) == 8
    assert (undone.action, undone.undoes, undone.old, undone.new) == (
        *("change", undone.id - 1),
        *({"value": "12"}, {"value": "8"}),
    )
    take_back()
    assert settings.value_of(db.session(), settings.MINIMUM_PASSWORD_LENGTH) == 12


def test_a_setting_is_not_taken_back_to_what_is_refused_now(do: Do, take_back: Undo) -> None:
    by_name = {row.setting: row.id for row in db.session.query(settings.SettingRow)}
    do(settings_acts.change, by_name["AD Domain"], value="one.example", **WRITABLE)
    entry = newest().id
    do(settings_acts.change, by_name["AD Server LDAP String"], value="ldap://a:389", **WRITABLE)
    do(settings_acts.change, by_name["AD PostMaster Group"], value="group", **WRITABLE)
    do(settings_acts.change, by_name["Enable LDAP Authentication"], value="True", **WRITABLE)
    with pytest.raises(Invalid, match="must be disabled"):
        take_back(entry)


@pytest.mark.parametrize(
    ("setting", "by_hand_before"),
    [
        (settings.LDAP_METHOD, "simple"),
        (settings.MAIL_AUDITING, "true"),
        (settings.MINIMUM_PASSWORD_LENGTH, ""),
        (settings.MINIMUM_PASSWORD_LENGTH, None),
        (settings.LDAP_SERVER, ""),
        (settings.LDAP_SERVER, "what nobody can read"),
    ],
    ids=lambda value: value.name if isinstance(value, settings.Setting) else ascii(value),
)
@pytest.mark.parametrize("new", ["other", "same"])
def test_an_old_value_of_a_setting_comes_back_as_it_was_written(
    do: Do, take_back: Undo, setting: settings.Setting[Any], by_hand_before: str | None, new: str
) -> None:
    def stored() -> str | None:
        db.session.remove()
        return db.session.query(settings.SettingRow).filter_by(id=row_id).one().value

    row_id = settings.ALL.index(setting) + 1
    db.session.query(settings.SettingRow).filter_by(id=row_id).update({"value": by_hand_before})
    db.session.commit()
    others = {settings.LDAP_METHOD: "NTLM", settings.MAIL_AUDITING: "False"}
    value = others.get(setting, "ldap://a:389" if setting is settings.LDAP_SERVER else "12")
    if new == "same":
        value = setting.text(setting.stored(by_hand_before)) or value
    do(settings_acts.change, row_id, value=value, **WRITABLE)
    done = newest()
    assert stored() == value
    undone = take_back()
    assert stored() == by_hand_before
    assert (undone.undoes, undone.new) == (done.id, {"value": by_hand_before})
    take_back()
    assert stored() == value
    take_back()
    assert stored() == by_hand_before
    do(settings_acts.change, row_id, value=value, **WRITABLE)
    with pytest.raises(Conflict, match="undone already"):
        take_back(done.id)


def test_an_old_value_that_the_log_does_not_bear_now(do: Do) -> None:
    row_id = settings.ALL.index(settings.LOGIN_AUDITING) + 1
    do(settings_acts.change, row_id, value="True", **WRITABLE)
    do(settings_acts.change, row_id, value="False", **WRITABLE)
    with pytest.raises(Invalid, match="log could not be written"):
        do(undo.undo, newest().id, log_is_writable=lambda: False)


def test_an_entry_that_was_undone_by_itself_hangs_nothing(do: Do, take_back: Undo) -> None:
    do(aliases.change, 101, destination="eva@two.example")
    first = newest().id
    do(aliases.change, 101, destination="bob@one.example")
    own_id = newest().id
    db.session.query(HistoryEntry).filter_by(id=own_id).update({"undone_by": own_id})
    db.session.commit()
    with pytest.raises(Conflict, match="newer change"):
        take_back(first)


def test_an_undone_change_is_made_again_by_undoing_the_undo(do: Do, take_back: Undo) -> None:
    do(aliases.change, 101, destination="eva@two.example")
    do(users.change, 11, password="password")
    do(aliases.repoint, [203, 204], replaced=None, destination="bob@one.example")
    repointed, first = rows_now(), newest().id
    for _ in range(3):
        undone = take_back()
        assert rows_now() != repointed
        take_back(undone.id)
        assert rows_now() == repointed
    assert undo.is_undoable(newest())
    assert not undo.is_undoable(db.session.get_one(HistoryEntry, first))


def test_an_undo_that_removed_or_brought_back_is_not_undone(do: Do, take_back: Undo) -> None:
    do(domains.create, name="three.example")
    for _ in range(2):
        undone = take_back()
        assert not undo.is_undoable(undone)
        with pytest.raises(Invalid, match="cannot be undone"):
            take_back(undone.id)
        do(domains.remove, 1)


@pytest.mark.parametrize(("act", "row_id"), [(admins.unlock, 7)], ids=["unlock"])
def test_some_changes_cannot_be_undone(
    do: Do, take_back: Undo, act: Callable[..., Any], row_id: int
) -> None:
    db.session.execute(update(Admin).where(Admin.id == row_id).values(failed_attempts=3))
    db.session.commit()
    do(act, row_id)
    assert not undo.is_undoable(newest())
    with pytest.raises(Invalid, match="of this sort cannot be undone"):
        take_back()


def test_a_part_is_undone_with_its_head_only(do: Do, take_back: Undo) -> None:
    do(domains.remove, 1)
    head = newest().id
    part = db.session.scalar(select(HistoryEntry).where(HistoryEntry.part_of == head).limit(1))
    assert part is not None
    assert not undo.is_undoable(part)
    with pytest.raises(Invalid, match=f"part of change {head}"):
        take_back(part.id)


def test_an_unknown_change_is_not_found(take_back: Undo) -> None:
    with pytest.raises(NotFound, match="change was not found"):
        take_back(4711)


# --- what is newer --------------------------------------------------------------


def test_a_newer_change_of_the_same_thing_stands_in_the_way(do: Do, take_back: Undo) -> None:
    do(aliases.change, 101, destination="eva@two.example")
    first = newest().id
    do(aliases.change, 101, destination="bob@one.example")
    with pytest.raises(Conflict, match=r'newer change .* UTC: The alias "team.*eva.*bob'):
        take_back(first)
    before_both = rows_now()
    take_back()
    take_back(first)
    assert rows_now()["virtual_aliases"][0][3] == "ana@one.example"
    # Once the newer one is made again, the undo of the older one does not go.
    assert rows_now() != before_both


def test_a_redone_change_stands_in_the_way_again(do: Do, take_back: Undo) -> None:
    do(aliases.change, 101, destination="eva@two.example")
    first = newest().id
    do(aliases.change, 101, destination="bob@one.example")
    take_back()
    take_back()
    with pytest.raises(Conflict, match="newer change"):
        take_back(first)


def test_a_part_of_a_newer_change_stands_in_the_way(do: Do, take_back: Undo) -> None:
    do(users.change, 11, password="password")
    first = newest().id
    do(users.change_several, [11, 12], password="password")
    with pytest.raises(Conflict, match=r'"ana@one.example" had its password changed'):
        take_back(first)
    do(domains.remove, 1)
    with pytest.raises(Conflict, match="was deleted"):
        take_back(first)


def test_a_change_of_something_else_does_not(do: Do, take_back: Undo) -> None:
    do(admins.change, 7, name="Rob")
    first = newest().id
    do(admins.change, 7, password="password")
    do(admins.change, 1, name="Somebody")
    take_back(first)
    assert db.session.get_one(Admin, 7).name == "Bob"


# --- taking back what was made --------------------------------------------------


def test_a_domain_in_use_stays(do: Do, take_back: Undo) -> None:
    do(domains.create, name="three.example")
    entry = newest().id
    do(users.create, email="x@three.example", password="password")
    with pytest.raises(Conflict, match="has users or aliases"):
        take_back(entry)


def test_a_user_that_aliases_lead_to_stays(do: Do, take_back: Undo) -> None:
    do(users.create, email="x@one.example", password="password")
    entry = newest().id
    do(aliases.create, source="y@two.example", destination="x@one.example")
    with pytest.raises(Conflict, match=r'"y@two.example -> x@one.example" leads to this user'):
        take_back(entry)


def test_a_copy_that_keeps_a_mailbox_its_mail_stays(do: Do, take_back: Undo) -> None:
    do(aliases.create, source="ana@one.example", destination="ana@one.example")
    entry = newest().id
    do(aliases.create, source="ana@one.example", destination="eva@two.example")
    with pytest.raises(Conflict, match="take all the mail"):
        take_back(entry)


def test_what_was_changed_by_hand_stays(do: Do, take_back: Undo) -> None:
    do(domains.create, name="three.example")
    entry = newest()
    db.session.execute(
        update(Domain).where(Domain.id == entry.object_id).values(name="four.example")
    )
    db.session.commit()
    with pytest.raises(Conflict, match=r'outside the history: it is now "four.example"'):
        take_back(entry.id)
    db.session.remove()
    db.session.query(Domain).filter_by(id=entry.object_id).delete()
    db.session.commit()
    with pytest.raises(Conflict, match="not there any more"):
        take_back(entry.id)


def test_the_last_admin_stays(do: Do, take_back: Undo) -> None:
    do(admins.create, username="eva", password="password", name="Eva")
    entry = newest().id
    db.session.query(Admin).filter(Admin.username != "eva").delete()
    db.session.commit()
    with pytest.raises(Invalid, match="at least one"):
        take_back(entry)


# --- taking back what was changed -----------------------------------------------


def test_a_name_that_was_taken_since_is_not_given_back(do: Do, take_back: Undo) -> None:
    do(domains.create, name="three.example")
    do(domains.change, newest().object_id, name="four.example")
    entry = newest().id
    do(domains.create, name="three.example")
    with pytest.raises(Conflict, match=r'another domain "three.example"'):
        take_back(entry)
    do(admins.change, 7, username="rob")
    entry = newest().id
    do(admins.create, username="bob", password="password", name="Another Bob")
    with pytest.raises(Conflict, match='another administrator "Bob"'):
        take_back(entry)


def test_a_domain_that_is_in_use_now_keeps_its_name(do: Do, take_back: Undo) -> None:
    do(domains.create, name="three.example")
    do(domains.change, newest().object_id, name="four.example")
    entry = newest().id
    do(users.create, email="x@four.example", password="password")
    with pytest.raises(Conflict, match="keeps its name"):
        take_back(entry)


@pytest.mark.parametrize(
    ("then", "key_words"),
    [
        (lambda do: do(users.remove, 11), "not a current email address"),
        (
            lambda do: do(aliases.create, source="team@one.example", destination="ana@one.example"),
            "made anew since",
        ),
        (
            lambda do: do(users.create, email="team@one.example", password="password"),
            "mail of the newer user",
        ),
    ],
    ids=["destination gone", "pair", "mailbox"],
)
def test_old_values_of_an_alias_that_break_a_rule_now(
    do: Do, take_back: Undo, then: Callable[[Do], Any], key_words: str
) -> None:
    do(aliases.remove, 102)
    do(aliases.remove, 205)
    do(aliases.change, 101, source="crew@one.example", destination="eva@two.example")
    entry = newest().id
    then(do)
    before = rows_now()
    with pytest.raises(Conflict, match=key_words):
        take_back(entry)
    assert rows_now() == before


@pytest.mark.parametrize(
    ("act", "arguments", "fields"),
    [
        (aliases.change, (401,), {"destination": "eva@two.example"}),
        (aliases.change, (402,), {"destination": "eva@two.example"}),
        (aliases.change, (403,), {"destination": "eva@two.example"}),
        (aliases.change, (404,), {"destination": "eva@two.example"}),
        (aliases.change, (404,), {"source": "free@one.example", "destination": "eva@two.example"}),
        (aliases.change, (406,), {"source": "free@one.example"}),
        (aliases.rename, (407,), {"source": "free@one.example"}),
        (
            *(aliases.repoint, ([401, 402, 403, 404, 405, 406, 407, 408],)),
            {"replaced": None, "destination": "dora@two.example"},
        ),
    ],
    ids=[
        *("dangling", "outside", "list", "circle", "circle moved", "shadowing"),
        *("leading blank", "all"),
    ],
)
def test_an_odd_row_gets_its_odd_values_back(
    do: Do,
    take_back: Undo,
    act: Callable[..., Any],
    arguments: tuple[Any, ...],
    fields: dict[str, Any],
) -> None:
    pairs = [
        *(("lost@one.example", "nobody@one.example"), ("out@one.example", "x@other.example")),
        *(("list@one.example", "ana@one.example, eva@two.example"),),
        *(("r@one.example", "s@one.example"), ("s@one.example", "R@one.example")),
        *(("ana@one.example", "eva@two.example"), (" b@one.example", "ana@one.example")),
        (" b@one.example", "no@one.example"),
    ]
    by_hand(
        *(Alias(id=401 + n, domain_id=1, source=s, destination=d) for n, (s, d) in enumerate(pairs))
    )
    before = rows_now()
    do(act, *arguments, **fields)
    after = rows_now()
    assert after != before
    take_back()
    assert rows_now() == before
    take_back()
    assert rows_now() == after


def test_an_alias_is_not_changed_back_to_an_alias_that_is_gone(do: Do, take_back: Undo) -> None:
    do(aliases.change, 203, destination="dora@two.example")  # all led to info
    entry = newest().id
    do(aliases.change, 202, source="about@two.example")
    with pytest.raises(Conflict, match=r'"info@two.example" is not a current email address any'):
        take_back(entry)
    take_back()
    take_back(entry)


@pytest.mark.parametrize(
    ("act", "fields"),
    [(aliases.change, {"source": "free@one.example"}), (aliases.remove, {})],
    ids=["changed", "deleted"],
)
def test_an_alias_does_not_come_back_to_a_mailbox_without_its_copy(
    do: Do, take_back: Undo, act: Callable[..., Any], fields: dict[str, Any]
) -> None:
    do(act, 104, **fields)  # bob led to eva beside himself
    entry = newest().id
    do(aliases.remove, 103)
    with pytest.raises(Conflict, match="lost the row that kept its copy"):
        take_back(entry)
    take_back()
    take_back(entry)


def test_an_alias_is_not_changed_back_into_a_circle(do: Do, take_back: Undo) -> None:
    do(aliases.change, 202, destination="eva@two.example")  # info led to sales
    entry = newest().id
    do(aliases.change, 201, destination="info@two.example")
    with pytest.raises(Conflict, match="close a circle"):
        take_back(entry)


def test_a_password_set_by_hand_since_stays(do: Do, take_back: Undo) -> None:
    do(users.change, 11, password="password")
    db.session.execute(update(User).where(User.id == 11).values(password="{PLAIN}other"))
    db.session.commit()
    with pytest.raises(Conflict, match=r"password .* was changed since, outside"):
        take_back()


def test_an_admins_old_password_ends_the_sessions(do: Do, take_back: Undo) -> None:
    do(admins.change, 1, password="password")
    transact(sessions.start, 1, ip="192.0.2.1", agent="a test", hours=1)
    take_back()
    assert db.session.query(AdminSession).count() == 0


# --- bringing back --------------------------------------------------------------


def test_an_id_that_is_taken_now(do: Do, take_back: Undo) -> None:
    do(aliases.remove, 101)
    by_hand(Alias(id=101, domain_id=2, source="x@two.example", destination="eva@two.example"))
    with pytest.raises(Conflict, match=r'"team.*" cannot come back: its id 101 is taken'):
        take_back()


def test_an_address_that_is_taken_now(do: Do, take_back: Undo) -> None:
    do(domains.remove, 1)
    by_hand(User(id=99, domain_id=2, email="ANA@one.example", password="*"))
    before = rows_now()
    with pytest.raises(Conflict, match=r"(?i)ana@one.example.* there is a user of this address"):
        take_back()
    assert rows_now() == before


def test_a_username_that_is_taken_now(do: Do, take_back: Undo) -> None:
    do(admins.remove, 7)
    do(admins.create, username="bob", password="password", name="Another")
    with pytest.raises(Conflict, match="one of this username now"):
        take_back(newest().id - 1)


def test_a_domains_name_that_is_taken_by_a_newer_one(do: Do, take_back: Undo) -> None:
    do(domains.remove, 1)
    entry = newest().id
    do(domains.create, name="one.example")
    with pytest.raises(Conflict, match=r"newer one has this name|is taken now|newer change"):
        take_back(entry)


def test_rows_of_a_domain_that_is_gone(do: Do, take_back: Undo) -> None:
    do(aliases.remove, 201)
    entry = newest().id
    do(domains.remove, 2)
    with pytest.raises(Conflict, match=r'domain of "sales@two.example .*" is gone'):
        take_back(entry)
    take_back()
    take_back(entry)


def test_rows_of_a_domain_that_has_another_name_now(do: Do, take_back: Undo) -> None:
    do(domains.create, name="three.example")
    domain_id = newest().object_id
    do(users.create, email="x@three.example", password="password")
    do(users.remove, newest().object_id)
    entry = newest().id
    do(domains.change, domain_id, name="four.example")
    with pytest.raises(Conflict, match=r'has another name since .* "four.example"'):
        take_back(entry)
    do(domains.change, domain_id, name="three.example")
    take_back(entry)


def test_a_mailbox_whose_mail_a_newer_alias_would_take(do: Do, take_back: Undo) -> None:
    do(users.remove, 11)
    entry = newest().id
    do(aliases.create, source="ana@one.example", destination="eva@two.example")
    with pytest.raises(Conflict, match=r'newer alias "ana.* -> eva.*" would take its mail'):
        take_back(entry)


def test_an_alias_that_would_take_the_mail_of_a_newer_mailbox(do: Do, take_back: Undo) -> None:
    do(aliases.remove_several, [101, 102])
    entry = newest().id
    do(users.create, email="team@one.example", password="password")
    with pytest.raises(Conflict, match="mail of the newer user"):
        take_back(entry)


def test_a_pair_that_was_made_anew(do: Do, take_back: Undo) -> None:
    do(aliases.remove, 201)
    entry = newest().id
    do(aliases.create, source="x@two.example", destination="ana@one.example")
    do(aliases.create, source="sales@two.example", destination="ana@one.example")
    with pytest.raises(Conflict, match=r"made anew since|is taken now|newer change"):
        take_back(entry)


def test_a_circle_that_a_newer_alias_would_close(do: Do, take_back: Undo) -> None:
    do(aliases.remove, 202)  # info led to sales
    entry = newest().id
    do(aliases.change, 201, destination="all@two.example")  # sales leads to all, which led to info
    with pytest.raises(Conflict, match=r'newer alias "sales.* it would close a circle'):
        take_back(entry)


ODD = (
    Domain(id=3, name="One.example"),  # twice
    Alias(id=301, domain_id=1, source="A@one.example", destination="b@one.example"),
    Alias(id=302, domain_id=1, source="b@one.example", destination="a@ONE.example"),  # a circle
    Alias(id=303, domain_id=1, source="ana@one.example", destination="eva@two.example"),  # shadows
    Alias(id=304, domain_id=2, source="Lost@two.example", destination="nobody@one.example"),
    Alias(id=305, domain_id=2, source="out@two.example", destination="x@elsewhere.example"),
    Alias(id=306, domain_id=1, source="twice@one.example", destination="ana@one.example"),
    Alias(id=307, domain_id=1, source="twice@one.example", destination="ana@one.example"),
    Alias(id=308, domain_id=1, source="a, b@one.example", destination="ana@one.example"),
    User(id=31, domain_id=2, email="In.The.Wrong@one.example", password="{PLAIN}\u00fc"),
    User(id=32, domain_id=1, email="Mixed+x@one.example", password=""),
)


@pytest.mark.parametrize("orphans", list(Orphans))
@pytest.mark.parametrize("domain_id", [1, 2, 3])
def test_odd_rows_come_back_odd(do: Do, take_back: Undo, orphans: Orphans, domain_id: int) -> None:
    by_hand(
        *(type(row)(**{c.key: getattr(row, c.key) for c in row.__table__.columns}) for row in ODD)
    )
    before = rows_now()
    do(domains.remove, domain_id, orphans=orphans)
    entry = newest().id
    # What has nothing to do with it does not stand in the way.
    if domain_id != 2:
        do(aliases.create, source="new@two.example", destination="dora@two.example")
        do(aliases.remove, newest().object_id)
    take_back(entry)
    assert rows_now() == before


def test_a_deleted_admins_second_factor_comes_back_and_stays_secret(
    do: Do, take_back: Undo
) -> None:
    do(admins.remove, 7)
    take_back()
    admin = db.session.get_one(Admin, 7)
    assert (admin.otp_active, admin.otp_secret, admin.active) == (True, "ABCDEFGHIJKLMNOP", False)
    entries = db.session.query(HistoryEntry).all()
    texts = [f"{entry.old}{entry.new}" for entry in entries]
    assert not any("ABCDEF" in text or "$2b$" in text for text in texts)


def test_the_timeline_of_a_user_tells_of_its_domains_deletion_and_return(
    do: Do, take_back: Undo
) -> None:
    do(users.change, 11, password="password")
    do(domains.remove, 1)
    take_back()
    timeline = do(history.timeline, "user", 11)
    assert [entry.action for entry in timeline] == ["restore", "delete", "change password"]
    assert timeline[1].undone_by == timeline[0].part_of
