"""manage.py domain"""

import pytest

from tests.cli.conftest import Commands


def names(manage: Commands, *options: str) -> list[str]:
    return [domain["name"] for domain in manage.json("domain", "list", *options)]


def test_the_list_is_a_table_by_name_with_a_total(mail: Commands) -> None:
    result = mail.run("domain", "list")
    header, rule, *rows = result.stdout.splitlines()
    assert header.split() == ["id", "name", "note"]
    assert set(rule) == {"-", " "}
    assert [row.split()[1] for row in rows] == ["empty.example", "example.com", "example.org"]
    assert result.stderr == "page 1 of 1, 3 in all\n"


def test_the_list_as_json_is_nothing_but_json(mail: Commands) -> None:
    result = mail.run("domain", "list", "--json")
    assert result.stderr == ""
    (found,) = mail.json("domain", "list", "--search", "com")
    assert set(found) == {"id", "name", "note"}
    assert found["name"] == "example.com"


def test_the_list_is_searched_sorted_and_paged(mail: Commands) -> None:
    assert names(mail, "--search", "EXAMPLE.o") == ["example.org"]
    assert names(mail, "--sort", "id", "--order", "desc") == [
        "empty.example",
        "example.org",
        "example.com",
    ]
    assert names(mail, "--per-page", "2", "--page", "2") == ["example.org"]
    assert "not found" in mail.refused("domain", "list", "--page", "9")
    assert "name" in mail.refused("domain", "list", "--sort", "password")


def test_a_list_of_nothing_is_an_empty_list(manage: Commands) -> None:
    assert manage.json("domain", "list") == []


def test_a_domain_is_added_in_lower_case_and_recorded(manage: Commands) -> None:
    added = manage.json("domain", "add", " Example.COM ")
    assert added["name"] == "example.com"
    assert "example.org" in manage("domain", "add", "example.org")
    assert names(manage) == ["example.com", "example.org"]
    assert manage.history() == [
        ("command", "create", "domain", "example.com"),
        ("command", "create", "domain", "example.org"),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "not specified"),
        ("no domain", "not a valid"),
        ("example.com\nexample.net", "not a valid"),
        ("Example.com", "already exists"),
        ("x" * 64 + ".example", "not a valid"),
        (f"{'x' * 45}.example", "50"),
    ],
)
def test_a_wrong_name_is_refused(mail: Commands, name: str, expected: str) -> None:
    before = mail.json("domain", "list")
    assert expected in mail.refused("domain", "add", name)
    assert mail.json("domain", "list") == before


def test_an_empty_domain_is_renamed(mail: Commands) -> None:
    assert mail.json("domain", "change", "EMPTY.example", "new.example")["name"] == "new.example"
    assert names(mail) == ["example.com", "example.org", "new.example"]
    assert mail.history()[-1] == ("command", "change", "domain", "empty.example")


def test_a_domain_in_use_is_not_renamed(mail: Commands) -> None:
    assert "cannot be renamed" in mail.refused("domain", "change", "example.com", "new.example")


def test_a_domain_that_is_not_there_is_refused(mail: Commands) -> None:
    for arguments in (("change", "gone.example", "new.example"), ("delete", "gone.example")):
        assert '"gone.example" was not found' in mail.refused("domain", *arguments)


def test_deleting_lists_what_goes_and_goes_on_only_if_told(mail: Commands) -> None:
    before = {noun: mail.json(noun, "list") for noun in ("domain", "user", "alias")}
    for answer in ("n\n", "\n", ""):
        result = mail.run("domain", "delete", "example.com", given=answer)
        assert result.exit_code == 1
        assert "2 users and 3 aliases, and 1 alias elsewhere" in result.stdout
        for line in (
            "user ana@example.com",
            "user bob@example.com",
            "alias sales@example.com -> ana@example.com",
            "alias press@example.org -> ana@example.com",
        ):
            assert f"  {line}\n" in result.stdout
        assert {noun: mail.json(noun, "list") for noun in before} == before


@pytest.mark.parametrize(("options", "answer"), [((), "y\n"), (("--yes",), "")])
def test_deleting_takes_users_and_aliases_along(
    mail: Commands, options: tuple[str, ...], answer: str
) -> None:
    mail("domain", "delete", "example.com", *options, given=answer)
    assert names(mail) == ["empty.example", "example.org"]
    assert [user["email"] for user in mail.json("user", "list")] == ["eva@example.org"]
    assert mail.json("alias", "list") == []
    deleted = [entry for entry in mail.history() if entry[1] == "delete"]
    assert deleted[0] == ("command", "delete", "domain", "example.com")
    assert len(deleted) == 1 + 2 + 4
