"""Passwords: what is accepted, and what their hashes are."""

import ctypes
import ctypes.util

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passlib.hash import sha512_crypt

from postmaster.errors import Invalid
from postmaster.rules import passwords, strengths

TYPEABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)

_crypt = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1").crypt
_crypt.restype = ctypes.c_char_p
_crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]


def crypt_3(password: str, hashed: str) -> str:
    """What the system's own crypt(3), by which Dovecot compares, makes of it."""
    return (_crypt(password.encode(), hashed.encode()) or b"").decode()


@settings(max_examples=30, deadline=None)
@given(password=TYPEABLE)
def test_a_mail_hash_fills_its_column_exactly(password: str) -> None:
    hashed = passwords.hash_for_mail(password)
    assert len(hashed) == 106
    assert hashed.startswith("$6$")
    assert "rounds=" not in hashed
    assert crypt_3(password, hashed) == hashed
    assert crypt_3(password + "x", hashed) != hashed


def test_a_hash_of_crypt_3_is_the_same() -> None:
    """The row that the guides' file has for the word "password"."""
    known = (
        "$6$Ks9mYx2LwQ7cVb4T$PTHoRoELTxjigMyt6LVkLzxBlpN6/sdcpfhKzu28KVRQ/"
        "PAugYhmUmwWHiifS4TqH16O4B9SrUjl4elQ5bz.n."
    )
    assert sha512_crypt.using(rounds=5000, salt="Ks9mYx2LwQ7cVb4T").hash("password") == known


def test_the_longest_password_is_the_longest_that_crypt_3_takes() -> None:
    longest = "x" * passwords.MAIL_PASSWORD_BYTES
    hashed = passwords.hash_for_mail(longest)
    assert crypt_3(longest, hashed) == hashed
    assert not crypt_3(longest + "x", hashed).startswith("$6$")


def test_each_hash_has_a_salt_of_its_own() -> None:
    assert passwords.hash_for_mail("password") != passwords.hash_for_mail("password")


@pytest.mark.parametrize("password", ["12345678", "  blanks at the ends  ", "ü" * 8, "$`\"':;%"])
def test_a_good_password_is_accepted(password: str) -> None:
    passwords.check(password, minimum=7, most_bytes=72)


@pytest.mark.parametrize(
    ("password", "key_words"),
    [
        ("", "not specified"),
        ("        ", "not specified"),
        ("1234567", "at least 8 characters"),
        ("ü" * 7, "at least 8 characters"),
        ("x" * 73, "too long"),
        ("ü" * 37, "too long"),
        ("12345678\x00", "control characters"),
        ("12345678\n", "control characters"),
        ("12345678\ud800", "control characters"),
        ("1234\x7f5678", "control characters"),
        ("1234\x855678", "control characters"),
    ],
)
def test_a_bad_password_is_refused(password: str, key_words: str) -> None:
    with pytest.raises(Invalid, match=key_words):
        passwords.check(password, minimum=8, most_bytes=72)


@pytest.mark.parametrize(
    ("most", "measured"),
    [(passwords.MAIL_PASSWORD_BYTES, 511), (passwords.ADMIN_PASSWORD_BYTES, 72)],
)
def test_a_password_has_at_most_the_bytes_that_its_scheme_reads(most: int, measured: int) -> None:
    assert most == measured
    passwords.check("x" * most, minimum=8, most_bytes=most)
    passwords.check("ü" * (most // 2), minimum=8, most_bytes=most)
    for too_long in ("x" * (most + 1), "ü" * (most // 2 + 1)):
        with pytest.raises(Invalid, match=f"at most {most} bytes"):
            passwords.check(too_long, minimum=8, most_bytes=most)


@given(password=st.text(st.characters(), max_size=90), minimum=st.integers(0, 25))
def test_a_password_that_is_accepted_can_be_hashed_and_no_text_breaks_the_check(
    password: str, minimum: int
) -> None:
    try:
        passwords.check(password, minimum=minimum, most_bytes=passwords.ADMIN_PASSWORD_BYTES)
    except Invalid as refusal:
        assert refusal.field == "password"
        return
    assert len(password) >= minimum
    hashed = passwords.hash_for_admin(password)
    assert passwords.matches_admin(password, hashed)


def test_blanks_at_the_ends_are_part_of_a_password() -> None:
    hashed = passwords.hash_for_admin(" password ")
    assert passwords.matches_admin(" password ", hashed)
    assert not passwords.matches_admin("password", hashed)
    mail = passwords.hash_for_mail(" password ")
    assert crypt_3(" password ", mail) == mail
    assert crypt_3("password", mail) != mail


def test_an_admins_password_matches_its_hash_only() -> None:
    hashed = passwords.hash_for_admin("password")
    assert len(hashed) == 60
    assert passwords.matches_admin("password", hashed)
    assert not passwords.matches_admin("Password", hashed)
    assert not passwords.matches_admin("password\x00", hashed)
    assert not passwords.matches_admin("\ud800", hashed)


def test_what_the_1x_series_cut_at_72_bytes_still_matches() -> None:
    hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert passwords.matches_admin("x" * 100, hashed)
    assert passwords.matches_admin("x" * 71 + "x" + "ü", hashed)
    assert not passwords.matches_admin("x" * 71, hashed)
    cut_inside_a_letter = bcrypt.hashpw(("x" + "ü" * 40).encode()[:72], bcrypt.gensalt(4)).decode()
    assert passwords.matches_admin("x" + "ü" * 40, cut_inside_a_letter)


@pytest.mark.parametrize("hashed", [None, "", "no hash", "$2b$"])
def test_without_a_hash_nothing_matches(hashed: str | None) -> None:
    assert not passwords.matches_admin("nobody has this password", hashed)


def test_a_suggestion_can_be_read_out_and_typed() -> None:
    suggested = passwords.suggestion()
    groups = suggested.split("-")
    assert [len(group) for group in groups] == [4] * passwords.SUGGESTED_GROUPS
    assert set("".join(groups)) <= set(passwords.READABLE)
    assert not set(passwords.READABLE) & set("0O1lIoi"), "these look alike"
    assert len(set(passwords.READABLE)) == len(passwords.READABLE)


def test_a_suggestion_is_another_each_time_and_too_many_to_try() -> None:
    assert len({passwords.suggestion() for _ in range(200)}) == 200
    letters = 4 * passwords.SUGGESTED_GROUPS
    assert len(passwords.READABLE) ** letters > 2**110


def test_a_suggestion_is_accepted_and_strong() -> None:
    suggested = passwords.suggestion()
    passwords.check(suggested, minimum=24, most_bytes=passwords.ADMIN_PASSWORD_BYTES)
    assert strengths.score(suggested) == 4
