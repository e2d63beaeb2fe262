"""The way to a real domain controller: encryption, certificates, and lines that break."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from postmaster.directory import asking, connections
from postmaster.directory.faults import FOR_STRANGERS, NotAnswered, Refused
from postmaster.directory.plan import Account, Directory, Server
from tests.directory import broken_servers
from tests.directory.broken_servers import Relay
from tests.directory.certificates import Authority
from tests.directory.conftest import GROUP
from tests.directory.domain_accounts import PASSWORD, DomainAccounts
from tests.directory.domain_controller import LDAP, LDAPS, DomainController
from tests.mariadb import free_port

Enter = Callable[[broken_servers.Server], broken_servers.Server]
Broken = Callable[[], str]

NO_ISSUER = "unable to get local issuer certificate"
# How much of the octets of a whole sign-in comes through before the line breaks. The last two
# in a hundred may be TLS taking leave, which nobody waits for.
FRACTIONS = (0, 0.02, 0.3, 0.6, 0.8, 0.9, 0.95, 0.97)


@pytest.fixture
def enter() -> Iterator[Enter]:
    """Start a server that ends with the test."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a server that hangs is short; the real one answers in a tenth of that."""
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 1)
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 1)


def by(directory: Directory, *urls: str) -> Directory:
    """The same directory, asked at other addresses."""
    return replace(directory, servers=tuple(Server.of(url) for url in urls))


def fault(directory: Directory) -> NotAnswered:
    """Why nobody can sign in; what strangers read of it says nothing."""
    with pytest.raises(NotAnswered) as caught:
        asking.sign_in(directory, "alice", PASSWORD)
    assert str(caught.value) == FOR_STRANGERS
    return caught.value


def said(directory: Directory) -> str:
    """The same as an admin reads it."""
    return str(fault(directory).for_operators())


def lets_in(directory: Directory) -> bool:
    """Whether Alice can sign in."""
    return asking.sign_in(directory, "alice", PASSWORD).username == "alice"


# --- encryption ---------------------------------------------------------------------


def test_start_tls_encrypts_before_the_password(
    simple: Directory, domain: DomainController
) -> None:
    assert lets_in(replace(by(simple, domain.listener.ldap), start_tls=True))


def test_a_readable_password_is_not_even_begun_with(
    simple: Directory, domain: DomainController, enter: Enter
) -> None:
    relay = enter(Relay((domain.listener.address, LDAP)))
    directory = by(simple, relay.ldap)
    found = fault(directory)
    assert str(found.for_operators()) == (
        f"{relay.ldap} is not encrypted, and SIMPLE would send the password readable"
    )
    assert "ldaps://" in found.advice
    assert relay.connections == 0


def test_a_controller_itself_wants_encryption(simple: Directory, domain: DomainController) -> None:
    directory = replace(by(simple, domain.listener.ldap), allow_plain_passwords=True)
    found = fault(directory)
    assert str(found.for_operators()) == (
        f"{domain.listener.ldap} wants an encrypted connection: "
        "strongerAuthRequired BindSimple: Transport encryption required."
    )
    assert found.advice == "Use ldaps://, or ldap:// with StartTLS"


def test_a_controller_that_permits_it_takes_a_readable_password(
    simple: Directory, domain: DomainController
) -> None:
    with domain.another("careless", strong_auth="no") as listener:
        directory = by(simple, listener.ldap)
        assert "not encrypted" in said(directory)
        assert lets_in(replace(directory, allow_plain_passwords=True))


def test_ldap_on_the_port_of_ldaps(simple: Directory, domain: DomainController) -> None:
    url = f"ldap://{domain.listener.address}:{LDAPS}"
    assert url in said(replace(by(simple, url), start_tls=True))


def test_ldaps_on_the_port_of_ldap(simple: Directory, domain: DomainController) -> None:
    url = f"ldaps://{domain.listener.address}:{LDAP}"
    found = fault(by(simple, url))
    assert url in str(found.for_operators())


# --- certificates -------------------------------------------------------------------


