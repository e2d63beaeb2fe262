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


def under_a_catch_all(mail: Commands) -> None:
    mail("alias", "add", "@example.org", "bob@example.com", "--keep-mailboxes")


def test_a_user_under_a_catch_all_is_said_to_get_no_mail(mail: Commands) -> None:
    under_a_catch_all(mail)
    given = "a good password\n"
    result = mail.run("user", "add", "new@example.org", "--json", given=given)
    assert "The mailbox new@example.org will get no mail: it goes to bob@" in result.stderr
    assert "manage.py alias add new@example.org new@example.org" in result.stderr
    result = mail.run("user", "rename", "ana@example.com", "anna@example.org")
    assert "The mailbox anna@example.org will get no mail: it goes to bob@" in result.stderr
    pairs = [(item["source"], item["destination"]) for item in mail.json("alias", "list")]
    assert ("new@example.org", "new@example.org") not in pairs


def test_it_gets_its_mail_if_asked(mail: Commands) -> None:
    under_a_catch_all(mail)
    given = "a good password\n"
    result = mail.run("user", "add", "new@example.org", "--keep-copy", given=given)
    assert (result.exit_code, "no mail" in result.stderr) == (0, False)
    result = mail.run("user", "rename", "ana@example.com", "anna@example.org", "--keep-copy")
    assert (result.exit_code, "no mail" in result.stderr) == (0, False)
    pairs = [(item["source"], item["destination"]) for item in mail.json("alias", "list")]
    for email in ("new@example.org", "anna@example.org"):
        assert (email, email) in pairs
        assert f"is delivered to the mailbox {email}" in mail("trace", email)


def test_an_added_alias_says_it_beside_the_item(mail: Commands) -> None:
    result = mail.run("alias", "add", "new@example.com", "team@example.com", "--json")
    assert result.exit_code == 0
    assert "Mail to new@example.com will go to ana@example.com, bob@example.com." in result.stderr
    assert result.stdout.lstrip().startswith("{")
