"""Passwords: what is accepted, and how they are hashed. Pure.

Mail users get SHA512-CRYPT, the guides' default scheme, by libpass in this
process. Admins get bcrypt.
"""

import re
import secrets
import unicodedata
from functools import cache

import bcrypt
from passlib.hash import sha512_crypt

from ..errors import Invalid

# crypt(3) as in libxcrypt and Dovecot refuses longer ones at sign-in.
MAIL_PASSWORD_BYTES = 511
# bcrypt reads no further, so a longer one would promise what it does not keep.
ADMIN_PASSWORD_BYTES = 72
# $6$, a salt of 16 characters, $, 86 characters: exactly the guides' column.
# The 5000 rounds are those of a hash without "rounds=", which would not fit.
MAIL_SCHEME = sha512_crypt.using(rounds=5000, salt_size=16)
BCRYPT_COST = 12
STORED_HASH = re.compile(r"(?:\{[A-Za-z0-9.-]+\}|\$[A-Za-z0-9-]+\$|[!*])[\x21-\x7e]*")
SHA512_CRYPT_NAMES = re.compile(r"^\{(?:SHA512-)?CRYPT\}", re.IGNORECASE)
# Without letters and digits that look alike; five groups of four are over 110 bits.
READABLE = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
SUGGESTED_GROUPS = 5


def check(password: str, *, minimum: int, most_bytes: int) -> None:
    """Refuse a password that is blank, too short, too long or not typeable.

    ``minimum`` is in characters. A password is never trimmed: blanks at its ends
    are part of it.
    """
    if not password.strip():
        raise Invalid("The password was not specified", field="password")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        raise Invalid("The password may not contain control characters", field="password")
    if len(password) < minimum:
        raise Invalid(
            "The password must be at least %(minimum)s characters long",
            field="password",
            minimum=minimum,
        )
    if len(password.encode()) > most_bytes:
        raise Invalid(
            "The password is too long: at most %(most)s bytes can be used",
            field="password",
            most=most_bytes,
        )


def check_hash(hashed: str) -> None:
    """Refuse what is no password hash as Dovecot's tables hold it.

    That is ``{SCHEME}`` and what belongs to it, a ``$id$`` of crypt(3), or a text that
    begins with ``!`` or ``*``, as in shadow(5), for which no password works. A plain
    password in its place would be stored readable, and nobody could sign in with it.
    """
    if not STORED_HASH.fullmatch(hashed):
        raise Invalid(
            "This is no password hash: one begins with a scheme such as {SHA512-CRYPT} or $6$, "
            "and has no blanks",
            field="hash",
        )


def without_default_scheme(hashed: str) -> str:
    """A SHA512-CRYPT hash without its scheme's name, for which the guides' column has no room."""
    bare = SHA512_CRYPT_NAMES.sub("", hashed, count=1)
    return bare if bare.startswith("$6$") else hashed


def matches_mail(password: str, stored: str) -> bool:
    """Whether a stored SHA512-CRYPT hash is that of a password; False for other schemes."""
    hashed = SHA512_CRYPT_NAMES.sub("", stored, count=1)
    try:
        return bool(MAIL_SCHEME.identify(hashed) and MAIL_SCHEME.verify(password, hashed))
    except (ValueError, TypeError):  # a cut hash, or a password that crypt(3) refuses
        return False


def suggestion() -> str:
    """A fresh random password that can be read out and typed."""
    groups = ("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(SUGGESTED_GROUPS))
    return "-".join(groups)


def hash_for_mail(password: str) -> str:
    """The 106 characters of SHA512-CRYPT that Dovecot reads."""
    return str(MAIL_SCHEME.hash(password))


def hash_for_admin(password: str) -> str:
    """The bcrypt hash of an admin's password."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()


def matches_admin(password: str, hashed: str | None) -> bool:
    """Whether this is the password; takes as long when there is no hash.

    PostMaster 1.x let bcrypt cut passwords at 72 bytes, and those still work.
    """
    try:
        secret = password.encode()[:ADMIN_PASSWORD_BYTES]
        return bcrypt.checkpw(secret, (hashed or _nobodys_hash()).encode()) and bool(hashed)
    except ValueError:  # a NUL or half a surrogate pair, or a hash that is none
        return False


@cache
def _nobodys_hash() -> str:
    return hash_for_admin("nobody has this password")
