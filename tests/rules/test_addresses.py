"""Addresses: normalised first, then checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmaster.errors import Invalid
from postmaster.rules import addresses

ANY_TEXT = st.text(st.characters(), max_size=80)
ADDRESS_LIKE = st.from_regex(
    r"[ ]?[A-Za-z0-9.+_-]{0,12}@?[A-Za-z0-9.\xfc-]{0,20}[ ]?", fullmatch=True
)
NOT_IN_A_MAILBOX = [
    *("a+b", "a'b", "a&b", "a=b", "a#b", "a*b", "a/b", "a b", "a!b", "a%b", '"a"', "-a", "jürgen"),
    *(".a", "a.", "a..b", "a,b", "a;b", "a\tb", "a\x00b", "", "x" * 65),
]
CHECKS = {
    "domain": addresses.domain_name,
    "mailbox": addresses.mailbox,
    "source": addresses.alias_source,
    "destination": addresses.alias_destination,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
@given(text=ANY_TEXT | ADDRESS_LIKE)
def test_what_comes_out_is_clean_and_stays_the_same(check: object, text: str) -> None:
    try:
        result = check(text)  # type: ignore[operator]
    except Invalid as refusal:
        assert str(refusal).isprintable() or "\n" not in str(refusal)
        return
    assert result == check(result)  # type: ignore[operator]
    assert result.isascii()
    assert result == result.lower()
    assert not addresses.has_unusable_characters(result)


@given(text=ANY_TEXT)
def test_what_is_shown_of_bad_input_fits_a_line(text: str) -> None:
    assert len(addresses.shown(text)) <= 80
    assert addresses.shown(text).isprintable()


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("Example.COM", "example.com"),
        (" example.com\n", "example.com"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("BÜCHER.EXAMPLE", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("1.example", "1.example"),
        ("a-b.c-d.example", "a-b.c-d.example"),
    ],
)
def test_a_domain_is_normalised(typed: str, domain: str) -> None:
    assert addresses.domain_name(typed) == domain


@pytest.mark.parametrize(
    "typed",
    ["ana@example.com", "ANA@Example.com", " ana@example.com ", "a.b-c_d9@example.com"],
)
def test_a_mailbox_is_what_dovecot_lets_in(typed: str) -> None:
    assert addresses.mailbox(typed) == typed.strip().lower()


@pytest.mark.parametrize("local_part", NOT_IN_A_MAILBOX)
def test_a_mailbox_that_dovecot_or_lmtp_refuses_is_refused(local_part: str) -> None:
    with pytest.raises(Invalid, match="not a valid email"):
        addresses.mailbox(f"{local_part}@example.com")


@pytest.mark.parametrize("source", ["a+b@example.com", "o'hara@example.com", "@example.com"])
def test_an_alias_source_may_hold_more(source: str) -> None:
    assert addresses.alias_source(source) == source


@pytest.mark.parametrize("bad", ["@example.com", "a@b@example.com", "a!b@example.com", "a@b"])
def test_a_bad_destination_is_refused(bad: str) -> None:
    with pytest.raises(Invalid, match="not in a valid email format"):
        addresses.alias_destination(bad)


def test_people_read_the_international_form() -> None:
    assert addresses.u_labels("xn--bcher-kva.example") == "bücher.example"
    assert addresses.u_labels("no domain at all") == "no domain at all"
