"""manage.py history and undo"""

from pathlib import Path

from tests.cli.conftest import Commands


def test_changes_are_listed_the_newest_first(mail: Commands) -> None:
    mail("domain", "delete", "example.org", "--yes")
    listed = mail.json("history")
    assert [item["object_name"] for item in listed][:2] == [
        "example.org",
        "press@example.org -> ana@example.com",
    ]
    assert listed[0]["moment"].endswith("Z")
    assert mail.json("history", "--kind", "domain", "--search", "empty")[0]["action"] == "create"
    assert mail.json("history", "--admin", "nobody") == []
    assert "example.org" in mail("history", "--per-page", "1")


def test_a_change_is_undone(mail: Commands) -> None:
    before = [mail(noun, "list") for noun in ("domain", "user", "alias")]
    mail("domain", "delete", "example.com", "--yes")
    number = str(mail.json("history", "--per-page", "1")[0]["id"])
    assert mail("undo", number) == 'The domain "example.com" was brought back\n'
    assert [mail(noun, "list") for noun in ("domain", "user", "alias")] == before
    assert mail.json("history", "--per-page", "2")[1]["undone_by"] is not None


def test_what_takes_long_is_said_first(mail: Commands, tmp_path: Path) -> None:
    (tmp_path / "mail.csv").write_text("kind,address\ndomain,one.example\ndomain,two.example\n")
    mail("import", str(tmp_path / "mail.csv"), "--yes")
    number = str(mail.json("history", "--per-page", "1")[0]["id"])
    assert mail.run("undo", number).stderr == (
        'Taking back: 2 changes were imported from "mail.csv" ...\n'
    )


def test_what_cannot_be_undone_is_said(mail: Commands) -> None:
    assert "change was not found" in mail.refused("undo", "4711")
    number = str(mail.json("history", "--kind", "domain", "--search", "example.org")[0]["id"])
    assert "has users or aliases" in mail.refused("undo", number)


def test_a_mailbox_forwards_and_keeps_a_copy(mail: Commands) -> None:
    mail("alias", "add", "bob@example.com", "eva@example.org", "--keep-copy")
    mail("alias", "add", "@example.org", "ana@example.com", "--keep-mailboxes")
    pairs = [(row["source"], row["destination"]) for row in mail.json("alias", "list")]
    assert {
        ("bob@example.com", "bob@example.com"),
        ("bob@example.com", "eva@example.org"),
        ("eva@example.org", "eva@example.org"),
    } < set(pairs)
