"""Which scheme a mail user's stored password is in, and whether Dovecot can read it. Pure.

The schemes are those of Dovecot 2.3 on Debian (``doveadm pw -l``), with the guides'
``default_pass_scheme = SHA512-CRYPT``: a text without ``{SCHEME}`` goes to crypt(3), which
tells its schemes by what they begin with.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

DEFAULT = "SHA512-CRYPT"
UNKNOWN = "unknown"
PREFIX = re.compile(r"\{(?P<name>[^}]*)\}")
# Dovecot takes {SCHEME.HEX} and {SCHEME.B64} for schemes that it would write otherwise.
ENCODINGS = (".HEX", ".B64", ".BASE64")


class State(StrEnum):
    """What Dovecot makes of a stored password."""

    READABLE = "readable"
    EMPTY = "empty"  # nothing is stored; every password is refused
    LOCKED = "locked"  # "!" or "*" before or instead of a hash; every password is refused
    PLAIN = "plain"  # a text in no scheme: it is never the password
    CUT = "cut"  # the scheme is known, but this cannot be a whole hash of it
    UNKNOWN = "unknown"  # a scheme that Dovecot does not have


@dataclass(frozen=True)
class Stored:
    """What is known of a stored password without the password.

    ``scheme`` is Dovecot's name for it, or ``unknown``; ``prefix`` is as it stands in the
    row, without the braces. Weak is what is guessed quickly once the table is stolen.
    """

    scheme: str
    state: State
    prefix: str | None = None
    is_weak: bool = False

    @property
    def is_readable(self) -> bool:
        """Whether its owner can sign in."""
        return self.state is State.READABLE


HASH64 = "[./0-9A-Za-z]"  # the alphabet of crypt(3)

# What crypt(3) of Debian (libxcrypt, see crypt(5)) tells by its beginning, and the whole.
CRYPTS: Mapping[str, tuple[str, re.Pattern[str]]] = {
    "$6$": ("SHA512-CRYPT", re.compile(rf"\$6\$(rounds=\d+\$)?[^$:\s]{{0,16}}\${HASH64}{{86}}")),
    "$5$": ("SHA256-CRYPT", re.compile(rf"\$5\$(rounds=\d+\$)?[^$:\s]{{0,16}}\${HASH64}{{43}}")),
    "$1$": ("MD5-CRYPT", re.compile(rf"\$1\$[^$:\s]{{0,8}}\${HASH64}{{22}}")),
    "$2": ("BLF-CRYPT", re.compile(rf"\$2[abxy]\$\d\d\${HASH64}{{53}}")),
    "$y$": ("YESCRYPT", re.compile(rf"\$y\${HASH64}+\${HASH64}*\${HASH64}{{43}}")),
    "$gy$": ("GOST-YESCRYPT", re.compile(rf"\$gy\${HASH64}+\${HASH64}*\${HASH64}{{43}}")),
    "$sha1$": ("SHA1-CRYPT", re.compile(rf"\$sha1\$\d+\${HASH64}*\${HASH64}{{28}}")),
    "$md5": ("SUN-MD5", re.compile(rf"\$md5[^:\s]*\${HASH64}{{22}}")),
    "$7$": ("SCRYPT", re.compile(rf"\$7\${HASH64}{{11,97}}\${HASH64}{{43}}")),
}
DES = re.compile(rf"{HASH64}{{13}}")
# Those of the schemes above that Dovecot knows by name, and "CRYPT" for all of them.
BY_CRYPT = frozenset(
    {"CRYPT", "DES-CRYPT", "MD5-CRYPT", "BLF-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT"}
)
# MD5-CRYPT takes only its own, the others whatever crypt(3) can check.
ANY_CRYPT = BY_CRYPT - {"MD5-CRYPT"}


def _base64(least: int, most: int | None = None) -> re.Pattern[str]:
    """So many bytes in base64, of which a piece is four characters; with no most, a salt too."""
    fours = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
    shortest = -(-least // 3) * 4
    longest = "" if most is None else -(-most // 3) * 4
    return re.compile(rf"(?=.{{{shortest},{longest}}}$){fours}")


def _digest(size: int) -> re.Pattern[str]:
    """A digest of so many bytes, in hexadecimal digits or in base64."""
    return re.compile(rf"[0-9a-fA-F]{{{size * 2}}}|{_base64(size, size).pattern}")


ANYTHING = re.compile(".+", re.DOTALL)
ARGON2 = r"\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{43}"
SCRAM = "[0-9]+,[A-Za-z0-9+/=]+,"
OTHERS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("PLAIN", "CLEAR", "CLEARTEXT"), ANYTHING),
    "PLAIN-TRUNC": re.compile(r"\d+-.+", re.DOTALL),
    **dict.fromkeys(("SHA", "SHA1"), _digest(20)),
    "SHA256": _digest(32),
    "SHA512": _digest(64),
    "SSHA": _base64(21),
    "SSHA256": _base64(33),
    "SSHA512": _base64(65),
    "SMD5": _base64(17),
    **dict.fromkeys(("LDAP-MD5", "PLAIN-MD5", "PLAIN-MD4", "DIGEST-MD5"), _digest(16)),
    **dict.fromkeys(("CRAM-MD5", "HMAC-MD5"), re.compile("[0-9a-fA-F]{64}")),
    "PBKDF2": re.compile(r"\$1\$[^$]+\$\d+\$[0-9a-fA-F]{40}"),
    "SCRAM-SHA-1": re.compile(rf"{SCRAM}[A-Za-z0-9+/]{{27}}=,[A-Za-z0-9+/]{{27}}="),
    "SCRAM-SHA-256": re.compile(rf"{SCRAM}[A-Za-z0-9+/]{{43}}=,[A-Za-z0-9+/]{{43}}="),
    "OTP": re.compile(r"\w+ \d+ [0-9a-zA-Z]+ [0-9a-fA-F]{16}"),
    "ARGON2I": re.compile(rf"\$argon2i{ARGON2}"),
    "ARGON2ID": re.compile(rf"\$argon2id{ARGON2}"),
}
STRONG = frozenset(
    {
        *("SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "YESCRYPT", "GOST-YESCRYPT", "SCRYPT"),
        *("PBKDF2", "SCRAM-SHA-1", "SCRAM-SHA-256", "ARGON2I", "ARGON2ID"),
    }
)


def of(text: str) -> Stored:
    """The scheme of a stored password, and whether Dovecot can read it."""
    marked = PREFIX.match(text)
    prefix = marked["name"] if marked else None
    rest = text[marked.end() :] if marked else text
    name, encoding = _named(prefix, rest)
    pattern = OTHERS.get(name)
    if not rest:
        return Stored(name, State.EMPTY, prefix)
    if rest[0] in "!*" and pattern is not ANYTHING:
        return Stored(name if marked else UNKNOWN, State.LOCKED, prefix)
    if name in BY_CRYPT and not encoding:
        return _crypt(rest, name, prefix)
    if name not in BY_CRYPT and pattern is None:
        return Stored(UNKNOWN, State.UNKNOWN, prefix)
    fits = encoding or pattern is None or pattern.fullmatch(rest)
    return Stored(name, State.READABLE if fits else State.CUT, prefix, name not in STRONG)


def _named(prefix: str | None, rest: str) -> tuple[str, str]:
    """The scheme that a prefix names, and the encoding that it adds."""
    if prefix is None:
        return DEFAULT, ""
    name = prefix.upper()
    encoding = next((end for end in ENCODINGS if name.endswith(end)), "")
    name = name.removesuffix(encoding)
    if name == "MD5":  # once it was crypt(3)'s, and LDAP servers call a bare digest so
        name = "MD5-CRYPT" if rest.startswith("$1$") else "PLAIN-MD5"
    return name, encoding


def _crypt(text: str, name: str, prefix: str | None) -> Stored:
    """A text that Dovecot hands to crypt(3), whatever the name of its scheme is."""
    for beginning, (scheme, whole) in CRYPTS.items():
        if text.startswith(beginning):
            fits = whole.fullmatch(text) and name in (scheme, *ANY_CRYPT)
            state = State.READABLE if fits else State.CUT
            return Stored(scheme, state, prefix, scheme not in STRONG)
    if DES.fullmatch(text):
        return Stored("DES-CRYPT", State.READABLE, prefix, is_weak=True)
    if text.startswith("$"):  # such as $argon2id$, which needs its {ARGON2ID}
        return Stored(UNKNOWN, State.UNKNOWN, prefix)
    if prefix is None:
        return Stored(UNKNOWN, State.PLAIN)
    return Stored(name, State.CUT, prefix, name not in STRONG)
