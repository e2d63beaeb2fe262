"""Signing in with OpenLDAP: a real slapd, asked as PostMaster asks it."""

import gc
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postmaster.directory import asking, turnstile
from postmaster.directory.faults import NotAnswered, Refused
from postmaster.directory.kinds import Kind
from postmaster.directory.plan import MEMBER_OF, Account, Directory, Server
from postmaster.directory.trail import Step
from tests.directory.certificates import Authority
from tests.directory.openldap import (
    ADDRESS,
    BIND_ACCOUNT,
    BIND_PASSWORD,
    DOMAIN,
    FAILURES_TO_LOCK,
    GROUPS,
    IPA_GROUPS,
    LOCK_SECONDS,
    LOCKED_FOR_EVER,
    PEOPLE,
    SUFFIX,
    Flavour,
    OpenLdap,
    Reading,
    Tls,
)
from tests.mariadb import free_port

GROUP = "postmasters"
PASSWORD = "correct horse"
INCORRECT = "The username or password was incorrect"
DAY = 86400
# LDAP's result codes (RFC 4511, 4.1.9).
CONSTRAINT_VIOLATION, UNWILLING = 19, 53

# What PostMaster does not do yet. Each mark is to go with its fault.


@pytest.fixture(scope="session")
def openldap_server() -> Iterator[OpenLdap]:
    """The server that the tests of this process share."""
    with OpenLdap() as server:
        yield server


@pytest.fixture
def openldap(openldap_server: OpenLdap) -> Iterator[OpenLdap]:
    """The server, without anybody in it. Who stops it starts it again."""
    yield openldap_server
    openldap_server.empty()


@pytest.fixture(scope="module")
def open_server() -> Iterator[OpenLdap]:
    """One that everybody may read, also without a name."""
    with OpenLdap(Reading.OPEN) as server:
        yield server


@pytest.fixture
def open_ldap(open_server: OpenLdap) -> Iterator[OpenLdap]:
    yield open_server
    open_server.empty()


@pytest.fixture(scope="module")
def ipa_server() -> Iterator[OpenLdap]:
    with OpenLdap(Reading.OPEN, Flavour.FREEIPA) as server:
        yield server


@pytest.fixture
def ipa(ipa_server: OpenLdap) -> Iterator[OpenLdap]:
    """slapd with FreeIPA's attributes, and no FreeIPA."""
    yield ipa_server
    ipa_server.empty()


@pytest.fixture
def alice(openldap: OpenLdap) -> str:
    """Somebody in the group; her DN."""
    dn = openldap.user("alice", PASSWORD, cn="Alice Example", mail="a.example@mail.example")
    openldap.group_of_names(GROUP, dn)
    return dn


def described(server: OpenLdap, *, tls: bool = False, **changes: Any) -> Directory:
    """The server as the settings describe it, with a bind account.

    With ``tls`` as an operator has it: by ldaps://. What is not about encryption is asked
    without, because on a loopback each handshake costs more than the rest.
    """
    usual = Directory(
        servers=(Server.of(server.tls_url if tls else server.url),),
        allow_plain_passwords=not tls,
        domain=DOMAIN,
        group=GROUP,
        kind=Kind.OPENLDAP,
        bind_account=BIND_ACCOUNT,
        bind_password=BIND_PASSWORD,
        ca_file=server.authority.file,
    )
    return replace(usual, **changes)


def sign_in(server: OpenLdap, username: str, password: str, **changes: Any) -> Account:
    return asking.sign_in(described(server, **changes), username, password)


def refusal(server: OpenLdap, username: str, password: str, **changes: Any) -> Refused:
    """The refusal of a sign-in."""
    with pytest.raises(Refused) as caught:
        sign_in(server, username, password, **changes)
    return caught.value


def fault(server: OpenLdap, username: str, password: str, **changes: Any) -> str:
    """What an administrator reads where the directory could not be asked.

    Who signs in reads nothing of it: not the accounts and names in it either.
    """
    with pytest.raises(NotAnswered) as caught:
        sign_in(server, username, password, **changes)
    assert "cannot be asked at the moment" in str(caught.value)
    assert caught.value.advice
    return str(caught.value.for_operators())


def tried(server: OpenLdap, username: str, password: str, **changes: Any) -> list[Step]:
    """The steps that the button Test shows; no password is in them."""
    steps = asking.try_out(described(server, **changes), username, password)
    shown = told(steps)
    assert BIND_PASSWORD not in shown
    assert not password or password not in shown
    assert all(step.advice for step in steps[:-1] if not step.passed)
    return steps


def told(steps: list[Step]) -> str:
    return "\n".join(f"{step.title}: {step.passed} {step.said} {step.advice}" for step in steps)


def binds(log: str) -> list[str]:
    """The DNs that slapd was shown a password for, in turn."""
    return re.findall(r'BIND dn="([^"]*)" method=128', log)


