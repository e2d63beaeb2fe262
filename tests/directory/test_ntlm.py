"""NTLM with a real domain controller: where it works, and what an admin reads where it does not.

Debian's Samba takes NTLM in TLS only where its smb.conf says so; Windows takes it as it comes.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from postmaster.directory import asking
from postmaster.directory.faults import NotAnswered, Refused
from postmaster.directory.plan import Directory, Method, Server
from tests.directory.broken_servers import Relay
from tests.directory.conftest import GROUP
from tests.directory.domain_accounts import LOCKED_AFTER, PASSWORD, DomainAccounts
from tests.directory.domain_controller import (
    BASE,
    DOMAIN,
    LDAP,
    LDAPS,
    NTLM_OVER_TLS,
    REALM,
    DomainController,
    Listener,
)
from tests.directory.test_active_directory import LOCKED, STATES, UNKNOWN, Change, refusal


@pytest.fixture(scope="module")
def windows(domain: DomainController) -> Iterator[Listener]:
    """A server of the domain that takes NTLM in TLS, as those of Windows do."""
    with domain.another("ntlm", strong_auth=NTLM_OVER_TLS) as listener:
        yield listener


@pytest.fixture
def ntlm(simple: Directory, windows: Listener) -> Directory:
    """The domain as an admin would set it up with NTLM."""
    return replace(simple, method=Method.NTLM, servers=(Server.of(windows.ldaps),))


@pytest.mark.parametrize(
    "typed",
    [
        "alice",
        "ALICE",
        f"{DOMAIN}\\alice",
        f"{DOMAIN.lower()}\\Alice",
        f"{REALM}\\alice",
        f"alice@{REALM}",
        f"Alice@{REALM.upper()}",
        f"alice.liddell@{REALM}",
    ],
)
def test_each_form_of_a_name_is_the_same_account(
    ntlm: Directory, simple: Directory, typed: str
) -> None:
    assert asking.sign_in(ntlm, typed, PASSWORD) == asking.sign_in(simple, "alice", PASSWORD)


def test_start_tls(ntlm: Directory, windows: Listener) -> None:
    directory = replace(ntlm, servers=(Server.of(windows.ldap),), start_tls=True)
    assert asking.sign_in(directory, "alice", PASSWORD).username == "alice"


def test_a_distinguished_name_is_for_simple(ntlm: Directory) -> None:
    refused = refusal(ntlm, f"CN=Alice Liddell,CN=Users,{BASE}")
    assert (str(refused), refused.is_wrong_password) == (UNKNOWN, True)


def test_a_wrong_password_counts_once(ntlm: Directory, accounts: DomainAccounts) -> None:
    accounts.add_user("slip", GROUP)
    refused = refusal(ntlm, "slip", "wrong")
    assert (str(refused), refused.is_wrong_password) == (UNKNOWN, True)
    assert accounts.bad_passwords("slip") == 1


@pytest.mark.parametrize(
    "typed", ["nobody", "*", "al*ce", "alice)(cn=*", f"nobody@{REALM}", "ü" * 200]
)
def test_a_name_that_nobody_has_is_a_wrong_password(ntlm: Directory, typed: str) -> None:
    refused = refusal(ntlm, typed)
    assert (str(refused), refused.is_wrong_password) == (UNKNOWN, True)


def test_an_empty_password_is_sent_nowhere(ntlm: Directory, windows: Listener) -> None:
    with Relay((windows.address, LDAPS)) as relay:
        directory = replace(ntlm, servers=(Server.of(relay.ldaps),), verify=False)
        assert refusal(directory, "alice", "").is_wrong_password
        assert relay.connections == 0


@pytest.mark.parametrize(("change", "sentence"), STATES)
def test_an_account_that_may_not_sign_in_is_told_so(
    ntlm: Directory,
    accounts: DomainAccounts,
    request: pytest.FixtureRequest,
    change: Change,
    sentence: str,
) -> None:
    name = f"3 {request.node.callspec.id}"[:20]
    accounts.add_user(name, GROUP)
    change(accounts, name)
    refused = refusal(ntlm, name)
    assert (str(refused), refused.is_wrong_password) == (sentence, False)


def test_whoever_is_outside_the_group_is_refused(ntlm: Directory) -> None:
    assert not refusal(ntlm, "outside").is_wrong_password


@pytest.mark.parametrize(
    "password", ["Übergrößen €", "   ", "\u00ad\u00ad", "\U0001f511", "ö" * 100]
)
def test_a_password_may_have_any_letters(
    ntlm: Directory, accounts: DomainAccounts, password: str
) -> None:
    name = f"ntlm {password.encode().hex()}"[:20]
    accounts.add_user(name, GROUP, password=password)
    assert asking.sign_in(ntlm, name, password).username == name
    assert refusal(ntlm, name, f"{password} ").is_wrong_password


def test_a_name_may_have_special_letters(ntlm: Directory, accounts: DomainAccounts) -> None:
    name = "jürgen (ntlm) & co"
    accounts.add_user(name, GROUP, called="Jürgen, *")
    for typed in (name, f"{DOMAIN}\\{name}", f"{name}@{REALM}"):
        assert asking.sign_in(ntlm, typed, PASSWORD).username == name


def test_an_others_principal_does_not_become_the_account_of_that_name(
    ntlm: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("quarry", GROUP)
    accounts.add_user("stalker", GROUP, password="stalker's own")
    accounts.set_principal("stalker", f"quarry@{REALM}")
    assert asking.sign_in(ntlm, "quarry", PASSWORD).username == "quarry"
    for typed in ("quarry", f"quarry@{REALM}", f"{DOMAIN}\\quarry"):
        for password, owner in ((PASSWORD, "quarry"), ("stalker's own", "stalker")):
            try:
                found = asking.sign_in(ntlm, typed, password)
            except Refused:
                continue
            assert found.username == owner


def test_the_bind_account_signs_in_by_ntlm_too(ntlm: Directory, serviced: Directory) -> None:
    known = asking.sign_in(ntlm, "alice", PASSWORD)
    for account in ("postmaster-reader", serviced.bind_account, f"{DOMAIN}\\postmaster-reader"):
        directory = replace(ntlm, bind_account=account, bind_password=serviced.bind_password)
        assert asking.look_up(directory, known) == known


# --- without TLS --------------------------------------------------------------------


def test_a_controller_that_permits_it_is_not_told_the_password(
    ntlm: Directory, domain: DomainController
) -> None:
    with (
        domain.another("careless-ntlm", strong_auth="no") as listener,
        Relay((listener.address, LDAP)) as relay,
    ):
        directory = replace(ntlm, servers=(Server.of(relay.ldap),))
        assert asking.sign_in(directory, "alice", PASSWORD).username == "alice"
        assert b"NTLMSSP" in relay.asked
        for encoding in ("utf-8", "utf-16-le"):
            assert PASSWORD.encode(encoding) not in relay.asked


def told(directory: Directory) -> tuple[str, str]:
    """What an admin reads: the sentence and the advice."""
    with pytest.raises(NotAnswered) as caught:
        asking.sign_in(directory, "alice", PASSWORD)
    return str(caught.value.for_operators()), str(caught.value.advice)


@pytest.mark.parametrize("strong_auth", ["as it comes", "as Windows"])
def test_a_controller_wants_encryption(
    ntlm: Directory, domain: DomainController, windows: Listener, strong_auth: str
) -> None:
    listener = windows if strong_auth == "as Windows" else domain.listener
    sentence, advice = told(replace(ntlm, servers=(Server.of(listener.ldap),)))
    assert sentence.startswith(f"{listener.ldap} wants an encrypted connection: strongerAuth")
    assert advice == "Use ldaps://, or ldap:// with StartTLS"


def test_a_controller_that_takes_no_ntlm_in_tls_is_not_a_wrong_password(
    ntlm: Directory, domain: DomainController, accounts: DomainAccounts
) -> None:
    """Samba before 4.21 as it comes. Later ones take it, as Windows does."""
    accounts.add_user("unheard", GROUP)
    directory = replace(ntlm, servers=(Server.of(domain.listener.ldaps),))
    try:
        assert asking.sign_in(directory, "unheard", PASSWORD).username == "unheard"
    except NotAnswered:
        sentence, advice = told(directory)
        assert sentence.endswith(
            "strongerAuthRequired SASL:[GSS-SPNEGO]: Sign or Seal are required."
        )
        assert "SIMPLE" in advice
    assert accounts.bad_passwords("unheard") == 0


def test_too_many_wrong_passwords_lock_the_account(
    ntlm: Directory, accounts: DomainAccounts
) -> None:
    accounts.add_user("guessed by ntlm", GROUP)
    for _ in range(LOCKED_AFTER):
        assert refusal(ntlm, "guessed by ntlm", "wrong").is_wrong_password
    assert str(refusal(ntlm, "guessed by ntlm")) == LOCKED
