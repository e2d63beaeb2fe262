"""Passwords: what is accepted, and what their hashes are."""

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passlib.hash import sha512_crypt

from postmaster.errors import Invalid
from postmaster.rules import passwords

TYPEABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)


@settings(max_examples=30, deadline=None)
@given(password=TYPEABLE)
def test_a_mail_hash_fills_its_column_exactly(password: str) -> None:
    hashed = passwords.hash_for_mail(password)
    assert len(hashed) == 106
    assert hashed.startswith("$6$")
    assert "rounds=" not in hashed
    assert sha512_crypt.verify(password, hashed)


def test_a_hash_of_crypt_3_is_the_same() -> None:
    """The row that the guides' file has for the word "password"."""
    known = (
        "$6$Ks9mYx2LwQ7cVb4T$PTHoRoELTxjigMyt6LVkLzxBlpN6/sdcpfhKzu28KVRQ/"
        "PAugYhmUmwWHiifS4TqH16O4B9SrUjl4elQ5bz.n."
    )
    assert sha512_crypt.using(rounds=5000, salt="Ks9mYx2LwQ7cVb4T").hash("password") == known


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
    ],
)
def test_a_bad_password_is_refused(password: str, key_words: str) -> None:
    with pytest.raises(Invalid, match=key_words):
        passwords.check(password, minimum=8, most_bytes=72)


def test_the_longest_passwords_are_accepted() -> None:
    passwords.check("x" * 511, minimum=8, most_bytes=passwords.MAIL_PASSWORD_BYTES)
    passwords.check("x" * 72, minimum=8, most_bytes=passwords.ADMIN_PASSWORD_BYTES)


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


@pytest.mark.parametrize("hashed", [None, "", "no hash", "$2b$"])
def test_without_a_hash_nothing_matches(hashed: str | None) -> None:
    assert not passwords.matches_admin("nobody has this password", hashed)