# --- the forms of a user name -------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "alice",
        "ALICE",
        f"alice@{DOMAIN}",
        f"uid=alice,{PEOPLE}",
        f"UID=Alice,OU=People,{SUFFIX.upper()}",
    ],
)
def test_each_form_of_the_name_is_the_same_account(
    openldap: OpenLdap, alice: str, typed: str
) -> None:
    account = sign_in(openldap, typed, PASSWORD, tls=True)
    assert account == Account(openldap.entry_uuid(alice), "alice", "Alice Example", alice)


def test_a_dn_outside_the_base_is_nobody(openldap: OpenLdap, alice: str) -> None:
    openldap.add(f"ou=else,{SUFFIX}", ["organizationalUnit"])
    carl = openldap.user("carl", PASSWORD, below=f"ou=else,{SUFFIX}")
    openldap.add_member(f"cn={GROUP},{GROUPS}", carl)
    openldap.group_of_names(GROUP, alice, carl, below=PEOPLE)
    assert sign_in(openldap, alice, PASSWORD, base=PEOPLE).dn == alice
    assert str(refusal(openldap, carl, PASSWORD, base=PEOPLE)) == INCORRECT


@pytest.mark.parametrize(
    "typed",
    [
        "cn=nobody",
        f"cn=root,{SUFFIX}",
        "cn=config",
        "cn=Subschema",
        PEOPLE,
        "foo=bar",
    ],
)
def test_a_dn_that_is_nobodys_is_a_wrong_password(
    openldap: OpenLdap, alice: str, typed: str
) -> None:
    assert refusal(openldap, typed, PASSWORD).is_wrong_password


def test_the_dn_of_the_bind_account_is_no_user(openldap: OpenLdap, alice: str) -> None:
    assert refusal(openldap, BIND_ACCOUNT, BIND_PASSWORD).is_wrong_password


def test_a_filter_of_ones_own_finds_users_by_their_address(openldap: OpenLdap, alice: str) -> None:
    query = "(&(objectClass=inetOrgPerson)(mail={user}))"
    account = sign_in(openldap, "a.example@mail.example", PASSWORD, user_filter=query)
    assert account.username == "alice"
    assert refusal(openldap, "alice", PASSWORD, user_filter=query).is_wrong_password


def test_a_filter_of_ones_own_shuts_others_out(openldap: OpenLdap, alice: str) -> None:
    query = "(&(uid={user})(employeeType=staff))"
    assert refusal(openldap, "alice", PASSWORD, user_filter=query).is_wrong_password
    assert refusal(openldap, alice, PASSWORD, user_filter=query).is_wrong_password
    openldap.modify(alice, employeeType="staff")
    assert sign_in(openldap, alice, PASSWORD, user_filter=query).dn == alice


def test_the_user_name_may_be_another_attribute(openldap: OpenLdap, alice: str) -> None:
    query = "(mail={user})"
    changes: dict[str, Any] = {"user_filter": query, "username_attribute": "mail"}
    account = sign_in(openldap, "A.Example@mail.example", PASSWORD, **changes)
    assert account.username == "a.example@mail.example"


def test_two_users_of_the_same_name_are_told_and_not_guessed(
    openldap: OpenLdap, alice: str
) -> None:
    openldap.add(f"ou=sales,{PEOPLE}", ["organizationalUnit"])
    other = openldap.user("alice", "another", below=f"ou=sales,{PEOPLE}")
    mark = openldap.mark()
    said = fault(openldap, "alice", PASSWORD)
    assert said.startswith("2 users have this name:")
    assert alice in said
    assert other in said
    assert alice not in binds(openldap.log_since(mark))
    # Nor by the DN, which says who is meant: groups may name people by what both are called.
    assert fault(openldap, other, "another").startswith("2 users have this name:")


def test_a_name_that_is_anothers_address_is_not_guessed(openldap: OpenLdap, alice: str) -> None:
    openldap.user(f"alice@{DOMAIN}", PASSWORD)
    assert "2 users have this name" in fault(openldap, f"alice@{DOMAIN}", PASSWORD)
    assert sign_in(openldap, "alice", PASSWORD).dn == alice


# --- the group ------------------------------------------------------------------------


def test_a_member_of_a_group_of_names_is_in(openldap: OpenLdap, alice: str) -> None:
    assert sign_in(openldap, "alice", PASSWORD).username == "alice"


def test_a_member_of_a_group_of_unique_names_is_in(openldap: OpenLdap) -> None:
    openldap.group_of_unique_names(GROUP, openldap.user("alice", PASSWORD))
    assert sign_in(openldap, "alice", PASSWORD).username == "alice"


def test_a_member_of_a_posix_group_is_in(openldap: OpenLdap) -> None:
    openldap.user("alice", PASSWORD)
    openldap.user("bob", PASSWORD)
    openldap.posix_group(GROUP, "alice", "carl")
    assert sign_in(openldap, f"alice@{DOMAIN}", PASSWORD).username == "alice"
    assert not refusal(openldap, "bob", PASSWORD).is_wrong_password


