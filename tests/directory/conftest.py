"""A domain with some people, for the tests of signing in with Active Directory."""

from collections.abc import Generator, Iterator
from dataclasses import replace

import pytest

from postmaster.directory import turnstile
from postmaster.directory.kinds import Kind
from postmaster.directory.plan import Directory, Method, Server
from tests.directory.domain_accounts import DomainAccounts
from tests.directory.domain_controller import REALM, DomainController, can_run

GROUP = "PostMaster Admins"
SERVICE = "postmaster-reader"
SERVICE_PASSWORD = "what only the service knows"


@pytest.fixture(autouse=True)
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server rests because it did not answer in another test."""
    monkeypatch.setattr(turnstile, "_resting", {})


@pytest.fixture(scope="session")
def domain() -> Iterator[DomainController]:
    """The controller, shared by the tests of this process. Each test has users of its own,
    or asks those who are here from the beginning and leaves them as they are.
    """
    if not can_run():
        pytest.skip("Samba's ports are below 1024, which root may have only")
    with DomainController() as controller:
        _people(controller.accounts)
        yield controller


def _people(accounts: DomainAccounts) -> None:
    """Alice is in the group, and everybody else is named by how they are in it or not."""
    accounts.add_group(GROUP)
    accounts.add_user(SERVICE, password=SERVICE_PASSWORD)
    accounts.add_user(
        "alice",
        GROUP,
        called="Alice Liddell",
        displayName="Alice Liddell (Oxford)",
        userPrincipalName=f"alice.liddell@{REALM}",
    )
    accounts.add_user("outside")


@pytest.fixture
def accounts(domain: DomainController) -> DomainAccounts:
    """The users and groups of the domain."""
    return domain.accounts


@pytest.fixture
def simple(domain: DomainController) -> Directory:
    """The domain as an admin would set it up, with SIMPLE over ldaps://."""
    return Directory(
        servers=(Server.of(domain.listener.ldaps),),
        domain=REALM,
        group=GROUP,
        kind=Kind.ACTIVE_DIRECTORY,
        method=Method.SIMPLE,
        ca_file=domain.authority.file,
    )


@pytest.fixture
def serviced(simple: Directory) -> Directory:
    """The same with an account of PostMaster's own, which looks people up."""
    return replace(simple, bind_account=f"{SERVICE}@{REALM}", bind_password=SERVICE_PASSWORD)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failing test shows what the controller wrote into its log."""
    report = yield
    controller = item.funcargs.get("domain")
    if report.failed and isinstance(controller, DomainController):
        report.sections.append(("The log of Samba", controller.listener.log))
    return report
