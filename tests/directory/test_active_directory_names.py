"""The forms of a user name in a real domain, and names that would be something else unescaped."""

import pytest

from postmaster.directory import asking
from postmaster.directory.faults import Refused
from postmaster.directory.plan import Directory
from tests.directory.conftest import GROUP
from tests.directory.domain_accounts import PASSWORD, DomainAccounts
from tests.directory.domain_controller import BASE, DOMAIN, REALM

ALICE_DN = f"CN=Alice Liddell,CN=Users,{BASE}"


@pytest.mark.parametrize(
    "typed",
    [
        "alice",
        "ALICE",
        f"alice@{REALM}",
        f"Alice@{REALM.upper()}",
        f"alice.liddell@{REALM}",
        f"{DOMAIN}\\alice",
        f"{DOMAIN.lower()}\\Alice",
        ALICE_DN,
        ALICE_DN.lower(),
        "  alice ",
    ],
)
def test_each_form_of_a_name_is_the_same_account(simple: Directory, typed: str) -> None:
    found = asking.sign_in(simple, typed, PASSWORD)
    assert (found.username, found.name, found.dn) == ("alice", "Alice Liddell (Oxford)", ALICE_DN)


def test_a_principal_of_another_domain_is_the_account_that_has_it(
    simple: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("bob", GROUP, userPrincipalName="robert@mail.example.org")
    assert asking.sign_in(simple, "robert@mail.example.org", PASSWORD).username == "bob"


@pytest.mark.parametrize("principal", [f"victim1@{REALM}", "victim2", f"victim3@{DOMAIN}"])
def test_an_others_principal_does_not_become_the_account_of_that_name(
    simple: Directory, accounts: DomainAccounts, principal: str
) -> None:
    victim = principal.partition("@")[0]
    mallory = victim.replace("victim", "mallory")
    accounts.add_user(victim, GROUP)
    accounts.add_user(mallory, GROUP, password="mallory's own")
    accounts.set_principal(mallory, principal)
    assert asking.sign_in(simple, f"{DOMAIN}\\{victim}", PASSWORD).username == victim
    for typed in (victim, principal, f"{victim}@{REALM}", f"{victim}@{REALM}".upper()):
        for password in (PASSWORD, "mallory's own"):
            try:
                found = asking.sign_in(simple, typed, password)
            except Refused:
                continue
            assert found.username == (victim if password == PASSWORD else mallory)


@pytest.mark.parametrize(
    "typed",
    [
        "*",
        "al*ce",
        "alic?",
        "alice)(objectClass=*",
        "*)(|(sAMAccountName=*",
        "\\61lice",
        "alice\\2a",
        "alice\\",
        "\\alice",
        "\\",
        "@",
        "@corp.example.com",
        "alice@",
        "ali\x00ce",
        "alice\x00",
        "alice\nalice",
        "",
        " ",
        ",",
        "cn=*",
        f"CN=*,CN=Users,{BASE}",
        f"CN=Alice Liddell)(objectClass=*,CN=Users,{BASE}",
        f"NOWHERE\\alice\\{DOMAIN}",
        "alice@nowhere.example.com",
        "DC=corp,DC=example,DC=com",
        "CN=Users,DC=corp,DC=example,DC=com",
        "cn=alice\\",
        "x" * 200,
        "ü" * 200,
        "\U0001f511" * 200,
        "x" * 5000,
        f"CN={'ü' * 200},CN=Users,{BASE}",
        f"{'x' * 200}@{REALM}",
        f"{DOMAIN}\\{'x' * 200}",
    ],
)
def test_a_name_that_nobody_has_is_a_wrong_password(simple: Directory, typed: str) -> None:
    with pytest.raises(Refused) as caught:
        asking.sign_in(simple, typed, PASSWORD)
    assert str(caught.value) == "The username or password was incorrect"
    assert caught.value.is_wrong_password


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("jörg (müller)", "Müller, Jörg (x) *"),
        ("a&b!c#d{user}", 'Quote "d" + \\ #1;<x>=y'),
        ("{dn}%(name)s", "# first and last "),
        ("ŁÓDŹ", "ŁÓDŹ"),
    ],
)
def test_special_letters_in_name_and_dn(
    simple: Directory, accounts: DomainAccounts, name: str, called: str
) -> None:
    dn = accounts.add_user(name, GROUP, called=called, displayName=f"<b>{called}")
    for typed in (name, f"{DOMAIN}\\{name}", f"{name}@{REALM}", dn):
        found = asking.sign_in(simple, typed, PASSWORD)
        assert (found.username, found.name) == (name.lower(), f"<b>{called}".strip())


def test_a_name_of_200_letters(simple: Directory, accounts: DomainAccounts) -> None:
    unit = accounts.add_unit("ü" * 60)
    principal = f"{'ä' * 180}@{REALM}"
    dn = accounts.add_user("long", GROUP, called="ö" * 60, below=unit, userPrincipalName=principal)
    assert len(dn) > 150
    for typed in ("long", principal, dn):
        assert asking.sign_in(simple, typed, PASSWORD).username == "long"


@pytest.mark.parametrize("typed", ["\u0430da", "\uff41da", "a\u00adda", "a\u200bda", "ad\u00e1"])
def test_letters_that_only_look_the_same_are_another_name(
    simple: Directory, accounts: DomainAccounts, typed: str
) -> None:
    name = f"ada {typed.encode().hex()}"
    accounts.add_user(name, GROUP)
    assert asking.sign_in(simple, name, PASSWORD)
    with pytest.raises(Refused) as caught:
        asking.sign_in(simple, name.replace("ada", typed), PASSWORD)
    assert caught.value.is_wrong_password


def test_a_computer_is_nobody_who_signs_in(simple: Directory, accounts: DomainAccounts) -> None:
    accounts.add_computer("desk1", GROUP)
    with pytest.raises(Refused) as caught:
        asking.sign_in(simple, "desk1$", PASSWORD)
    assert str(caught.value) == "Your account is not one of those that may use PostMaster"
