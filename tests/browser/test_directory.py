"""Setting a directory up, trying it out, and signing in with its accounts: a real OpenLDAP."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.accessibility import axe
from tests.browser.conftest import Browse
from tests.browser.everybody import faults_in_any_look
from tests.browser.layout import no_sideways_scroll
from tests.browser.looks import DESKTOP, PHONE, PLAIN, WITH_AND_WITHOUT_JAVASCRIPT, Look
from tests.browser.served import Served, serving
from tests.browser.traffic import watch_of
from tests.conftest import dispose
from tests.directory.broken_servers import silent
from tests.directory.openldap import BIND_ACCOUNT, BIND_PASSWORD, DOMAIN, OpenLdap

GROUP = "postmasters"
PASSWORD = "what only alice knows"
SETTINGS = {
    "LDAP Directory Type": "OpenLDAP",
    "AD Domain": DOMAIN,
    "AD PostMaster Group": GROUP,
    "LDAP Bind Account": BIND_ACCOUNT,
}
PROVIDER = {
    "OpenID Issuer": "https://login.example.com",
    "OpenID Client ID": "postmaster",
    "OpenID Claim Value": "mail-admins",
    "Enable OpenID Connect": "True",
}
LOCAL = "PostMaster User"
WORKS, DOES_NOT = "It works", "It does not work"


@pytest.fixture(scope="module")
def openldap() -> Iterator[OpenLdap]:
    """Alice is in the group, Bob is not."""
    with OpenLdap() as server:
        alice = server.user("alice", PASSWORD, cn="Alice Example")
        server.user("bob", PASSWORD, cn="Bob Example")
        server.group_of_names(GROUP, alice)
        yield server


@pytest.fixture(scope="module")
def served_with_secrets(
    openldap: OpenLdap, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server whose configuration file has what the directory needs."""
    folder = tmp_path_factory.mktemp("served-directory")
    (folder / "postmaster.toml").write_text(
        f'ldap_bind_password = "{BIND_PASSWORD}"\nldap_ca_file = "{openldap.authority.file}"\n',
        "utf-8",
    )
    for served in serving(f"sqlite:///{folder}/postmaster.sqlite3", folder):
        yield served
        dispose(served.prepared.app)


@pytest.fixture
def served(served_with_secrets: Served) -> Served:
    """As newly installed: no directory is set up."""
    served_with_secrets.reset()
    return served_with_secrets


@pytest.fixture
def enabled(served: Served, openldap: OpenLdap) -> Served:
    """Accounts of the directory may sign in."""
    more = {"AD Server LDAP String": openldap.tls_url, "Enable LDAP Authentication": "True"}
    tell(served, SETTINGS | more)
    return served


def tell(served: Served, values: dict[str, str]) -> None:
    """Change settings without the page."""
    for name, value in values.items():
        served.run(
            "UPDATE postmaster_configuration SET value = :value WHERE setting = :name",
            name=name,
            value=value,
        )


def form_of(page: Page, setting: str) -> Locator:
    """The small form of a setting on the Configurations page."""
    return page.locator("form.setting").filter(has=page.get_by_label(setting, exact=True))


def save(page: Page, setting: str, value: str) -> None:
    """Change a setting on its page."""
    field = page.get_by_label(setting, exact=True)
    if field.evaluate("(it) => it.tagName") == "SELECT":
        field.select_option(value)
    else:
        field.fill(value)
    page.get_by_role("button", name=f"Save {setting}", exact=True).click()
    expect(page.locator("#messages")).to_contain_text(f'"{setting}" was changed')


def try_out(page: Page, username: str, password: str, verdict: str) -> None:
    """Send the form of the trial, and wait for what it found."""
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#verdict")).to_contain_text(verdict)


def sign_in(page: Page, username: str, password: str, source: str) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Account of").select_option(source)
    page.get_by_role("button", name="Sign in", exact=True).click()


# --- setting it up --------------------------------------------------------------


@pytest.mark.parametrize("look", [DESKTOP, PLAIN], ids=["javascript", "plain"])
def test_an_admin_sets_the_directory_up(
    served: Served, openldap: OpenLdap, browse: Browse, look: Look
) -> None:
    page, colleague = browse(look, admin="admin"), browse(look)
    by_hand = {"AD Server LDAP String": openldap.tls_url}
    if look.javascript:
        by_hand |= SETTINGS
    else:
        tell(served, SETTINGS)
    page.goto("/configs")
    for setting, value in by_hand.items():
        save(page, setting, value)
    colleague.goto("/login")
    expect(colleague.get_by_label("Account of")).to_have_count(0)

    page.get_by_role("link", name="Test Directory").click()
    expect(page).to_have_url(f"{served.url}/configs/directory")
    openldap.modify(BIND_ACCOUNT, userPassword="changed there")
    try:
        try_out(page, "alice", PASSWORD, DOES_NOT)
    finally:
        openldap.modify(BIND_ACCOUNT, userPassword=BIND_PASSWORD)
    expect(page.locator(".trial-steps > .passed")).to_have_count(1)
    expect(page.locator(".trial-steps > .failed")).to_contain_text(
        f"The directory refused the bind account {BIND_ACCOUNT}"
    )
    expect(page.locator(".trial-steps .advice")).to_contain_text("manage.py setldappassword")
    expect(page.get_by_label("Username")).to_have_value("alice")
    expect(page.get_by_label("Password")).to_have_value("")

    try_out(page, "alice", PASSWORD, WORKS)
    expect(page.locator("#verdict")).to_contain_text("alice (Alice Example) can sign in")
    expect(page.locator(".trial-steps > .failed")).to_have_count(0)
    page.get_by_role("link", name="Back to the settings").click()
    save(page, "Enable LDAP Authentication", "True")

    sign_in(colleague, "alice", PASSWORD, DOMAIN)
    expect(colleague).to_have_url(f"{served.url}/")
    expect(colleague.locator("header")).to_contain_text(f"alice@{DOMAIN}")


