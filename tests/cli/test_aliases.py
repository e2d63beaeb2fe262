"""manage.py alias"""

import pytest

from tests.cli.conftest import Commands

TEAM = [("team@example.com", "ana@example.com"), ("team@example.com", "bob@example.com")]


def pairs(manage: Commands, *options: str) -> list[tuple[str, str]]:
    aliases = manage.json("alias", "list", *options)
    return [(alias["source"], alias["destination"]) for alias in aliases]


def test_the_list_is_a_table_by_source(mail: Commands) -> None:
    header, _, *rows = mail("alias", "list").splitlines()
    assert header.split() == ["id", "domain_id", "source", "destination", "note"]
    assert [row.split()[2:] for row in rows] == [
        ["press@example.org", "ana@example.com"],
        ["sales@example.com", "ana@example.com"],
        ["team@example.com", "ana@example.com"],
        ["team@example.com", "bob@example.com"],
    ]


def test_the_list_is_searched_and_of_one_domain_if_asked(mail: Commands) -> None:
    assert pairs(mail, "--search", "TEAM") == TEAM
    assert pairs(mail, "--domain", "example.org") == [("press@example.org", "ana@example.com")]


def test_an_alias_is_added_in_lower_case_and_recorded(mail: Commands) -> None:
    added = mail.json("alias", "add", "Help@Example.com", "Bob@example.com")
    assert (added["source"], added["destination"]) == ("help@example.com", "bob@example.com")
    assert mail.history()[-1] == (
        "command",
        "create",
        "alias",
        "help@example.com -> bob@example.com",
    )


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ("", "ana@example.com", "source email was not specified"),
        ("new@example.com", "", "destination email was not specified"),
        ("new", "ana@example.com", "not in a valid email format"),
        ("new@example.com", "ana@example.com,bob@example.com", "not in a valid email format"),
        ("new@elsewhere.example", "ana@example.com", "not managed by this database"),
        ("new@example.com", "ana@elsewhere.example", "not managed by this database"),
        ("new@example.com", "gone@example.com", "not a current email address"),
        ("bob@example.com", "ana@example.com", "existing email address"),
        ("Team@example.com", "ana@example.com", "already exists"),
        ("x@example.org", "x@example.org", "not a current email address"),
    ],
)
def test_a_wrong_alias_is_refused(
    mail: Commands, source: str, destination: str, expected: str
) -> None:
    before = pairs(mail)
    assert expected in mail.refused("alias", "add", source, destination)
    assert pairs(mail) == before


def test_source_and_destination_are_changed(mail: Commands) -> None:
    mail(
        *("alias", "change", "sales@example.com", "ana@example.com"),
        *("--source", "shop@example.org", "--destination", "bob@example.com"),
    )
    assert ("shop@example.org", "bob@example.com") in pairs(mail, "--domain", "example.org")
    assert mail.history()[-1] == (
        "command",
        "change",
        "alias",
        "sales@example.com -> ana@example.com",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("team@example.com", "ana@example.com"), "was not supplied"),
        (
            ("team@example.com", "ana@example.com", "--destination", "bob@example.com"),
            "already exists",
        ),
        (
            ("team@example.com", "eva@example.org", "--source", "a@example.com"),
            '"team@example.com" was not found',
        ),
    ],
)
def test_a_wrong_change_is_refused(
    mail: Commands, arguments: tuple[str, ...], expected: str
) -> None:
    before = pairs(mail)
    assert expected in mail.refused("alias", "change", *arguments)
    assert pairs(mail) == before


def test_deleting_lists_what_goes_and_goes_on_only_if_told(mail: Commands) -> None:
    before = pairs(mail)
    result = mail.run("alias", "delete", "team@example.com", given="n\n")
    assert result.exit_code == 1
    for source, destination in TEAM:
        assert f"  alias {source} -> {destination}\n" in result.stdout
    assert pairs(mail) == before
    assert "was not found" in mail.refused("alias", "delete", "gone@example.com")


def test_all_destinations_or_one_are_deleted(mail: Commands) -> None:
    mail("alias", "delete", "team@example.com", "bob@example.com", given="y\n")
    assert pairs(mail, "--search", "team") == TEAM[:1]
    mail("alias", "add", *TEAM[1])
    mail("alias", "delete", "TEAM@example.com", "--yes")
    assert pairs(mail, "--search", "team") == []
    deleted = [entry for entry in mail.history() if entry[1] == "delete"]
    names = [f"{source} -> {destination}" for source, destination in TEAM]
    assert deleted == [
        ("command", "delete", "alias", name) for name in (names[1], "2 aliases", *names)
    ]
