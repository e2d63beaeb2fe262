"""What a command would mean for mail is said before it asks whether to go on."""

from tests.cli.conftest import Commands


def test_before_a_user_is_deleted(mail: Commands) -> None:
    result = mail.run("user", "delete", "ana@example.com", given="n\n")
    assert "For mail this means:" in result.stdout
    assert "any more" in result.stdout
    assert result.stdout.index("For mail this means:") < result.stdout.index("Go on?")


def test_before_an_alias_is_deleted(mail: Commands) -> None:
    result = mail.run("alias", "delete", "team@example.com", given="n\n")
    assert (
        "  Nobody will receive mail to team@example.com any more: it is refused." in result.stdout
    )


def test_before_a_domain_is_deleted(mail: Commands) -> None:
    result = mail.run("domain", "delete", "example.com", given="n\n")
    assert "This stops mail to" in result.stdout
    assert "press@example.org, ana@example.com, bob@example.com." in result.stdout


def test_an_added_alias_says_it_beside_the_item(mail: Commands) -> None:
    result = mail.run("alias", "add", "new@example.com", "team@example.com", "--json")
    assert result.exit_code == 0
    assert "Mail to new@example.com will go to ana@example.com, bob@example.com." in result.stderr
    assert result.stdout.lstrip().startswith("{")