def test_what_was_found_has_the_focus(enabled: Served, signed_in: Page) -> None:
    page = signed_in
    page.goto("/configs/directory")
    for username, verdict in (("alice", WORKS), ("bob", DOES_NOT)):
        try_out(page, username, PASSWORD, verdict)
        expect(page.locator("#verdict")).to_be_focused()
    watch_of(page).expect_status(400)
    page.get_by_label("Username").fill("")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#trial .field-error")).to_be_visible()
    expect(page.get_by_label("Username")).to_be_focused()


def test_the_form_tells_that_it_waits(enabled: Served, signed_in: Page) -> None:
    """And cannot be sent again: few may wait for a directory at once."""
    page = signed_in
    button = page.get_by_role("button", name="Test", exact=True)
    waiting = page.get_by_text("The directory is being asked")
    with silent() as server:
        away = server.ldaps
        tell(enabled, {"AD Server LDAP String": away})
        page.goto("/configs/directory")
        expect(waiting).to_be_hidden()
        page.get_by_label("Username").fill("alice")
        button.click()
        expect(waiting).to_be_visible()
        expect(button).to_be_disabled()
    # The server has hung up.
    expect(page.locator(".trial-steps > .failed")).to_contain_text(away)
    expect(waiting).to_be_hidden()
    expect(button).to_be_enabled()


def test_who_goes_away_meanwhile_is_not_called_back(enabled: Served, browse: Browse) -> None:
    page = browse(admin="admin", watched=False)  # htmx calls the request that it ends an error
    with silent() as server:
        tell(enabled, {"AD Server LDAP String": server.ldaps})
        page.goto("/configs/directory")
        page.get_by_label("Username").fill("alice")
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("The directory is being asked")).to_be_visible()
        with page.expect_event("requestfailed", lambda request: request.method == "POST"):
            page.get_by_role("link", name="Back to the settings").click()
        expect(page).to_have_url(f"{enabled.url}/configs")


@pytest.mark.parametrize("signed_in", WITH_AND_WITHOUT_JAVASCRIPT, indirect=True)
def test_what_is_rarely_set_is_folded_away(served: Served, signed_in: Page) -> None:
    page = signed_in
    watch_of(page).expect_status(400)
    page.goto("/configs")
    more = page.locator("details.more")
    rare = page.get_by_label("LDAP User Filter", exact=True)
    expect(page.get_by_label("AD Domain", exact=True)).to_be_visible()
    expect(rare).to_be_hidden()
    more.locator("summary").click()
    rare.fill("no filter")
    form_of(page, "LDAP User Filter").get_by_role("button").click()
    expect(form_of(page, "LDAP User Filter").locator(".field-error")).to_be_visible()
    expect(rare).to_have_value("no filter")
    save(page, "LDAP User Filter", "(uid={user})")
    expect(rare).to_be_visible()
    save(page, "LDAP User Filter", "")
    expect(rare).to_be_hidden()


# --- signing in -----------------------------------------------------------------


@pytest.mark.parametrize("page", WITH_AND_WITHOUT_JAVASCRIPT, indirect=True)
def test_who_is_refused_reads_why(enabled: Served, page: Page) -> None:
    refused = page.get_by_role("alert")
    sign_in(page, "bob", PASSWORD, DOMAIN)
    expect(refused).to_contain_text(f"it is not in the group {GROUP}")
    expect(page.get_by_label("Username")).to_have_value("bob")
    expect(page.get_by_label("Account of")).to_have_value(DOMAIN)
    sign_in(page, "alice", "a guess", DOMAIN)
    expect(refused).to_contain_text("The username or password was incorrect")
    sign_in(page, "alice", PASSWORD, LOCAL)  # no account of PostMaster itself
    expect(refused).to_contain_text("The username or password was incorrect")
    expect(page.get_by_label("Account of")).to_have_value(LOCAL)
    sign_in(page, "admin", "PostMaster", LOCAL)
    expect(page).to_have_url(f"{enabled.url}/")


# --- for everybody --------------------------------------------------------------


@pytest.mark.parametrize("signed_in", [pytest.param(PHONE, id="320px")], indirect=True)
def test_the_pages_are_for_everybody(
    enabled: Served, openldap: OpenLdap, signed_in: Page, browse: Browse
) -> None:
    page = signed_in
    tell(enabled, PROVIDER | {"AD Server LDAP String": f"ldaps://127.0.0.1:1 {openldap.tls_url}"})
    watch_of(page).expect_status(400)
    page.goto("/configs")
    page.locator("details.more summary").click()
    expect(page.get_by_label("LDAP User Filter", exact=True)).to_be_visible()
    assert no_sideways_scroll(page)
    assert axe(page) == []  # folded up it is seen in every look with all other pages
    page.goto("/configs/directory")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#trial .field-error")).to_be_visible()
    assert faults_in_any_look(page) == []
    for username, verdict in (("bob", DOES_NOT), ("alice", WORKS)):
        try_out(page, username, PASSWORD, verdict)
        expect(page.locator(".trial-steps .advice").first).to_be_visible()
        assert faults_in_any_look(page) == []
    stranger = browse(PHONE)
    sign_in(stranger, "bob", PASSWORD, DOMAIN)
    expect(stranger.get_by_role("alert")).to_be_visible()
    expect(stranger.get_by_role("link", name="Sign in with login.example.com")).to_be_visible()
    assert faults_in_any_look(stranger) == []