def untrusted(directory: Directory, reason: str, advice: str) -> None:
    """It is refused by its certificate, unless certificates are not checked: ldaps and StartTLS."""
    host = directory.servers[0].host
    for url in (directory.servers[0].url, f"ldap://{host}:{LDAP}"):
        asked = replace(by(directory, url), start_tls=True)
        found = fault(asked)
        text = str(found.for_operators())
        assert text.startswith(f"The certificate of {url} was refused: ")
        assert reason in text
        assert advice in found.advice
        steps = asking.try_out(replace(asked, verify=False), "alice", PASSWORD)
        assert str(steps[0].said) == (
            f"{url} answers. Its certificate was not checked: anybody could be it"
        )
        assert steps[-1].passed


def test_the_certificate_of_another_authority(simple: Directory, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    untrusted(
        replace(simple, ca_file=other.file),
        "unable to get local issuer certificate",
        "ldap_ca_file",
    )


def test_an_authority_that_this_host_does_not_know(simple: Directory) -> None:
    untrusted(replace(simple, ca_file=None), NO_ISSUER, "ldap_ca_file")


def test_a_certificate_that_has_expired(simple: Directory, domain: DomainController) -> None:
    with domain.another(
        "expired", certify=lambda names: domain.authority.issue_expired("expired", names)
    ) as listener:
        untrusted(by(simple, listener.ldaps), "certificate has expired", "clock")


def test_a_certificate_of_another_host(simple: Directory, domain: DomainController) -> None:
    other = domain.authority.issue("other", ["dc2.corp.example.com", "192.0.2.1"])
    with domain.another("other", certify=lambda _: other) as listener:
        untrusted(by(simple, listener.ldaps), "IP address mismatch", "as its certificate has it")


def test_a_name_that_is_only_in_the_subject_does_not_count(
    simple: Directory, domain: DomainController
) -> None:
    other = domain.authority.issue("subject", ["localhost", "dc2.corp.example.com"])
    with domain.another("subject", certify=lambda _: other) as listener:
        untrusted(by(simple, listener.ldaps), "IP address mismatch", "as its certificate has it")


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n"])
def test_a_file_of_authorities_that_cannot_be_read(
    simple: Directory, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_bytes(content)
    found = fault(replace(simple, ca_file=file))
    assert str(file) in str(found.for_operators())
    assert "ldap_ca_file" in found.advice
    assert not found.others_may


# --- broken lines -------------------------------------------------------------------


@pytest.fixture(params=["away", "silent", "hanging up", "greeting", "rubbish", "unknown host"])
def broken(request: pytest.FixtureRequest, enter: Enter) -> str:
    """Where no directory answers: host and port."""
    servers: dict[str, Callable[[], broken_servers.Server]] = {
        "silent": broken_servers.silent,
        "hanging up": broken_servers.hanging_up,
        "greeting": lambda: broken_servers.greeting(b"220 mail.example.com ESMTP\r\n"),
        "rubbish": lambda: broken_servers.answering(b"\x00\x01\x02\x03" * 1000),
    }
    if request.param == "away":
        return f"127.0.0.1:{free_port()}"
    if request.param == "unknown host":
        return "nowhere.invalid:636"
    return f"127.0.0.1:{enter(servers[request.param]()).port}"


@pytest.mark.parametrize("way", ["ldaps", "ldap", "StartTLS"])
@pytest.mark.usefixtures("impatient")
def test_a_server_that_does_not_answer(simple: Directory, broken: str, way: str) -> None:
    url = f"{'ldaps' if way == 'ldaps' else 'ldap'}://{broken}"
    directory = replace(
        by(simple, url), start_tls=way == "StartTLS", allow_plain_passwords=way == "ldap"
    )
    found = fault(directory)
    assert str(found.for_operators()).startswith(url)
    assert found.advice
    assert found.others_may
    assert lets_in(by(directory, url, *(server.url for server in simple.servers)))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("hangs", [False, True], ids=["cut", "hanging"])
@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
def test_a_line_that_breaks_half_way(
    simple: Directory,
    domain: DomainController,
    enter: Enter,
    way: str,
    hangs: bool,
) -> None:
    """In the handshake, after it, after the bind, in the middle of what a search found."""
    real = (domain.listener.address, LDAPS if way == "ldaps" else LDAP)
    directory = replace(simple, start_tls=True, verify=False)
    whole = Relay(real)
    enter(whole)
    assert lets_in(by(directory, whole.ldaps if way == "ldaps" else whole.ldap))
    for fraction in FRACTIONS[2::2] if hangs else FRACTIONS:
        relay = Relay(real, cut_after=int(whole.passed * fraction), hangs=hangs)
        enter(relay)
        url = relay.ldaps if way == "ldaps" else relay.ldap
        found = fault(by(directory, url))
        assert str(found.for_operators()).startswith(url)
        assert found.others_may
        assert lets_in(by(directory, url, simple.servers[0].url))


@pytest.mark.usefixtures("impatient")
def test_when_no_server_answers_each_is_told_of(simple: Directory, enter: Enter) -> None:
    urls = [
        enter(broken_servers.silent()).ldaps,
        f"ldaps://127.0.0.1:{free_port()}",
        enter(broken_servers.hanging_up()).ldaps,
    ]
    steps = asking.try_out(by(simple, *urls), "alice", PASSWORD)
    assert [str(step.title) for step in steps] == ["Connection"] * 3 + ["Verdict"]
    for url, step in zip(urls, steps, strict=False):
        assert not step.passed
        assert str(step.said).startswith(url)
        assert step.advice


# --- several servers ----------------------------------------------------------------


def test_a_wrong_password_is_shown_to_one_server(
    simple: Directory, domain: DomainController, accounts: DomainAccounts, enter: Enter
) -> None:
    accounts.add_user("clumsy", GROUP)
    second = enter(Relay((domain.listener.address, LDAPS)))
    directory = by(simple, simple.servers[0].url, second.ldaps)
    with pytest.raises(Refused):
        asking.sign_in(directory, "clumsy", "wrong")
    assert accounts.bad_passwords("clumsy") == 1
    assert second.connections == 0


def test_a_wrong_password_of_its_own_is_shown_to_one_server(
    serviced: Directory, domain: DomainController, accounts: DomainAccounts, enter: Enter
) -> None:
    before = accounts.bad_passwords("postmaster-reader")
    second = enter(Relay((domain.listener.address, LDAPS)))
    directory = replace(by(serviced, serviced.servers[0].url, second.ldaps), bind_password="wrong")
    with pytest.raises(NotAnswered):
        asking.look_up(directory, Account("", "alice", "", ""))
    assert accounts.bad_passwords("postmaster-reader") == before + 1
    assert second.connections == 0


def test_an_empty_password_is_sent_nowhere(
    simple: Directory, domain: DomainController, enter: Enter
) -> None:
    relay = enter(Relay((domain.listener.address, LDAPS)))
    for typed in ("alice", "", "*"):
        with pytest.raises(Refused):
            asking.sign_in(by(simple, relay.ldaps), typed, "")
    assert relay.connections == 0


def test_a_server_that_did_not_answer_is_asked_last(
    simple: Directory, domain: DomainController, enter: Enter
) -> None:
    broken = enter(broken_servers.hanging_up())
    directory = by(simple, broken.ldaps, simple.servers[0].url)
    for _ in range(3):
        assert lets_in(directory)
    assert broken.connections == 1


def test_a_controller_that_comes_back_is_asked_again(
    simple: Directory, domain: DomainController
) -> None:
    with domain.another("restarted") as listener:
        directory = by(simple, listener.ldaps)
        assert lets_in(directory)
        listener.stop()
        assert said(directory).startswith(f"{listener.ldaps} does not answer: ")
        listener.start()
        assert lets_in(directory)


# A bind response with a result code that there is not, and one that ends too early.
UNKNOWN_CODE = "300d02010161080a0200c804000400"
CUT_SHORT = "3005020101610a"


@pytest.mark.parametrize("octets", [UNKNOWN_CODE, CUT_SHORT])
def test_answers_that_are_no_ldap_are_no_traceback(
    simple: Directory, enter: Enter, octets: str
) -> None:
    server = enter(broken_servers.answering(bytes.fromhex(octets)))
    found = said(replace(by(simple, server.ldap), allow_plain_passwords=True))
    assert found.startswith(server.ldap)


def test_a_server_that_trickles_does_not_hold_anybody(
    simple: Directory, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It announces an answer of a megabyte, and each octet comes in time."""
    monkeypatch.setattr(connections, "LONGEST_SECONDS", 1)
    server = enter(broken_servers.trickling(bytes.fromhex("308400100000")))
    found = said(replace(by(simple, server.ldap), allow_plain_passwords=True))
    assert found.startswith(f"{server.ldap} stopped answering")