def test_somebody_outside_the_group_is_told_so(openldap: OpenLdap, alice: str) -> None:
    openldap.group_of_names("others", openldap.user("bob", PASSWORD))
    found = refusal(openldap, "bob", PASSWORD)
    assert "not in the group postmasters" in str(found)
    assert not found.is_wrong_password
    assert refusal(openldap, "bob", "wrong").is_wrong_password


def test_a_group_without_members_lets_nobody_in(openldap: OpenLdap) -> None:
    openldap.user("alice", PASSWORD)
    openldap.posix_group(GROUP)
    assert "not in the group" in str(refusal(openldap, "alice", PASSWORD))


def test_a_member_of_a_group_in_the_group_is_in(openldap: OpenLdap) -> None:
    alice, bob = openldap.user("alice", PASSWORD), openldap.user("bob", PASSWORD)
    carl = openldap.user("carl", PASSWORD)
    innermost = openldap.group_of_names("innermost", alice)
    inner = openldap.group_of_unique_names("inner", innermost)
    by_name = openldap.posix_group("by name", "bob")
    openldap.group_of_names(GROUP, inner, by_name)
    openldap.group_of_names("others", carl)
    assert sign_in(openldap, "alice", PASSWORD).dn == alice
    assert sign_in(openldap, "bob", PASSWORD).dn == bob
    assert "not in the group" in str(refusal(openldap, "carl", PASSWORD))


def test_a_group_above_the_group_does_not_count(openldap: OpenLdap) -> None:
    alice = openldap.user("alice", PASSWORD)
    inside = openldap.group_of_names(GROUP)
    openldap.group_of_names("everybody", inside, alice)
    assert "not in the group" in str(refusal(openldap, "alice", PASSWORD))


def test_groups_in_a_circle_come_to_an_end(openldap: OpenLdap) -> None:
    alice, bob = openldap.user("alice", PASSWORD), openldap.user("bob", PASSWORD)
    first = openldap.group_of_names("first", alice, bob)
    second = openldap.group_of_names("second", first)
    openldap.add_member(first, second)
    openldap.add_member(first, first)
    wanted = openldap.group_of_names(GROUP)
    assert "not in the group" in str(refusal(openldap, "bob", PASSWORD))
    openldap.add_member(second, wanted)
    openldap.add_member(wanted, second)
    assert sign_in(openldap, "alice", PASSWORD).dn == alice


def test_member_of_is_what_the_server_keeps(openldap: OpenLdap, alice: str) -> None:
    bob = openldap.user("bob", PASSWORD)
    inner = openldap.group_of_names("inner", bob)
    openldap.add_member(f"cn={GROUP},{GROUPS}", inner)
    assert sign_in(openldap, "alice", PASSWORD, group_filter=MEMBER_OF).dn == alice
    # slapd's overlay keeps no groups of groups: there the groups have to be asked.
    assert "not in the group" in str(refusal(openldap, "bob", PASSWORD, group_filter=MEMBER_OF))
    assert sign_in(openldap, "bob", PASSWORD).dn == bob


def test_member_of_works_with_commas_and_umlauts(openldap: OpenLdap) -> None:
    name = r"Übel, Wühler (alle) \ *"
    alice = openldap.user("alice", PASSWORD)
    openldap.group_of_names(name, alice)
    changes: dict[str, Any] = {"group": name, "group_filter": MEMBER_OF}
    assert sign_in(openldap, "alice", PASSWORD, **changes).dn == alice
    assert sign_in(openldap, "alice", PASSWORD, group=name).dn == alice


@pytest.mark.parametrize("query", ["(roleOccupant={dn})", "(description={user})"])
def test_a_filter_of_ones_own_finds_the_groups(openldap: OpenLdap, query: str) -> None:
    alice, bob = openldap.user("alice", PASSWORD), openldap.user("bob", PASSWORD)
    openldap.user("carl", PASSWORD)
    # A group of which members are only those whom its own attributes name.
    group = openldap.group_of_names(GROUP, bob)
    openldap.modify(group, objectClass=["groupOfNames", "extensibleObject"])
    openldap.modify(group, roleOccupant=alice, description="alice")
    assert sign_in(openldap, "alice", PASSWORD, group_filter=query).dn == alice
    assert "not in the group" in str(refusal(openldap, "bob", PASSWORD, group_filter=query))


def test_two_groups_of_the_same_name_are_told_and_not_guessed(
    openldap: OpenLdap, alice: str
) -> None:
    openldap.group_of_names(GROUP, alice, below=PEOPLE)
    said = fault(openldap, "alice", PASSWORD)
    assert f"2 groups named {GROUP} were found below {SUFFIX}" in said


def test_a_group_that_is_not_there_is_told(openldap: OpenLdap, alice: str) -> None:
    assert "0 groups named nothing" in fault(openldap, "alice", PASSWORD, group="nothing")


