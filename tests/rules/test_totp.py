"""The second factor's arithmetic."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmaster.rules import totp

# RFC 6238, appendix B: the last six of its eight digits.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}
NOW = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES.items())
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert totp.matching_step(RFC_SECRET, code, moment, None) == seconds // 30


def test_a_new_secret_has_160_bits() -> None:
    secret = totp.new_secret()
    assert len(base64.b32decode(secret)) == 20
    assert secret != totp.new_secret()
    assert len(secret) == 32


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-60, False), (-30, True), (30, True), (60, False)]
)
def test_a_clock_may_be_one_step_off(seconds: int, accepted: bool) -> None:
    secret = totp.new_secret()
    code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=seconds))
    assert (totp.matching_step(secret, code, NOW, None) is not None) is accepted


@pytest.mark.parametrize("secret", ["JBSWY3DPEHPK3PXP", "jbswy3dpehpk3pxp"])
def test_a_secret_of_80_bits_gives_codes_too(secret: str) -> None:
    """As PostMaster 1.x made them. Zeros behind a key leave its HMAC as it is (RFC 2104)."""
    same_key = pyotp.TOTP(secret.upper() + "A" * 16)
    step = int(NOW.timestamp()) // 30
    assert totp.matching_step(secret, same_key.at(NOW), NOW, None) == step
    assert totp.matching_step(secret, same_key.at(NOW), NOW, step) is None
    read = totp.otpauth_uri(secret, "ana")
    assert "secret=JBSWY3DPEHPK3PXP&" in read + "&"


@pytest.mark.parametrize("spaced", ["{} {}", " {}{}\n", "{}\u00a0{}"])
def test_blanks_in_a_code_do_not_matter(spaced: str) -> None:
    code = pyotp.TOTP(RFC_SECRET).at(NOW)
    typed = spaced.format(code[:3], code[3:])
    assert totp.matching_step(RFC_SECRET, typed, NOW, None) is not None


@pytest.mark.parametrize("cut", [slice(5), slice(1, 6), slice(0)])
def test_a_part_of_a_code_is_no_code(cut: slice) -> None:
    code = pyotp.TOTP(RFC_SECRET).at(NOW)
    assert totp.matching_step(RFC_SECRET, code[cut], NOW, None) is None
    assert totp.matching_step(RFC_SECRET, code + code[cut] + "0", NOW, None) is None


def test_a_code_is_accepted_once_and_none_before_it() -> None:
    secret = totp.new_secret()
    code = pyotp.TOTP(secret).at(NOW)
    step = totp.matching_step(secret, code, NOW, None)
    assert step is not None
    assert totp.matching_step(secret, code, NOW, step) is None
    before = pyotp.TOTP(secret).at(NOW - timedelta(seconds=30))
    assert totp.matching_step(secret, before, NOW, step) is None
    after = pyotp.TOTP(secret).at(NOW + timedelta(seconds=30))
    assert totp.matching_step(secret, after, NOW, step) == step + 1


@given(code=st.text(max_size=20))
def test_no_text_breaks_it(code: str) -> None:
    totp.matching_step(RFC_SECRET, code, NOW, None)


def test_digits_of_other_scripts_are_no_code() -> None:
    digits = "".join(chr(ord(d) - ord("0") + 0x0660) for d in pyotp.TOTP(RFC_SECRET).at(NOW))
    assert totp.matching_step(RFC_SECRET, digits, NOW, None) is None


def test_an_app_reads_the_uri_from_the_qr_code() -> None:
    uri = totp.otpauth_uri(RFC_SECRET, "ana@example.com")
    read = pyotp.parse_uri(uri)
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.issuer, read.name) == (RFC_SECRET, "PostMaster", "ana@example.com")
    assert totp.qr_code_svg(uri).startswith(b"<?xml")


def test_a_recovery_code_has_80_bits_in_groups_of_four() -> None:
    for code in totp.new_recovery_codes():
        assert re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", code)
    first, second = totp.new_recovery_codes()[:2]
    assert totp.recovery_code_hash(first) != totp.recovery_code_hash(second)
    assert re.fullmatch(r"[0-9a-f]{64}", totp.recovery_code_hash(first))


def test_recovery_codes_are_ten_and_read_however_they_are_typed() -> None:
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == 10
    for code in codes:
        typed = f" {code.lower().replace('-', ' ')} "
        assert totp.recovery_code_hash(typed) == totp.recovery_code_hash(code)
        assert code not in totp.recovery_code_hash(code)
