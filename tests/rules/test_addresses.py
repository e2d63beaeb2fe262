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
# Letters that lower-casing, compatibility forms, IDNA's deviations and other scripts change.
TRICKY_DOMAIN = st.text(
    st.sampled_from("abXY.-019ßςüÜéİıſ\u212aКкдяאבا٣日本。．ａＡ\u0301\u200c\u200d\xadxn"),  # noqa: RUF001 -- meant
    min_size=1,
    max_size=25,
) | st.from_regex(r"(xn--)?[a-z0-9-]{1,12}\.(XN--|xn--)?[a-z0-9-]{1,12}", fullmatch=True)
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


@given(domain=TRICKY_DOMAIN | ANY_TEXT.map("{}.example".format))
def test_both_forms_of_a_domain_meet(domain: str) -> None:
    try:
        a_labels = addresses.domain_name(domain)
    except Invalid:
        return
    assert a_labels.isascii()
    assert a_labels == a_labels.lower()
    assert addresses.domain_name(addresses.u_labels(a_labels)) == a_labels
    for check in (addresses.mailbox, addresses.alias_source, addresses.alias_destination):
        assert check(f"ana@{domain.strip()}") == f"ana@{a_labels}"
    assert addresses.alias_source(f"@{domain.strip()}") == f"@{a_labels}"


@given(text=ANY_TEXT | ADDRESS_LIKE)
def test_what_may_be_a_mailbox_may_be_either_end_of_an_alias(text: str) -> None:
    try:
        address = addresses.mailbox(text)
    except Invalid:
        return
    assert addresses.alias_source(text) == address
    assert addresses.alias_destination(text) == address
    assert "@".join(addresses.split(address)) == address


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
    [
        *("", " ", ".", "example", "example.", ".example", "a..example", "a b.example"),
        *("a,b.example", "a;b.example", "a@b.example", "a_b.example", "a/b.example", "*.example"),
        *("-a.example", "a-.example", "ab--cd.example", "xn--a.example", "xn--zz-.example"),
        *(
            "192.0.2.1",
            "example.1",
            "[192.0.2.1]",
            "a\x00.example",
            "a\n.example",
            "\ud800.example",
        ),
        *("a\u200b.example", "\N{PILE OF POO}.example", "\u0301a.example", f"{'x' * 64}.example"),
        ".".join(["x" * 60] * 5),
    ],
    ids=ascii,
)
def test_what_is_no_domain_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="not a valid domain"):
        addresses.domain_name(typed)


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


def test_a_local_part_has_at_most_64_characters() -> None:
    longest = "x" * addresses.LOCAL_PART_LENGTH + "@example.com"
    assert addresses.mailbox(longest) == longest
    assert addresses.alias_source(longest) == longest
    for check in (addresses.mailbox, addresses.alias_source, addresses.alias_destination):
        with pytest.raises(Invalid, match="at most 64 characters"):
            check("x" + longest)


@pytest.mark.parametrize("local_part", ["a!b", "a%b", "-a", ".a", "a.", "a..b", "jürgen", '"a b"'])
def test_what_postfix_refuses_or_bounces_is_no_end_of_an_alias(local_part: str) -> None:
    with pytest.raises(Invalid, match=r"The source .* not in a valid email format"):
        addresses.alias_source(f"{local_part}@example.com")
    with pytest.raises(Invalid, match=r"The destination .* not in a valid email format"):
        addresses.alias_destination(f"{local_part}@example.com")


@pytest.mark.parametrize(
    "several",
    [
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "a@example.com\r\nb@example.com",
        "a@example.com b@example.com",
        "Ann <a@example.com>",
        "|/bin/sh",
        "root",
    ],
    ids=ascii,
)
def test_what_postfix_reads_as_something_else_is_no_destination(several: str) -> None:
    with pytest.raises(Invalid, match="not in a valid email format"):
        addresses.alias_destination(several)


@pytest.mark.parametrize(
    ("typed", "source"),
    [
        ("@Example.com", "@example.com"),
        (" @bücher.example ", "@xn--bcher-kva.example"),
        ("@xn--bcher-kva.example", "@xn--bcher-kva.example"),
    ],
)
def test_a_catch_all_is_normalised_like_its_domain(typed: str, source: str) -> None:
    assert addresses.alias_source(typed) == source


@pytest.mark.parametrize(
    "typed", ["@", "@@example.com", "@example", "@ example.com", "@a,b.example"]
)
def test_a_catch_all_needs_a_domain(typed: str) -> None:
    with pytest.raises(Invalid, match=r"The source .* not in a valid email format"):
        addresses.alias_source(typed)


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
