"""How Postfix reads destinations and keys: what random tables on a real one have shown."""

import pytest

from postmaster.rules import expansion
from postmaster.rules.expansion import AliasRow, Failure, Known, MailboxRow, Server

SERVER = Server(email2email=True, delimiter="+")
WITH_HYPHEN = Server(email2email=True, delimiter="-")


def known(*pairs: tuple[str, str], mailboxes: tuple[str, ...] = ()) -> Known:
    """These aliases and mailboxes, as they are fetched: by key in lower case."""
    found = Known(mailboxes={email: MailboxRow(None, email) for email in mailboxes})
    aliases: dict[str, list[AliasRow]] = {}
    for source, destination in pairs:
        aliases.setdefault(source.lower(), []).append(AliasRow(None, source, destination))
    found.aliases.update(aliases)
    return found


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Ana@One.example", ["Ana@One.example"]),
        (" a@x.example ", ["a@x.example"]),
        ("a@x.example, b@x.example;c@x.example", ["a@x.example", "b@x.example", "c@x.example"]),
        ("a@x.example\r\nb@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example b@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example @y.example", ["a@x.example@y.example"]),
        ("Ann Lee <a@x.example>, <b@x.example>", ["a@x.example", "b@x.example"]),
        ('"Lee, Ann" <a@x.example>', ["a@x.example"]),
        ("a@x.example (Ann, at home)", ["a@x.example"]),
        ('"a b"@x.example', ['"a b"@x.example']),
        (" , ;", []),
        ("", []),
    ],
)
def test_what_is_read_in_a_destination(text: str, read: list[str]) -> None:
    assert expansion.read_destination(text) == read


@pytest.mark.parametrize(
    ("address", "destinations", "ends"),
    [
        ("a@x.example", ["@y.example"], ["a@y.example"]),
        ("a@x.example", ["@y.example "], ["a@y.example"]),
        ("a@x.example", ["@y.example", "b@z.example"], ['"a@y.example,b"@z.example']),
        ("a@x.example", ["@y.example;b@z.example"], ['"a@y.example;b"@z.example']),
        ("a+n@x.example", ["@y.example", "b@z.example"], ['"a@y.example,b+n"@z.example']),
        ("a@x.example", ["b@z.example", "@y.example"], ["b@z.example", '""@y.example']),
        ("a+n@x.example", ["b@z.example", "@y.example"], ["b+n@z.example", "+n@y.example"]),
        ("a@x.example", ["b@z.example\n@y.example"], ['"b@z.example"@y.example']),
    ],
)
def test_a_domain_as_destination_takes_in_what_follows(
    address: str, destinations: list[str], ends: list[str]
) -> None:
    rows = [("a@x.example", destination) for destination in destinations]
    assert expansion.expand(address, SERVER, known(*rows)) == (ends, None)


def test_a_name_in_quotes_goes_on_to_other_domains() -> None:
    rows = known(
        ("a@x.example", "@y.example"),
        ("a@x.example", "b@z.example"),
        ("@z.example", "@w.example"),
    )
    assert expansion.expand("a@x.example", SERVER, rows) == (['"a@y.example,b"@w.example'], None)


def test_a_destination_without_address_puts_off_and_an_empty_one_is_none() -> None:
    rows = known(("a@x.example", " "), ("b@x.example", ""), ("c@x.example", "a@x.example"))
    assert expansion.is_listed("a@x.example", SERVER, rows)
    assert not expansion.is_listed("b@x.example", SERVER, rows)
    for address in ("a@x.example", "c@x.example"):
        assert expansion.expand(address, SERVER, rows) == ([], Failure.NO_ADDRESS)
    rows = known(("a@x.example", " "), ("a@x.example", "b@x.example"))
    assert expansion.expand("a@x.example", SERVER, rows) == (["b@x.example"], None)


def test_the_length_is_counted_in_octets_and_without_quotes() -> None:
    domain = "@x.example"
    most = expansion.LENGTH_LIMIT - len(domain)
    assert not expansion.is_too_long("a" * most + domain)
    assert expansion.is_too_long("a" * (most + 1) + domain)
    assert not expansion.is_too_long(f'"{"@" * most}"{domain}')
    assert expansion.is_too_long("é" * (most // 2 + 1) + domain)
    rows = known(("a@x.example", "b" * most + domain), ("b@x.example", "b" * (most + 1) + domain))
    assert expansion.expand("a@x.example", SERVER, rows)[1] is None
    assert expansion.expand("b@x.example", SERVER, rows)[1] is Failure.TOO_LONG


@pytest.mark.parametrize(
    ("address", "server", "bare"),
    [
        ("a-x@x.example", WITH_HYPHEN, "a@x.example"),
        ("owner-a@x.example", WITH_HYPHEN, None),
        ("a-request@x.example", WITH_HYPHEN, None),
        ("mailer-daemon@x.example", WITH_HYPHEN, None),
        ("-request@x.example", WITH_HYPHEN, None),
        ("owner+a@x.example", SERVER, "owner@x.example"),
        ("a+request@x.example", SERVER, "a@x.example"),
        ("+a@x.example", SERVER, None),
    ],
)
def test_names_that_postfix_takes_for_one_with_an_extension(
    address: str, server: Server, bare: str | None
) -> None:
    found, extension = expansion.without_extension(address, server.delimiter)
    assert found == (bare or address)
    assert bool(extension) is (bare is not None)


def test_dovecot_cuts_extensions_off_from_those_names_too() -> None:
    rows = known(mailboxes=("a@x.example", "owner@x.example"))
    for address, email in (("a-request", "a"), ("owner-a", "owner")):
        found = expansion.mailbox_at(f"{address}@x.example", WITH_HYPHEN, rows)
        assert found is not None
        assert found.email == f"{email}@x.example"


def test_postfix_sends_to_no_name_with_a_hyphen_first() -> None:
    assert not expansion.is_sendable("-a@far.example")
    assert expansion.is_sendable("a-b@far.example")