@pytest.mark.parametrize("group", ["*", "post*", "postmasters)(cn=*", f"cn={GROUP},{GROUPS}"])
def test_the_groups_name_is_no_filter(openldap: OpenLdap, alice: str, group: str) -> None:
    assert f"0 groups named {group}" in fault(openldap, "alice", PASSWORD, group=group)


# --- passwords and names --------------------------------------------------------------


def test_a_wrong_password_is_refused_as_an_unknown_name_is(openldap: OpenLdap, alice: str) -> None:
    wrong = refusal(openldap, "alice", "wrong")
    unknown = refusal(openldap, "nobody", PASSWORD)
    assert str(wrong) == str(unknown) == INCORRECT
    assert wrong.is_wrong_password
    assert unknown.is_wrong_password


def test_an_empty_password_is_not_sent(openldap: OpenLdap, alice: str) -> None:
    mark = openldap.mark()
    assert refusal(openldap, "alice", "").is_wrong_password
    assert openldap.log_since(mark) == ""


def test_a_bind_account_without_a_password_is_not_sent(openldap: OpenLdap, alice: str) -> None:
    mark = openldap.mark()
    said = fault(openldap, "alice", PASSWORD, bind_password="")
    assert said == f"The bind account {BIND_ACCOUNT} has no password"
    assert "BIND" not in openldap.log_since(mark)


@pytest.mark.parametrize(
    "password",
    ["pässwörd", " with blanks ", "\u00ad\u00ad\u00ad", "*()\\\x00", "ﬀ①Ⅳ", "p" * 200, "🔑 и ключ"],
)
def test_passwords_are_sent_as_they_are(openldap: OpenLdap, alice: str, password: str) -> None:
    openldap.modify(alice, userPassword=password)
    assert sign_in(openldap, "alice", password).dn == alice
    assert refusal(openldap, "alice", password + "x").is_wrong_password


@pytest.mark.parametrize(
    "uid",
    [
        "a*b",
        "a(b)c",
        "*",
        r"back\slash",
        r"tail\2a",
        "Müller, Jürgen",
        "#hash+plus;semi<less>",
        'say "hello"',
        "a=b",
        "名前",
        "n" * 200,
        "o'hara & sons",
    ],
)
def test_names_with_strange_letters_are_names(openldap: OpenLdap, alice: str, uid: str) -> None:
    strange = openldap.user(uid, "another")
    openldap.group_of_unique_names("strange", strange)
    assert sign_in(openldap, uid, "another", group="strange").username == uid.lower()
    by_dn = sign_in(openldap, strange, "another", group="strange")
    assert by_dn.username == uid.lower()
    assert refusal(openldap, uid, PASSWORD, group="strange").is_wrong_password


def test_200_umlauts_are_a_name(openldap: OpenLdap) -> None:
    uid = "ü" * 200
    strange = openldap.user(uid, PASSWORD, rdn="cn=long", cn="long")  # slapd's first parts end
    openldap.group_of_names(GROUP, strange)
    assert sign_in(openldap, uid, PASSWORD).username == uid


@pytest.mark.parametrize(
    "typed",
    [
        "*",
        "al*",
        "alice)(uid=*",
        "*)(objectClass=*",
        "alice\x00",
        "\x00",
        "alice\\00",
        r"al\69ce",
        "",
        " ",
        "alice\n",
        "\u00ad",
        "@",
        "\\",
        f"@{DOMAIN}",
        "x" * 600,
        "ü" * 200,
        f"uid=*,{PEOPLE}",
    ],
)
def test_no_name_means_somebody_else(openldap: OpenLdap, alice: str, typed: str) -> None:
    if typed.strip() == "alice":  # blanks around a name are no part of it
        assert sign_in(openldap, typed, PASSWORD).dn == alice
        return
    mark = openldap.mark()
    assert str(refusal(openldap, typed, PASSWORD)) == INCORRECT
    assert alice not in binds(openldap.log_since(mark))


# --- disabled, locked, expired --------------------------------------------------------


def test_whom_an_administrator_locked_is_told_so(openldap: OpenLdap, alice: str) -> None:
    openldap.modify(alice, pwdAccountLockedTime=LOCKED_FOR_EVER)
    found = refusal(openldap, "alice", PASSWORD)
    assert "locked out" in str(found)
    assert not found.is_wrong_password


def test_who_guesses_is_locked_by_the_directory(openldap: OpenLdap, alice: str) -> None:
    for _ in range(FAILURES_TO_LOCK - 1):
        assert refusal(openldap, "alice", "wrong").is_wrong_password
    refusal(openldap, "alice", "wrong")
    assert openldap.value(alice, "pwdAccountLockedTime")
    assert "locked out" in str(refusal(openldap, "alice", PASSWORD))


