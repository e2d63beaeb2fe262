"""Signing in with a real domain: who is let in, and who is not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from postmaster.directory import asking
from postmaster.directory.faults import NotAnswered, Refused
from postmaster.directory.plan import Directory
from tests.directory.conftest import GROUP
from tests.directory.domain_accounts import LOCKED_AFTER, PASSWORD, DomainAccounts
from tests.directory.domain_controller import BASE, REALM

Change = Callable[[DomainAccounts, str], None]

DISABLED = "Your account is disabled in the directory"
LOCKED = "Your account is locked out in the directory"
EXPIRED = "Your account has expired in the directory"
PASSWORD_EXPIRED = "Your password has expired in the directory: change it there first"
UNKNOWN = "The username or password was incorrect"
OUTSIDE = "This account may not use PostMaster: it is not in the group PostMaster Admins"

STATES = [
    pytest.param(DomainAccounts.disable, DISABLED, id="disabled"),
    pytest.param(DomainAccounts.lock_out, LOCKED, id="locked"),
    pytest.param(DomainAccounts.expire, EXPIRED, id="expired"),
    pytest.param(DomainAccounts.expire_password, PASSWORD_EXPIRED, id="password-expired"),
    pytest.param(DomainAccounts.demand_new_password, PASSWORD_EXPIRED, id="password-to-be-changed"),
]


def refusal(directory: Directory, username: str, password: str = PASSWORD) -> Refused:
    """How somebody is refused."""
    with pytest.raises(Refused) as caught:
        asking.sign_in(directory, username, password)
    return caught.value


# --- groups -------------------------------------------------------------------------


def test_a_direct_member_is_let_in(simple: Directory) -> None:
    assert asking.sign_in(simple, "alice", PASSWORD).username == "alice"


def test_a_member_of_a_group_in_the_group_is_let_in(
    simple: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("nested")
    accounts.add_group("Innermost", "nested")
    accounts.add_group("In Between", "Innermost")
    accounts.put_into(GROUP, "In Between")
    assert asking.sign_in(simple, "nested", PASSWORD).username == "nested"


def test_the_primary_group_lets_in(simple: Directory, accounts: DomainAccounts) -> None:
    accounts.add_user("primary", GROUP)
    accounts.set_primary_group("primary", GROUP)
    assert GROUP not in accounts.attribute("primary", "memberOf")
    assert asking.sign_in(simple, "primary", PASSWORD).username == "primary"


def test_a_primary_group_in_the_group_lets_in(simple: Directory, accounts: DomainAccounts) -> None:
    accounts.add_user("far")
    accounts.add_group("Far Primary", "far")
    accounts.add_group("Near Primary", "Far Primary")
    accounts.set_primary_group("far", "Far Primary")
    assert refusal(simple, "far").template == OUTSIDE.replace(GROUP, "%(group)s")
    accounts.put_into(GROUP, "Near Primary")
    assert asking.sign_in(simple, "far", PASSWORD).username == "far"


def test_whoever_is_outside_the_group_is_refused(simple: Directory) -> None:
    refused = refusal(simple, "outside")
    assert str(refused) == OUTSIDE
    assert not refused.is_wrong_password


def test_a_group_that_the_group_is_in_does_not_let_in(
    simple: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("too high")
    accounts.add_group("Above", "too high", GROUP)
    assert str(refusal(simple, "too high")) == OUTSIDE


def test_groups_in_a_circle_come_to_an_end(simple: Directory, accounts: DomainAccounts) -> None:
    accounts.add_user("circle in")
    accounts.add_user("circle out")
    accounts.add_group("First", "circle in")
    accounts.add_group("Second", "First")
    accounts.put_into("First", "Second")
    assert asking.sign_in(replace(simple, group="Second"), "circle in", PASSWORD)
    assert str(refusal(replace(simple, group="Second"), "circle out")).endswith("Second")


def test_a_group_with_special_letters_in_name_and_dn_lets_in(
    simple: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("special")
    accounts.add_group("Übung (alle)", called='Ü, (alle) * \\ "x" #1 + <y>;=')
    accounts.add_group("Darin", "special", called="Darin, auch (*)")
    accounts.put_into("Übung (alle)", "Darin")
    directory = replace(simple, group="Übung (alle)")
    assert asking.sign_in(directory, "special", PASSWORD).username == "special"
    assert refusal(directory, "alice").values == {"group": "Übung (alle)"}


@pytest.mark.parametrize("group", ["Nowhere", "*", "PostMaster*", f"CN={GROUP},CN=Users,{BASE}"])
def test_a_group_that_is_not_there_lets_nobody_in(simple: Directory, group: str) -> None:
    with pytest.raises(NotAnswered) as caught:
        asking.sign_in(replace(simple, group=group), "alice", PASSWORD)
    assert caught.value.for_operators().template.startswith("%(count)s groups named %(group)s")


def test_a_user_of_the_groups_name_is_not_the_group(
    simple: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("no group", called="Not A Group")
    with pytest.raises(NotAnswered):
        asking.sign_in(replace(simple, group="no group"), "alice", PASSWORD)


def test_only_users_below_the_base_are_let_in(simple: Directory, accounts: DomainAccounts) -> None:
    unit = accounts.add_unit("Wanted")
    accounts.add_user("below", GROUP, below=unit)
    directory = replace(simple, base=unit)
    assert asking.sign_in(directory, "below", PASSWORD).dn.endswith(unit)
    refused = refusal(directory, "alice")
    assert str(refused) == "Your account is not one of those that may use PostMaster"
    assert not refused.is_wrong_password


def test_only_users_whom_the_filter_finds_are_let_in(
    simple: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("clerk", GROUP, department="Post")
    directory = replace(
        simple, user_filter="(&(objectClass=user)(sAMAccountName={user})(department=Post))"
    )
    assert asking.sign_in(directory, "clerk", PASSWORD).username == "clerk"
    assert not refusal(directory, "alice").is_wrong_password


def test_another_attribute_can_be_the_name(simple: Directory, accounts: DomainAccounts) -> None:
    accounts.add_user("titled", GROUP, title="Postmaster", description="Häuptling")
    titled = asking.sign_in(replace(simple, name_attribute="description"), "titled", PASSWORD)
    assert titled.name == "Häuptling"
    assert asking.sign_in(simple, "titled", PASSWORD).name == "titled"


# --- states -------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "sentence"), STATES)
def test_an_account_that_may_not_sign_in_is_told_so(
    simple: Directory,
    accounts: DomainAccounts,
    request: pytest.FixtureRequest,
    change: Change,
    sentence: str,
) -> None:
    name = request.node.callspec.id[:20]
    accounts.add_user(name, GROUP)
    assert asking.sign_in(simple, name, PASSWORD)
    change(accounts, name)
    refused = refusal(simple, name)
    assert str(refused) == sentence
    assert not refused.is_wrong_password


@pytest.mark.parametrize(
    "change", [DomainAccounts.disable, DomainAccounts.expire, DomainAccounts.expire_password]
)
def test_who_does_not_know_the_password_is_not_told_of_the_account(
    simple: Directory, accounts: DomainAccounts, change: Change
) -> None:
    name = f"{change.__name__} hidden"
    accounts.add_user(name, GROUP)
    change(accounts, name)
    refused = refusal(simple, name, "wrong")
    assert (str(refused), refused.is_wrong_password) == (UNKNOWN, True)


def test_too_many_wrong_passwords_lock_the_account(
    simple: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("guessed", GROUP)
    for count in range(1, LOCKED_AFTER + 1):
        assert refusal(simple, "guessed", "wrong").is_wrong_password
        assert accounts.bad_passwords("guessed") == count
    assert str(refusal(simple, "guessed")) == LOCKED
    accounts.unlock("guessed")
    assert asking.sign_in(simple, "guessed", PASSWORD).username == "guessed"


# --- passwords ----------------------------------------------------------------------


def test_a_wrong_password_and_an_unknown_name_look_the_same(simple: Directory) -> None:
    wrong, unknown = refusal(simple, "outside", "wrong"), refusal(simple, "nobody", "wrong")
    assert str(wrong) == str(unknown) == UNKNOWN
    assert wrong.is_wrong_password
    assert unknown.is_wrong_password
    assert wrong.advice == unknown.advice


@pytest.mark.parametrize("typed", ["outside", f"outside@{REALM}", f"CN=outside,CN=Users,{BASE}"])
def test_an_empty_password_is_wrong(
    simple: Directory, accounts: DomainAccounts, typed: str
) -> None:
    before = accounts.bad_passwords("outside")
    refused = refusal(simple, typed, "")
    assert (str(refused), refused.is_wrong_password) == (UNKNOWN, True)
    assert accounts.bad_passwords("outside") == before


PASSWORDS = {
    "umlauts": "Übergrößenträger äöü ß €",
    "outside the first plane": "\U0001f511\U0001d400",
    "blanks": "   ",
    "blanks around": " secret ",
    "no-break spaces": "\u00a0\u2003",
    "soft hyphens": "\u00ad\u00ad\u00ad",
    "composed": "\u00e9",
    "decomposed": "e\u0301",
    "special": "\"'\\()*&|!%{}<>\u2028;--",
    "percent": "%(reason)s %s {user}",
    "a hundred letters": "ö" * 100,
}


@pytest.mark.parametrize("kind", PASSWORDS)
def test_a_password_may_have_any_letters(
    simple: Directory, accounts: DomainAccounts, kind: str
) -> None:
    name = f"pw {kind}"[:20]
    accounts.add_user(name, GROUP, password=PASSWORDS[kind])
    assert asking.sign_in(simple, name, PASSWORDS[kind]).username == name
    assert refusal(simple, name, PASSWORDS[kind][:-1] or "x").is_wrong_password
    assert refusal(simple, name, f"{PASSWORDS[kind]} ").is_wrong_password


# --- the steps ----------------------------------------------------------------------


def told(directory: Directory, username: str, password: str) -> list[tuple[str, bool, str]]:
    """The steps as an admin reads them."""
    steps = asking.try_out(directory, username, password)
    return [(str(step.title), step.passed, str(step.said)) for step in steps]


def test_the_steps_of_a_good_sign_in(simple: Directory) -> None:
    url = simple.servers[0].url
    assert told(simple, "alice", PASSWORD) == [
        ("Connection", True, f"{url} answers, encrypted, and its certificate is good"),
        ("Password", True, "The directory took the password"),
        ("User", True, f"Found: CN=Alice Liddell,CN=Users,{BASE}"),
        ("Account", True, "It is neither disabled, locked nor expired"),
        ("Group", True, "It is in the group PostMaster Admins"),
        ("Verdict", True, "alice (Alice Liddell (Oxford)) can sign in to PostMaster"),
    ]


def test_the_steps_to_a_refusal(simple: Directory) -> None:
    steps = told(simple, "outside", PASSWORD)
    assert steps[-2:] == [
        ("Group", False, OUTSIDE),
        ("Verdict", False, "This account cannot sign in to PostMaster"),
    ]
    assert all(passed for _, passed, _ in steps[:-2])


@pytest.mark.parametrize("username", ["alice", "outside", "nobody"])
def test_no_step_shows_a_password(serviced: Directory, username: str) -> None:
    for directory in (serviced, replace(serviced, bind_password="also secret")):
        for password in ("wrong secret", PASSWORD, ""):
            steps = repr(asking.try_out(directory, username, password))
            for secret in ("secret", PASSWORD, directory.bind_password):
                assert secret not in steps
