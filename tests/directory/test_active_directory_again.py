"""Looking up again, without a password, who has signed in before: what open sessions hang on."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from postmaster.directory import asking
from postmaster.directory.faults import NotAnswered, Refused
from postmaster.directory.plan import Account, Directory
from tests.directory.conftest import GROUP
from tests.directory.domain_accounts import PASSWORD, DomainAccounts
from tests.directory.domain_controller import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, REALM
from tests.directory.test_active_directory import OUTSIDE, STATES, Change

GONE = "There is no such account in the directory"

SignedIn = Callable[..., Account]


@pytest.fixture
def signed_in(simple: Directory, accounts: DomainAccounts) -> SignedIn:
    """A new user in the group, who has just signed in."""

    def run(name: str) -> Account:
        accounts.add_user(name, GROUP, displayName=f"{name} by name")
        return asking.sign_in(simple, name, PASSWORD)

    return run


def refusal(directory: Directory, known: Account) -> Refused:
    """How somebody who was let in is refused now."""
    with pytest.raises(Refused) as caught:
        asking.look_up(directory, known)
    return caught.value


def test_nothing_has_changed(serviced: Directory, signed_in: SignedIn) -> None:
    known = signed_in("steady")
    assert asking.look_up(serviced, known) == known


@pytest.mark.parametrize(("change", "sentence"), STATES)
def test_who_may_no_longer_sign_in_is_refused(
    serviced: Directory,
    accounts: DomainAccounts,
    signed_in: SignedIn,
    request: pytest.FixtureRequest,
    change: Change,
    sentence: str,
) -> None:
    name = f"2 {request.node.callspec.id}"[:20]
    known = signed_in(name)
    change(accounts, name)
    assert str(refusal(serviced, known)) == sentence


def test_who_was_unlocked_is_let_in_again(
    serviced: Directory, accounts: DomainAccounts, signed_in: SignedIn
) -> None:
    known = signed_in("forgiven")
    accounts.lock_out("forgiven")
    refusal(serviced, known)
    accounts.unlock("forgiven")
    accounts.disable("forgiven")
    refusal(serviced, known)
    accounts.enable("forgiven")
    assert asking.look_up(serviced, known) == known


def test_who_left_the_group_is_refused(
    serviced: Directory, accounts: DomainAccounts, signed_in: SignedIn
) -> None:
    known = signed_in("leaver")
    accounts.take_out_of(GROUP, "leaver")
    assert str(refusal(serviced, known)) == OUTSIDE
    accounts.put_into(GROUP, "leaver")
    assert asking.look_up(serviced, known) == known


def test_who_is_in_another_group_of_the_group_stays(
    serviced: Directory, accounts: DomainAccounts, signed_in: SignedIn
) -> None:
    known = signed_in("mover")
    accounts.add_group("Moved To", "mover")
    accounts.take_out_of(GROUP, "mover")
    refusal(serviced, known)
    accounts.put_into(GROUP, "Moved To")
    assert asking.look_up(serviced, known) == known
    accounts.set_primary_group("mover", "Moved To")
    assert asking.look_up(serviced, known) == known


def test_who_was_deleted_is_refused_and_a_new_one_of_the_name_is_somebody_else(
    serviced: Directory, accounts: DomainAccounts, signed_in: SignedIn
) -> None:
    known = signed_in("phoenix")
    accounts.delete("phoenix")
    assert str(refusal(serviced, known)) == GONE
    again = signed_in("phoenix")
    assert again.external_id != known.external_id
    assert str(refusal(serviced, known)) == GONE


def test_a_renamed_account_stays_the_same(
    simple: Directory, serviced: Directory, accounts: DomainAccounts, signed_in: SignedIn
) -> None:
    known = signed_in("maiden")
    accounts.rename("maiden", "married", called="Married, now (*)")
    accounts.set("married", displayName="Married")
    now = asking.look_up(serviced, known)
    assert (now.external_id, now.username, now.name) == (known.external_id, "married", "Married")
    assert now == asking.sign_in(simple, "married", PASSWORD)
    with pytest.raises(Refused):
        asking.sign_in(simple, "maiden", PASSWORD)


def test_somebody_elses_old_name_is_not_the_account(
    serviced: Directory, accounts: DomainAccounts, signed_in: SignedIn
) -> None:
    first = signed_in("shared")
    accounts.rename("shared", "was shared")
    second = signed_in("shared")
    assert first.external_id != second.external_id
    assert asking.look_up(serviced, first).username == "was shared"
    assert asking.look_up(serviced, second).username == "shared"


def test_who_is_no_longer_below_the_base_is_refused(
    serviced: Directory, accounts: DomainAccounts, signed_in: SignedIn
) -> None:
    known = signed_in("elsewhere")
    unit = accounts.add_unit("Small")
    assert str(refusal(replace(serviced, base=unit), known)) == GONE


def test_whom_the_filter_no_longer_finds_is_refused(
    serviced: Directory, accounts: DomainAccounts, signed_in: SignedIn
) -> None:
    known = signed_in("filtered")
    narrow = replace(serviced, user_filter="(&(sAMAccountName={user})(department=Post))")
    refusal(narrow, known)
    accounts.set("filtered", department="Post")
    assert asking.look_up(narrow, known) == known


# --- the account that looks up ------------------------------------------------------


def not_answered(directory: Directory) -> NotAnswered:
    """Why nobody could be looked up."""
    with pytest.raises(NotAnswered) as caught:
        asking.look_up(directory, Account("", "alice", "", ""))
    return caught.value


def test_without_an_account_of_its_own_nobody_can_be_looked_up(simple: Directory) -> None:
    said = not_answered(simple)
    assert str(said.for_operators()) == (
        "Without its password nobody can be looked up: there is no bind account"
    )


@pytest.mark.parametrize(
    ("password", "begins"),
    [
        ("wrong", "The directory refused the bind account postmaster-reader@corp.example.com: "),
        ("", "The bind account postmaster-reader@corp.example.com has no password"),
    ],
)
def test_a_wrong_password_of_its_own_is_nobody_elses(
    serviced: Directory, password: str, begins: str
) -> None:
    said = not_answered(replace(serviced, bind_password=password))
    assert str(said.for_operators()).startswith(begins)
    assert "setldappassword" in str(said.advice)
    assert "refused" not in str(said)


def test_its_own_account_can_be_locked_as_any(
    serviced: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("second reader", password="reads")
    directory = replace(serviced, bind_account=f"second reader@{REALM}", bind_password="reads")
    assert asking.look_up(directory, Account("", "alice", "", "")).username == "alice"
    accounts.lock_out("second reader")
    said = not_answered(directory)
    assert "data 775" in str(said.for_operators())


def test_any_account_of_the_domain_may_look_up(serviced: Directory) -> None:
    directory = replace(
        serviced,
        bind_account=f"{ADMINISTRATOR}@{REALM}",
        bind_password=ADMINISTRATOR_PASSWORD,
    )
    assert asking.look_up(directory, Account("", "alice", "", "")).username == "alice"


def test_somebody_is_tried_out_without_a_password(serviced: Directory) -> None:
    steps = asking.try_out(serviced, "alice", "")
    assert [(str(step.title), step.passed) for step in steps] == [
        ("Connection", True),
        ("Bind account", True),
        ("User", True),
        ("Account", True),
        ("Group", True),
        ("Verdict", True),
    ]


@pytest.mark.parametrize("typed", ["nobody", "*", "al*ce", "alice)(objectClass=*"])
def test_nobody_is_found_by_a_name_that_nobody_has(serviced: Directory, typed: str) -> None:
    last = asking.try_out(serviced, typed, "")[-2]
    assert (str(last.title), last.passed) == ("User", False)