def test_a_lock_ends_with_its_time(openldap: OpenLdap, alice: str) -> None:
    openldap.modify(alice, pwdAccountLockedTime=generalized(-2 * LOCK_SECONDS))
    assert sign_in(openldap, "alice", PASSWORD).dn == alice


def test_a_lock_that_is_over_does_not_end_sessions(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    openldap.modify(alice, pwdAccountLockedTime=generalized(-2 * LOCK_SECONDS))
    assert asking.look_up(described(openldap), known) == known


@pytest.mark.parametrize(
    ("days", "is_in"), [(-1, False), (0, False), (1, True), (None, True)], ids=str
)
def test_the_last_day_of_an_account(
    openldap: OpenLdap, alice: str, days: int | None, is_in: bool
) -> None:
    today = int(time.time()) // DAY
    openldap.modify(alice, shadowExpire=None if days is None else str(today + days))
    if is_in:
        assert sign_in(openldap, "alice", PASSWORD).dn == alice
    else:
        assert "expired" in str(refusal(openldap, "alice", PASSWORD))
        assert refusal(openldap, "alice", "wrong").is_wrong_password


def test_a_password_that_may_no_longer_be_used(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    openldap.modify(alice, pwdEndTime=generalized(-60))
    refusal(openldap, "alice", PASSWORD)
    with pytest.raises(Refused, match="expired"):
        asking.look_up(described(openldap), known)
    openldap.modify(alice, pwdEndTime=generalized(3600))
    assert sign_in(openldap, "alice", PASSWORD) == known


def generalized(seconds: int) -> str:
    """A moment before or after now, as LDAP writes it."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


# --- without a bind account -----------------------------------------------------------


def test_without_a_bind_account_the_search_is_anonymous(open_ldap: OpenLdap) -> None:
    alice = open_ldap.user("alice", PASSWORD)
    open_ldap.group_of_names(GROUP, alice)
    known = sign_in(open_ldap, "alice", PASSWORD, bind_account="", bind_password="")
    assert known.dn == alice
    changes: dict[str, Any] = {"bind_account": "", "bind_password": ""}
    assert asking.look_up(described(open_ldap, **changes), known) == known
    assert refusal(open_ldap, "alice", "wrong", **changes).is_wrong_password


@pytest.mark.parametrize(
    "reading",
    [
        Reading.HIDDEN,
        Reading.REFUSED,
        Reading.NO_STRANGERS,
    ],
)
def test_an_admin_reads_that_strangers_may_not_search(reading: Reading) -> None:
    with OpenLdap(reading) as server:
        server.group_of_names(GROUP, server.user("alice", PASSWORD))
        said = fault(server, "alice", PASSWORD, bind_account="", bind_password="")
        assert SUFFIX in said or "answers nobody without a name" in said
        shown = told(tried(server, "alice", PASSWORD, bind_account="", bind_password=""))
        assert "bind account" in shown.lower()
        assert INCORRECT not in shown


def test_a_wrong_base_is_no_wrong_password(openldap: OpenLdap, alice: str) -> None:
    said = fault(openldap, "alice", PASSWORD, base="ou=peeple,dc=example,dc=org")
    assert "ou=peeple,dc=example,dc=org" in said


def test_a_wrong_password_of_the_bind_account_is_the_admins(openldap: OpenLdap, alice: str) -> None:
    mark = openldap.mark()
    said = fault(openldap, "alice", PASSWORD, bind_password="wrong")
    assert said.startswith(f"The directory refused the bind account {BIND_ACCOUNT}:")
    assert binds(openldap.log_since(mark)) == [BIND_ACCOUNT]  # and nobody's own password
    assert openldap.value(alice, "pwdFailureTime") is None
    shown = tried(openldap, "alice", PASSWORD, bind_password="wrong")
    failed = [step for step in shown if not step.passed]
    assert [str(step.title) for step in failed] == ["Bind account", "Verdict"]
    assert "setldappassword" in str(failed[0].advice)


def test_a_bind_account_that_is_no_dn_is_the_admins(openldap: OpenLdap, alice: str) -> None:
    assert "invalid DN" in fault(openldap, "alice", PASSWORD, bind_account="postmaster")
    steps = tried(openldap, "alice", PASSWORD, bind_account="postmaster")
    failed = [str(step.title) for step in steps if not step.passed]
    assert failed == ["Bind account", "Verdict"]


def test_the_bind_account_may_not_be_in_the_group(openldap: OpenLdap, alice: str) -> None:
    mark = openldap.mark()
    sign_in(openldap, "alice", PASSWORD)
    assert binds(openldap.log_since(mark)) == [BIND_ACCOUNT, alice]


# --- encryption -----------------------------------------------------------------------


def test_start_tls(openldap: OpenLdap, alice: str) -> None:
    servers = (Server.of(openldap.url),)
    mark = openldap.mark()
    assert (
        sign_in(openldap, "alice", PASSWORD, tls=True, servers=servers, start_tls=True).dn == alice
    )
    log = openldap.log_since(mark)
    assert log.count("STARTTLS") == log.count("mech=SIMPLE bind_ssf=0 ssf=256") == len(binds(log))


@pytest.mark.parametrize("start_tls", [False, True], ids=["ldaps", "StartTLS"])
def test_a_certificate_of_another_authority_is_refused(
    openldap: OpenLdap, alice: str, tmp_path: Path, start_tls: bool
) -> None:
    url = openldap.url if start_tls else openldap.tls_url
    changes = {
        "tls": True,
        "servers": (Server.of(url),),
        "start_tls": start_tls,
        "ca_file": Authority(tmp_path, "Somebody else").file,
    }
    mark = openldap.mark()
    said = fault(openldap, "alice", PASSWORD, **changes)
    assert said.startswith(f"The certificate of {url} was refused:")
    assert binds(openldap.log_since(mark)) == []
    assert "ldap_ca_file" in told(tried(openldap, "alice", PASSWORD, **changes))
    assert sign_in(openldap, "alice", PASSWORD, **changes | {"verify": False}).dn == alice


def test_without_a_file_the_systems_authorities_count(openldap: OpenLdap, alice: str) -> None:
    assert "was refused" in fault(openldap, "alice", PASSWORD, tls=True, ca_file=None)


def test_a_certificate_of_another_host_is_refused(openldap: OpenLdap, alice: str) -> None:
    servers = (Server.of(openldap.other_url),)
    mark = openldap.mark()
    said = fault(openldap, "alice", PASSWORD, tls=True, servers=servers)
    assert said.startswith(f"The certificate of {openldap.other_url} was refused:")
    assert binds(openldap.log_since(mark)) == []
    shown = told(tried(openldap, "alice", PASSWORD, tls=True, servers=servers))
    assert "Write the server's name as its certificate has it" in shown


def test_a_certificate_that_is_over_is_refused() -> None:
    with OpenLdap(tls=Tls.EXPIRED) as server:
        said = fault(server, "alice", PASSWORD, tls=True)
        assert said.startswith(f"The certificate of {server.tls_url} was refused:")
        assert "Renew" in told(tried(server, "alice", PASSWORD, tls=True))


def test_a_server_without_tls() -> None:
    with OpenLdap(tls=Tls.NONE) as server:
        alice = server.user("alice", PASSWORD)
        server.group_of_names(GROUP, alice)
        servers = (Server.of(server.url),)
        mark = server.mark()
        said = fault(server, "alice", PASSWORD, tls=True, servers=servers, start_tls=True)
        assert said.startswith(f"{server.url} does not do StartTLS:")
        assert "is not encrypted" in fault(server, "alice", PASSWORD, tls=True, servers=servers)
        assert binds(server.log_since(mark)) == []
        assert sign_in(server, "alice", PASSWORD, allow_plain_passwords=True).dn == alice
        assert "not encrypted" in told(tried(server, "alice", PASSWORD))
        # A port that speaks another protocol than it was asked in.
        servers = (Server.of(server.url.replace("ldap:", "ldaps:")),)
        assert f"ldaps://{ADDRESS}" in fault(server, "alice", PASSWORD, tls=True, servers=servers)


def test_a_server_that_wants_encryption_says_so() -> None:
    with OpenLdap(more="security simple_bind=128") as server:
        server.group_of_names(GROUP, server.user("alice", PASSWORD))
        said = fault(server, "alice", PASSWORD, allow_plain_passwords=True)
        assert said.startswith(f"{server.url} wants an encrypted connection:")
        assert sign_in(server, "alice", PASSWORD, tls=True).username == "alice"


# --- several servers ------------------------------------------------------------------


def test_a_server_that_is_away_is_told(openldap: OpenLdap, alice: str) -> None:
    openldap.stop()
    try:
        said = fault(openldap, "alice", PASSWORD, tls=True)
        assert said.startswith(f"{openldap.tls_url} does not answer:")
        assert [str(step.title) for step in tried(openldap, "alice", PASSWORD, tls=True)] == [
            "Connection",
            "Verdict",
        ]
    finally:
        openldap.start()
    assert sign_in(openldap, "alice", PASSWORD, tls=True).dn == alice


def test_a_server_that_is_away_costs_no_socket(openldap_server: OpenLdap) -> None:
    away = (Server.of(f"ldaps://{ADDRESS}:{free_port()}"),)
    fault(openldap_server, "alice", PASSWORD, tls=True, servers=away)
    gc.collect()
    gc.disable()
    try:
        before = open_files()
        fault(openldap_server, "alice", PASSWORD, tls=True, servers=away)
        assert open_files() == before
    finally:
        gc.enable()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_second_server_takes_over(openldap: OpenLdap, alice: str) -> None:
    away = Server.of(f"ldaps://{ADDRESS}:{free_port()}")
    servers = (away, Server.of(openldap.tls_url))
    known = sign_in(openldap, "alice", PASSWORD, tls=True, servers=servers)
    assert known.dn == alice
    assert turnstile.is_resting(away)
    assert asking.look_up(described(openldap, tls=True, servers=servers), known) == known
    steps = tried(openldap, "alice", PASSWORD, tls=True, servers=servers)
    assert [step.passed for step in steps[:2]] == [False, True]


def test_a_wrong_password_is_shown_to_one_server_only(openldap: OpenLdap, alice: str) -> None:
    servers = (Server.of(openldap.tls_url), Server.of(openldap.url))
    mark = openldap.mark()
    refusal(openldap, "alice", "wrong", tls=True, servers=servers, start_tls=True)
    assert binds(openldap.log_since(mark)).count(alice) == 1


# --- the display name -----------------------------------------------------------------


def test_the_display_name(openldap: OpenLdap, alice: str) -> None:
    assert sign_in(openldap, "alice", PASSWORD).name == "Alice Example"
    openldap.modify(alice, displayName="Álice Ëxample", title="Postmistress")
    assert sign_in(openldap, "alice", PASSWORD).name == "Álice Ëxample"
    assert sign_in(openldap, "alice", PASSWORD, name_attribute="title").name == "Postmistress"
    # Without that attribute the user name is better than nothing.
    assert sign_in(openldap, "alice", PASSWORD, name_attribute="street").name == "alice"


# --- looking somebody up again --------------------------------------------------------


def looked_up(server: OpenLdap, known: Account, **changes: Any) -> Account:
    return asking.look_up(described(server, **changes), known)


def lookup_refusal(server: OpenLdap, known: Account) -> str:
    with pytest.raises(Refused) as caught:
        looked_up(server, known)
    return str(caught.value)


def test_nothing_new_is_nothing_changed(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD, tls=True)
    mark = openldap.mark()
    assert looked_up(openldap, known, tls=True) == known
    assert binds(openldap.log_since(mark)) == [BIND_ACCOUNT]


def test_who_left_the_group_is_found_out(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    openldap.add_member(f"cn={GROUP},{GROUPS}", openldap.user("bob", PASSWORD))
    openldap.remove_member(f"cn={GROUP},{GROUPS}", alice)
    assert "not in the group" in lookup_refusal(openldap, known)


def test_who_is_locked_or_over_is_found_out(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    openldap.modify(alice, pwdAccountLockedTime=LOCKED_FOR_EVER)
    assert "locked out" in lookup_refusal(openldap, known)
    openldap.modify(alice, pwdAccountLockedTime=None, shadowExpire="1")
    assert "expired" in lookup_refusal(openldap, known)
    openldap.modify(alice, shadowExpire=None)
    assert looked_up(openldap, known) == known


def test_who_was_removed_is_found_out(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    openldap.remove(alice)
    lookup_refusal(openldap, known)


def test_a_new_account_of_an_old_name_is_somebody_else(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    openldap.add_member(f"cn={GROUP},{GROUPS}", openldap.user("bob", PASSWORD))
    openldap.remove(alice)
    again = openldap.user("alice", PASSWORD)
    openldap.modify(f"cn={GROUP},{GROUPS}", member=again)
    lookup_refusal(openldap, known)
    assert sign_in(openldap, "alice", PASSWORD).external_id != known.external_id


def test_who_was_renamed_is_the_same(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    renamed = openldap.rename(alice, "alice.newname")
    openldap.modify(renamed, cn="Alice Newname")
    now = Account(known.external_id, "alice.newname", "Alice Newname", renamed)
    assert looked_up(openldap, known) == now
    assert sign_in(openldap, "alice.newname", PASSWORD) == now
    assert refusal(openldap, "alice", PASSWORD).is_wrong_password


def test_whom_the_filter_no_longer_finds_is_out(openldap: OpenLdap, alice: str) -> None:
    query = "(&(uid={user})(employeeType=staff))"
    openldap.modify(alice, employeeType="staff")
    known = sign_in(openldap, "alice", PASSWORD, user_filter=query)
    openldap.modify(alice, employeeType=None)
    with pytest.raises(Refused):
        looked_up(openldap, known, user_filter=query)


@pytest.mark.parametrize("external_id", ["*", "nobody", "*)(uid=alice", "\x00"])
def test_an_id_is_no_filter(openldap: OpenLdap, alice: str, external_id: str) -> None:
    known = Account(external_id, "alice", "Alice", alice)
    lookup_refusal(openldap, known)


def test_a_directory_that_is_away_ends_no_session(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    with pytest.raises(NotAnswered):
        looked_up(openldap, known, servers=(Server.of(f"ldaps://{ADDRESS}:{free_port()}"),))
    with pytest.raises(NotAnswered):
        looked_up(openldap, known, bind_password="wrong")


def test_a_base_that_is_gone_ends_no_session(openldap: OpenLdap, alice: str) -> None:
    known = sign_in(openldap, "alice", PASSWORD)
    with pytest.raises(NotAnswered):
        looked_up(openldap, known, base="ou=peeple,dc=example,dc=org")


# --- the button Test ------------------------------------------------------------------


def test_each_step_is_told(openldap: OpenLdap, alice: str) -> None:
    steps = tried(openldap, "alice", PASSWORD, tls=True)
    assert [str(step.title) for step in steps] == [
        "Connection",
        "Bind account",
        "User",
        "Password",
        "Account",
        "Group",
        "Verdict",
    ]
    assert all(step.passed for step in steps), told(steps)
    assert alice in told(steps)


def test_without_a_password_somebody_is_looked_up(openldap: OpenLdap, alice: str) -> None:
    steps = tried(openldap, "alice", "")
    assert all(step.passed for step in steps), told(steps)
    openldap.user("bob", PASSWORD)
    steps = tried(openldap, "bob", "")
    assert [str(step.title) for step in steps if not step.passed] == ["Group", "Verdict"]


# --- slapd with FreeIPA's attributes --------------------------------------------------


AS_IPA: dict[str, Any] = {"kind": Kind.FREEIPA, "tls": True}


@pytest.fixture
def ipa_alice(ipa: OpenLdap) -> str:
    dn = ipa.user("alice", PASSWORD, cn="Alice Example", ipaUniqueID="0a1b-alice")
    ipa.ipa_group(GROUP, dn)
    return dn


def test_the_preset_of_freeipa(ipa: OpenLdap, ipa_alice: str) -> None:
    for typed in ("alice", f"alice@{DOMAIN}", ipa_alice):
        account = sign_in(ipa, typed, PASSWORD, **AS_IPA)
        assert account == Account("0a1b-alice", "alice", "Alice Example", ipa_alice)
    assert looked_up(ipa, account, **AS_IPA) == account
    ipa.user("bob", PASSWORD)
    assert "not in the group" in str(refusal(ipa, "bob", PASSWORD, **AS_IPA))


def test_freeipa_keeps_the_groups_of_groups(ipa: OpenLdap) -> None:
    bob = ipa.user("bob", PASSWORD, ipaUniqueID="0a1b-bob")
    inner = ipa.ipa_group("inner", bob)
    outer = ipa.ipa_group(GROUP, inner)
    # As FreeIPA does it: the outer group too stands in the user's entry.
    ipa.modify(bob, memberOf=[inner, outer])
    assert sign_in(ipa, "bob", PASSWORD, **AS_IPA).dn == bob
    ipa.modify(bob, memberOf=f"cn={GROUP}2,{IPA_GROUPS}")
    assert "not in the group" in str(refusal(ipa, "bob", PASSWORD, **AS_IPA))


@pytest.mark.parametrize(
    ("values", "answer", "word"),
    [
        ({"nsAccountLock": "TRUE"}, "Account inactivated. Contact system administrator.", "disab"),
        (
            {"krbPrincipalExpiration": "20200101000000Z"},
            "Account (Kerberos principal) is expired",
            "expired",
        ),
    ],
    ids=["disabled", "expired"],
)
def test_freeipa_does_not_look_at_the_password_of_such_an_account(
    ipa: OpenLdap, ipa_alice: str, values: dict[str, str], answer: str, word: str
) -> None:
    known = sign_in(ipa, "alice", PASSWORD, **AS_IPA)
    ipa.modify(ipa_alice, **values)
    # Where the server lets it in, its attributes say no ...
    assert word in str(refusal(ipa, "alice", PASSWORD, **AS_IPA))
    with pytest.raises(Refused, match=word):
        looked_up(ipa, known, **AS_IPA)
    # ... and where it answers as FreeIPA does, this is no fault of the server.
    ipa.answer_bind(ipa_alice, UNWILLING, answer)
    assert word in str(refusal(ipa, "alice", PASSWORD, **AS_IPA))
    assert not turnstile.is_resting(Server.of(ipa.tls_url))


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (UNWILLING, "Too many failed logins."),
        (UNWILLING, "Entry permanently locked."),
        (CONSTRAINT_VIOLATION, "Exceed password retry limit. Please try later."),
    ],
)
def test_an_account_that_was_guessed_at_is_no_fault_of_the_server(
    ipa: OpenLdap, ipa_alice: str, code: int, answer: str
) -> None:
    ipa.answer_bind(ipa_alice, code, answer)
    refusal(ipa, "alice", PASSWORD, **AS_IPA)
    assert not turnstile.is_resting(Server.of(ipa.tls_url))


def test_ids_of_freeipa_are_those_of_one_account(ipa: OpenLdap, ipa_alice: str) -> None:
    known = sign_in(ipa, "alice", PASSWORD, **AS_IPA)
    renamed = ipa.rename(ipa_alice, "alice.newname")
    assert looked_up(ipa, known, **AS_IPA).dn == renamed
    ipa.remove(renamed)
    with pytest.raises(Refused):
        looked_up(ipa, known, **AS_IPA)
