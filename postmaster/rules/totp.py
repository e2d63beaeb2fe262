"""The second factor's arithmetic: TOTP (RFC 6238) and recovery codes. Pure."""

import base64
import hashlib
import hmac
import io
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

if TYPE_CHECKING:
    import segno

ISSUER = "PostMaster"
STEP = 30  # seconds
DIGITS = 6
SECRET_BYTES = 20
# One step to either side, for clocks that differ (RFC 6238, section 5.2).
TOLERANCE = 1
RECOVERY_CODES = 10
RECOVERY_CODE_LENGTH = 16
# Base32 has no digits that look like letters, and 16 of its characters are 80 bits,
# which need no slow hash.
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def new_secret() -> str:
    """A fresh secret of 160 bits, as RFC 4226 recommends, in base32."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def otpauth_uri(secret: str, username: str) -> str:
    """What an authenticator app reads from the QR code."""
    totp = TOTP(_key(secret), DIGITS, SHA1(), STEP, enforce_key_length=False)  # noqa: S303 -- RFC 6238
    return totp.get_provisioning_uri(username, ISSUER)


def qr_code_svg(uri: str) -> bytes:
    """The QR code of the URI as an SVG image."""
    image = io.BytesIO()
    _code(uri).save(image, kind="svg", scale=5)
    return image.getvalue()


def qr_code_inline(uri: str) -> str:
    """The same, to stand in a page: without a size, and on white in the dark too."""
    return str(_code(uri).svg_inline(omitsize=True, light="#fff", dark="#000"))


def _code(uri: str) -> "segno.QRCode":
    import segno  # noqa: PLC0415 -- few workers ever show a code

    return segno.make(uri, error="m", micro=False)


def _key(secret: str) -> bytes:
    return base64.b32decode(secret, casefold=True)


def matching_step(secret: str, code: str, now: datetime, last_step: int | None) -> int | None:
    """The time step that this code belongs to, or None.

    A step that is not after ``last_step`` is not looked at, so that no code is
    accepted twice (RFC 6238, section 5.2). ``now`` is in UTC, with its zone.
    """
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit()):
        return None
    # PostMaster 1.x made secrets of 80 bits, which are under today's least length.
    hotp = HOTP(_key(secret), DIGITS, SHA1(), enforce_key_length=False)  # noqa: S303 -- RFC 4226
    current = int(now.timestamp()) // STEP
    for step in range(current - TOLERANCE, current + TOLERANCE + 1):
        if last_step is not None and step <= last_step:
            continue
        if hmac.compare_digest(hotp.generate(step), digits.encode()):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Ten fresh one-time codes, in groups of four."""
    codes = []
    for _ in range(RECOVERY_CODES):
        code = "".join(secrets.choice(BASE32) for _ in range(RECOVERY_CODE_LENGTH))
        codes.append("-".join(code[i : i + 4] for i in range(0, RECOVERY_CODE_LENGTH, 4)))
    return codes


def recovery_code_hash(code: str) -> str:
    """The stored form of a recovery code, however it was typed."""
    bare = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(bare.encode("utf-8", "replace")).hexdigest()
